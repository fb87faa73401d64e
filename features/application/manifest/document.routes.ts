import { invalidInput } from '@quarterdeck/kernel'
import { type Document, isAlias, isCollection, isMap, isScalar, Lexer, type Node, parseAllDocuments, visit } from 'yaml'

/** One document that holds something; `number` counts from 1 with those that are empty. */
export interface YamlDocument {
  number: number
  value: unknown
}

const MAX_DOCUMENTS = 100
const MAX_DEPTH = 60
const MAX_ALIASES = 100
const MAX_NODES = 50_000
const MAX_LINES = 20_000

class Refusal extends Error {}

/**
 * Reads YAML as data and nothing else: no tags, no key twice, few aliases, no depth without end. Numbers with a leading
 * 0 are octal, as kubectl reads them. Throws invalidInput naming document, line and cure.
 */
export function readDocuments(yaml: string): YamlDocument[] {
  const lines = yaml.match(/\n/g)?.length ?? 0
  if (lines > MAX_LINES) throw refused(`There are more than ${MAX_LINES} lines. Apply it in parts.`)
  const separators = yaml.match(/^---/gm)?.length ?? 0
  if (separators > MAX_DOCUMENTS) throw refused(`There are more than ${MAX_DOCUMENTS} documents. Apply them in parts.`)
  const found: YamlDocument[] = []
  for (const [index, document] of parsed(yaml).entries()) {
    const number = index + 1
    try {
      judge(document)
      const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES })
      if (value !== null && value !== undefined) found.push({ number, value })
    } catch (error) {
      if (error instanceof Refusal || error instanceof ReferenceError) {
        throw refused(`Document ${number}: ${error.message}`)
      }
      throw tooDeep(error)
    }
  }
  if (found.length === 0) throw refused('There is no object in it. Write one Kubernetes object a document.')
  return found
}

const refused = (detail: string) => invalidInput({ detail, errors: [{ pointer: '/body/yaml', detail }] })

function tooDeep(error: unknown): unknown {
  return error instanceof RangeError ? refused(`It is nested deeper than ${MAX_DEPTH} levels.`) : error
}

/** Looks at the words before anything is built of them, since building what is wrong takes seconds. */
function judgeWords(yaml: string): void {
  let depth = 0
  let words = 0
  for (const word of new Lexer().lex(yaml)) {
    words += 1
    if (words > MAX_NODES * 4) throw refused(`It has more than ${MAX_NODES} values. Apply it in parts.`)
    if (word === '[' || word === '{') depth += 1
    else if (word === ']' || word === '}') depth -= 1
    if (depth > MAX_DEPTH) throw refused(`It is nested deeper than ${MAX_DEPTH} levels.`)
  }
}

function parsed(yaml: string): Document.Parsed[] {
  judgeWords(yaml)
  try {
    // Keys are compared below: here it would take a time that grows with their number squared.
    const documents = parseAllDocuments(yaml, { version: '1.2', schema: 'core', uniqueKeys: false, prettyErrors: true })
    return 'empty' in documents ? [] : documents
  } catch (error) {
    throw tooDeep(error)
  }
}

function judge(document: Document.Parsed): void {
  const [error] = document.errors
  if (error) throw new Refusal(error.message.split('\n')[0] ?? error.message)
  let nodes = 0
  let aliases = 0
  visit(document, (_, node, path) => {
    if (path.length > MAX_DEPTH * 2) throw new Refusal(`it is nested deeper than ${MAX_DEPTH} levels.`)
    nodes += 1
    if (nodes > MAX_NODES) throw new Refusal(`it has more than ${MAX_NODES} values. Apply it in parts.`)
    if (isAlias(node)) {
      aliases += 1
      const within = path.some((one) => isCollection(one) && one.anchor === node.source)
      if (within) throw new Refusal(`the alias *${node.source} stands within what it names. Write out what is meant.`)
      if (aliases > MAX_ALIASES) throw new Refusal(`it has more than ${MAX_ALIASES} aliases (*name). Write them out.`)
    }
    if (isScalar(node) || isCollection(node)) judgeNode(node)
  })
}

function judgeNode(node: Node): void {
  if (node.tag) throw new Refusal(`the tag ${node.tag} is not accepted. Leave it out; quote what is meant as text.`)
  if (isScalar(node) && node.type === 'PLAIN' && /^0[0-7]+$/.test(node.source ?? '')) {
    node.value = Number.parseInt(node.source ?? '', 8)
  }
  if (!isMap(node)) return
  const keys = new Set<string>()
  for (const { key } of node.items) {
    if (!isScalar(key)) throw new Refusal('a key is not text. Write keys as plain words.')
    const text = String(key.value)
    if (keys.has(text)) throw new Refusal(`the key ${text} is there twice in one map. Keep one of them.`)
    if (text === '__proto__') throw new Refusal('the key __proto__ is not accepted.')
    keys.add(text)
  }
}
