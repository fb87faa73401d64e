import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import { notFound, Problem } from '@quarterdeck/kernel'
import { type NodeCluster, nodeCluster } from '@quarterdeck/testkit'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { attachTerminal, closeTerminal, listTerminals, openTerminal, type Terminal } from './terminal.contract.ts'
import { openTerminals, terminalRoutes } from './terminal.routes.ts'
import type { TerminalEvent } from './terminal.rules.ts'

vi.setConfig({ testTimeout: 180_000 })
let node: NodeCluster
let namespace: string
let server: Server
let ann: Client
let bob: Client
const events: TerminalEvent[] = []
let auditFails = false
let auditMs = 0
let terminals: ReturnType<typeof openTerminals>

beforeAll(async () => {
  node = await nodeCluster()
  namespace = await node.namespace('terminal')
  const image = `${node.registry}/shell:1`
  await node.pod(namespace, 'shop', { image, command: ['sleep', '100000'] })
  await node.pod(namespace, 'bare', { image: `${node.registry}/quarterdeck/pause:1` })
  server = await createServer({
    authenticate: async ({ token = '' }) => ({ name: token, kind: 'token', permissions: token === 'eve' ? [] : ['*'] }),
    logLevel: 'silent',
  })
  terminals = openTerminals({
    perUser: 3,
    audit: async (event) => {
      await sleep(auditMs)
      if (auditFails) throw new Error('the audit trail is full')
      events.push(event)
    },
  })
  terminalRoutes(server, {
    terminals,
    environment: async (name) => {
      if (name !== 'dev') throw notFound({ detail: `There is no environment ${name}` })
      return { cluster: node.cluster, person: node.cluster, namespace }
    },
  })
  const url = await server.listen(0)
  ann = createClient({ baseUrl: url, token: 'ann' })
  bob = createClient({ baseUrl: url, token: 'bob' })
}, 600_000)
afterEach(async () => terminals.close('The test is over'))
afterAll(async () => {
  await server?.close()
  await node?.close()
})

const open = (pod: string, body = {}, client = ann) =>
  client(openTerminal, { params: { environment: 'dev', pod }, body })

/** One connection to a terminal and what came over it. */
function attach({ id }: Terminal, { offset = 0, client = ann } = {}) {
  const url = client.socketUrl(attachTerminal, { params: { terminal: id }, query: { offset } })
  const headers = { authorization: `Bearer ${client.token}` }
  const socket = new WebSocket(url, { headers } as unknown as string[])
  socket.binaryType = 'arraybuffer'
  const got = { text: '', error: '', bytes: 0, offset: -1, ended: undefined as unknown, closed: undefined as unknown }
  const tty = { value: true }
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') Object.assign(got, JSON.parse(data))
    else {
      const bytes = Buffer.from(data as ArrayBuffer)
      const content = tty.value ? bytes : bytes.subarray(1)
      got.bytes += content.length
      if (!tty.value && bytes[0] === 2) got.error += content
      else got.text += content
    }
  }
  socket.onclose = ({ code, reason }) => {
    got.closed = { code, reason }
  }
  const until = async (reached: (seen: typeof got) => boolean) => {
    while (!reached(got)) {
      if (got.closed && !reached(got)) throw new Error(`The socket is closed: ${JSON.stringify(got)}`)
      await sleep(10)
    }
    return got
  }
  return { socket, got, until, tty, type: (text: string) => socket.send(Buffer.from(text)) }
}

