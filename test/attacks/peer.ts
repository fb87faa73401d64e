import { Agent, request } from 'node:http'

let used = 0

/**
 * `fetch` from an address of this machine that nobody in this run has had: attempts to sign in are counted by address,
 * and no row is to be held up by what another one has tried. Linux answers for all of 127.0.0.0/8.
 */
export function anotherPeer(): typeof fetch {
  used++
  return fetchFrom(`127.77.${(used >> 8) & 255}.${used & 255}`)
}

function fetchFrom(localAddress: string): typeof fetch {
  const agent = new Agent({ keepAlive: true, maxSockets: 20, localAddress })
  return (input, init = {}) =>
    new Promise<Response>((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init.headers))
      const body = typeof init.body === 'string' ? init.body : undefined
      const options = { agent, method: init.method ?? 'GET', headers, timeout: 20_000 }
      const asking = request(String(input), options, async (answer) => {
        try {
          const chunks: Buffer[] = []
          for await (const chunk of answer) chunks.push(chunk as Buffer)
          const status = answer.statusCode ?? 0
          const empty = status === 204 || status === 304
          resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: pairs(answer.rawHeaders) }))
        } catch (error) {
          reject(error as Error)
        }
      })
      asking.on('timeout', () => asking.destroy(new Error('no answer within 20 s')))
      asking.on('error', reject)
      asking.end(body)
    })
}

const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, raw[at + 1] ?? '']] : []))
