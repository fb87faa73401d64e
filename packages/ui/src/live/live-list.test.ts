import { afterEach, expect, test } from 'vitest'
import { type WebSocket as Accepted, WebSocketServer } from 'ws'
import { type ListPage, type ListRow, LiveList } from './live-list.ts'
import { LiveSocket } from './live-socket.ts'

type Request = { type: string; id: number; offset: number; limit: number; filter?: string }
const servers: WebSocketServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const one of server.clients) one.terminate()
    server.close()
  }
})

const TOTAL = 150_000
const row = (id: number, revision = '1'): ListRow => ({
  id,
  cluster: 'a',
  uid: `u${id}`,
  revision,
  values: [`pod-${id}`],
})
const pageAt = (offset: number, limit: number, total = TOTAL): ListPage => ({
  resource: 'pods',
  columns: ['name'],
  total,
  offset,
  rows: Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, at) => row(offset + at)),
  freshness: [],
})

/** A server that does `each` with every request, and a socket to it. `until` waits for the state of the world. */
async function world(each: (request: Request, say: (frame: object) => void, socket: Accepted, turn: number) => void) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  servers.push(server)
  await new Promise((done) => server.once('listening', done))
  let turn = 0
  const asked: Request[] = []
  let check = () => {}
  server.on('connection', (socket) => {
    turn += 1
    const mine = turn
    socket.on('message', (data) => {
      const request = JSON.parse(String(data)) as Request
      asked.push(request)
      each(request, (frame) => socket.send(JSON.stringify(frame)), socket, mine)
      check()
    })
  })
  const { port } = server.address() as { port: number }
  const socket = new LiveSocket<never>(() => `ws://127.0.0.1:${port}/`)
  const until = (reached: () => boolean) =>
    new Promise<void>((done) => {
      check = () => reached() && done()
      check()
    })
  const open = (filter?: string) => new LiveList(socket, { resource: 'pods', filter }, () => check())
  return { open, until, asked }
}

/** Answers an open and a move as the platform does: the number of the view, then the whole window. */
const answer = ({ type, id, offset, limit }: Request, say: (frame: object) => void, view = id * 10_000 + offset) => {
  if (type === 'close') return
  say({ type: 'opened', id, view })
  say({ type: 'whole', view, number: 1, page: pageAt(offset, limit) })
}

test('[SCL-02] the window follows the rows in sight, and the rows of the last one stay until the next has come', async () => {
  let held: (() => void) | undefined
  const { open, until, asked } = await world((request, say) => {
    if (request.type === 'move') held = () => answer(request, say)
    else answer(request, say)
  })
  const list = open()
  await until(() => list.view().page !== undefined)
  expect(list.view().page?.total).toBe(TOTAL)
  list.show(75_000, 25)
  await until(() => held !== undefined)
  expect(list.rowAt(3)?.id).toBe(3)
  expect(list.rowAt(75_000)).toBeUndefined()
  held?.()
  await until(() => list.rowAt(75_000) !== undefined)
  expect(list.rowAt(75_000)?.id).toBe(75_000)
  expect(list.rowAt(3)?.id).toBe(3)
  expect(asked.map(({ type }) => type)).toEqual(['open', 'move'])
  list.end()
})

test('while one window is on its way no other is asked for; the newest place is asked for when it has come', async () => {
  const held: (() => void)[] = []
  const { open, until, asked } = await world((request, say) => {
    if (request.type === 'move') held.push(() => answer(request, say))
    else answer(request, say)
  })
  const list = open()
  await until(() => list.view().page !== undefined)
  for (const first of [10_000, 20_000, 30_000]) list.show(first, 25)
  await until(() => held.length === 1)
  held[0]?.()
  await until(() => held.length === 2)
  held[1]?.()
  await until(() => list.rowAt(30_000) !== undefined)
  expect(asked.filter(({ type }) => type === 'move')).toHaveLength(2)
  list.end()
})

test('a change is taken in; after a lost frame the whole window is asked for again', async () => {
  const { open, until, asked } = await world((request, say) => {
    answer(request, say, 7)
    if (request.type !== 'open') return
    say({ type: 'change', view: 7, number: 2, total: TOTAL + 1, rows: [row(0, '2')] })
    say({ type: 'change', view: 7, number: 4, total: 3, rows: [] })
  })
  const list = open()
  await until(() => asked.some(({ type }) => type === 'move'))
  await until(() => list.view().page?.total === TOTAL && list.rowAt(0)?.revision === '1')
  expect(asked[1]).toMatchObject({ type: 'move', offset: asked[0]?.offset, limit: asked[0]?.limit })
  list.end()
})

test('after a break every list asks anew for what it shows, and its rows stay meanwhile', async () => {
  let broken = false
  const { open, until, asked } = await world((request, say, socket, turn) => {
    answer(request, say)
    if (turn === 1 && request.type === 'move') {
      broken = true
      socket.terminate()
    }
  })
  const list = open()
  await until(() => list.view().page !== undefined)
  list.show(5_000, 25)
  await until(() => broken && list.view().state === 'lost')
  expect(list.rowAt(0)?.id).toBe(0)
  await until(() => asked.length === 3 && list.view().state === 'open' && list.rowAt(5_000) !== undefined)
  expect(asked.at(-1)).toMatchObject({ type: 'open' })
  expect(asked.at(-1)?.offset).toBeGreaterThan(4_000)
  list.end()
})

test('a list that is refused says why, and another on the same connection goes on', async () => {
  const { open, until } = await world((request, say) => {
    if (request.filter) say({ type: 'refused', id: request.id, pointer: '/filter', detail: 'There is no field statsu' })
    else answer(request, say)
  })
  const [good, bad] = [open(), open('statsu:x')]
  await until(() => bad.view().refused !== undefined && good.view().page !== undefined)
  expect(bad.view().refused).toBe('There is no field statsu')
  expect(good.view().refused).toBeUndefined()
  good.end()
  bad.end()
})

test('two lists that are the same share a view and both get its frames', async () => {
  const { open, until } = await world((request, say) => {
    if (request.type !== 'open') return
    answer(request, say, 7)
    if (request.id === 2) say({ type: 'change', view: 7, number: 2, total: 9, rows: [] })
  })
  const [one, two] = [open(), open()]
  await until(() => one.view().page?.total === 9 && two.view().page?.total === 9)
  one.end()
  two.end()
})
