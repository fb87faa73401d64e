import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root } from '../stage.ts'

interface Row {
  id: string
  text: string
}
interface Proof {
  file: string
  test: string
}

const ledger = resolve(root, '../shared/requirements')
const committed = join(root, 'reports/requirements.md')
const TESTS = '{apps,packages,features,local-cluster,bench,test,scripts}/**/*.{test,spec}.{ts,tsx}'

/** Which requirement is proved by which test: a test carries `[ABC-12]` in its name. */
export async function requirementsReport(): Promise<string> {
  const proofs = findProofs()
  const rows = existsSync(ledger) ? readLedger() : readCommitted()
  const known = new Set(rows.map(({ id }) => id))
  const unknown = [...proofs.keys()].filter((id) => !known.has(id))
  if (unknown.length > 0) throw new Error(`Tests name requirements that do not exist: ${unknown.join(', ')}`)
  const proved = rows.filter(({ id }) => proofs.has(id)).length
  const lines = rows.map(({ id, text }) => `| ${id} | ${text} | ${(proofs.get(id) ?? []).map(show).join('<br>')} |`)
  const head = `# Requirements and what proves them\n\n${proved} of ${rows.length} are named by a test. Written by \`npm run reports\`.\n`
  return `${head}\n| Row | Requirement | Proved by |\n|---|---|---|\n${lines.join('\n')}\n`
}

const show = ({ file, test }: Proof): string => `\`${file}\`: ${test.replaceAll('|', '\\|')}`

function findProofs(): Map<string, Proof[]> {
  const proofs = new Map<string, Proof[]>()
  const files = globSync(TESTS, { cwd: root, exclude: (path) => path.includes('node_modules') }).sort()
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, , title] of text.matchAll(
      /\b(?:test|it|step)(?:\.\w+(?:\([^)]*\))?)?\(\s*(['"`])((?:\[[A-Z]+-\d+\] ?)+.*?)\1/g,
    )) {
      for (const [, id] of (title ?? '').matchAll(/\[([A-Z]+-\d+)\]/g)) {
        const sentence = (title ?? '').replace(/^(?:\[[A-Z]+-\d+\] ?)+/, '')
        proofs.set(id ?? '', [...(proofs.get(id ?? '') ?? []), { file, test: sentence }])
      }
    }
  }
  return proofs
}

/** The first sentence of each row of the ledger that lies beside the checkout. */
function readLedger(): Row[] {
  return globSync('*.md', { cwd: ledger })
    .sort()
    .flatMap((file) => readFileSync(join(ledger, file), 'utf8').split('\n'))
    .flatMap((line) => {
      const found = /^\| ([A-Z]+-\d+) \| (.*?) \| [A-Z]/.exec(line)
      if (!found?.[1] || !found[2] || found[1].startsWith('A-') || found[1].startsWith('Q-')) return []
      return [{ id: found[1], text: firstSentence(found[2]) }]
    })
}

function readCommitted(): Row[] {
  if (!existsSync(committed)) return []
  return [...readFileSync(committed, 'utf8').matchAll(/^\| ([A-Z]+-\d+) \| (.*?) \| /gm)].map(([, id, text]) => ({
    id: id ?? '',
    text: text ?? '',
  }))
}

function firstSentence(text: string): string {
  const plain = text
    .replace(/\*Reading:\*.*$/, '')
    .replaceAll('|', '/')
    .trim()
  const end = plain.search(/[.;:](\s|$)/)
  const sentence = end > 20 ? plain.slice(0, end) : plain
  return sentence.length > 160 ? `${sentence.slice(0, 157)}…` : sentence
}
