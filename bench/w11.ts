import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@quarterdeck/client'
import type { KubeObject } from '@quarterdeck/kernel'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { localCluster, obtain } from '@quarterdeck/local-cluster'
import { parseAllDocuments } from 'yaml'
import { deployApplication } from '../features/application/application/application.contract.ts'
import { watchOperation } from '../features/delivery/operation/operation.contract.ts'
import { ensureEnvironment, PASSWORD, tokenClient } from '../test/platform/platform.ts'
import { serverProcess } from '../test/platform/server-process.ts'
import { type BenchOptions, percentile, type Result, result, spread } from './measure.ts'

const ENVIRONMENT = 'bench'
const REPLICAS = 3

/** One deploy: milliseconds since the click. */
interface Timing {
  /** Our 202, or kubectl apply's end. */
  accepted: number
  /** The API server had the last object. */
  applied: number
  /** The API server said Available. */
  available: number
  /** Whoever deployed knew that: our operation said Succeeded, or kubectl rollout status had ended. */
  told: number
}

interface Bench {
  client: Client
  kube: Cluster
  kubectl: string
  kubeconfigFile: string
  image: string
  folder: string
}

/**
 * W11: deploying a three-replica application through Quarterdeck beside `kubectl apply` and `rollout status` of the same
 * objects, and beside the bare requests, in turn, on a local cluster whose pods really run.
 */
