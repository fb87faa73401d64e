// A bare watch of pods, as one peer reads it, in a process of its own. Started by bare-watch.ts.
import { request } from 'node:https'
import type { BareWatchRequest, BareWatchTold } from './bare-watch.ts'

const NEWLINE = 10
/** A moment before a watch that the API server has ended is begun again, as any client does. */
const PAUSE_MS = 100

interface WatchEvent {
  type: string
  object: {
    message?: string
    metadata: { resourceVersion: string }
    status?: { containerStatuses?: { restartCount: number }[] }
  }
}

const arrived = new Map<number, number>()
let ends = 0
const tell = (told: BareWatchTold): void => void process.send?.(told)

process.on('message', (asked: BareWatchRequest) => {
  if (asked.act === 'open') open(asked)
  else {
    tell({ arrived: [...arrived], ends })
    arrived.clear()
    ends = 0
  }
})
process.once('disconnect', () => process.exit(0))

function open({ endpoint, revision }: Extract<BareWatchRequest, { act: 'open' }>): void {
  let last = revision
  const path = `/api/v1/pods?watch=1&resourceVersion=${revision}&timeoutSeconds=3600`
  const { authority: ca, certificate: cert, key } = endpoint
  const headers = { accept: 'application/json', 'user-agent': 'quarterdeck-bench/0.1' }
  const outgoing = request(`${endpoint.url}${path}`, { ca, cert, key, headers }, (incoming) => {
    if (incoming.statusCode !== 200) return tell({ failed: `The API server answers ${incoming.statusCode}` })
    tell({ opened: true })
    let rest: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => {
      const now = performance.timeOrigin + performance.now()
      let from = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        const event = JSON.parse(Buffer.concat([...rest, chunk.subarray(from, end)]).toString()) as WatchEvent
        if (event.type === 'ERROR') return tell({ failed: event.object.message ?? 'an error frame' })
        last = event.object.metadata.resourceVersion
        note(event, now)
        rest = []
        from = end + 1
      }
      if (from < chunk.length) rest.push(chunk.subarray(from))
    })
    incoming.on('end', () => {
      ends += 1
      setTimeout(() => open({ act: 'open', endpoint, revision: last }), PAUSE_MS)
    })
  })
  outgoing.on('error', (error) => tell({ failed: error.message }))
  outgoing.end()
}

/** The storm gives each change a restart count of its own. */
function note({ object }: WatchEvent, time: number): void {
  for (const { restartCount } of object.status?.containerStatuses ?? [])
    if (restartCount >= 1_000) arrived.set(restartCount, time)
}
