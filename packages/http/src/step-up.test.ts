import {
  type AnyEndpoint,
  codeRequired,
  endpoint,
  type Permission,
  type Scope,
  type Subject,
} from '@quarterdeck/kernel'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { bind } from './bind.ts'
import { bindProxy } from './proxy.ts'
import { createServer, type Server } from './server.ts'
import { bindSocket } from './socket.ts'

const li: Subject = { id: 'li', name: 'li', kind: 'user', permissions: ['*'] }
let server: Server | undefined
afterEach(() => server?.close())

const of = (id: string, path: string, rest: object) =>
  endpoint({ id, method: 'GET', path, permission: 'application.list', summary: id, response: z.null(), ...rest })
const json = of('boat.list', '/environments/:environment/boats', { params: z.object({ environment: z.string() }) })
const open = of('boat.open', '/boats/open', { permission: 'anonymous' })
const own = of('boat.own', '/boats/own', { permission: 'self' })
const within = of('boat.within', '/boats/within', { reach: 'anywhere' })
const socket = of('boat.socket', '/boats/socket', { transport: 'websocket' })
const proxied = of('boat.proxy', '/boats/proxy/:rest', { transport: 'proxy', params: z.object({ rest: z.string() }) })

async function serve() {
  const asked: [string, Scope, Permission][] = []
  const done: string[] = []
  const refuse = new Set<string>()
  server = await createServer({
    authenticate: async () => li,
    logLevel: 'silent',
    stepUp(subject: Subject, { id }: AnyEndpoint, scope, permission) {
      asked.push([`${subject.name} ${id}`, scope, permission])
      return refuse.has(permission) ? codeRequired({ detail: 'Give a code', enrolled: true }) : undefined
    },
  })
  const handled = (id: string) => {
    done.push(id)
    return null
  }
  bind(server, json, () => handled('json'))
  bind(server, open, () => handled('open'))
  bind(server, own, () => handled('own'))
  bind(server, within, (context) => {
    context.require('container.exec', { environment: 'shop' })
    return handled('within')
  })
  bindSocket(server, socket, (_, { close }) => {
    handled('socket')
    close()
  })
  bindProxy(server, [proxied], {
    request: async () => handled('proxy') as never,
    socket: async () => undefined as never,
    tunnel: async () => undefined as never,
  })
  const url = await server.listen(0)
  const ask = async (path: string) => {
    const answer = await fetch(`${url}/api/v1${path}`, { headers: { authorization: 'Bearer x' } })
    return { status: answer.status, ...((await answer.json()) as { type?: string; enrolled?: boolean } | null) }
  }
  const statusOfSocket = (path: string) =>
    new Promise((resolve) => {
      const one = new WebSocket(`${url.replace('http', 'ws')}/api/v1${path}`, {
        headers: { authorization: 'Bearer x' },
      })
      one.once('unexpected-response', (_request, response) => resolve(response.statusCode))
      one.once('open', () => resolve('open'))
      one.once('error', () => undefined)
    })
  return { asked, done, refuse, ask, statusOfSocket }
}

test('[TEN-03] a code is asked for after the permission, with the place that the path names', async () => {
  const { asked, ask } = await serve()
  expect(await ask('/environments/shop/boats')).toMatchObject({ status: 200 })
  expect(await ask('/boats/own')).toMatchObject({ status: 200 })
  expect(await ask('/boats/open')).toMatchObject({ status: 200 })
  expect(asked).toEqual([
    ['li boat.list', { environment: 'shop' }, 'application.list'],
    ['li boat.own', {}, 'self'],
  ])
})

test('[TEN-03] without the code nothing is done: by JSON, socket or proxy', async () => {
  const { refuse, done, ask, statusOfSocket } = await serve()
  refuse.add('application.list').add('self')
  for (const path of ['/environments/shop/boats', '/boats/own', '/boats/within', '/boats/proxy/x']) {
    expect([path, await ask(path)]).toEqual([
      path,
      expect.objectContaining({ status: 403, type: '/problems/code-required', enrolled: true }),
    ])
  }
  expect(await statusOfSocket('/boats/socket')).toBe(403)
  expect(done).toEqual([])
  expect(await ask('/boats/open')).toMatchObject({ status: 200 })
})

test('[TEN-03] what a handler requires besides asks for its code, at its place', async () => {
  const { refuse, asked, done, ask } = await serve()
  refuse.add('container.exec')
  expect(await ask('/boats/within')).toMatchObject({ status: 403, type: '/problems/code-required' })
  expect(asked.at(-1)).toEqual(['li boat.within', { environment: 'shop' }, 'container.exec'])
  expect(done).toEqual([])
})
