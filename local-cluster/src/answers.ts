import { get as httpGet } from 'node:http'
import { connect } from 'node:net'

/** Whether an HTTP GET is answered with status 200. */
export function answersHttp(host: string, port: number, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const outgoing = httpGet({ host, port, path, timeout: 2000, agent: false }, (incoming) => {
      incoming.resume()
      resolve(incoming.statusCode === 200)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', reject)
  })
}

/** Whether something listens on a Unix socket. */
export function answersSocket(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
