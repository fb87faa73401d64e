import type { ColumnSpec, KindSpec } from '../kind.ts'
import type { Completion } from '../mirror.ts'
import { fieldsOf, findField, shorthandsOf } from './fields.ts'
import { unescaped, valueText } from './scanner.ts'

/** What values there are, of the rows that the reader may see, the most frequent first. */
export interface CompletionSource {
  /** Of a column, of `cluster` or of `label:KEY`: those that begin with what is typed or contain it. */
  values(field: string, typed: string, limit: number): { value: string; count: number }[]
  /** Keys of labels. */
  labelKeys(typed: string, limit: number): { value: string; count: number }[]
}

const MOST = 20
const TEST = /^([A-Za-z_][\w.]*)(:~|:>=|:<=|:>|:<|:|~|!=|>=|<=|=|>|<)(.*)$/s
const AGES = { '10m': '10 minutes', '1h': 'an hour', '1d': 'a day', '7d': 'a week' }
const LABEL: ColumnSpec = { name: 'label', title: 'Label: label:tier, label:tier=front', type: 'set' }
const MEANS: Record<string, string> = {
  ':': 'is',
  '!=': 'is not',
  '~': 'contains',
  '>': 'more than',
  '>=': 'at least',
  '<': 'less than',
  '<=': 'at most',
}

/** What may stand at the cursor: fields, operators, values with how often they occur, keys and values of labels. */
export function completeFilter(text: string, cursor: number, kind: KindSpec, source: CompletionSource): Completion[] {
  const at = Math.max(0, Math.min(cursor, text.length))
  const begin = termBegin(text, at)
  const term = text.slice(begin, at)
  const test = TEST.exec(term)
  if (!test) return [...completeField(text, at, term, kind), ...completeWord(text.slice(0, begin), term, at)]
  const [, name = '', op = '', rest = ''] = test
  if (name.toLowerCase() === 'label') return completeLabel(text, at, rest, source)
  const field = findField(kind, name)
  if (!field) return []
  if (field.type === 'time') return completeAge(text, at, rest, op)
  if (field.type === 'count' || field.type === 'number') return []
  return completeValue(text, at, rest, (typed) => source.values(field.name, typed, MOST))
}

/** Where the term at the cursor begins, without what negates it. */
function termBegin(text: string, cursor: number): number {
  let begin = 0
  let inQuotes = false
  for (let index = 0; index < cursor; index += 1) {
    const character = text[index] ?? ''
    if (inQuotes) {
      if (character === '\\') index += 1
      else if (character === '"') inQuotes = false
    } else if (/[\s()]/.test(character)) begin = index + 1
    else if (character === '-' && index === begin) begin = index + 1
    else if (character === '"') inQuotes = index === begin || /[:~=<>,]/.test(text[index - 1] ?? '')
  }
  return begin
}

function completeField(text: string, cursor: number, term: string, kind: KindSpec): Completion[] {
  if (!/^[\w.]*$/.test(term)) return []
  const tail = /^[\w.]*/.exec(text.slice(cursor))?.[0] ?? ''
  const place = { from: cursor - term.length, to: cursor + tail.length }
  const hasOperator = /^[:~=<>]|^!=/.test(text.slice(place.to))
  const exact = term === '' || hasOperator ? undefined : findField(kind, term)
  const operators = exact
    ? operatorsOf(exact).map((op) => ({ ...place, insert: term + op, hint: MEANS[op] ?? '' }))
    : []
  const shorthands = shorthandsOf(kind).map(({ name, field }) => ({ ...field, name, title: field.title }))
  const wanted = term.toLowerCase()
  const rank = ({ name, title, wide }: ColumnSpec) => {
    if (name.toLowerCase().startsWith(wanted)) return wide ? 1 : 0
    return wanted.length > 1 && `${name} ${title}`.toLowerCase().includes(wanted) ? 2 : 3
  }
  const known = [...fieldsOf(kind), LABEL, ...shorthands].filter(({ name }) => name !== exact?.name && name !== term)
  const best = Math.min(...known.map(rank))
  const fields = known
    .filter((field) => rank(field) < (best === 2 ? 3 : 2))
    .sort((a, b) => rank(a) - rank(b))
    .map((field) => ({
      ...place,
      insert: field.name + (hasOperator ? '' : operatorsOf(field)[0]),
      hint: hintOf(field),
    }))
  return [...operators, ...fields].slice(0, 2 * MOST)
}

const hintOf = ({ title, description }: ColumnSpec) => (description ? `${title}: ${description}` : title)

/** The most usual one first. */
function operatorsOf({ name, type }: ColumnSpec): string[] {
  if (name === 'label' && type === 'set') return [':']
  if (type === 'time') return ['<', '>']
  return type === 'count' || type === 'number' ? ['>', '>=', '<', '<=', ':', '!='] : [':', '~', '!=']
}

/** `or` behind a term. */
function completeWord(before: string, term: string, cursor: number): Completion[] {
  if (!/^or?$/i.test(term) || /(^|[(\s])(or|and|not)?\s*$/i.exec(before.trimEnd())) return []
  return [{ insert: 'or ', from: cursor - term.length, to: cursor, hint: 'either is enough' }]
}

function completeLabel(text: string, cursor: number, rest: string, source: CompletionSource): Completion[] {
  const test = /^("(?:[^"\\]|\\.)*"|[^\s(),"=!]+)!?=(.*)$/s.exec(rest)
  if (!test) return completeValue(text, cursor, rest, (typed) => source.labelKeys(typed, MOST))
  const [, key = '', values = ''] = test
  const bare = key.startsWith('"') ? unescaped(key.slice(1, -1)) : key
  return completeValue(text, cursor, values, (typed) => source.values(`label:${bare}`, typed, MOST))
}

function completeAge(text: string, cursor: number, rest: string, op: string): Completion[] {
  if (!/[<>]/.test(op)) return []
  const place = placeOf(text, cursor, rest)
  const than = op.includes('<') ? 'less' : 'more'
  return Object.entries(AGES)
    .filter(([insert]) => insert.startsWith(rest))
    .map(([insert, words]) => ({ ...place, insert, hint: `${than} than ${words} ago` }))
}

/** `rest`: what is written of the values before the cursor; the last one is completed. */
function completeValue(
  text: string,
  cursor: number,
  rest: string,
  find: (typed: string) => { value: string; count: number }[],
): Completion[] {
  const written = /(?:^|,)("(?:[^"\\]|\\.)*"?|[^",]*)$/s.exec(rest)?.[1] ?? ''
  const typed = written.startsWith('"') ? unescaped(written.slice(1).replace(/(?<!\\)"$/, '')) : written
  const place = placeOf(text, cursor, written)
  return find(typed)
    .slice(0, MOST)
    .map(({ value, count }) => ({ ...place, insert: valueText(value), hint: String(count) }))
}

/** From where the value begins to where it ends behind the cursor. */
function placeOf(text: string, cursor: number, written: string): { from: number; to: number } {
  const open = written.startsWith('"') && !/^"(?:[^"\\]|\\.)*"$/s.test(written)
  const after = (open ? /^(?:[^"\\]|\\.)*"/s : /^[^\s(),"=!]*/).exec(text.slice(cursor))?.[0] ?? ''
  return { from: cursor - written.length, to: cursor + after.length }
}