export async function deployToAvailable({ pods = 36 }: BenchOptions): Promise<Result> {
  const rounds = Math.max(3, Math.ceil(pods / REPLICAS))
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-bench-'))
  chmodSync(folder, 0o755)
  const local = localCluster({ stateFolder: join(folder, 'cluster') })
  await local.up()
  const server = await serverProcess({
    environment: {
      QUARTERDECK_ADMIN_PASSWORD: PASSWORD,
      QUARTERDECK_KUBECONFIG: local.kubeconfigFile,
      QUARTERDECK_REGISTRIES: `http://${local.registry}`,
    },
  })
  try {
    server.start()
    await server.ready()
    const client = await tokenClient(server.url)
    await ensureEnvironment(client, ENVIRONMENT)
    const bench: Bench = {
      client,
      kube: connectCluster({ name: 'bench', kubeconfig: readFileSync(local.kubeconfigFile, 'utf8') }),
      kubectl: (await obtain(['kubernetes'])).executable('kubectl'),
      kubeconfigFile: local.kubeconfigFile,
      image: `${local.registry}/hello:1`,
      folder,
    }
    return report(await measure(bench, rounds), rounds)
  } finally {
    await server.dispose()
    await local.reset()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Way = 'quarterdeck' | 'kubectl' | 'requests'

async function measure(bench: Bench, rounds: number): Promise<Record<Way, Timing[]>> {
  const timings: Record<Way, Timing[]> = { quarterdeck: [], kubectl: [], requests: [] }
  const ways: Record<Way, (name: string, objects: KubeObject[]) => Promise<Timing>> = {
    quarterdeck: (name) => byQuarterdeck(bench, name),
    kubectl: (name, objects) => byKubectl(bench, name, objects),
    requests: (name, objects) => byRequests(bench, name, objects),
  }
  for (let round = -1; round < rounds; round++) {
    // The order turns, so that no way always finds a warm node.
    const order = (['quarterdeck', 'kubectl', 'requests'] as Way[]).map((_, n, all) => all[(n + round + 3) % 3] as Way)
    for (const way of order) {
      const name = `${way}-${round + 1}`
      const timing = await ways[way](name, await objectsOf(bench, name))
      if (round >= 0) timings[way].push(timing)
      await removeAll(bench, name)
    }
  }
  return timings
}

function report({ quarterdeck, kubectl, requests }: Record<Way, Timing[]>, rounds: number): Result {
  const of = (timings: Timing[], key: keyof Timing) => timings.map((timing) => timing[key])
  const all = (timings: Timing[]) => ({
    ...spread('accepted', of(timings, 'accepted')),
    ...spread('applied', of(timings, 'applied')),
    ...spread('available', of(timings, 'available')),
    ...spread('told', of(timings, 'told')),
  })
  const bare = percentile(of(requests, 'applied'), 0.5)
  const measured = {
    overheadP50Ms: Math.round((percentile(of(quarterdeck, 'applied'), 0.5) - bare) * 10) / 10,
    overheadP99Ms: Math.round((percentile(of(quarterdeck, 'applied'), 0.99) - bare) * 10) / 10,
    toldAfterAvailableP50Ms: percentile(
      quarterdeck.map(({ told, available }) => told - available),
      0.5,
    ),
    ...all(quarterdeck),
  }
  const target = { overheadP50Ms: 25, overheadP99Ms: 60, toldAfterAvailableP50Ms: 150 }
  const remark = `${rounds} rounds of a ${REPLICAS}-replica application and its Service, the three ways in turn. Milliseconds since the click. applied: the API server has the last object; overhead: that, less the median of the same objects sent as two bare apply requests. told: the operation says Succeeded, rollout status has ended.`
  return result(
    'W11',
    rounds * REPLICAS,
    target,
    measured,
    { kubectl: all(kubectl), bareRequests: all(requests) },
    remark,
  )
}

const body = ({ image }: Bench) => ({ image, replicas: REPLICAS, exposure: 'cluster' as const })

/** The objects that the platform's own plan would apply, under this name. */
async function objectsOf(bench: Bench, name: string): Promise<KubeObject[]> {
  const params = { environment: ENVIRONMENT, application: name }
  const plan = await bench.client(deployApplication, { params, query: { dryRun: true }, body: body(bench) })
  if (plan.kind !== 'Plan') throw new Error('A dry run was accepted')
  return plan.changes.flatMap(({ yaml }) => parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject))
}

async function byQuarterdeck(bench: Bench, name: string): Promise<Timing> {
  const seen = watchDeployment(bench, name)
  await seen.started
  const began = performance.now()
  const params = { environment: ENVIRONMENT, application: name }
  const operation = await bench.client(deployApplication, { params, query: {}, body: body(bench) })
  const accepted = performance.now()
  if (operation.kind !== 'Operation') throw new Error('A deploy was answered with a plan')
  let state = 'Accepted'
  for await (const now of bench.client.lines(watchOperation, { params: { operation: operation.id } })) state = now.state
  const told = performance.now()
  if (state !== 'Succeeded') throw new Error(`${name} has ended as ${state}`)
  return timing(began, { accepted, applied: await seen.applied, available: await seen.available, told })
}

async function byKubectl(bench: Bench, name: string, objects: KubeObject[]): Promise<Timing> {
  const file = join(bench.folder, `${name}.json`)
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  const seen = watchDeployment(bench, name)
  await seen.started
  const began = performance.now()
  await kubectl(bench, 'apply', '--server-side', '-f', file)
  const accepted = performance.now()
  await kubectl(bench, 'rollout', 'status', `deployment/${name}`)
  const told = performance.now()
  return timing(began, { accepted, applied: await seen.applied, available: await seen.available, told })
}

async function byRequests(bench: Bench, name: string, objects: KubeObject[]): Promise<Timing> {
  const seen = watchDeployment(bench, name)
  await seen.started
  const began = performance.now()
  for (const object of objects) await bench.kube.apply(object, { fieldManager: 'bench' })
  const accepted = performance.now()
  const available = await seen.available
  return timing(began, { accepted, applied: await seen.applied, available, told: available })
}

const timing = (began: number, at: Timing): Timing => ({
  accepted: at.accepted - began,
  applied: at.applied - began,
  available: at.available - began,
  told: at.told - began,
})

/** When a watch of our own saw the Deployment and its Service, and the Deployment available: the same eye for all ways. */
function watchDeployment(bench: Bench, name: string) {
  const started = Promise.withResolvers<void>()
  const [deployment, service, available] = [0, 0, 0].map(() => Promise.withResolvers<number>()) as [Seen, Seen, Seen]
  const done = new AbortController()
  const follow = async (apiVersion: string, kind: string, see: (object: KubeObject) => void) => {
    const selection = { apiVersion, kind, namespace: ENVIRONMENT }
    const { resourceVersion } = await bench.kube.list(selection)
    started.resolve()
    for await (const { type, object } of bench.kube.watch({ ...selection, resourceVersion }, { signal: done.signal })) {
      if (type !== 'BOOKMARK' && object.metadata.name === name) see(object)
    }
  }
  const failed = (error: unknown) => done.signal.aborted || available.reject(error)
  follow('v1', 'Service', () => service.resolve(performance.now())).catch(failed)
  follow('apps/v1', 'Deployment', ({ status, metadata }) => {
    deployment.resolve(performance.now())
    const current = status?.observedGeneration === metadata.generation
    if (current && status?.availableReplicas === REPLICAS && status?.updatedReplicas === REPLICAS) {
      available.resolve(performance.now())
    }
  }).catch(failed)
  void available.promise.finally(() => done.abort()).catch(() => {})
  const applied = Promise.all([deployment.promise, service.promise]).then((times) => Math.max(...times))
  return { started: started.promise, applied, available: available.promise }
}
type Seen = PromiseWithResolvers<number>

async function removeAll({ kube }: Bench, name: string): Promise<void> {
  const at = { namespace: ENVIRONMENT, name }
  await kube.remove({ apiVersion: 'apps/v1', kind: 'Deployment', ...at })
  await kube.remove({ apiVersion: 'v1', kind: 'Service', ...at })
  for (let tries = 0; tries < 600; tries++) {
    const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace: ENVIRONMENT })
    if (pods.items.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function kubectl({ kubectl: program, kubeconfigFile }: Bench, ...args: string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const child = spawn(program, ['--kubeconfig', kubeconfigFile, '--namespace', ENVIRONMENT, ...args], {
    stdio: 'ignore',
  })
  child.once('error', reject)
  child.once('exit', (status) =>
    status === 0 ? resolve() : reject(new Error(`kubectl ${args[0]} ended with ${status}`)),
  )
  return promise
}
