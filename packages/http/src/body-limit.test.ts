import { Agent, request } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { endpoint } from '@quarterdeck/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { bind } from './bind.ts'
import { createServer, type Server } from './server.ts'

const writeNote = endpoint({
  id: 'note.write',
  method: 'POST',
  path: '/notes',
  permission: 'anonymous',
  summary: 'Write a note',
  body: z.object({ text: z.string() }),
  response: z.object({ length: z.number() }),
})
const fillForm = endpoint({
  id: 'note.fill',
  method: 'POST',
  path: '/forms',
  permission: 'anonymous',
  summary: 'Fill in a form',
  form: true,
  body: z.object({ text: z.string() }),
  response: z.object({ length: z.number() }),
})
let server: Server
let url: string

beforeAll(async () => {
  server = await createServer({ logLevel: 'silent', authenticate: async () => undefined })
  bind(server, writeNote, ({ body }) => ({ length: body.text.length }))
  bind(server, fillForm, ({ body }) => ({ length: body.text.length }))
  url = await server.listen(0)
})
afterAll(() => server.close())

test('whoever sends too much over a network is told so, each time, and the connection goes on', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const post = (length: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
    const headers = { 'content-type': 'application/json', 'content-length': length }
    const outgoing = request(`${url}/api/v1/notes`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode))
    })
    outgoing.once('error', reject)
    outgoing.end(Buffer.alloc(length, 'a'))
    return promise
  }
  for (let round = 0; round < 5; round++) expect(await post(10_000_000)).toBe(413)
  agent.destroy()
})

test('whoever sends without end is cut off', async () => {
  const socket = connectTcp(Number(new URL(url).port), '127.0.0.1')
  socket.write(
    `POST /api/v1/notes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9000000000\r\n\r\n`,
  )
  const megabyte = Buffer.alloc(1_000_000, 'a')
  let sent = 0
  const more = () => {
    while (socket.writable && socket.write(megabyte)) sent++
    sent++
  }
  socket.on('drain', more).on('error', () => undefined)
  more()
  await new Promise((resolve) => socket.once('close', resolve))
  expect(sent).toBeLessThan(100)
})

test('a form is taken where an endpoint asks for one, within the same limit, and nowhere else', async () => {
  const post = async (path: string, type: string, body: string) => {
    const answer = await fetch(`${url}/api/v1/${path}`, { method: 'POST', headers: { 'content-type': type }, body })
    return [answer.status, ((await answer.json()) as { length?: number }).length]
  }
  const form = 'application/x-www-form-urlencoded'
  expect(await post('forms', form, 'text=a+note%21')).toEqual([200, 7])
  expect((await post('forms', form, `text=${'a'.repeat(2_000_000)}`))[0]).toBe(413)
  expect((await post('forms', form, 'other=x'))[0]).toBe(400)
  expect((await post('forms', 'application/json', '{"text":"x"}'))[0]).toBe(415)
  expect((await post('notes', form, 'text=x'))[0]).toBe(415)
})
