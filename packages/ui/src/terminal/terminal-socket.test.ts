import { afterEach, expect, test } from 'vitest'
import { type WebSocket as Accepted, WebSocketServer } from 'ws'
import { connectTerminal, type SocketState } from './terminal-socket.ts'

const servers: WebSocketServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const one of server.clients) one.terminate()
    server.close()
  }
})

/** A server that does `each` with every connection, and a terminal that is connected to it. */
async function connected(each: (socket: Accepted, offset: number, turn: number) => void) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  servers.push(server)
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  let turn = 0
  server.on('connection', (socket, request) => {
    turn += 1
    each(socket, Number(new URL(request.url ?? '', 'ws://x').searchParams.get('offset')), turn)
  })
  const seen = { text: '', states: [] as SocketState[], gaps: 0, ended: undefined as unknown }
  let check = () => {}
  const terminal = connectTerminal({
    urlAt: (offset) => `ws://127.0.0.1:${port}/?offset=${offset}`,
    onOutput: (bytes) => {
      seen.text += new TextDecoder().decode(bytes)
      check()
    },
    onGap: () => {
      seen.gaps += 1
    },
    onState: (state) => {
      seen.states.push(state)
      check()
    },
    onEnded: (how) => {
      seen.ended = how
    },
  })
  const until = (reached: () => boolean) =>
    new Promise<void>((done) => {
      check = () => reached() && done()
      check()
    })
  return { seen, terminal, until, turns: () => turn }
}

const start = (socket: Accepted, offset: number) => socket.send(JSON.stringify({ offset }))

test('a broken connection is made again and asks only for what has not been seen', async () => {
  const { seen, terminal, until } = await connected((socket, offset, turn) => {
    start(socket, offset)
    socket.send(Buffer.from(turn === 1 ? '你好' : `+${offset}`), () => turn === 1 && socket.terminate())
  })
  await until(() => seen.text.length > 2)
  terminal.close()
  expect(seen.text).toBe('你好+6')
  expect(seen.gaps).toBe(0)
  expect(seen.states).toContain('lost')
})

test('output that the server no longer has is told, not guessed', async () => {
  const { seen, terminal, until } = await connected((socket) => {
    start(socket, 100)
    socket.send(Buffer.from('later'))
  })
  await until(() => seen.text === 'later')
  terminal.close()
  expect(seen.gaps).toBe(1)
})

test.each([
  [4404, 'ended', 'There is no such terminal'],
  [4403, 'ended', 'It is not yours'],
  [4401, 'signed-out', 'The sign-in has ended'],
])('a terminal refused with %i is not asked for again, and says why', async (code, state, reason) => {
  const { seen, until, turns } = await connected((socket) => socket.close(code, reason))
  await until(() => seen.states.at(-1) === state)
  expect(seen.ended).toEqual({ exitCode: null, message: reason })
  expect(turns()).toBe(1)
})

test('the size is told when the connection is there, and again when it is made anew', async () => {
  const sizes: string[] = []
  const { terminal, until, seen } = await connected((socket, offset, turn) => {
    start(socket, offset)
    socket.on('message', (data, binary) => {
      if (!binary) sizes.push(`${turn} ${data}`)
      if (turn === 1) socket.terminate()
      else socket.send(Buffer.from('x'))
    })
  })
  terminal.resize(80, 24)
  await until(() => seen.text === 'x')
  terminal.close()
  expect(sizes).toEqual(['1 {"columns":80,"rows":24}', '2 {"columns":80,"rows":24}'])
})
