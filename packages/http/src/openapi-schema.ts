import { createHash } from 'node:crypto'
import { z } from 'zod'

export type JsonSchema = Record<string, unknown>

/** The schemas of one document. Those with a name (`.meta({ id })`), and recursive ones, are kept once and referred to. */
export interface SchemaCollection {
  /** `input`: as a caller writes it; `output`: as the server answers. */
  schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema
  /** For components.schemas, in the order of their names. */
  components(): Record<string, JsonSchema>
}

function tidy(schema: z.core.$ZodType, json: JsonSchema, io: 'input' | 'output'): void {
  if (json.format !== undefined) delete json.pattern
  if (schema._zod.def.type !== 'object') return
  const { catchall } = schema._zod.def as unknown as { catchall?: z.ZodType }
  // What a caller writes beyond the schema is refused (validation.ts); an answer may grow.
  if (io === 'input' && catchall === undefined) json.additionalProperties = false
  if (io === 'output' && json.additionalProperties === false) delete json.additionalProperties
}

const REFERENCE = '#/$defs/'

/** The same schema with its references going to where `nameOf` keeps them. */
function redirected(value: unknown, nameOf: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => redirected(item, nameOf))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) =>
      key === '$ref' && typeof member === 'string' && member.startsWith(REFERENCE)
        ? [key, `#/components/schemas/${nameOf(member.slice(REFERENCE.length))}`]
        : [key, redirected(member, nameOf)],
    ),
  )
}

/** An empty collection. */
export function collectSchemas(): SchemaCollection {
  const kept = new Map<string, JsonSchema>()
  return {
    schemaOf(schema, io) {
      const whole = z.toJSONSchema(schema, {
        io,
        unrepresentable: 'any',
        override: ({ zodSchema, jsonSchema }) => tidy(zodSchema, jsonSchema as JsonSchema, io),
      }) as JsonSchema
      const { $schema: _, $defs = {}, ...root } = whole
      const definitions = $defs as Record<string, JsonSchema>
      const nameOf = (name: string) => {
        // zod numbers recursive schemas within one conversion; in the document they are called by what they hold.
        const hash = createHash('sha256').update(JSON.stringify(definitions[name]).replace(/__schema\d+/g, 'itself'))
        const base = name.startsWith('__') ? `Recursive-${hash.digest('hex').slice(0, 8)}` : name
        return io === 'input' && !name.startsWith('__') ? `${base}-input` : base
      }
      for (const [name, definition] of Object.entries(definitions)) {
        kept.set(nameOf(name), redirected(definition, nameOf) as JsonSchema)
      }
      return redirected(root, nameOf) as JsonSchema
    },
    components: () => Object.fromEntries([...kept].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
