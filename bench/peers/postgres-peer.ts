import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, openStore } from '@quarterdeck/store'
import type { Answer, PodQuestion, SortField } from '../oracle/answers.ts'
import type { Fact } from '../oracle/facts.ts'

const ROWS_AN_INSERT = 5_000

/** Pods in a table with an index for each thing that is asked for: what platforms do that keep clusters in a database. */
export interface PostgresPeer {
  /** Of the server, its sessions' processes not included. */
  readonly pid: number
  readonly loadMs: number
  readonly bytesPerPod: number
  ask(question: PodQuestion): Promise<Answer>
  /** Names that contain this, over all kinds. */
  search(text: string, namespaces: readonly string[] | undefined): Promise<number>
  stop(): Promise<void>
}

const TABLES = `
create extension pg_trgm;
create table pod (namespace text collate "C", name text collate "C", phase text collate "C", restarts int,
  node text collate "C", created timestamptz, labels jsonb, primary key (namespace, name));
create table object (resource text, namespace text collate "C", name text collate "C", primary key (resource, namespace, name));
`
const INDEXES = `
create index on pod (name); create index on pod (created); create index on pod (created desc nulls last); create index on pod (restarts);
create index on pod (restarts desc nulls last); create index on pod (node); create index on pod (node desc nulls last);
create index on pod (phase); create index on pod using gin (labels jsonb_path_ops);
create index on pod using gin (name gin_trgm_ops); create index on object using gin (name gin_trgm_ops);
analyze pod; analyze object;
`

/** Fills a PostgreSQL of its own, in a temporary folder, with what the oracle knows. */
export async function postgresPeer(pods: readonly Fact[], others: readonly Fact[]): Promise<PostgresPeer> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-bench-postgres-'))
  chmodSync(folder, 0o755)
  const settings = { fsync: 'off', shared_buffers: '512MB', work_mem: '64MB', random_page_cost: '1.1' }
  const store = await openStore({ stateFolder: folder, serverSettings: settings, poolSize: 1 })
  const session = await store.connect()
  const began = performance.now()
  for (const statement of statements(TABLES)) await session.query(statement)
  await insertPods(session, pods)
  await insertObjects(session, [...pods, ...others])
  for (const statement of statements(INDEXES)) await session.query(statement)
  const [size] = await session.query<{ bytes: number }>("select pg_total_relation_size('pod') as bytes")
  return {
    pid: store.serverPid() ?? 0,
    loadMs: performance.now() - began,
    bytesPerPod: Math.round(Number(size?.bytes ?? 0) / Math.max(1, pods.length)),
    ask: (question) => ask(session, question),
    search: (text, namespaces) => search(session, text, namespaces),
    async stop() {
      await session.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const statements = (text: string) =>
  text
    .split(';')
    .map((one) => one.trim())
    .filter(Boolean)

async function insertPods(session: Connection, pods: readonly Fact[]): Promise<void> {
  for (let from = 0; from < pods.length; from += ROWS_AN_INSERT) {
    const rows = pods.slice(from, from + ROWS_AN_INSERT).map(({ namespace, name, created, labels, pod }) => ({
      namespace,
      name,
      phase: pod?.phase,
      restarts: pod?.restarts,
      node: pod?.node || null,
      created: new Date(created * 1000).toISOString(),
      labels,
    }))
    await session.query(
      'insert into pod select * from jsonb_to_recordset($1) as row(namespace text, name text, phase text, restarts int, node text, created timestamptz, labels jsonb)',
      [JSON.stringify(rows)],
    )
  }
}

async function insertObjects(session: Connection, facts: readonly Fact[]): Promise<void> {
  for (let from = 0; from < facts.length; from += ROWS_AN_INSERT) {
    const rows = facts
      .slice(from, from + ROWS_AN_INSERT)
      .map(({ resource, namespace, name }) => ({ resource, namespace, name }))
    await session.query(
      'insert into object select * from jsonb_to_recordset($1) as row(resource text, namespace text, name text)',
      [JSON.stringify(rows)],
    )
  }
}

const COLUMNS: Record<SortField, string> = {
  name: 'name',
  created: 'created',
  restarts: 'restarts',
  node: 'node',
}

async function ask(session: Connection, question: PodQuestion): Promise<Answer> {
  const { namespaces, phase, label, contains, sort, offset, limit } = question
  const parameters: unknown[] = []
  const given = (value: unknown) => `$${parameters.push(value)}`
  const tests = [
    ...(namespaces ? [`namespace = any(${given(namespaces)})`] : []),
    ...(phase === undefined ? [] : [`phase = ${given(phase)}`]),
    ...(label === undefined ? [] : [`labels @> ${given(JSON.stringify({ [label[0]]: label[1] }))}`]),
    ...(contains === undefined ? [] : [`name like ${given(`%${contains}%`)}`]),
  ]
  const where = tests.length > 0 ? `where ${tests.join(' and ')}` : ''
  const order = `${COLUMNS[sort.field]} ${sort.descending ? 'desc nulls last' : 'asc'}, namespace, name`
  const [count] = await session.query<{ total: number }>(`select count(*) as total from pod ${where}`, parameters)
  const rows = await session.query<{ namespace: string; name: string }>(
    `select * from pod ${where} order by ${order} offset ${offset} limit ${limit}`,
    parameters,
  )
  return { total: Number(count?.total ?? 0), keys: rows.map(({ namespace, name }) => `${namespace}/${name}`) }
}

async function search(session: Connection, text: string, namespaces: readonly string[] | undefined): Promise<number> {
  const rows = await session.query<{ total: number }>(
    `select resource, count(*) as total from object where name like $1 ${namespaces ? 'and namespace = any($2)' : ''} group by resource`,
    namespaces ? [`%${text}%`, namespaces] : [`%${text}%`],
  )
  return rows.reduce((sum, { total }) => sum + Number(total), 0)
}
