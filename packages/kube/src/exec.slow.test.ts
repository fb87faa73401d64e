import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { clusterUnreachable, isProblem, notFound, rejectedByCluster } from '@quarterdeck/kernel'
import { type NodeCluster, nodeCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ExecRequest } from './index.ts'

let node: NodeCluster
let namespace: string
beforeAll(async () => {
  node = await nodeCluster()
  namespace = await node.namespace('exec')
  await node.pod(namespace, 'shell', { image: `${node.registry}/shell:1`, command: ['sleep', '3600'] })
}, 180_000)
afterAll(() => node?.close())

const exec = (command: string[], more: Partial<ExecRequest> = {}) =>
  node.cluster.exec({ namespace, pod: 'shell', command, ...more })

test('a command gives its output, its complaints and its exit code apart', async () => {
  const run = await exec(['sh', '-c', 'echo out; echo bad >&2; exit 3'])
  expect(await Promise.all([text(run.stdout), text(run.stderr), run.exit])).toEqual(['out\n', 'bad\n', 3])
})

test('what is written to a command is read by it until the end of input', async () => {
  const run = await exec(['cat'], { stdin: true })
  run.stdin.end('one\ntwo\n')
  expect([await text(run.stdout), await run.exit]).toEqual(['one\ntwo\n', 0])
})

test('megabytes go in and come back unchanged', async () => {
  const run = await exec(['cat'], { stdin: true })
  const sent = Buffer.alloc(8 * 1024 * 1024, 'quarterdeck ')
  run.stdin.end(sent)
  const received = Buffer.concat(await run.stdout.toArray())
  expect(received.equals(sent)).toBe(true)
})

test('a reader that stops holds the command up instead of filling memory', async () => {
  const run = await exec(['sh', '-c', 'dd if=/dev/zero bs=1048576 count=256 2>/dev/null'])
  await new Promise((resolve) => run.stdout.once('readable', resolve))
  let before = -1
  while (run.stdout.readableLength !== before) {
    before = run.stdout.readableLength
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  expect(before).toBeLessThan(16 * 1024 * 1024)
  let bytes = 0
  for await (const chunk of run.stdout) bytes += chunk.length
  expect(bytes).toBe(256 * 1024 * 1024)
})

test('a terminal has the size that it was given, and the next one when it is resized', async () => {
  const run = await exec(['sh'], { tty: true, stdin: true, size: { columns: 90, rows: 30 } })
  let output = ''
  const shown = (words: string) =>
    new Promise<void>((resolve) => {
      const look = () => output.includes(words) && resolve()
      run.stdout.on('data', look)
      look()
    })
  run.stdout.on('data', (chunk) => {
    output += chunk
  })
  const until = (size: string) => `until [ "$(stty size)" = "${size}" ]; do sleep 0.1; done; echo is-$(stty size)\n`
  run.stdin.write(until('30 90'))
  await shown('is-30 90')
  run.resize({ columns: 120, rows: 40 })
  run.stdin.write(until('40 120'))
  await shown('is-40 120')
  run.stdin.write('exit 7\n')
  expect(await run.exit).toBe(7)
})

test('a program that is not there, and a pod that is not there, are said as such', async () => {
  const run = await exec(['no-such-program'])
  await expect(run.exit).rejects.toSatisfy((error) => isProblem(error, rejectedByCluster))
  await expect(run.exit).rejects.toThrow(/no-such-program/)
  await expect(exec(['ls'], { pod: 'gone' })).rejects.toSatisfy((error) => isProblem(error, notFound))
  await expect(exec(['ls'], { container: 'gone' })).rejects.toSatisfy((error) => isProblem(error, rejectedByCluster))
})

test('closing, or the abort of the caller, ends the streams, and the exit code is then not made up', async () => {
  const stop = new AbortController()
  const run = await exec(['sleep', '600'], { signal: stop.signal })
  stop.abort()
  await finished(run.stdout.resume())
  await expect(run.exit).rejects.toSatisfy((error) => isProblem(error, clusterUnreachable))
  run.close()
})

test('the log of a container comes whole, from the end, with times, and line by line while it goes on', async () => {
  const command = ['sh', '-c', 'for i in 1 2 3; do echo line $i; done; sleep 2; echo late; sleep 3600']
  await node.pod(namespace, 'talker', { image: `${node.registry}/shell:1`, command })
  const logs = (more: object) => node.cluster.logs({ namespace, pod: 'talker', ...more })
  expect(await text(await logs({ tailLines: 1, limitBytes: 6 }))).toMatch(/^(line 3|late)/)
  expect(await text(await logs({ timestamps: true }))).toMatch(/^\d{4}-\d\d-\d\dT\S+Z line 1\n/)
  const stop = new AbortController()
  let seen = ''
  const following = (async () => {
    for await (const chunk of await logs({ follow: true, signal: stop.signal })) {
      seen += chunk
      if (seen.includes('late')) stop.abort()
    }
  })()
  await expect(following).rejects.toThrow(/abort/i)
  expect(seen).toBe('line 1\nline 2\nline 3\nlate\n')
})

test('a log that is not there is refused with the reason of the cluster', async () => {
  const previous = node.cluster.logs({ namespace, pod: 'shell', previous: true })
  await expect(previous).rejects.toSatisfy((error) => isProblem(error, rejectedByCluster))
  await expect(node.cluster.logs({ namespace, pod: 'gone' })).rejects.toSatisfy((error) => isProblem(error, notFound))
})
