import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from '@quarterdeck/client'
import type { AnyEndpoint } from '@quarterdeck/kernel'
import { listClusters } from '../../features/cluster/cluster/cluster.contract.ts'
import { createProject } from '../../features/tenancy/project/project.contract.ts'
import { BUILT_IN_ROLES } from '../../features/tenancy/role/built-in.contract.ts'
import { createToken } from '../../features/tenancy/session/token.contract.ts'
import { createTenant } from '../../features/tenancy/tenant/tenant.contract.ts'
import { updateUser } from '../../features/tenancy/user/user.contract.ts'
import { declaredEndpoints } from '../../scripts/contracts.ts'
import { person } from '../platform/people.ts'
import { ensureEnvironment, PASSWORD, tokenClient } from '../platform/platform.ts'
import type { Row } from './row.ts'
import { type Answer, pathOf, refused, type Target } from './target.ts'

/** Two tenants with a project and an environment each, and people in all kinds of relation to the first. */
interface World {
  environment: string
  project: string
  tenant: string
  callers: Record<'noRole' | 'otherTenant' | 'otherProject' | 'viewer' | 'disabled' | 'expired' | 'otherServer', Client>
}

const PLACES = ['environment', 'project', 'tenant'] as const

async function worldOf(target: Target): Promise<World> {
  const { admin } = target
  const [cluster] = (await admin(listClusters)).items
  assert.ok(cluster, 'the server knows no cluster')
  for (const tenant of ['retail', 'lending']) await admin(createTenant, { body: { name: tenant } })
  for (const [name, tenant] of [
    ['shop', 'retail'],
    ['till', 'retail'],
    ['loans', 'lending'],
  ] as const) {
    await admin(createProject, { body: { name, tenant } })
  }
  await ensureEnvironment(admin, 'shop-dev', { cluster: cluster.name, project: 'shop' })
  const disabled = await person(admin, 'dora', [{ role: 'project-owner', project: 'shop' }])
  await admin(updateUser, { params: { user: 'dora' }, body: { disabled: true } })
  const ends = await person(admin, 'erin', [{ role: 'project-owner', project: 'shop' }])
  const expireTime = new Date(Date.now() + 1_500).toISOString()
  const { secret } = await ends(createToken, { body: { name: 'short', expireTime } })
  const elsewhere = await target.another({ QUARTERDECK_ADMIN_PASSWORD: PASSWORD })
  await elsewhere.ready()
  const foreign = await tokenClient(elsewhere.url)
  await sleep(Math.max(0, Date.parse(expireTime) - Date.now() + 50))
  return {
    environment: 'shop-dev',
    project: 'shop',
    tenant: 'retail',
    callers: {
      noRole: await person(admin, 'nora'),
      otherTenant: await person(admin, 'olaf', [{ role: 'tenant-owner', tenant: 'lending' }]),
      otherProject: await person(admin, 'paul', [{ role: 'project-owner', project: 'till' }]),
      viewer: await person(admin, 'vera', [{ role: 'viewer', project: 'shop' }]),
      disabled,
      expired: createClient({ baseUrl: admin.baseUrl, token: secret }),
      otherServer: createClient({ baseUrl: admin.baseUrl, token: foreign.token ?? '' }),
    },
  }
}

const has = (role: string, permission: string): boolean =>
  BUILT_IN_ROLES.find(({ name }) => name === role)?.permissions.some((one) => one === permission || one === '*') ??
  false

/** The endpoint's path in the first tenant's places; `names` replaces them by places that are not there. */
function placed(endpoint: AnyEndpoint, world: World, there = true): string {
  let path = endpoint.path
  for (const place of PLACES) path = path.replace(`:${place}`, there ? world[place] : `no-${place}`)
  return pathOf({ ...endpoint, path })
}

async function matrix(target: Target): Promise<string> {
  const world = await worldOf(target)
  const { noRole, otherTenant, otherProject, viewer, ...invalid } = world.callers
  let asked = 0
  const ask = async (endpoint: AnyEndpoint, client: Client | undefined, path = placed(endpoint, world)) => {
    asked++
    const headers: Record<string, string> = client?.token ? { authorization: `Bearer ${client.token}` } : {}
    const withBody = ['POST', 'PUT', 'PATCH'].includes(endpoint.method) ? { body: {} } : {}
    return target.send(endpoint.method, path, { headers, ...withBody })
  }
  for (const { endpoint } of await declaredEndpoints()) {
    const { id, permission } = endpoint
    if (permission === 'anonymous') continue
    refused(await ask(endpoint, undefined), `${id} anonymous`, 401)
    for (const [who, client] of Object.entries(invalid)) refused(await ask(endpoint, client), `${id} ${who}`, 401)
    if (permission === 'self') continue
    const named = PLACES.some((place) => endpoint.path.includes(`:${place}`))
    if (endpoint.reach === 'anywhere' || !named) {
      denied(await ask(endpoint, noRole), endpoint, 'noRole')
    } else {
      for (const [who, client] of Object.entries({ noRole, otherTenant, otherProject })) {
        const [hidden, absent] = [
          await ask(endpoint, client),
          await ask(endpoint, client, placed(endpoint, world, false)),
        ]
        refused(hidden, `${id} ${who}`, 404)
        assert.equal(plain(hidden, world), plain(absent, world), `${id} ${who} learns that the place is there`)
      }
    }
    if (!named && endpoint.reach === 'path') {
      for (const [who, client] of Object.entries({ otherTenant, viewer }))
        denied(await ask(endpoint, client), endpoint, who)
    } else if (endpoint.path.includes(':tenant')) refused(await ask(endpoint, viewer), `${id} viewer`, 404)
    else if (!has('viewer', permission)) denied(await ask(endpoint, viewer), endpoint, 'viewer')
    else {
      const { status } = await ask(endpoint, viewer)
      assert.ok(status !== 401 && status !== 403, `${id} refuses a viewer: ${status}`)
    }
  }
  return `${asked} requests`
}

function denied(answer: Answer, { id, permission }: AnyEndpoint, who: string): void {
  refused(answer, `${id} ${who}`, 403)
  assert.equal(answer.body.permission, permission, `${id} ${who} does not say what is missing`)
}

/** What an answer says, without what names the place or the request. */
function plain({ text }: Answer, world: World): string {
  let said = text.replace(/"instance":"[^"]*"/, '')
  for (const place of PLACES) said = said.replaceAll(world[place], 'X').replaceAll(`no-${place}`, 'X')
  return said
}

export const matrixRows: Row[] = [
  {
    id: 'A09',
    what: 'every endpoint × anonymous, no role, other tenant, other project, viewer, disabled, expired, of another server',
    run: matrix,
  },
]