test('[CON-19] a shell opens in a container, follows the size of the window and tells how it ended', async () => {
  const terminal = await open('shop', { columns: 100, rows: 30 })
  expect(terminal).toMatchObject({
    pod: 'shop',
    container: 'shop',
    command: ['/bin/sh'],
    state: 'Open',
    exitCode: null,
  })
  const { socket, until, type } = attach(terminal)
  await until(({ offset }) => offset === 0)
  type('stty size; echo "<$((6*7))>"\n')
  await until(({ text }) => text.includes('30 100') && text.includes('<42>'))
  socket.send(JSON.stringify({ columns: 132, rows: 50 }))
  await sleep(200)
  type('stty size\n')
  await until(({ text }) => text.includes('50 132'))
  type('exit 5\n')
  const { ended } = await until((seen) => seen.ended !== undefined)
  expect(ended).toEqual({ exitCode: 5, message: '' })
  const { items } = await ann(listTerminals)
  expect(items.find(({ id }) => id === terminal.id)).toMatchObject({ state: 'Ended', exitCode: 5 })
})

test('a connection that is made again gets what was written meanwhile, no byte twice', async () => {
  const terminal = await open('shop')
  const first = attach(terminal)
  await first.until(({ offset }) => offset === 0)
  first.type('for i in 1 2 3 4 5 6 7 8; do echo "<$i>"; sleep 0.2; done\n')
  await first.until(({ text }) => text.includes('<2>'))
  first.socket.close()
  await sleep(1_000)
  const second = attach(terminal, { offset: first.got.bytes })
  await second.until(({ text }) => text.includes('<8>'))
  expect(second.got.offset).toBe(first.got.bytes)
  expect((first.got.text + second.got.text).match(/<\d>/g)).toEqual([
    '<1>',
    '<2>',
    '<3>',
    '<4>',
    '<5>',
    '<6>',
    '<7>',
    '<8>',
  ])
})

test('two connections see the same; ending it from the list reaches the process in the container', async () => {
  const terminal = await open('shop')
  const [one, two] = [attach(terminal), attach(terminal)]
  await one.until(({ offset }) => offset === 0)
  await two.until(({ offset }) => offset === 0)
  one.type('sleep 54321\n')
  await two.until(({ text }) => text.includes('sleep 54321'))
  await sleep(300)
  await ann(closeTerminal, { params: { terminal: terminal.id } })
  const { ended } = await two.until((seen) => seen.ended !== undefined)
  expect(ended).toEqual({ exitCode: null, message: 'Ended by ann' })
  const left = await open('shop', { command: ['sh', '-c', 'ps | grep -c "[5]4321"'], tty: false })
  const listing = attach(left)
  listing.tty.value = false
  await listing.until((seen) => seen.ended !== undefined)
  expect(listing.got.text.trim()).toBe('0')
})

test('without a terminal, output and error output stay apart, input ends, and the exit code is passed on', async () => {
  const terminal = await open('shop', { command: ['sh', '-c', 'cat; echo wrong >&2; exit 9'], tty: false })
  const { socket, until, type, tty, got } = attach(terminal)
  tty.value = false
  await until(({ offset }) => offset === 0)
  type('piped\n')
  socket.send(JSON.stringify({ closeInput: true }))
  await until((seen) => seen.ended !== undefined)
  expect(got).toMatchObject({ text: 'piped\n', error: 'wrong\n', ended: { exitCode: 9 } })
})

test('a program that writes without end waits for a reader that does not, and the server stays small', {
  timeout: 60_000,
}, async () => {
  const terminal = await open('shop', { command: ['sh', '-c', 'yes'], tty: false })
  const before = process.memoryUsage().rss
  await sleep(3_000)
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20)
  const { until, tty } = attach(terminal)
  tty.value = false
  const { offset } = await until(({ bytes }) => bytes > 2_000_000)
  expect(offset).toBe(0)
})

test('a terminal belongs to who opened it', async () => {
  const terminal = await open('shop')
  expect((await bob(listTerminals)).items).toEqual([])
  await expect(bob(closeTerminal, { params: { terminal: terminal.id } })).rejects.toMatchObject({
    body: { status: 404 },
  })
  const foreign = attach(terminal, { client: bob })
  while (!foreign.got.closed) await sleep(10)
  expect(foreign.got).toMatchObject({ offset: -1, text: '', closed: { code: 4404 } })
  const eve = createClient({ baseUrl: ann.baseUrl, token: 'eve' })
  await expect(open('shop', {}, eve)).rejects.toMatchObject({ body: { status: 403, permission: 'container.exec' } })
})

