import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { isProblem, storeUnavailable } from '@quarterdeck/kernel'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openPool, poolDb } from './connection.ts'

/** A message of the PostgreSQL protocol: its letter, its length, its content. */
function message(letter: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(letter)
  head.writeInt32BE(content.length + 4, 1)
  return Buffer.concat([head, content])
}
const authenticated = message('R', Buffer.from([0, 0, 0, 0]))
const ready = message('Z', Buffer.from('I'))
const shutDown = message(
  'E',
  Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
)

test('a session that is ended in the packet that begins it fails its query and nothing else', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    // As PostgreSQL does when it is stopped just then: welcome and farewell at once.
    socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, shutDown])))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const address = { host: '127.0.0.1', port, user: 'quarterdeck', database: 'quarterdeck' }
  const pool = openPool(address, 1, { info() {}, warn() {}, error() {} })
  const db = poolDb(() => pool)
  try {
    for (let round = 0; round < 3; round++) {
      const error = await sql`select 1`.execute(db).catch((thrown: unknown) => thrown)
      expect(isProblem(error, storeUnavailable), String(error)).toBe(true)
    }
    // The session is not used again: each query asked for one of its own.
    expect(sockets).toHaveLength(3)
  } finally {
    await pool.end()
    server.close()
  }
})
