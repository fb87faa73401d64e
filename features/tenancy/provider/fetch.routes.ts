import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'

/** What is asked of another's server. */
export interface FetchOptions {
  method: string
  headers: Record<string, string>
  body?: unknown
}
export type Fetch = (url: string, options: FetchOptions) => Promise<Response>

const MOST_BYTES = 1024 * 1024
// What fetch gives no body to.
const EMPTY = [204, 205, 304]

/**
 * A fetch for another's server: with its own certificate authorities, no answer over 1 MiB, no redirects, and nothing
 * left open when `signal` is aborted.
 */
export const boundedFetch =
  (signal: AbortSignal, authorities: string | undefined): Fetch =>
  (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const target = new URL(url)
      const send = target.protocol === 'https:' ? tlsRequest : plainRequest
      const tls = authorities === undefined ? {} : { ca: authorities }
      const request = send(target, { method, headers, signal, agent: false, ...tls }, (answer) => {
        const pieces: Buffer[] = []
        let bytes = 0
        answer.on('data', (piece: Buffer) => {
          bytes += piece.length
          if (bytes > MOST_BYTES) request.destroy(new Error(`${target.host} answered with more than 1 MiB`))
          else pieces.push(piece)
        })
        answer.on('error', reject)
        answer.on('end', () => {
          const { statusCode: status = 502 } = answer
          const told = Object.entries(answer.headers).flatMap(([name, value]) =>
            value === undefined ? [] : [[name, String(value)] as [string, string]],
          )
          resolve(new Response(EMPTY.includes(status) ? null : Buffer.concat(pieces), { status, headers: told }))
        })
      })
      request.on('error', reject)
      request.end(body === undefined || body === null || body instanceof Uint8Array ? body : String(body))
    })
