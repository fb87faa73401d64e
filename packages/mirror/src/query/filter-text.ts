import type { Expression } from '../expression.ts'
import type { ColumnSpec, KindSpec } from '../kind.ts'
import { fieldsOf, findField, nearestField } from './fields.ts'
import { FilterError } from './filter-error.ts'
import { type Operator, quoted, Scanner, valueText } from './scanner.ts'
import { durationSeconds, numberOf } from './units.ts'

const DEEPEST = 50

/**
 * Reads a filter as people write it. Undefined when the text is empty; throws FilterError (a QueryError).
 *
 * | Written | Found is what |
 * |---|---|
 * | `web` | has "web" in some searched column; several words must all be found |
 * | `"out of memory"` | has this text, spaces included |
 * | `status:Running` | has this value, capitals or not; `status=Running` is the same |
 * | `status:Failed,Pending` | has one of these values |
 * | `status!=Running` | has none of these values |
 * | `image~nginx`, `image:~nginx` | has this in the value |
 * | `restarts>3`, `restarts:0` | numbers, with `>` `>=` `<` `<=` `:` `!=` |
 * | `memory>=512Mi`, `cpu<500m` | quantities as Kubernetes writes them |
 * | `age<10m`, `restarted>1h30m` | is less (more) than that ago; units s m h d w |
 * | `label:tier` | has the label |
 * | `label:tier=front,back` | has the label with one of these values; `label:tier!=front` is the contrary |
 * | `ns:shop`, `app:web`, `cluster:a` | ns is namespace, app is application |
 * | `-x`, `not x` | is not x |
 * | `a or b`, `(a or b) c` | either; terms beside each other must all be true, and bind closer than `or` |
 *
 * Fields are the kind's columns and `cluster`, capitals or not. Quotation marks keep spaces, commas and parentheses
 * together (`name:"a b"`), in them `\"` is a quotation mark.
 */
export function parseFilter(text: string, kind: KindSpec): Expression | undefined {
  const parser = new FilterParser(text, kind)
  return parser.parse()
}

class FilterParser {
  readonly #scanner: Scanner
  readonly #kind: KindSpec

  constructor(text: string, kind: KindSpec) {
    this.#scanner = new Scanner(text)
    this.#kind = kind
  }

  parse(): Expression | undefined {
    const scanner = this.#scanner
    scanner.skipSpace()
    if (scanner.atEnd) return undefined
    const expression = this.#either(0)
    if (!scanner.atEnd) throw new FilterError('This parenthesis closes none: leave it out', scanner.position)
    return expression
  }

