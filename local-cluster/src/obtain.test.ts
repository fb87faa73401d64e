import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createRawServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { writeArchive } from './archive.ts'
import { sourceFolderName } from './binary-source.ts'
import { LocalClusterError } from './local-cluster-error.ts'
import { obtain } from './obtain.ts'
import type { ProgressEvent } from './progress.ts'
import { toolOf } from './tool.ts'

const cni = toolOf('cni')
const noGo = join(import.meta.dirname, 'there-is-no-go')
let folder: string
let cacheFolder: string
let server: Server
let url: string

beforeAll(async () => {
  server = createServer((request, response) => {
    const file = join(folder, 'served', decodeURIComponent(request.url ?? ''))
    if (!existsSync(file)) return void response.writeHead(404).end()
    createReadStream(file).pipe(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-obtain-'))
  cacheFolder = join(folder, 'cache')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const pathOf = (name: string) => `${sourceFolderName(cni)}/${name}`
const contentOf = (name: string) => `#!/bin/sh\necho ${name}\n`

/** A source of the CNI plugins with contents of our own: obtaining does not look into programs. */
function writeSource(to: string, wrong?: string): void {
  const sums = cni.executables.map((name) => {
    mkdirSync(dirname(join(to, pathOf(name))), { recursive: true })
    writeFileSync(join(to, pathOf(name)), contentOf(name))
    const sum = createHash('sha256').update(name === wrong ? 'something else' : contentOf(name))
    return `${sum.digest('hex')}  ${pathOf(name)}\n`
  })
  writeFileSync(join(to, 'SHA256SUMS'), sums.join(''))
}

const obtained = (source: string) => obtain(['cni'], { cacheFolder, source, go: noGo })

test('programs are taken from a web server, checked, made executable and found in the cache the next time', async () => {
  writeSource(join(folder, 'served/binaries'))
  const first = await obtained(`${url}/binaries/`)
  expect(first.folders[0]?.from).toBe('source')
  expect(readFileSync(first.executable('portmap'), 'utf8')).toBe(contentOf('portmap'))
  expect(statSync(first.executable('portmap')).mode & 0o777).toBe(0o755)
  const second = await obtained('')
  expect(second.folders[0]?.from).toBe('cache')
  expect(second.executable('portmap')).toBe(first.executable('portmap'))
})

test('a web server that closes the connection after each file and one that sends elsewhere are both read to the end', async () => {
  writeSource(join(folder, 'served'))
  const large = Buffer.alloc(8_000_000, 'x')
  writeFileSync(join(folder, 'served', pathOf('bridge')), large)
  const sums = readFileSync(join(folder, 'served/SHA256SUMS'), 'utf8').replace(
    /^\S+( .*bridge)$/m,
    `${createHash('sha256').update(large).digest('hex')}$1`,
  )
  writeFileSync(join(folder, 'served/SHA256SUMS'), sums)
  // As HTTP/1.0 servers do: no length, the end of the connection is the end of the file.
  const old = createRawServer((socket) => {
    socket.once('data', (request) => {
      const path = request.toString().split(' ')[1] ?? ''
      const file = join(folder, 'served', path.replace('/away', ''))
      if (path.startsWith('/away')) socket.end(`HTTP/1.0 302 Found\r\nLocation: ${path.slice(5)}\r\n\r\n`)
      else socket.end(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), readFileSync(file)]))
    })
  }).listen(0, '127.0.0.1')
  await once(old, 'listening')
  const { executable } = await obtained(`http://127.0.0.1:${(old.address() as AddressInfo).port}/away`)
  expect(statSync(executable('bridge')).size).toBe(large.length)
  old.close()
})

test('a program with a wrong checksum is refused by name, and nothing of it stays', async () => {
  writeSource(join(folder, 'served'), 'loopback')
  const error = await obtained(url).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(LocalClusterError)
  expect(error).toMatchObject({ reason: 'ChecksumMismatch' })
  expect((error as Error).message).toContain(pathOf('loopback'))
  expect(readdirSync(cacheFolder)).toEqual([])
})

test('an archive that we wrote is taken on another machine, from a file and from a web server', async () => {
  writeSource(join(folder, 'first'))
  for (const name of ['all.tar', 'all.tar.gz']) {
    await writeArchive({
      file: join(folder, 'served', name),
      tools: ['cni'],
      cacheFolder,
      source: join(folder, 'first'),
      go: noGo,
    })
    for (const source of [join(folder, 'served', name), `${url}/${name}`]) {
      const there = await obtain(['cni'], { cacheFolder: mkdtempSync(join(folder, 'other-')), source, go: noGo })
      expect(there.folders[0]?.from).toBe('source')
      expect(readFileSync(there.executable('bridge'), 'utf8')).toBe(contentOf('bridge'))
    }
  }
})

test('a folder that we wrote is taken as it is', async () => {
  writeSource(join(folder, 'first'))
  const file = join(folder, 'second')
  const paths = await writeArchive({ file, tools: ['cni'], cacheFolder, source: join(folder, 'first'), go: noGo })
  expect(paths).toEqual(cni.executables.map(pathOf))
  const there = await obtain(['cni'], { cacheFolder: join(folder, 'other'), source: file, go: noGo })
  expect(there.folders[0]?.from).toBe('source')
})

test('without Go the three ways out are named', async () => {
  const error = await obtained('').catch((thrown: unknown) => thrown as LocalClusterError)
  expect(error).toMatchObject({ reason: 'BinariesUnavailable' })
  const { cure } = error as LocalClusterError
  for (const way of ['--kubeconfig', 'QUARTERDECK_BINARIES', 'install Go']) expect(cure).toContain(way)
})

test('a source without the wanted tool is passed over', async () => {
  mkdirSync(join(folder, 'empty'))
  writeFileSync(join(folder, 'empty', 'SHA256SUMS'), '')
  await expect(obtained(join(folder, 'empty'))).rejects.toMatchObject({ reason: 'BinariesUnavailable' })
})

test('a source that is no archive, has no checksums or cannot be reached is told with its cure', async () => {
  writeFileSync(join(folder, 'rubbish.tar.gz'), 'rubbish')
  mkdirSync(join(folder, 'served'))
  const reasons: [string, string][] = [
    [join(folder, 'rubbish.tar.gz'), 'ArchiveInvalid'],
    [join(folder, 'missing'), 'ArchiveInvalid'],
    [`${url}/missing`, 'DownloadFailed'],
    ['http://127.0.0.1:1', 'DownloadFailed'],
  ]
  for (const [source, reason] of reasons) {
    await expect(obtained(source)).rejects.toMatchObject({
      reason,
      cure: expect.stringContaining('QUARTERDECK_BINARIES'),
    })
  }
})

test('what is still to come is told before the first program is fetched, so that how far is of the whole', async () => {
  writeSource(join(folder, 'served'))
  const events: ProgressEvent[] = []
  const trying = obtain(['cni', 'etcd'], {
    cacheFolder,
    source: url,
    go: noGo,
    onProgress: (event) => events.push(event),
  })
  await trying.catch(() => undefined)
  expect(events.slice(0, 2)).toMatchObject([
    { component: 'cni', state: 'waiting' },
    { component: 'etcd', state: 'waiting' },
  ])
})

test('what a killed build left is not taken for a program and is cleared away', async () => {
  writeSource(join(folder, 'served'))
  const done = (await obtained(url)).folders[0]?.folder ?? ''
  const name = done.slice(cacheFolder.length + 1)
  rmSync(done, { recursive: true })
  mkdirSync(join(cacheFolder, `.${name}-abc123`))
  writeFileSync(join(cacheFolder, `.${name}-abc123`, 'bridge'), 'half')
  const events: ProgressEvent[] = []
  await obtain(['cni'], { cacheFolder, source: url, go: noGo, onProgress: (event) => events.push(event) })
  expect(readdirSync(cacheFolder)).toEqual([name])
  expect(events.at(-1)).toMatchObject({ stage: 'obtain', component: 'cni', state: 'done', percent: 100 })
})
