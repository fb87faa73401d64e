import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@quarterdeck/client'
import { isProblem } from '@quarterdeck/kernel'
import { WebSocket } from 'ws'
import { watchObjects } from '../../features/cluster/object/object.contract.ts'
import { readLogs } from '../../features/container/log/log.contract.ts'
import { getEnvironment, listEnvironments } from '../../features/tenancy/environment/environment.contract.ts'
import { createGrant, deleteGrant, listGrants } from '../../features/tenancy/grant/grant.contract.ts'
import { createProject, deleteProject } from '../../features/tenancy/project/project.contract.ts'
import { createRole } from '../../features/tenancy/role/role.contract.ts'
import { getSession } from '../../features/tenancy/session/session.contract.ts'
import { deleteUser } from '../../features/tenancy/user/user.contract.ts'
import { person } from '../platform/people.ts'
import { ensureEnvironment } from '../platform/platform.ts'
import type { Row } from './row.ts'
import type { Target } from './target.ts'

const DEV = { environment: 'dev' }

/** The status of the problem that a call ends with; undefined when it succeeds. */
const statusOf = (call: Promise<unknown>): Promise<number | undefined> =>
  call.then(
    () => undefined,
    (error: unknown) => {
      if (isProblem(error)) return error.body.status
      throw error
    },
  )

async function environmentIn(admin: Client, environment: string, project: string): Promise<void> {
  await ensureEnvironment(admin, environment, { project })
}

async function escalation({ admin }: Target): Promise<string> {
  const owner = await person(admin, 'ada', [{ role: 'project-owner', environment: 'dev' }])
  await person(admin, 'accomplice')
  const developer = await person(admin, 'dirk', [{ role: 'developer', environment: 'dev' }])
  const grant = (client: Client, body: object) =>
    statusOf(client(createGrant, { query: {}, body: { user: 'accomplice', ...body } as never }))
  const tries: [string, Promise<number | undefined>][] = [
    ['an owner makes an administrator', grant(owner, { role: 'administrator', ...DEV })],
    ['an owner grants for the platform', grant(owner, { role: 'viewer', platform: true })],
    ['an owner grants in a project above', grant(owner, { role: 'viewer', project: 'default' })],
    ['an owner grants what they lack', grant(owner, { role: 'tenant-owner', ...DEV })],
    ['a developer grants', grant(developer, { role: 'viewer', ...DEV })],
    ['an owner makes a role', statusOf(owner(createRole, { body: { name: 'mine', permissions: ['audit.export'] } }))],
  ]
  for (const [what, tried] of tries) {
    const status = await tried
    assert.ok(status === 403 || status === 404, `${what}: ${status}`)
  }
  assert.equal(await grant(owner, { role: 'viewer', ...DEV }), undefined, 'an owner may grant what they have')
  return `${tries.length} ways`
}

