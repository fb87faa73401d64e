import { createClient } from '@quarterdeck/client'
import { endpoint, isProblem, type Subject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { z } from 'zod'
import { bind, bindSocket, createServer } from './index.ts'

const watch = endpoint({
  id: 'boat.watch',
  method: 'GET',
  path: '/boats/watch',
  permission: 'boat.get',
  summary: 'The boat each time it changes',
  response: z.object({ n: z.number() }),
  transport: 'lines',
})
const attach = endpoint({ ...watch, id: 'boat.attach', path: '/boats/attach', transport: 'websocket' })

test('what is open ends within five seconds of losing the permission, and what is allowed stays', async () => {
  const ann: Subject = { name: 'ann', kind: 'user', permissions: ['boat.get'] }
  const subjects: Record<string, Subject | undefined> = { lost: ann, less: ann, kept: ann }
  const asked: boolean[] = []
  const server = await createServer({
    logLevel: 'silent',
    authenticate: async ({ token = '' }, { passive }) => {
      asked.push(passive)
      return subjects[token]
    },
  })
  bind(server, watch, async function* ({ signal }) {
    yield { n: 1 }
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  bindSocket(server, attach, () => undefined)
  const url = await server.listen(0)
  const open = async (token: string) => {
    const client = createClient({ baseUrl: url, token })
    const stream = client.lines(watch)
    await stream.next()
    const socket = new WebSocket(client.socketUrl(attach, {}), { headers: { authorization: `Bearer ${token}` } })
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    return { closed, socket, ended: stream.next().catch((error: unknown) => error) }
  }
  const [lost, less, kept] = [await open('lost'), await open('less'), await open('kept')]
  subjects.lost = undefined
  subjects.less = { ...ann, permissions: ['boat.list'] }
  expect([await lost.closed, await less.closed]).toEqual([4401, 4403])
  const endOf = async ({ ended }: typeof lost) => {
    const end = await ended
    return isProblem(end) && end.body.type
  }
  expect(await endOf(lost)).toBe('/problems/sign-in-required')
  expect(await endOf(less)).toBe('/problems/permission-missing')
  expect(kept.socket.readyState).toBe(WebSocket.OPEN)
  expect(asked.filter((passive) => !passive)).toHaveLength(6)
  await server.close()
  expect(await kept.closed).toBe(1001)
})