test('one user has only so many', async () => {
  const opened = await Promise.allSettled(Array.from({ length: 5 }, () => open('shop')))
  const refused = opened.filter((one) => one.status === 'rejected')
  expect(refused).toHaveLength(2)
  expect(refused[0]?.reason).toMatchObject({ body: { status: 429, type: '/problems/too-many-terminals' } })
  await terminals.close('room')
  await open('shop')
})

test('each opening and end is recorded, the program but not its arguments; what cannot be recorded does not go on', async () => {
  events.length = 0
  const terminal = await open('shop', { command: ['sh', '-c', 'exit 3', 'PASSWORD=secret'], tty: false })
  const { until } = attach(terminal)
  await until((seen) => seen.ended !== undefined)
  const place = { environment: 'dev', cluster: 'node', namespace, pod: 'shop', container: 'shop', program: 'sh' }
  expect(events).toMatchObject([
    { kind: 'opened', subject: 'ann', terminal: terminal.id, ...place },
    { kind: 'ended', subject: 'ann', terminal: terminal.id, ...place, exitCode: 3 },
  ])
  expect(JSON.stringify(events)).not.toContain('secret')
  auditFails = true
  await expect(open('shop')).rejects.toMatchObject({ body: { status: 500 } })
  auditFails = false
  await terminals.close('over')
  expect((await ann(listTerminals)).items.every(({ state }) => state === 'Ended')).toBe(true)
})

test('when the server stops, the end of each terminal is recorded before it is over', async () => {
  const terminal = await open('shop')
  auditMs = 300
  await terminals.close('The server is stopping')
  auditMs = 0
  expect(events.at(-1)).toMatchObject({ kind: 'ended', terminal: terminal.id, exitCode: null })
})

test('what cannot be opened says why and what to do', async () => {
  const problem = (status: number, detail: string) => ({ body: { status, detail: expect.stringContaining(detail) } })
  await expect(open('bare')).rejects.toMatchObject(problem(422, 'kubectl debug'))
  const missing = await open('shop', { command: ['nosuch'] }).catch((error: unknown) => error as Problem)
  // A busy node says so only after the terminal is open.
  const told = missing instanceof Problem ? missing.body : (await attach(missing).until((seen) => !!seen.ended)).ended
  expect(JSON.stringify(told)).toContain('no program nosuch')
  await expect(open('none')).rejects.toMatchObject(problem(404, 'no pod none'))
  await expect(open('shop', { container: 'side' })).rejects.toMatchObject(problem(404, 'It has shop'))
  const elsewhere = ann(openTerminal, { params: { environment: 'none', pod: 'shop' }, body: {} })
  await expect(elsewhere).rejects.toMatchObject(problem(404, 'no environment none'))
  for (const body of [{ command: [] }, { columns: 0 }, { columns: 1e9 }, { nonsense: 1 }, { container: '../x' }]) {
    await expect(open('shop', body)).rejects.toMatchObject({ body: { status: 400 } })
  }
  const spec = { containers: [{ name: 'main', image: `${node.registry}/nosuch:1` }] }
  await node.cluster.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'waiting', namespace }, spec })
  await expect(open('waiting')).rejects.toMatchObject(problem(409, 'does not run'))
})

test('a frame that is none ends the connection and leaves the terminal', async () => {
  const terminal = await open('shop')
  for (const wrong of ['{', '{"columns":0,"rows":1}', '[]']) {
    const { socket, until, got } = attach(terminal)
    await until(({ offset }) => offset >= 0)
    socket.send(wrong)
    while (!got.closed) await sleep(10)
    expect(got.closed).toMatchObject({ code: 4400 })
  }
  const { until, type } = attach(terminal)
  await until(({ offset }) => offset >= 0)
  type('echo still-$((1+1))\n')
  await until(({ text }) => text.includes('still-2'))
})
