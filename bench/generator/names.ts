import type { Random } from './random.ts'

const TEAMS =
  'admissions archive billing calendar catalog curriculum dining exams finance grades housing identity lab library mail media network payroll portal records research search sports survey transport'.split(
    ' ',
  )
const SUFFIXES = ['dev', 'test', 'pre', 'prod']
const PARTS =
  'api auth cache consumer cron exporter feed frontend gateway importer indexer ingest jobs mailer migrator notifier orders proxy queue render reports scheduler session store sync thumbs tracker upload web worker'.split(
    ' ',
  )

/** Namespaces of teams and stages: `library-prod`, then `library-2-prod`. The first ones are the system's. */
export function namespaceNames(count: number): string[] {
  const names = ['platform-system', 'monitoring', 'ingress']
  for (let round = 1; names.length < count; round++) {
    for (const team of TEAMS) {
      for (const stage of SUFFIXES) names.push(round === 1 ? `${team}-${stage}` : `${team}-${round}-${stage}`)
    }
  }
  return names.slice(0, count)
}

/** The stage that a namespace's name ends in. */
export const stageOf = (namespace: string): string =>
  SUFFIXES.find((stage) => namespace.endsWith(`-${stage}`)) ?? 'prod'

/** The team that a namespace's name begins with. */
export const teamOf = (namespace: string): string => namespace.split('-')[0] ?? namespace

/** Name of the n-th application of a namespace. */
export const applicationName = (random: Random, namespace: string, n: number): string =>
  `${random.chance(0.5) ? `${teamOf(namespace)}-` : ''}${random.pick(PARTS)}-${n}`

/** Where images come from, and under what tags. */
export function imageOf(random: Random, application: string): string {
  const registry = random.pick([
    'registry.example.edu',
    'registry.example.edu/platform',
    'ghcr.io/example',
    'quay.io/example',
  ])
  const version = `${random.whole(1, 9)}.${random.whole(0, 30)}.${random.whole(0, 20)}`
  return `${registry}/${application.replace(/-\d+$/, '')}:${version}`
}

export const SIDECARS = [
  'registry.example.edu/platform/proxy:1.31.2',
  'registry.example.edu/platform/log-agent:3.2.4',
  'registry.example.edu/platform/secrets-agent:0.18.0',
  'registry.example.edu/platform/metrics:0.27.1',
]

/** Name of the n-th node. */
export const nodeName = (n: number): string => `node-${String.fromCharCode(97 + (n % 3))}-${String(n).padStart(4, '0')}`

/** Address of the n-th pod or node in a network of 2^24 addresses. */
export const addressOf = (network: number, n: number): string =>
  `${network}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`
