import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { EVERYTHING, type Mirror, openMirror } from '@quarterdeck/mirror'
import { type OwnCluster, ownCluster } from '@quarterdeck/testkit'
import { type MirrorProxy, mirrorProxy } from './mirror-proxy.ts'
import type { Random } from './random.ts'

/** A mirror that reads an API server of its own through a proxy. */
export interface MirrorWorld {
  own: OwnCluster
  proxy: MirrorProxy
  mirror: Mirror
  /** Lines of the mirror's log. */
  log: string[]
  /** State of one kind, as an answer says it. */
  state(resource: string): { state: string; message: string; ageSeconds: number }
  /** Waits until the mirror has every kind. */
  live(): Promise<void>
  /** Throws when the mirror's lists are not the API server's, key by key and revision by revision, 5 s from now. */
  same(): Promise<void>
  /** Waits until it is so. */
  until(what: string, seconds: number, check: () => boolean): Promise<void>
  relists(cause: string): number
}

const QUIET_SECONDS = 5
const CLUSTER = 'victim'
/** Patience is shorter than in life, so that a row takes seconds. */
const TIMINGS = {
  pingEvery: 500,
  pingSilence: 3_000,
  connect: 4_000,
  streamSilence: 3_000,
  longestRetry: 2_000,
  longestReconnect: 2_000,
}

/** Gives a world to `act` and takes it down whatever happens. */
export async function inMirrorWorld(
  act: (world: MirrorWorld) => Promise<string | undefined>,
  timings: Record<string, number> = {},
): Promise<string | undefined> {
  const own = await ownCluster()
  const proxy = await mirrorProxy(own.kubeconfig)
  const log: string[] = []
  const write = (level: string) => (fields: object, message: string) =>
    log.push(`${level} ${message} ${JSON.stringify(fields)}`)
  const mirror = openMirror({ timings: { ...TIMINGS, ...timings }, log: { info: write('info'), warn: write('warn') } })
  const world = worldOf(own, proxy, mirror, log)
  try {
    await prepare(own.cluster)
    mirror.watch({ name: CLUSTER, kubeconfig: proxy.kubeconfig, revision: '1' })
    return await act(world)
  } catch (error) {
    const relists = JSON.stringify(mirror.metrics().relists)
    const kinds = mirror.clusters().flatMap(({ kinds: all }) => all.filter(({ state }) => state !== 'live'))
    const lame = kinds.slice(0, 10).map(({ resource, state, message }) => `${resource} is ${state}: ${message}`)
    const what = [`relists ${relists}`, ...lame, 'log of the mirror:', ...log.slice(-40)]
    ;(error as Error).message += `\n${what.join('\n')}`
    throw error
  } finally {
    await mirror.close()
    proxy.close()
    await own.close()
  }
}

function worldOf(own: OwnCluster, proxy: MirrorProxy, mirror: Mirror, log: string[]): MirrorWorld {
  const until = async (what: string, seconds: number, check: () => boolean) => {
    const end = performance.now() + seconds * 1000
    while (!check()) {
      assert.ok(performance.now() < end, `after ${seconds} s still not: ${what}`)
      await sleep(20)
    }
  }
  return {
    own,
    proxy,
    mirror,
    log,
    until,
    state(resource) {
      const freshness = mirror.list({ resource, limit: 1 }, EVERYTHING).freshness[0]
      assert.ok(freshness, `${resource} says nothing of how fresh it is`)
      return freshness
    },
    live: () =>
      until('every kind is live', 30, () => {
        const [cluster] = mirror.clusters()
        return (cluster?.kinds.length ?? 0) > 50 && cluster?.kinds.every(({ state }) => state === 'live') === true
      }),
    async same() {
      const end = performance.now() + QUIET_SECONDS * 1000
      for (;;) {
        const wrong = await differences(mirror, own.cluster)
        if (wrong.length === 0) return
        if (performance.now() > end) assert.fail(`${QUIET_SECONDS} s after quiet: ${wrong.slice(0, 10).join('; ')}`)
        await sleep(100)
      }
    },
    relists: (cause) => mirror.metrics().relists[cause] ?? 0,
  }
}

/** What is different between the mirror and the API server, over all kinds. */
async function differences(mirror: Mirror, cluster: Cluster): Promise<string[]> {
  const wrong: string[] = []
  for (const { resource, group, version, kind } of mirror.kinds()) {
    const apiVersion = group === '' ? version : `${group}/${version}`
    const wanted = new Set<string>()
    for await (const { metadata } of cluster.listAll({ apiVersion, kind })) {
      wanted.add(`${metadata.namespace ?? ''}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`)
    }
    const found = rowsOf(mirror, resource)
    for (const line of found) if (!wanted.delete(line)) wrong.push(`${resource} has too much: ${line}`)
    for (const line of wanted) wrong.push(`${resource} lacks ${line}`)
  }
  return wrong
}

/** `namespace/name uid revision` */
function rowsOf(mirror: Mirror, resource: string): string[] {
  const lines: string[] = []
  for (let offset = 0; ; offset += 1_000) {
    const page = mirror.list({ resource, offset, limit: 1_000, columns: ['namespace', 'name'] }, EVERYTHING)
    for (const { uid, revision, values } of page.rows) lines.push(`${values[0] ?? ''}/${values[1]} ${uid} ${revision}`)
    if (page.rows.length < 1_000) return lines
  }
}

const NAMESPACE = 'storm'
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
      },
    ],
  },
}

async function prepare(cluster: Cluster): Promise<void> {
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const account = { name: 'default', namespace: NAMESPACE }
  await cluster.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account })
  await cluster.create(DEFINITION)
  while (!(await cluster.resource('example.com/v1', 'Widget').catch(() => undefined))) await sleep(50)
}

/** An object of each of three kinds: plain JSON, protobuf, custom. */
const KINDS: ((name: string) => KubeObject)[] = [
  (name) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: NAMESPACE },
    data: { text: 'ü "{[' },
  }),
  (name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, labels: { tier: 'front' } },
    spec: { containers: [{ name: 'c', image: 'registry.example.com/app:1' }] },
  }),
  (name) => ({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name, namespace: NAMESPACE },
    spec: { size: 1 },
  }),
]

/** Makes, changes and deletes objects until it is stopped; what the API server refuses is let be. */
export function startStorm(cluster: Cluster, random: Random, lanes = 3): { stop(): Promise<number> } {
  let stopped = false
  let changes = 0
  async function lane(number: number): Promise<void> {
    const names: KubeObject[] = []
    for (let count = 0; !stopped; count++) {
      const act = random.next()
      const old = names[random.between(0, Math.max(1, names.length))]
      const make = KINDS[random.between(0, KINDS.length)] as (typeof KINDS)[0]
      try {
        if (!old || act < 0.4) {
          const made = make(`storm-${number}-${count}`)
          await cluster.create(made, { timeoutSeconds: 2 })
          names.push(made)
        } else if (act < 0.75) {
          const { apiVersion, kind, metadata } = old
          const labels = { turn: String(count) }
          await cluster.patch(
            { apiVersion, kind, namespace: NAMESPACE, name: metadata.name },
            { metadata: { labels } },
            { timeoutSeconds: 2 },
          )
        } else {
          names.splice(names.indexOf(old), 1)
          const { apiVersion, kind, metadata } = old
          await cluster.remove({ apiVersion, kind, namespace: NAMESPACE, name: metadata.name }, { timeoutSeconds: 2 })
        }
        changes++
      } catch {
        await sleep(50)
      }
    }
  }
  const running = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)))
  return {
    async stop() {
      stopped = true
      await running
      return changes
    },
  }
}