  #either(depth: number): Expression {
    const any = [this.#every(depth)]
    while (this.#scanner.takeKeyword('or')) any.push(this.#every(depth))
    return any.length === 1 && any[0] ? any[0] : { any }
  }

  #every(depth: number): Expression {
    const scanner = this.#scanner
    const all: Expression[] = []
    for (;;) {
      scanner.skipSpace()
      const before = scanner.position
      if (this.#atTermEnd()) break
      if (scanner.takeKeyword('and')) {
        scanner.skipSpace()
        if (all.length === 0 || this.#atTermEnd())
          throw new FilterError('"and" stands between two terms; in quotation marks it is a word', before)
        continue
      }
      all.push(this.#term(depth))
    }
    if (all.length === 0) throw new FilterError('A term is missing here: write one, such as name~web', scanner.position)
    return all.length === 1 && all[0] ? all[0] : { all }
  }

  /** At the end, at `)` or at `or`. */
  #atTermEnd(): boolean {
    const scanner = this.#scanner
    if (scanner.atEnd || scanner.text[scanner.position] === ')') return true
    const before = scanner.position
    const or = scanner.takeKeyword('or')
    scanner.position = before
    return or
  }

  #term(depth: number): Expression {
    const scanner = this.#scanner
    const begin = scanner.position
    if (depth > DEEPEST) throw new FilterError(`More than ${DEEPEST} parentheses in each other: write fewer`, begin)
    if (scanner.take('-') || scanner.takeKeyword('not')) {
      scanner.skipSpace()
      if (this.#atTermEnd()) throw new FilterError('What is not to be is missing behind this: -status:Running', begin)
      return { not: this.#term(depth + 1) }
    }
    if (scanner.take('(')) {
      const inner = this.#either(depth + 1)
      if (!scanner.take(')')) throw new FilterError('This parenthesis is not closed: write )', begin)
      return inner
    }
    const words = scanner.takeQuoted()
    if (words !== undefined) {
      if (words.trim() === '') throw new FilterError('There is nothing between these quotation marks', begin)
      return { text: words }
    }
    const test = scanner.takeTest()
    if (test) return test.name.toLowerCase() === 'label' ? this.#label(test.op, begin) : this.#test(test, begin)
    return { text: scanner.takeWord() ?? '' }
  }

  #label(op: Operator, begin: number): Expression {
    const scanner = this.#scanner
    const key = op === '=' ? scanner.takeLabelKey() : undefined
    if (!key) throw new FilterError("The label's key is missing: write label:tier or label:tier=front", begin)
    const negated = scanner.take('!=')
    if (!negated && !scanner.take('=')) {
      if (scanner.text[scanner.position] !== '!') return { label: key }
      throw new FilterError('Write label:tier=front, or label:tier!=front', scanner.position)
    }
    const test = { label: key, values: this.#values(() => `label:${valueText(key)}=front`) }
    return negated ? { not: test } : test
  }

  #test({ name, op }: { name: string; op: Operator }, begin: number): Expression {
    const field = findField(this.#kind, name)
    if (!field) throw this.#unknown(name, op, begin)
    const example = exampleOf(field)
    const values = this.#values(() => example)
    const wrong = (what: string) => new FilterError(`${name} is ${what}: write ${example}`, begin)
    if (field.type === 'time') {
      const seconds = durationSeconds(values[0] ?? '')
      if (op === '=' || op === '!=' || op === '~') throw wrong('a time')
      if (values.length > 1 || Number.isNaN(seconds)) throw wrong('a time, and 30s, 10m, 1h, 7d and 2w are ages')
      return { age: field.name, op: op.startsWith('<') ? '<' : '>', seconds }
    }
    if (field.type === 'count' || field.type === 'number') {
      const numbers = values.map((value) => numberOf(value, field.unit))
      if (op === '~' || numbers.some(Number.isNaN)) throw wrong('a number')
      if (numbers.length > 1 && op !== '=' && op !== '!=') throw wrong('compared with one number')
      return { field: field.name, op, values: numbers }
    }
    if (op === '=' || op === '!=') return { field: field.name, op, values }
    if (op !== '~') throw wrong(field.type === 'set' ? 'a list of texts' : 'text')
    const any = values.map((value): Expression => ({ field: field.name, op, values: [value] }))
    return any.length === 1 && any[0] ? any[0] : { any }
  }

  #values(example: () => string): string[] {
    const values: string[] = []
    do {
      const value = this.#scanner.takeValue()
      if (value === undefined)
        throw new FilterError(`A value is missing here: write ${example()}`, this.#scanner.position)
      values.push(value)
    } while (this.#scanner.take(','))
    return values
  }

  #unknown(name: string, op: Operator, begin: number): FilterError {
    const scanner = this.#scanner
    const rest = scanner.takeWord() ?? ''
    const nearest = nearestField(this.#kind, name)
    const written = scanner.text.slice(begin, scanner.position)
    const instead = [
      ...(nearest ? [`did you mean ${nearest}`] : []),
      ...(op === '=' && rest !== '' ? [`a label is label:${name}=${rest}`] : []),
      `text is ${quoted(written)}`,
    ].join('; ')
    const others = nearest
      ? ''
      : `. Fields: ${fieldsOf(this.#kind)
          .map((field) => field.name)
          .join(', ')}`
    return new FilterError(`${this.#kind.kind} has no field ${name}: ${instead}${others}`, begin)
  }
}

/** A test of the field as one would write it. */
export function exampleOf({ name, type, unit }: ColumnSpec): string {
  if (type === 'time') return `${name}<1h`
  if (type === 'count' || type === 'number')
    return `${name}>${unit === 'bytes' ? '512Mi' : unit === 'cores' ? '500m' : unit === 'seconds' ? '10m' : '3'}`
  return `${name}:${name === 'status' ? 'Running' : 'value'}`
}