/** Streams that are open when a right goes: each must end, and say so, within five seconds. */
async function cutStreams({ admin, server, cluster }: Target): Promise<string> {
  const name = 'stream-dora'
  const client = await person(admin, name, [{ role: 'developer', environment: 'dev' }])
  const application = 'streams'
  const deployed = await fetch(`${server.url}/api/v1/environments/dev/applications/${application}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ image: cluster.image(1), exposure: 'none' }),
  })
  assert.ok(deployed.ok, await deployed.text())
  const socket = new WebSocket(client.socketUrl(watchObjects, {}), {
    headers: { authorization: `Bearer ${client.token}` },
  })
  await new Promise((resolve) => socket.once('open', resolve))
  const shown: { total: number }[] = []
  socket.on('message', (bytes: Buffer) => {
    const frame = JSON.parse(bytes.toString('utf8')) as { page?: { total: number }; total?: number }
    const total = frame.page?.total ?? frame.total
    if (total !== undefined) shown.push({ total })
  })
  socket.send(JSON.stringify({ type: 'open', id: 1, resource: 'deployments', limit: 50 }))
  const closed = new Promise<string>((resolve) => socket.once('close', (code) => resolve(`live ${code}`)))
  const logs = client.lines(readLogs, { params: { ...DEV, application }, query: { follow: 'true' } })
  const ended = (async () => {
    try {
      for await (const _ of logs);
    } catch {
      // Ended by the server.
    }
    return 'logs'
  })()
  await sleep(1_500)
  assert.ok((shown.at(-1)?.total ?? 0) > 0, 'the live view shows nothing to a developer')
  const { items } = await admin(listGrants, { query: { user: name } })
  const began = performance.now()
  for (const { id } of items) await admin(deleteGrant, { params: { grant: id } })
  const inTime = (stream: Promise<string>) =>
    Promise.race([stream, sleep(6_000).then(() => Promise.reject(new Error('a stream goes on')))])
  await Promise.all([inTime(closed), inTime(ended)])
  return `closed after ${Math.round((performance.now() - began) / 100) / 10} s`
}

async function sameNameAgain({ admin }: Target): Promise<string> {
  await admin(createProject, { body: { name: 'phoenix', tenant: 'default' } })
  const first = await person(admin, 'felix', [{ role: 'project-owner', project: 'phoenix' }])
  const outsider = await person(admin, 'greta', [{ role: 'developer', project: 'phoenix' }])
  await admin(deleteUser, { params: { user: 'felix' } })
  assert.equal(await statusOf(first(getSession)), 401, 'the token of a deleted user')
  const second = await person(admin, 'felix')
  assert.deepEqual((await second(getSession)).permissions, [], 'a new user of the same name has rights')
  await admin(deleteProject, { params: { project: 'phoenix' } })
  await admin(createProject, { body: { name: 'phoenix', tenant: 'default' } })
  await environmentIn(admin, 'phoenix-dev', 'phoenix')
  assert.deepEqual(
    (await outsider(getSession)).permissions,
    [],
    'a grant of the project of before counts in the new one',
  )
  const seen = (await outsider(listEnvironments).catch(() => ({ items: [] }))).items.map(({ name }) => name)
  assert.ok(!seen.includes('phoenix-dev'))
  return 'a user and a project'
}

async function pastItsTime({ admin }: Target): Promise<string> {
  const client = await person(admin, 'timo')
  const expireTime = new Date(Date.now() + 2_500).toISOString()
  await admin(createGrant, { query: {}, body: { role: 'viewer', user: 'timo', ...DEV, expireTime } })
  assert.equal(await statusOf(client(getEnvironment, { params: DEV })), undefined)
  await sleep(Math.max(0, Date.parse(expireTime) - Date.now()) + 100)
  assert.equal(await statusOf(client(getEnvironment, { params: DEV })), 404)
  assert.deepEqual((await client(getSession)).permissions, [])
  const past = { role: 'viewer', user: 'timo', ...DEV, expireTime: new Date(Date.now() - 1_000).toISOString() }
  assert.equal(await statusOf(admin(createGrant, { query: {}, body: past })), 400)
  return 'by the clock of PostgreSQL'
}

const PAIRS = 400

/** Whether the time of an answer tells a hidden environment from one that is not there. */
async function timing({ admin, send }: Target): Promise<string> {
  await environmentIn(admin, 'hidden', 'default')
  const client = await person(admin, 'tilda', [{ role: 'viewer', environment: 'dev' }])
  const headers = { authorization: `Bearer ${client.token}` }
  const times: Record<'hidden' | 'absent', number[]> = { hidden: [], absent: [] }
  const texts = new Set<string>()
  for (let n = 0; n < PAIRS; n++) {
    for (const name of n % 2 ? (['hidden', 'absent'] as const) : (['absent', 'hidden'] as const)) {
      const began = performance.now()
      const { status, text } = await send('GET', `/api/v1/environments/${name}/applications`, { headers })
      times[name].push(performance.now() - began)
      texts.add(`${status} ${text.replace(/"instance":"[^"]*"/, '').replaceAll(name, 'X')}`)
    }
  }
  assert.equal(texts.size, 1, [...texts].join('\n'))
  const middle = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
  const difference = Math.abs(middle(times.hidden) - middle(times.absent))
  assert.ok(difference < 1, `the medians differ by ${difference.toFixed(2)} ms`)
  return `medians differ by ${difference.toFixed(3)} ms in ${PAIRS} pairs`
}

export const authorityRows: Row[] = [
  { id: 'A14', what: 'neither words nor time of an answer tell what is hidden from what is not there', run: timing },
  { id: 'A16', what: 'nobody grants what they do not have, or where they may not grant', run: escalation },
  { id: 'A17', what: 'live views and logs that are open end within five seconds of the grant', run: cutStreams },
  { id: 'A18', what: 'a user and a project of the same name inherit nothing', run: sameNameAgain },
  { id: 'A20', what: 'a grant counts until its time, and none begins in the past', run: pastItsTime },
]
