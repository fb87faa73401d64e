import type { Setup } from './setup.contract.ts'

type SetupStage = Setup['stages'][number]
type WayOut = Setup['waysOut'][number]

/** One report of something that is being brought up; of each component the newest counts. */
export interface SetupReport {
  /** The stage it belongs to. */
  stage: string
  component: string
  state: SetupStage['state']
  detail: string
  /** 0 to 100; absent where it cannot be known. */
  percent?: number
  /** Since this component began. */
  elapsedSeconds?: number
}

/** Why a stage has failed, in words a person can act on. */
export interface SetupFailure {
  /** A stable word for programs, such as `disk-full` or `BinariesUnavailable`. */
  reason: string
  message: string
  cure: string
}

/** What a stage is called, in the order in which stages happen. */
const titles: Record<string, string> = {
  store: 'Database',
  binaries: 'Programs of Kubernetes',
  'control-plane': 'Control plane',
  node: 'Node',
  addons: 'Cluster services',
  images: 'Sample images',
  environment: 'First environment',
}

/** The stages of a start: with a kubeconfig there is nothing to obtain and nothing to bring up. */
export const stagesFor = (origin: Setup['clusterOrigin']): string[] =>
  origin === 'kubeconfig' ? ['store', 'control-plane', 'environment'] : Object.keys(titles)

/** Folds reports into the stages that a person sees; a stage without reports waits. */
export function stagesOf(ids: readonly string[], reports: readonly SetupReport[]): SetupStage[] {
  return ids.map((id) => stageOf(id, newestOf(reports.filter((report) => report.stage === id))))
}

function newestOf(reports: readonly SetupReport[]): SetupReport[] {
  return [...new Map(reports.map((report) => [report.component, report])).values()]
}

function stageOf(id: string, components: readonly SetupReport[]): SetupStage {
  const title = titles[id] ?? id
  const [first] = components
  if (!first) return { id, title, state: 'waiting', detail: '' }
  const state = stateOf(components)
  const percent = percentOf(components)
  const elapsed = components.map((component) => component.elapsedSeconds ?? 0)
  return {
    id,
    title,
    state,
    detail: detailOf(components, state),
    ...(percent === undefined || state === 'done' ? {} : { percent }),
    ...(Math.max(...elapsed) > 0 ? { elapsedSeconds: Math.max(...elapsed) } : {}),
  }
}

function stateOf(components: readonly SetupReport[]): SetupStage['state'] {
  if (components.some(({ state }) => state === 'failed')) return 'failed'
  return components.every(({ state }) => state === 'done') ? 'done' : 'running'
}

/** What goes on, or what failed; when all is done, what there is. */
function detailOf(components: readonly SetupReport[], state: SetupStage['state']): string {
  const telling = components.filter((component) => component.state === state)
  const shown = telling.length > 0 ? telling : components
  const [only] = shown
  if (state === 'done' && only && shown.length === 1) return only.detail || only.component
  if (state === 'done') return shown.map(({ component }) => component).join(', ')
  return shown.map(({ component, detail }) => (detail ? `${component}: ${detail}` : component)).join(' · ')
}

function percentOf(components: readonly SetupReport[]): number | undefined {
  if (!components.some(({ percent, state }) => percent !== undefined && state === 'running')) return undefined
  const sum = components.reduce((total, { percent, state }) => total + (state === 'done' ? 100 : (percent ?? 0)), 0)
  return Math.round(sum / components.length)
}

/** What to do about a failure. Where programs are missing there are three ways, whatever the machine. */
export function waysOutOf(failure: SetupFailure | undefined): WayOut[] {
  if (!failure) return []
  if (!['BinariesUnavailable', 'GoTooOld', 'BuildFailed', 'DownloadFailed'].includes(failure.reason)) {
    return [{ title: failure.message, detail: failure.cure }]
  }
  return [
    {
      title: 'Use a cluster that you have',
      detail: 'Start with its kubeconfig; nothing is installed on this machine',
      command: 'npm start -- --kubeconfig FILE',
    },
    {
      title: 'Take the programs from an archive or a mirror',
      detail: 'A folder, a .tar.gz or a URL with the programs and their SHA256SUMS',
      command: 'QUARTERDECK_BINARIES=FOLDER_OR_URL npm start',
    },
    { title: 'Build them here', detail: `Install Go, then try again. ${failure.cure}` },
  ]
}
