import type { ColumnType } from 'kysely'

/** A jsonb column: read as T, written as text. Write it with JSON.stringify; pg would make a PostgreSQL array of an array. */
export type JsonColumn<T> = ColumnType<T, string, string>
