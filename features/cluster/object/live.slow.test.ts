import { beforeAll, beforeEach, expect, test } from 'vitest'
import {
  LIMITED,
  type LiveSocket,
  listOf,
  live,
  make,
  makePod,
  mirror,
  namespace,
  platform,
  until,
  url,
  withMirror,
} from '../../../test/platform/mirrored.ts'
import { type LiveFrame, MOST_VIEWS } from './object.contract.ts'

withMirror()
beforeAll(async () => {
  for (const name of ['a', 'b', 'c']) await makePod(name)
  await listOf(3, 'pods')
})

// Views of the test before have ended with its sockets.
beforeEach(() => until(() => mirror.metrics().views === 0))

const open = (id: number, more: object = {}) => ({
  type: 'open',
  id,
  resource: 'pods',
  cluster: 'test',
  namespace,
  ...more,
})
type Whole = Extract<LiveFrame, { type: 'whole' }>
const namesOf = ({ page }: Whole) => page.rows.map(({ values }) => values[page.columns.indexOf('name')])
const wholeOf = async (socket: LiveSocket, id: number) => {
  const { view } = await socket.frame('opened', (frame) => frame.id === id)
  return socket.frame('whole', (frame) => frame.view === view)
}

test('[SCL-02] a view tells its whole window, then what changes in it', async () => {
  const socket = await live()
  socket.send(open(1, { resource: 'configmaps', sort: 'name' }))
  const whole = await wholeOf(socket, 1)
  expect(whole.page.total).toBe(0)
  await make('ConfigMap', 'one', { data: { a: '1' } })
  const change = await socket.frame('change', ({ view, total }) => view === whole.view && total === 1)
  expect(change.rows.map(({ values }) => values[whole.page.columns.indexOf('name')])).toEqual(['one'])
  expect(change.order).toEqual([change.rows[0]?.id])
  await platform.cluster.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'one' })
  const gone = await socket.frame(
    'change',
    ({ view, total, number }) => view === whole.view && total === 0 && number > change.number,
  )
  expect(gone.order).toEqual([])
  const opened = socket.frames.findIndex(({ type }) => type === 'opened')
  expect(opened).toBeLessThan(socket.frames.findIndex(({ type }) => type === 'whole'))
  socket.socket.terminate()
})

test('[OBS-20] events of the clusters are subscribed to, those that a filter takes', async () => {
  const socket = await live()
  socket.send(open(1, { resource: 'events', filter: 'type:Warning', columns: ['reason', 'message'] }))
  const { view } = await wholeOf(socket, 1)
  const event = (name: string, type: string) =>
    make('Event', name, { involvedObject: { kind: 'Pod', namespace, name: 'a' }, type, reason: name, message: 'Hear!' })
  await event('Quiet', 'Normal')
  await event('Loud', 'Warning')
  const change = await socket.frame('change', (frame) => frame.view === view && frame.total === 1)
  expect(change.rows.map(({ values }) => values)).toEqual([['Loud', 'Hear!']])
  socket.socket.terminate()
})

test('a window moves, and the view that it becomes is told before its first frame', async () => {
  const socket = await live()
  socket.send(open(7, { sort: 'name', limit: 1 }))
  expect(namesOf(await wholeOf(socket, 7))).toEqual(['a'])
  socket.send({ type: 'move', id: 7, offset: 2, limit: 1 })
  const moved = await socket.frame('whole', (frame) => frame.page.offset === 2)
  expect(namesOf(moved)).toEqual(['c'])
  const told = socket.frames.filter(({ type }) => type === 'opened') as Extract<LiveFrame, { type: 'opened' }>[]
  expect(told.at(-1)).toEqual({ type: 'opened', id: 7, view: moved.view })
  socket.socket.terminate()
})

test('whoever looks at the same gets the same view, whoever may see less another', async () => {
  const [one, other, limited] = [await live(), await live(), await live(await limitedToken())]
  for (const socket of [one, other, limited]) socket.send(open(1))
  const views = await Promise.all([one, other, limited].map((socket) => wholeOf(socket, 1)))
  expect(views[0]?.view).toBe(views[1]?.view)
  expect(views[2]?.view).not.toBe(views[0]?.view)
  limited.send({ type: 'open', id: 2, resource: 'namespaces' })
  const { detail } = await limited.frame('refused', ({ id }) => id === 2)
  expect(detail).toMatch(/No cluster serves a kind namespaces, or you may not list it/)
  for (const socket of [one, other, limited]) socket.socket.terminate()
})

async function limitedToken(): Promise<string> {
  return platform.as({ name: LIMITED, permissions: ['object.list'] }).token ?? ''
}

test('closing a view, or the socket, ends it on the server', async () => {
  const socket = await live()
  for (const id of [1, 2, 3]) socket.send(open(id, { filter: `restarts:${id}` }))
  await until(() => mirror.metrics().views === 3)
  socket.send({ type: 'close', id: 1 })
  await until(() => mirror.metrics().views === 2)
  socket.socket.close()
  await until(() => mirror.metrics().views === 0)
})

