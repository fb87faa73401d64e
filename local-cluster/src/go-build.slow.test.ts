import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { goVersion } from './go-build.ts'
import { obtain } from './obtain.ts'
import { type ProgressEvent, stagesOf } from './progress.ts'

const withGo = test.skipIf((await goVersion()) === undefined)
let cacheFolder: string
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), 'qd-build-'))
})
afterEach(() => rmSync(cacheFolder, { recursive: true, force: true }))

/** A process of its own that obtains the CNI plugins and prints its progress, a JSON line an event. */
function builder() {
  const script = `
    import { obtain } from ${JSON.stringify(join(import.meta.dirname, 'obtain.ts'))}
    const { folders } = await obtain(['cni'], {
      cacheFolder: ${JSON.stringify(cacheFolder)}, source: '', onProgress: (event) => console.log(JSON.stringify(event)),
    })
    console.log(JSON.stringify(folders[0]))`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
}

withGo('a tool is built from its Go module, with progress that counts packages', { timeout: 300_000 }, async () => {
  const events: ProgressEvent[] = []
  const { folders, executable } = await obtain(['cni'], {
    cacheFolder,
    source: '',
    onProgress: (event) => events.push(event),
  })
  expect(folders).toMatchObject([{ tool: 'cni', from: 'build', version: expect.stringMatching(/^v\d/) }])
  for (const name of ['bridge', 'loopback', 'host-local', 'portmap'])
    expect(existsSync(executable(name)), name).toBe(true)
  expect(events.some((event) => /\d+ of [1-9]\d* packages/.test(event.detail))).toBe(true)
  expect(stagesOf(events)[1]).toMatchObject({ stage: 'obtain', state: 'done' })
})

withGo('of two processes at once one builds and the other waits for it', { timeout: 300_000 }, async () => {
  const [one, two] = [builder(), builder()]
  const outputs = await Promise.all(
    [one, two].map(async (child) =>
      Buffer.concat(await child.stdout.toArray())
        .toString('utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ),
  )
  expect(outputs.map((lines) => lines.at(-1).from).sort()).toEqual(['build', 'cache'])
  const waiting = outputs.find((lines) => lines.at(-1).from === 'cache') ?? []
  expect(waiting.some((event) => String(event.detail).includes('is building it'))).toBe(true)
})

withGo('a build that is killed leaves nothing half, and the next one takes over', { timeout: 300_000 }, async () => {
  const child = builder()
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  await delay(300)
  child.kill('SIGKILL')
  await closed
  const { folders } = await obtain(['cni'], { cacheFolder, source: '' })
  expect(folders[0]?.from).toBe('build')
  expect(readdirSync(cacheFolder)).toEqual([folders[0]?.folder.slice(cacheFolder.length + 1)])
})
