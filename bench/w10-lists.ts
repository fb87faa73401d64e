import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { Subject } from '@quarterdeck/kernel'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { controlPlane } from '@quarterdeck/local-cluster'
import { EVERYTHING, type ListQuery, type Mirror, openMirror } from '@quarterdeck/mirror'
import { findMigrations, migrate, openStore, type Store } from '@quarterdeck/store'
import { sql } from 'kysely'
import { type Access, openAccess } from '../features/cluster/access/access.routes.ts'
import { openAuthority } from '../features/tenancy/grant/authority.routes.ts'
import { type BenchOptions, percentile, type Result, result, spread } from './measure.ts'

const NAMESPACES = 200
const A_NAMESPACE = 10
const OWN_BINDINGS = 100
const OWN_GRANTS = 100
const PAGES = 20_000
const CLUSTER = 'bench'
const RBAC = { apiVersion: 'rbac.authorization.k8s.io/v1' }
const USER = 'quarterdeck:user:li'
const ROLE = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'bench-look' }
const PAGE: ListQuery = { resource: 'configmaps', limit: 50 }

interface Bench {
  kube: Cluster
  mirror: Mirror
  access: Access
  store: Store
  subject: Subject
}

/**
 * W10L: what it costs to let somebody with 200 bindings, half of them the cluster's own, see a page of what is theirs,
 * and how long after a RoleBinding is there or gone the list and the live view are others.
 */
export async function authorisedLists({ rounds = 100 }: BenchOptions): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-bench-'))
  chmodSync(folder, 0o755)
  const plane = await controlPlane({ folder: join(folder, 'cluster'), controllers: false })
  const store = await openStore({ stateFolder: join(folder, 'store') })
  const kubeconfig = readFileSync(plane.kubeconfigFile, 'utf8')
  const kube = connectCluster({ name: CLUSTER, kubeconfig })
  const log = { info: () => undefined, warn: console.warn, error: console.error }
  const mirror = openMirror({ log })
  try {
    await migrate(store, findMigrations(join(import.meta.dirname, '../features')))
    const id = await fillStore(store)
    await fillCluster(kube)
    const authority = openAuthority({ db: store.db, listen: store.listen, log })
    await authority.open()
    const changed = () => mirror.readersChanged()
    const access = openAccess({ grants: authority, clusterOf: async () => kube, changed, log })
    access.watch(CLUSTER)
    mirror.watch({ name: CLUSTER, kubeconfig, revision: '1' })
    const subject: Subject = { id, name: 'li', kind: 'user', permissions: ['*'] }
    const bench = { kube, mirror, access, store, subject }
    await settled(bench)
    const measured = { ...pages(bench), ...(await changes(bench, rounds)) }
    const peers = { selfSubjectAccessReview: spread('question', await reviews(kube)) }
    access.close()
    authority.close()
    return report(measured, peers, rounds)
  } finally {
    await mirror.close()
    await kube.close()
    await store.close()
    await plane.stop({ remove: true })
    rmSync(folder, { recursive: true, force: true })
  }
}

const namespaceName = (number: number) => `bench-${number}`
const totalOf = ({ mirror, access, subject }: Bench) => mirror.list(PAGE, access.readerOf(subject)).total

async function fillStore({ db }: Store): Promise<string> {
  await sql`insert into account (name) values ('li')`.execute(db)
  await sql
    .raw(`insert into environment (name, cluster, namespace, stage, "createTime", operation, state)
      select 'bench-' || n, '${CLUSTER}', 'bench-' || n, 'dev', now(), gen_random_uuid(), 'Ready'
      from generate_series(0, ${OWN_GRANTS - 1}) n`)
    .execute(db)
  await sql`insert into role_grant (role, account, environment, grantor)
    select role.id, account.id, environment.id, 'bench' from role, account, environment
    where role.name = 'viewer' and account.name = 'li'`.execute(db)
  const { rows } = await sql<{ id: string }>`select id from account where name = 'li'`.execute(db)
  return rows[0]?.id ?? ''
}

async function fillCluster(kube: Cluster): Promise<void> {
  await kube.create({
    ...RBAC,
    kind: 'ClusterRole',
    metadata: { name: ROLE.name },
    rules: [{ apiGroups: [''], resources: ['configmaps', 'pods'], verbs: ['get', 'list'] }],
  })
  const numbers = Array.from({ length: NAMESPACES }, (_, number) => number)
  for (let from = 0; from < NAMESPACES; from += 10) {
    await Promise.all(numbers.slice(from, from + 10).map((number) => fillNamespace(kube, number)))
  }
}

async function fillNamespace(kube: Cluster, number: number): Promise<void> {
  const namespace = namespaceName(number)
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  for (let index = 0; index < A_NAMESPACE; index++) {
    await kube.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `thing-${index}`, namespace } })
  }
  if (number >= OWN_GRANTS && number < OWN_GRANTS + OWN_BINDINGS - 1) await bind(kube, namespace)
}

const binding = (namespace: string) => ({ ...RBAC, kind: 'RoleBinding', metadata: { name: 'bench', namespace } })
const bind = (kube: Cluster, namespace: string) =>
  kube.create({
    ...binding(namespace),
    roleRef: ROLE,
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: USER }],
  })

