import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from '@quarterdeck/http'
import { type NodeCluster, nodeCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { logRoutes } from '../log/log.routes.ts'
import { openTerminals, terminalRoutes } from './terminal.routes.ts'

const QD = join(import.meta.dirname, '../../../apps/cli/src/main.ts')
// Each qd is a process of its own, and a machine under test is busy.
vi.setConfig({ testTimeout: 180_000 })
const settings = mkdtempSync(join(tmpdir(), 'quarterdeck-qd-'))
let node: NodeCluster
let server: Server
let url: string
let terminals: ReturnType<typeof openTerminals>

beforeAll(async () => {
  node = await nodeCluster()
  const namespace = await node.namespace('exec')
  const command = ['sh', '-c', 'i=0; while true; do i=$((i+1)); echo line $i; sleep 0.1; done']
  await node.cluster.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop', namespace, labels: { 'app.kubernetes.io/instance': 'shop' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'shop', image: `${node.registry}/shell:1`, command }],
    },
  })
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'shop' }
  while ((await node.cluster.get(pod))?.status?.phase !== 'Running') await new Promise((done) => setTimeout(done, 100))
  server = await createServer({
    authenticate: async ({ token = '' }) => ({ name: token, kind: 'token', permissions: ['*'] }),
    logLevel: 'silent',
  })
  terminals = openTerminals({ audit: () => undefined })
  const environment = async () => ({ cluster: node.cluster, person: node.cluster, namespace })
  terminalRoutes(server, { terminals, environment })
  logRoutes(server, { environment })
  url = await server.listen(0)
}, 600_000)
afterAll(async () => {
  await terminals?.close('over')
  await server?.close()
  await node?.close()
  rmSync(settings, { recursive: true })
})

interface Outcome {
  status: number | null
  stdout: Buffer
  stderr: string
}

/** Runs a program as a shell would; `until` sends SIGINT when the output holds it. */
function run(program: string, args: string[], { input, until }: { input?: Buffer | string; until?: string } = {}) {
  const env = { ...process.env, QUARTERDECK_SERVER: url, QUARTERDECK_TOKEN: 'ann', XDG_CONFIG_HOME: settings }
  const child = spawn(program, args, { env: { ...env, QUARTERDECK_ENVIRONMENT: 'dev' } })
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (bytes: Buffer) => {
    stdout.push(bytes)
    if (until && Buffer.concat(stdout).includes(until)) child.kill('SIGINT')
  })
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  return new Promise<Outcome>((resolve) => {
    child.once('close', (status) => resolve({ status, stdout: Buffer.concat(stdout), stderr }))
  })
}
const qd = (args: string[], options = {}) => run(process.execPath, [QD, ...args], options)
/** With a terminal around it, as a person has; `script` is part of Debian's base. */
const qdAtTerminal = (line: string, input: string) =>
  run('script', ['-qec', `"${process.execPath}" "${QD}" ${line}`, '/dev/null'], { input })

test('a command runs with its input, both outputs apart, and its exit code', async () => {
  const piped = await qd(['exec', 'shop', '--', 'cat'], { input: 'hi\n' })
  expect(piped).toMatchObject({ status: 0, stderr: '' })
  expect(String(piped.stdout)).toBe('hi\n')
  const failed = await qd(['exec', 'shop', '--', 'sh', '-c', 'echo out; echo wrong >&2; exit 9'])
  expect(failed).toMatchObject({ status: 9, stderr: 'wrong\n' })
  expect(String(failed.stdout)).toBe('out\n')
})

test('five megabytes of anything come through both ways as they are', async () => {
  const input = randomBytes(5_000_000)
  const { status, stdout } = await qd(['exec', 'shop', '--', 'cat'], { input })
  expect(status).toBe(0)
  expect(stdout.length).toBe(input.length)
  const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  expect(sum(stdout)).toBe(sum(input))
})

test('at a terminal a shell is a terminal there, too, and its exit code is ours', async () => {
  const { status, stdout } = await qdAtTerminal('exec shop', 'tty\rexit 6\r')
  expect(String(stdout)).toContain('/dev/pts/')
  expect(status).toBe(6)
})

test('what cannot be run says why, on stderr, with the exit code for it', async () => {
  expect(await qd(['exec', 'shop', '--', 'nosuch'])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/no program nosuch/),
  })
  expect(await qd(['exec', 'none', '--', 'ls'])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/no pod none/),
  })
  expect(await qd(['exec', 'shop'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/Give a command after --/),
  })
})

test('logs are shown, followed until Ctrl+C, and as JSON lines', async () => {
  const last = await qd(['logs', 'shop', '--tail', '2'])
  expect(last.status).toBe(0)
  expect(String(last.stdout)).toMatch(/^shop\/shop line \d+\nshop\/shop line \d+\n$/)
  const followed = await qd(['logs', 'shop', '-f', '--tail', '0', '--no-prefix'], { until: '\nline' })
  expect(followed.status).toBe(130)
  expect(String(followed.stdout)).toMatch(/^line \d+\nline/)
  const json = await qd(['logs', 'shop', '--tail', '1', '-o', 'json'])
  expect(JSON.parse(String(json.stdout))).toMatchObject({ pod: 'shop', container: 'shop', text: expect.any(String) })
  expect(await qd(['logs', 'shop', '--tail', 'many'])).toMatchObject({ status: 2 })
  expect(await qd(['logs', 'shop', '--since', 'yesterday'])).toMatchObject({ status: 2 })
  expect(await qd(['logs', 'none'])).toMatchObject({ status: 1 })
})
