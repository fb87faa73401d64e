// Asks for pages over many connections at once, in a process of its own. Started by load.ts.
import { bareConnection } from './bare-connection.ts'
import type { LoadAnswer, LoadRequest } from './load.ts'

/** Every so many-th answer is read and compared. */
const COMPARE_EVERY = 101

process.once('message', async (request: LoadRequest) => {
  const answer: LoadAnswer = { requests: 0, bytes: 0, wrong: 0, compared: 0, refused: 0, latencies: [], seconds: 0 }
  const began = performance.now()
  const until = began + request.seconds * 1000
  await Promise.all(Array.from({ length: request.connections }, (_, n) => one(request, n, until, answer)))
  answer.seconds = (performance.now() - began) / 1000
  process.send?.(answer, () => process.exit(0))
})

/** One connection, from an address of its own, until the time is over. */
async function one({ url, cookie, asks }: LoadRequest, n: number, until: number, answer: LoadAnswer): Promise<void> {
  const connection = await bareConnection({ url, cookie, localAddress: `127.0.1.${n + 1}` })
  for (let turn = n; ; turn++) {
    const sent = performance.now()
    if (sent > until) break
    const ask = asks[turn % asks.length]
    const { status, body, bytes } = await connection.get(ask?.path ?? '')
    answer.latencies.push(performance.now() - sent)
    answer.requests++
    answer.bytes += bytes
    if (status !== 200) answer.refused++
    else if (answer.requests % COMPARE_EVERY === 0) compare(body, ask?.right, answer)
  }
  connection.end()
}

function compare(body: Buffer, right: LoadRequest['asks'][number]['right'] | undefined, answer: LoadAnswer): void {
  answer.compared++
  const page = JSON.parse(body.toString('utf8')) as { total: number; rows: { values: string[] }[] }
  const same =
    page.total === right?.total &&
    page.rows.length === right.keys.length &&
    page.rows.every(({ values }, n) => `${values[0]}/${values[1]}` === right.keys[n])
  if (!same) answer.wrong++
}
