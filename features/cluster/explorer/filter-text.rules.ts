/** One term of a filter text as it is written, its quotation marks and parentheses included. */
type Term = string

/** Terms at the top of a filter text, in order. Text that cannot be read ends as one term. */
export function filterTerms(text: string): Term[] {
  const terms: Term[] = []
  let term = ''
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (quoted && character === '\\') {
      term += character + (text[at + 1] ?? '')
      at += 1
      continue
    }
    if (character === '"') quoted = !quoted
    else if (!quoted && character === '(') depth += 1
    else if (!quoted && character === ')') depth -= 1
    if (!quoted && depth === 0 && /\s/.test(character)) {
      if (term !== '') terms.push(term)
      term = ''
    } else term += character
  }
  if (term !== '') terms.push(term)
  return terms
}

/** Other names of fields in filter texts. */
const ALIASES: Record<string, string> = { ns: 'namespace', app: 'application' }
const plainField = (name: string): string => ALIASES[name.toLowerCase()] ?? name

/** A value as it is written in a test. */
const valueText = (value: string): string =>
  /^[^\s(),"\\~<>=:][^\s(),"\\]*$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`

const FIELD_TEST = /^([A-Za-z_][\w.]*)[:=](?![~<>=])(.*)$/s
const LABEL_TEST = /^label:([^\s(),"=!]+)=(.*)$/s

/** The test of a term that says `field:value,value`; undefined when it is anything else. */
function testOf(term: Term): { field: string; values: string[] } | undefined {
  const label = LABEL_TEST.exec(term)
  if (label) return { field: `label:${label[1]}`, values: listOf(label[2] ?? '') }
  const test = FIELD_TEST.exec(term)
  if (!test || test[1]?.toLowerCase() === 'label') return undefined
  return { field: plainField(test[1] ?? ''), values: listOf(test[2] ?? '') }
}

function listOf(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|([^,"]+)/gs)].map(
    (match) => match[2] ?? (match[1] ?? '').replace(/\\(.)/gs, '$1'),
  )
}

const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()
const isEither = (terms: readonly Term[]) => terms.some((term) => same(term, 'or'))
const written = (field: string, values: readonly string[]) =>
  `${field}${field.startsWith('label:') ? '=' : ':'}${values.map(valueText).join(',')}`

/** Values of a field that the text asks for; none where terms are joined by `or`. */
export function askedValues(text: string, field: string): string[] {
  const terms = filterTerms(text)
  if (isEither(terms)) return []
  return terms.flatMap((term) => {
    const test = testOf(term)
    return test && same(test.field, field) ? test.values : []
  })
}

/** The text without what it asks of a field. */
export function withoutField(text: string, field: string): string {
  const terms = filterTerms(text)
  if (isEither(terms)) return text
  return terms.filter((term) => !same(testOf(term)?.field ?? '', field)).join(' ')
}

/** The text that asks for a value as well, or no longer asks for it. */
export function toggleValue(text: string, field: string, value: string): string {
  const asked = askedValues(text, field)
  const values = asked.some((one) => same(one, value)) ? asked.filter((one) => !same(one, value)) : [...asked, value]
  const terms = filterTerms(text)
  const rest = isEither(terms) ? `(${text.trim()})` : withoutField(text, field)
  return [rest, ...(values.length > 0 ? [written(field, values)] : [])].filter((part) => part !== '').join(' ')
}
