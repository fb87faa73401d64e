/** A filter. `text` forms match without regard to case. */
export type Expression =
  | { all: Expression[] }
  | { any: Expression[] }
  | { not: Expression }
  | FieldTest
  | LabelTest
  | AgeTest
  | TextTest

/** A column's value. `cluster` is a field of every kind. On `set` columns: some member. Order tests are for numbers. */
export interface FieldTest {
  field: string
  /** `~`: contains. Absent means one of `values` is equal. */
  op: '=' | '!=' | '~' | '<' | '<=' | '>' | '>='
  /** Text, or a number in the column's unit. `=`: any of them; `!=`: none of them; others take the first. */
  values: (string | number)[]
}

/** A label. Without `values`: it is there. */
export interface LabelTest {
  label: string
  values?: string[]
}

/** How long ago a `time` column was. Absent times never match. */
export interface AgeTest {
  age: string
  op: '<' | '>'
  seconds: number
}

/** Free text: in any searched column. */
export interface TextTest {
  text: string
}

/** What to sort by; rows that are equal in all of it follow namespace, name and cluster. */
export interface SortKey {
  /** A column, or `cluster`. */
  field: string
  descending?: boolean
}
