import { type Compilable, CompiledQuery } from 'kysely'
import type pg from 'pg'
import type { Db } from './db.ts'

const MARK = '/* at commit */ '

/**
 * Runs a statement when `tx` commits, in one message with COMMIT: what it locks is locked for as short as can be, and
 * the transaction fails when it does. Its rows are nobody's. Beyond a transaction it runs at once.
 */
export async function atCommit(tx: Db, statement: Compilable): Promise<void> {
  const { sql, parameters } = statement.compile()
  await tx.executeQuery(CompiledQuery.raw(`${MARK}${sql}`, [...parameters]))
}

/** What is sent in a session of the pool: statements for the commit wait for it. */
export function sender(client: pg.PoolClient): (sql: string, parameters: unknown[]) => Promise<pg.QueryResult> {
  let waiting: pg.QueryConfig[] | undefined
  return async (sql, parameters) => {
    if (sql === 'begin' || sql.startsWith('start transaction')) waiting = []
    if (waiting && sql.startsWith(MARK)) {
      waiting.push({ name: nameOf(sql), text: sql, values: parameters })
      return { command: '', rowCount: 0, oid: 0, fields: [], rows: [] }
    }
    const before = sql === 'commit' ? waiting : undefined
    if (sql === 'commit' || sql === 'rollback') waiting = undefined
    if (!before?.length) return client.query(sql, parameters)
    // When one fails, COMMIT finds the transaction aborted and rolls it back.
    const earlier = before.map((statement) => client.query(statement))
    const [answer] = await Promise.all([client.query(sql, parameters), ...earlier])
    return answer
  }
}

const names = new Map<string, string>()

/** They are few and always the same, so PostgreSQL reads each once a session. */
function nameOf(sql: string): string {
  const name = names.get(sql) ?? `at_commit_${names.size}`
  names.set(sql, name)
  return name
}