async function settled(bench: Bench): Promise<void> {
  const wanted = (OWN_GRANTS + OWN_BINDINGS - 1) * A_NAMESPACE
  for (let tries = 0; ; tries++) {
    const { mirror, access } = bench
    if (mirror.kind('configmaps') && access.isRead(CLUSTER) && totalOf(bench) === wanted) return
    if (tries > 600) throw new Error('The mirror does not become complete')
    await sleep(50)
  }
}

/** Microseconds of CPU a page: all of it, and what of that is there because not everybody may see everything. */
function pages({ mirror, access, subject }: Bench): Record<string, number> {
  const timed = (act: () => unknown) => {
    for (let n = 0; n < PAGES / 10; n++) act()
    const before = process.threadCpuUsage()
    for (let n = 0; n < PAGES; n++) act()
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / PAGES
  }
  const rounded = (value: number) => Math.round(value * 100) / 100
  // As it is asked for by a request: who asks is another object each time.
  const authorised = () => {
    const reader = access.readerOf({ ...subject })
    mirror.kind('configmaps', reader)
    return mirror.listJson(PAGE, reader)
  }
  const everything = () => {
    mirror.kind('configmaps', EVERYTHING)
    return mirror.listJson(PAGE, EVERYTHING)
  }
  const rounds = Array.from({ length: 7 }, () => [timed(authorised), timed(everything)] as const)
  const middle = (values: number[]) => values.toSorted((a, b) => a - b)[3] as number
  const authorisedUs = middle(rounds.map(([one]) => one))
  const everythingUs = middle(rounds.map(([, other]) => other))
  const readerUs = timed(() => {
    const reader = access.readerOf({ ...subject })
    return reader.generation + Number(reader.knows(CLUSTER, 'configmaps'))
  })
  return {
    pageAuthorisationUs: rounded(Math.max(0, authorisedUs - everythingUs)),
    readerUs: rounded(readerUs),
    pageUs: rounded(authorisedUs),
    pageOfEverythingUs: rounded(everythingUs),
  }
}

/** Milliseconds from the API server's answer to a RoleBinding that comes or goes to another list and another view. */
async function changes(bench: Bench, rounds: number): Promise<Record<string, number>> {
  const { kube, mirror, access, subject } = bench
  const namespace = namespaceName(NAMESPACES - 1)
  const before = totalOf(bench)
  let shown = -1
  let shownTime = 0
  mirror.view(PAGE, access.readerOf(subject), {
    frame(bytes) {
      const frame = JSON.parse(Buffer.from(bytes).toString('utf8')) as { total?: number; page?: { total: number } }
      const total = frame.page?.total ?? frame.total
      if (total !== undefined && total !== shown) [shown, shownTime] = [total, performance.now()]
      return true
    },
  })
  const lists: number[] = []
  const views: number[] = []
  const compiles: number[] = []
  for (let round = 0; round < rounds * 2; round++) {
    const wanted = round % 2 === 0 ? before + A_NAMESPACE : before
    if (round % 2 === 0) await bind(kube, namespace)
    else await kube.remove({ ...binding(namespace), name: 'bench', namespace })
    const written = performance.now()
    for (;;) {
      const began = performance.now()
      const total = totalOf(bench)
      if (total === wanted) {
        lists.push(performance.now() - written)
        compiles.push((performance.now() - began) * 1e3)
        break
      }
      if (began - written > 5_000) throw new Error('The list does not change')
      await turn()
    }
    while (shown !== wanted) await sleep(1)
    views.push(Math.max(0, shownTime - written))
    // Not in step with anything.
    await sleep(20 + Math.random() * 110)
  }
  return {
    ...spread('bindingToList', lists),
    ...spread('bindingToView', views),
    anewP50Us: percentile(compiles, 0.5),
  }
}

/** The question to the API server that every page would cost without this. */
async function reviews(kube: Cluster): Promise<number[]> {
  const times: number[] = []
  const resourceAttributes = { verb: 'list', resource: 'configmaps', namespace: namespaceName(1) }
  for (let count = 0; count < 200; count++) {
    const began = performance.now()
    await kube.create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: { name: '' },
      spec: { resourceAttributes },
    })
    times.push(performance.now() - began)
  }
  return times
}

function report(measured: Record<string, number>, peers: Result['peers'], rounds: number): Result {
  const remark = `${NAMESPACES * A_NAMESPACE} ConfigMaps in ${NAMESPACES} namespaces of a real API server; the user sees ${OWN_GRANTS} namespaces by grants and ${OWN_BINDINGS - 1} by RoleBindings of the cluster. Microseconds are CPU time of the thread. pageAuthorisation: the first page of 50 with who may see it worked out, less the same without. reader: finding what somebody may see, alone. bindingToList, bindingToView: from the API server's answer to the RoleBinding to the other total, ${rounds} that come and ${rounds} that go. anew: the first list after a change. The peer is what the API server takes for one question about one namespace`
  const target = { pageAuthorisationUs: 5, readerUs: 5, bindingToListP99Ms: 50, bindingToViewP99Ms: 50 }
  return result('W10L', 0, target, measured, peers, remark)
}