test.each<[string, object | string | Uint8Array, { id?: number; pointer?: string }, RegExp]>([
  ['text that is no JSON', '{"type":', {}, /JSON/],
  ['bytes', new Uint8Array([1, 2, 3]), {}, /JSON/],
  ['a list instead of a request', [], {}, /./],
  ['an unknown act', { type: 'shout', id: 4 }, { id: 4, pointer: '/type' }, /type/],
  ['an id that is none', { type: 'open', id: 'x', resource: 'pods' }, { pointer: '/id' }, /number/],
  [
    'a member that there is not',
    { type: 'open', id: 4, resource: 'pods', colour: 'red' },
    { id: 4, pointer: '/colour' },
    /no such field/,
  ],
  [
    'a limit that is too large',
    { type: 'open', id: 4, resource: 'pods', limit: 5000 },
    { id: 4, pointer: '/limit' },
    /1000/,
  ],
  [
    'an offset before the beginning',
    { type: 'open', id: 4, resource: 'pods', offset: -1 },
    { id: 4, pointer: '/offset' },
    /0/,
  ],
  ['an unknown kind', { type: 'open', id: 4, resource: 'podz' }, { id: 4, pointer: '/resource' }, /podz/],
  [
    'a wrong filter',
    { type: 'open', id: 4, resource: 'pods', filter: 'colour:red' },
    { id: 4, pointer: '/filter' },
    /colour.*character 1/,
  ],
  ['a wrong sort', { type: 'open', id: 4, resource: 'pods', sort: 'colour' }, { id: 4, pointer: '/sort' }, /colour/],
  [
    'an unknown column',
    { type: 'open', id: 4, resource: 'pods', columns: ['colour'] },
    { id: 4, pointer: '/columns' },
    /colour/,
  ],
  ['moving what is not open', { type: 'move', id: 4, offset: 0, limit: 1 }, { id: 4, pointer: '/id' }, /open/],
  ['closing what is not open', { type: 'close', id: 4 }, { id: 4, pointer: '/id' }, /open/],
])('%s is refused by a frame that names it, and what is open goes on', async (_, request, refused, detail) => {
  const socket = await live()
  socket.send(request)
  const frame = await socket.frame('refused')
  expect(frame).toMatchObject({ type: 'refused', ...refused })
  expect([frame.id, frame.pointer]).toEqual([refused.id, refused.pointer])
  expect(frame.detail).toMatch(detail)
  socket.send(open(9))
  expect(namesOf(await wholeOf(socket, 9))).toEqual(['a', 'b', 'c'])
  socket.socket.close()
})

test('a number that is open is not opened again, and one socket has at most a hundred views', async () => {
  const socket = await live()
  for (let id = 0; id < MOST_VIEWS; id++) socket.send(open(id))
  socket.send(open(3))
  socket.send(open(MOST_VIEWS))
  expect((await socket.frame('refused', ({ id }) => id === 3)).detail).toContain('close it first')
  expect((await socket.frame('refused', ({ id }) => id === MOST_VIEWS)).detail).toContain('100 views')
  socket.send({ type: 'close', id: 0 })
  socket.send(open(MOST_VIEWS + 1))
  await wholeOf(socket, MOST_VIEWS + 1)
  socket.socket.terminate()
})

test('a client that does not read delays nobody, and afterwards has the latest state', async () => {
  const [stuck, reading] = [await live(), await live()]
  for (const socket of [stuck, reading]) socket.send(open(1, { resource: 'secrets', sort: 'name' }))
  await Promise.all([wholeOf(stuck, 1), wholeOf(reading, 1)])
  stuck.socket.pause()
  await make('Secret', 'one')
  await reading.frame('change', ({ total }) => total === 1)
  stuck.socket.resume()
  const last = await stuck.frame('change', ({ total }) => total === 1)
  expect(last.rows).toHaveLength(1)
  for (const socket of [stuck, reading]) socket.socket.terminate()
})

test('[SCL-02] a client that falls behind gets the latest windows when it reads again, and no queue of old ones', async () => {
  const long = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`key-${index}`, 'x'.repeat(63)]))
  const big = (name: string) => make('ConfigMap', name, { metadata: { labels: { big: 'yes', ...long } } })
  for (let index = 0; index < 12; index++) await big(`big-${index}`)
  await listOf(12, 'configmaps', { filter: 'label:big' })
  const socket = await live()
  socket.socket.pause()
  const ids = Array.from({ length: 40 }, (_, index) => index)
  for (const id of ids) socket.send(open(id, { resource: 'configmaps', filter: 'label:big', sort: 'name' }))
  const waiting = () => Math.max(...[...platform.server.fastify.websocketServer.clients].map((ws) => ws.bufferedAmount))
  await until(() => waiting() > 1_000_000)
  await big('big-last')
  await listOf(13, 'configmaps', { filter: 'label:big' })
  // All windows together are twenty times as much.
  expect(waiting()).toBeLessThan(3_000_000)
  socket.socket.resume()
  for (const id of ids) {
    const { view } = await socket.frame('opened', (frame) => frame.id === id)
    await until(() => socket.frames.some((frame) => 'view' in frame && frame.view === view && totalOf(frame) === 13))
  }
  socket.socket.terminate()
})

const totalOf = (frame: LiveFrame) =>
  frame.type === 'whole' ? frame.page.total : frame.type === 'change' ? frame.total : undefined

test('whoever lacks object.list is not let onto the socket', async () => {
  const token = platform.as({ permissions: ['cluster.list'] }).token ?? ''
  const answer = await fetch(`${url}/api/v1/live`, { headers: { authorization: `Bearer ${token}` } })
  expect([answer.status, await answer.json()]).toMatchObject([403, { permission: 'object.list' }])
  expect((await fetch(`${url}/api/v1/live`)).status).toBe(401)
})
