import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Follows the connections of a server. The function ends those on which no request is under way, and from then on every
 * other as soon as its request is answered: Node waits for those that have not sent a whole request yet, such as the
 * ones that browsers open in advance.
 */
export function idleConnections(server: Server): () => void {
  const idle = new Set<Socket>()
  let ending = false
  const rest = (socket: Socket) => {
    if (ending) socket.destroySoon()
    else idle.add(socket)
  }
  server.on('connection', (socket) => {
    rest(socket)
    socket.once('close', () => idle.delete(socket))
  })
  server.on('request', ({ socket }, response) => {
    idle.delete(socket)
    response.once('close', () => socket.destroyed || rest(socket))
  })
  // From here on it is whoever took it over who ends it.
  server.on('upgrade', (_request, socket) => void idle.delete(socket as Socket))
  return () => {
    ending = true
    for (const socket of idle) socket.destroy()
    idle.clear()
  }
}
