import type { Kysely } from 'kysely'

/**
 * A typed query builder over the store, or over a transaction in it. It knows no tables; a feature's store file narrows
 * it with `db.withTables<{ domain: DomainTable }>()`.
 */
export type Db = Kysely<Record<never, never>>
