import { type AnyEndpoint, invalidInput } from '@quarterdeck/kernel'
import type { z } from 'zod'

interface FieldError {
  pointer: string
  detail: string
}

const escaped = (segment: PropertyKey) => String(segment).replaceAll('~', '~0').replaceAll('/', '~1')

// zod's own description of a schema; the members depend on its kind
// biome-ignore lint/suspicious/noExplicitAny: zod types a definition only for a schema that is known
type Definition = Record<string, any> & { type: string }
const definitionOf = (schema: z.ZodType): Definition => schema._zod.def as unknown as Definition

/** Members of `value` that the schema does not know, as JSON pointers; objects with a catchall accept any member. */
export function unknownMembers(schema: z.ZodType, value: unknown, pointer: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  const def = definitionOf(schema)
  if (def.type === 'object') {
    const shape: Record<string, z.ZodType> = def.shape
    return Object.entries(value).flatMap(([key, member]) => {
      const at = `${pointer}/${escaped(key)}`
      if (Object.hasOwn(shape, key)) return unknownMembers(shape[key] as z.ZodType, member, at)
      return def.catchall === undefined || definitionOf(def.catchall).type === 'never' ? [at] : []
    })
  }
  if (def.type === 'array' && Array.isArray(value)) {
    return value.flatMap((item, index) => unknownMembers(def.element, item, `${pointer}/${index}`))
  }
  if (def.type === 'record') {
    return Object.entries(value).flatMap(([key, item]) =>
      unknownMembers(def.valueType, item, `${pointer}/${escaped(key)}`),
    )
  }
  if (def.type === 'union') {
    const options: z.ZodType[] = def.options
    const taken = options.filter((option) => option.safeParse(value).success)
    const found = taken.map((option) => unknownMembers(option, value, pointer))
    return found.sort((a, b) => a.length - b.length)[0] ?? []
  }
  if (def.type === 'intersection') {
    const right = new Set(unknownMembers(def.right, value, pointer))
    return unknownMembers(def.left, value, pointer).filter((at) => right.has(at))
  }
  if (def.type === 'lazy') return unknownMembers(def.getter(), value, pointer)
  if (def.type === 'pipe') return unknownMembers(def.in, value, pointer)
  return def.innerType === undefined ? [] : unknownMembers(def.innerType, value, pointer)
}

/** One error a field; of a union's branches the one that came nearest. */
function fieldErrors(issues: readonly z.core.$ZodIssue[], pointer: string): FieldError[] {
  return issues.flatMap((issue): FieldError[] => {
    const at = pointer + issue.path.map((segment) => `/${escaped(segment)}`).join('')
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ pointer: `${at}/${escaped(key)}`, detail: 'There is no such field' }))
    }
    if (issue.code === 'invalid_union') {
      const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0]
      if (nearest && nearest.length > 0 && depth(nearest) > 0) return fieldErrors(nearest, at)
    }
    return [{ pointer: at, detail: issue.message }]
  })
}
const depth = (issues: readonly z.core.$ZodIssue[]) => Math.max(0, ...issues.map((issue) => issue.path.length))

function parsePart(schema: z.ZodType, value: unknown, pointer: string): { value: unknown; errors: FieldError[] } {
  if (definitionOf(schema).type === 'undefined' && value !== undefined) {
    return { value, errors: [{ pointer, detail: 'This endpoint takes no body; leave it out' }] }
  }
  const parsed = schema.safeParse(value)
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, pointer)
  const named = new Set(errors.map((error) => error.pointer))
  const unknown = unknownMembers(schema, value, pointer).filter((at) => !named.has(at))
  return {
    value: parsed.data,
    errors: [...errors, ...unknown.map((at) => ({ pointer: at, detail: 'There is no such field' }))],
  }
}

/** PostgreSQL can hold no NUL and no name has one, so what has one anywhere is refused before anybody looks for it. */
function withNul(part: unknown, pointer: string): FieldError[] {
  const found: FieldError[] = []
  // Not recursive: a body may be deeper than the stack.
  const waiting: [unknown, string][] = [[part, pointer]]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [value, at] = next
    if (typeof value === 'string' && value.includes('\0'))
      found.push({ pointer: at, detail: 'Leave out the NUL character' })
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue
    for (const [key, member] of Object.entries(value)) waiting.push([member, `${at}/${escaped(key)}`])
  }
  return found
}

/** The three parts of a request, parsed. Throws invalidInput naming every field that is wrong or unknown. */
export function parseRequest(endpoint: AnyEndpoint, request: { params: unknown; query: unknown; body: unknown }) {
  const params = parsePart(endpoint.params, request.params, '/params')
  const query = parsePart(endpoint.query, request.query, '/query')
  const body = parsePart(endpoint.body, request.body === null ? undefined : request.body, '/body')
  const nuls = (['params', 'query', 'body'] as const).flatMap((part) => withNul(request[part], `/${part}`))
  const errors = [...nuls, ...params.errors, ...query.errors, ...body.errors].slice(0, 50)
  const first = errors[0]
  if (first) {
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
    throw invalidInput({ detail: `${first.pointer}: ${first.detail}${more}`, errors })
  }
  return { params: params.value, query: query.value, body: body.value }
}
