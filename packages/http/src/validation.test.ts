import { endpoint, Name } from '@quarterdeck/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { bind, createServer, type Server } from './index.ts'

const getBoat = endpoint({
  id: 'boat.get',
  method: 'GET',
  path: '/boats/:boat',
  permission: 'boat.get',
  summary: 'One boat',
  params: z.object({ boat: Name }),
  query: z.object({ deep: z.stringbool().default(false), of: z.string().optional() }),
  response: z.object({ name: z.string() }),
})
const nameBoat = endpoint({
  id: 'boat.name',
  method: 'POST',
  path: '/boats',
  permission: 'boat.name',
  summary: 'Name a boat',
  body: z.strictObject({ name: z.string(), of: z.array(z.record(z.string(), z.string())).optional() }),
  response: z.object({ name: z.string() }),
})
let server: Server
beforeAll(async () => {
  server = await createServer({
    logLevel: 'silent',
    authenticate: async () => ({ name: 'ann', kind: 'user', permissions: ['*'] }),
  })
  bind(server, getBoat, async ({ params }) => ({ name: params.boat }))
  bind(server, nameBoat, async ({ body }) => ({ name: body.name }))
})
afterAll(() => server?.close())

test('a NUL in an address is refused at its field, whatever the schema says', async () => {
  const answer = async (path: string) => {
    const response = await server.fetch(`http://localhost/api/v1${path}`, { headers: { authorization: 'Bearer all' } })
    const { errors } = (await response.json()) as { errors: { pointer: string; detail: string }[] }
    return [response.status, errors[0]?.pointer, errors[0]?.detail]
  }
  expect(await answer('/boats/a%00b')).toEqual([400, '/params/boat', 'Leave out the NUL character'])
  expect(await answer('/boats/alba?deep=%00')).toEqual([400, '/query/deep', 'Leave out the NUL character'])
  expect(await answer('/boats/alba?of=%00')).toEqual([400, '/query/of', 'Leave out the NUL character'])
})

test('a NUL in a body is refused at its field, however deep it stands', async () => {
  const answer = async (body: object) => {
    const headers = { authorization: 'Bearer all', 'content-type': 'application/json' }
    const asked = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await server.fetch('http://localhost/api/v1/boats', asked)
    const { errors = [] } = (await response.json()) as { errors?: { pointer: string }[] }
    return [response.status, ...errors.map(({ pointer }) => pointer)]
  }
  expect(await answer({ name: 'a\0' })).toEqual([400, '/body/name'])
  expect(await answer({ name: 'a', of: [{ b: 'c' }, { b: '\0' }] })).toEqual([400, '/body/of/1/b'])
  expect(await answer({ name: 'a', of: [{ b: 'c' }] })).toEqual([200])
})
