/** What a JSONPath of printer columns takes from an object: everything it matches, in order. */
export type JsonPath = (root: unknown) => unknown[]

type Step = (values: unknown[], root: unknown) => unknown[]

/**
 * The part of JSONPath that kubectl and printer columns use: `.field`, `.with\.dot`, `['quoted']`, `[0]`, `[-1]`,
 * `[1:3]`, `[*]`, `.*`, `..field` and `[?(@.type=="Ready")]`, with or without braces around. Undefined when the text is
 * none of these.
 */
export function jsonPath(text: string): JsonPath | undefined {
  let rest = text.trim()
  if (rest.startsWith('{') && rest.endsWith('}')) rest = rest.slice(1, -1).trim()
  if (rest.startsWith('$')) rest = rest.slice(1)
  const steps: Step[] = []
  while (rest !== '') {
    const parsed = stepAt(rest)
    if (parsed === undefined) return undefined
    steps.push(parsed.step)
    rest = rest.slice(parsed.length)
  }
  return (root) => steps.reduce((values, step) => step(values, root), [root])
}

interface Parsed {
  step: Step
  length: number
}

const FIELD = /^\.((?:\\.|[^.[\]\\\s])+)/
const BRACKET = /^\[\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*\]/
const INDEX = /^\[\s*(-?\d+)\s*\]/
const SLICE = /^\[\s*(-?\d+)?\s*:\s*(-?\d+)?\s*\]/
const FILTER =
  /^\[\?\(\s*@((?:\.(?:\\.|[\w\-/])+|\['[^']*'\])+)\s*(?:(==|!=|<=|>=|<|>)\s*("[^"]*"|'[^']*'|[^)\s]+)\s*)?\)\]/

function stepAt(rest: string): Parsed | undefined {
  const every = /^(\.\*|\[\*\])/.exec(rest)
  if (every !== null) return { step: (values) => values.flatMap(children), length: every[0].length }
  if (rest.startsWith('..')) {
    const field = FIELD.exec(rest.slice(1))
    if (field === null) return undefined
    const name = unescaped(field[1] ?? '')
    return {
      step: (values) => values.flatMap(descendants).flatMap((value) => own(value, name)),
      length: field[0].length + 1,
    }
  }
  const field = FIELD.exec(rest) ?? BRACKET.exec(rest)
  if (field !== null) {
    const name = unescaped(field[1] ?? field[2] ?? '')
    return { step: (values) => values.flatMap((value) => own(value, name)), length: field[0].length }
  }
  return indexAt(rest) ?? filterAt(rest)
}

function indexAt(rest: string): Parsed | undefined {
  const index = INDEX.exec(rest)
  if (index !== null) {
    const at = Number(index[1])
    const item = (value: unknown): unknown[] =>
      Array.isArray(value) && value.length > 0 ? value.slice(at).slice(0, 1) : []
    return { step: (values) => values.flatMap(item), length: index[0].length }
  }
  const slice = SLICE.exec(rest)
  if (slice === null) return undefined
  const [from, to] = [slice[1], slice[2]].map((bound) => (bound === undefined ? undefined : Number(bound)))
  return {
    step: (values) => values.flatMap((value) => (Array.isArray(value) ? value.slice(from, to) : [])),
    length: slice[0].length,
  }
}

function filterAt(rest: string): Parsed | undefined {
  const filter = FILTER.exec(rest)
  if (filter === null) return undefined
  const path = jsonPath(filter[1] ?? '')
  if (path === undefined) return undefined
  const wanted = filter[3] === undefined ? undefined : literal(filter[3])
  const test = (item: unknown): boolean => {
    const [value] = path(item)
    return filter[2] === undefined ? value !== undefined : compares(value, filter[2], wanted)
  }
  return {
    step: (values) => values.flatMap((value) => (Array.isArray(value) ? value.filter(test) : [])),
    length: filter[0].length,
  }
}

const own = (value: unknown, name: string): unknown[] => {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return []
  return [(value as Record<string, unknown>)[name]]
}

const children = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value) : []

const descendants = (value: unknown): unknown[] => [value, ...children(value).flatMap(descendants)]

const unescaped = (name: string): string => name.replaceAll(/\\(.)/g, '$1')

function literal(text: string): unknown {
  if (/^["']/.test(text)) return text.slice(1, -1)
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text
}

function compares(value: unknown, op: string, wanted: unknown): boolean {
  if (op === '==') return value === wanted
  if (op === '!=') return value !== undefined && value !== wanted
  if (typeof value !== typeof wanted || (typeof value !== 'number' && typeof value !== 'string')) return false
  const order = value < (wanted as typeof value) ? -1 : value > (wanted as typeof value) ? 1 : 0
  if (op === '<') return order < 0
  if (op === '>') return order > 0
  return op === '<=' ? order <= 0 : order >= 0
}
