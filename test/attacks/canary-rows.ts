import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@quarterdeck/client'
import type { AnyEndpoint } from '@quarterdeck/kernel'
import { listClusters } from '../../features/cluster/cluster/cluster.contract.ts'
import { saveAuditSink } from '../../features/tenancy/audit/sink.contract.ts'
import { getEnvironment } from '../../features/tenancy/environment/environment.contract.ts'
import { declaredEndpoints } from '../../scripts/contracts.ts'
import { person } from '../platform/people.ts'
import type { Row } from './row.ts'
import { filesBelow } from './state-files.ts'
import { pathOf, type Target } from './target.ts'

const SECRETS = 100
/** Secret, its second value, its annotation and a file in it: four canaries each. */
const A_SECRET = 4

interface Canaries {
  /** What all of them begin with. */
  mark: string
  next(): string
}

function canaries(): Canaries {
  const mark = `canary${randomBytes(9).toString('hex')}`
  let count = 0
  return { mark, next: () => `${mark}${String(++count).padStart(4, '0')}` }
}

/** The mark in all the ways that it could be written: plain, in Base64 wherever it begins, in hex. */
function tracesOf(mark: string): string[] {
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.from(`${'-'.repeat(before)}${mark}`)
      .toString('base64')
      .replace(/=+$/, '')
    // The ends depend on what stands beside it.
    return text.slice(before === 0 ? 0 : 4, -4)
  })
  return [mark, ...base64, Buffer.from(mark).toString('hex')]
}

async function plant({ cluster: { kube } }: Target, namespace: string, { next }: Canaries): Promise<string[]> {
  const names = Array.from({ length: SECRETS }, (_, n) => `planted-${n}`)
  for (const name of names) {
    const secret = (value: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        namespace,
        name,
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ stringData: { password: next() } }),
        },
      },
      stringData: { password: value, 'config.yaml': `database:\n  password: "${next()}"\n` },
    })
    await kube.apply(secret(next()))
    if (Number(name.slice(8)) % 2 === 0) await kube.apply(secret(next()))
  }
  return names
}

const bait = (namespace: string, value: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace, name: 'bait' },
  stringData: { password: value },
})

/** What a query may hold to lure a value out, as far as the endpoint knows the name. */
function lures(endpoint: AnyEndpoint, namespace: string, mark: string): Record<string, string>[] {
  const known = endpoint.query.shape as Record<string, unknown>
  const tries = [
    { namespace },
    { namespace, filter: `data.password=${mark}` },
    { namespace, filter: mark, sort: 'data' },
    { namespace, columns: 'data,stringData,name' },
    { q: mark, text: mark, search: mark },
    { actor: mark, act: mark, what: mark },
    { fields: 'data,name', by: 'name' },
  ]
  const asked = tries.map((one) => Object.fromEntries(Object.entries(one).filter(([name]) => name in known)))
  return [...new Map(asked.map((one) => [JSON.stringify(one), one])).values()]
}

async function drive(target: Target): Promise<string> {
  const { admin } = target
  const own = canaries()
  const { namespace } = await admin(getEnvironment, { params: { environment: 'dev' } })
  const cluster = (await admin(listClusters)).items[0]?.name ?? ''
  const names = await plant(target, namespace, own)
  // Asked for by its value, so it may be in what is written down about questions, and nowhere else.
  const lure = canaries()
  const asked = lure.next()
  await target.cluster.kube.apply(bait(namespace, asked))
  // A target that takes whatever comes: our own server refuses, which is one more error path.
  await admin(saveAuditSink, {
    params: { sink: 'canary' },
    body: { kind: 'webhook', url: `${target.server.url}/nowhere`, secret: own.next() },
  }).catch(() => undefined)
  const callers: Record<string, Client> = {
    administrator: admin,
    developer: await person(admin, 'cleo', [{ role: 'developer', environment: 'dev' }]),
    viewer: await person(admin, 'carl', [{ role: 'viewer', environment: 'dev' }]),
  }
  await sleep(1_000) // the mirror and the versions have seen them
  const traces = tracesOf(own.mark)
  let answers = 0
  const check = (text: string, what: string) => {
    answers++
    for (const trace of traces) assert.ok(!text.includes(trace), `${what} holds a canary: ${around(text, trace)}`)
  }
  for (const { endpoint } of await declaredEndpoints()) {
    // A terminal runs a program, the native door is the API server's own answer: rows of their own.
    if (endpoint.transport === 'websocket' || endpoint.transport === 'proxy') continue
    for (const [who, client] of Object.entries(callers)) {
      const headers = { authorization: `Bearer ${client.token}` }
      for (const name of [names[0], names[1]]) {
        const path = filled(endpoint, { cluster, name: name ?? '', namespace })
        const withBody = ['POST', 'PUT', 'PATCH'].includes(endpoint.method) ? { body: { [asked]: 1 } } : {}
        if (endpoint.method === 'DELETE') continue
        for (const query of endpoint.method === 'GET' ? lures(endpoint, namespace, asked) : [{ dryRun: 'true' }]) {
          const { text } = await target.send(endpoint.method, `${path}?${new URLSearchParams(query)}`, {
            headers,
            ...withBody,
          })
          check(text, `${endpoint.id} for ${who}`)
          // Base64 is how it would come from a Secret; as it was asked it may come back in a refusal.
          assert.ok(!text.includes(Buffer.from(asked).toString('base64')), `${endpoint.id} finds the bait for ${who}`)
        }
      }
    }
  }
  for (const [who, client] of Object.entries(callers)) {
    if (who === 'administrator') continue
    const headers = { authorization: `Bearer ${client.token}` }
    const below = `/api/v1/clusters/${cluster}/kubernetes/api/v1/namespaces/${namespace}/secrets`
    for (const path of [below, `${below}/${names[0]}`, `${below}?watch=true&timeoutSeconds=1`]) {
      check((await target.send('GET', path, { headers })).text, `${path} for ${who}`)
    }
  }
  check((await target.send('GET', '/metrics')).text, '/metrics')
  check(target.server.log(), 'the log')
  let files = 0
  for (const { file, bytes } of filesBelow(target.server.home)) {
    files++
    for (const trace of traces) assert.ok(!bytes.includes(trace), `${file} holds a canary`)
  }
  return `${SECRETS * A_SECRET} canaries, ${answers} answers, ${files} files`
}

/** The endpoint's path with what is really there, as far as a parameter is known. */
function filled(endpoint: AnyEndpoint, there: { cluster: string; name: string; namespace: string }): string {
  const values: Record<string, string> = { ...there, resource: 'secrets', environment: 'dev' }
  const path = endpoint.path.replace(/:(\w+)/g, (whole, name: string) => values[name] ?? whole)
  return pathOf({ ...endpoint, path })
}

const around = (text: string, trace: string): string => {
  const at = text.indexOf(trace)
  return text.slice(Math.max(0, at - 120), at + 60)
}

export const canaryRows: Row[] = [
  {
    id: 'A21',
    what: 'values of Secrets planted everywhere are in no answer, error, log or file for whoever may not read them',
    run: drive,
  },
]
