import type { AgeTest, FieldTest, LabelTest } from '../../expression.ts'
import { NO_COUNT } from '../../kind.ts'
import { QueryError } from '../../mirror.ts'
import type { Column } from '../column.ts'
import type { Table } from '../table.ts'
import { AgeLeaf } from './leaf.ts'
import { AnyTest, IdTest, NumberedTest, PlainTest, type RowTest } from './row-test.ts'
import { SplitTest } from './split-test.ts'
import { folded, SetTest, type StringTests } from './string-test.ts'

/** Names of clusters by number. A number is never given to another cluster. */
export interface ClusterNames {
  /** Numbers are below this. */
  readonly count: number
  /** '' when there is none of this number. */
  name(number: number): string
}

/** A column or 'cluster'. Throws QueryError. */
export function columnOf(table: Table, name: string, pointer: string): Column {
  const column = table.column(name)
  if (column) return column
  const names = ['cluster', ...table.spec.columns.map((spec) => spec.name)].join(', ')
  throw new QueryError(`${table.spec.plural} have no field "${name}"; there are ${names}.`, pointer)
}

/** The test of a column's value as it is made for `=`, `~` and the order tests; `!=` is the opposite of `=`. */
export function fieldTest(table: Table, strings: StringTests, clusters: ClusterNames, test: FieldTest): RowTest {
  if (test.values.length === 0) throw new QueryError(`The test of "${test.field}" has no value.`, '/filter')
  const op = test.op === '!=' ? '=' : test.op
  if (test.field === 'cluster') return clusterTest(table, clusters, op, test.values.map(String))
  const column = columnOf(table, test.field, '/filter')
  if (column.type === 'count' || column.type === 'number' || column.type === 'time')
    return numberTest(column, op, test.values)
  const texts = test.values.map(String)
  if (op !== '=' && op !== '~')
    throw new QueryError(`"${test.field}" is text: it can be tested with = != ~ only, not ${op}.`, '/filter')
  if (column.type === 'split')
    return op === '='
      ? SplitTest.equals(column, strings, texts)
      : SplitTest.contains(column, strings, texts[0] as string)
  const ofStrings = strings.of(op === '=' ? 'equals' : 'contains', op === '=' ? texts : texts.slice(0, 1))
  return new IdTest(column, column.type === 'set' ? new SetTest(table.sets, ofStrings) : ofStrings)
}

function clusterTest(table: Table, clusters: ClusterNames, op: string, values: string[]): RowTest {
  const matches = nameTest(op, values)
  return new NumberedTest(
    () => table.clusters,
    () => clusters.count,
    (number) => matches(clusters.name(number)),
  )
}

/** The test of a cluster's name. */
export function nameTest(op: string, values: readonly string[]): (name: string) => boolean {
  const wanted = values.map(folded)
  if (op === '=') return (name) => wanted.includes(folded(name))
  if (op === '~') return (name) => folded(name).includes(wanted[0] as string)
  throw new QueryError(`"cluster" is text: it can be tested with = != ~ only, not ${op}.`, '/filter')
}

function numberTest(column: Column, op: string, values: readonly (string | number)[]): RowTest {
  const numbers = values.map((value) => (typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)))
  const { name } = column.spec
  if (op === '~') throw new QueryError(`"${name}" is a number: it can be tested with = != < <= > >= only.`, '/filter')
  if (numbers.some(Number.isNaN))
    throw new QueryError(`"${name}" is a number; "${values.join(', ')}" is not.`, '/filter')
  const wanted = numbers[0] as number
  // The column's arrays are replaced when the table grows, so they are looked up each time.
  const value = numberOf(column)
  if (op === '=' && numbers.length > 1) {
    const all = new Set(numbers)
    return new PlainTest((row) => all.has(value(row)))
  }
  if (op === '=') return new PlainTest((row) => value(row) === wanted)
  if (op === '<') return new PlainTest((row) => value(row) < wanted)
  if (op === '<=') return new PlainTest((row) => value(row) <= wanted)
  if (op === '>') return new PlainTest((row) => value(row) > wanted)
  return new PlainTest((row) => value(row) >= wanted)
}

/** The number in a row; NaN where there is none. */
export function numberOf(column: Column): (row: number) => number {
  if (column.type === 'number') return (row) => column.f64[row] as number
  const absent = column.type === 'count' ? NO_COUNT : 0
  return (row) => {
    const value = column.u32[row] as number
    return value === absent ? Number.NaN : value
  }
}

/** Labels are members `key=value` of the set. */
export function labelTest(table: Table, strings: StringTests, { label, values }: LabelTest): RowTest {
  const column = columnOf(table, 'labels', '/filter')
  const members = values
    ? strings.of(
        'exact',
        values.map((value) => `${label}=${value}`),
      )
    : strings.of('begins', [`${label}=`])
  return new IdTest(column, new SetTest(table.sets, members))
}

export function ageLeaf(table: Table, test: AgeTest): AgeLeaf {
  const column = columnOf(table, test.age, '/filter')
  if (column.type !== 'time') throw new QueryError(`"${test.age}" is not a time: it has no age.`, '/filter')
  return new AgeLeaf(table, column, test.op === '<', test.seconds)
}

/** Whether the text is in a searched column other than the name. */
export function textTest(table: Table, strings: StringTests, text: string): RowTest {
  const ofStrings = strings.of('contains', [text])
  const ofSets = new SetTest(table.sets, ofStrings)
  const tests: RowTest[] = []
  for (const column of table.columns) {
    if (!column.spec.searched || column.spec.name === 'name') continue
    if (column.type === 'text') tests.push(new IdTest(column, ofStrings))
    else if (column.type === 'set') tests.push(new IdTest(column, ofSets))
    else if (column.type === 'split') tests.push(SplitTest.contains(column, strings, text))
  }
  return new AnyTest(tests)
}
