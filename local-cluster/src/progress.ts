/** The steps of bringing a cluster up, in the order they happen. */
export const STAGES = ['host', 'obtain', 'control-plane', 'node', 'addons', 'images'] as const
/** One of STAGES. */
export type Stage = (typeof STAGES)[number]

/** How far one part of a stage is. `percent` (0–100) is absent where it cannot be known. */
export interface ProgressEvent {
  stage: Stage
  component: string
  state: 'waiting' | 'running' | 'done' | 'failed'
  detail: string
  percent?: number
  /** Since this component began, one decimal. */
  elapsedSeconds: number
}

/** Receives progress; must not throw. */
export type OnProgress = (event: ProgressEvent) => void

/** A stage with the newest event of each of its components, in the order in which they first appeared. */
export interface StageProgress {
  stage: Stage
  state: ProgressEvent['state']
  components: ProgressEvent[]
}

/** Folds a stream of events into a list for a set-up page. Every stage is present; one without events is waiting. */
export function stagesOf(events: readonly ProgressEvent[]): StageProgress[] {
  return STAGES.map((stage) => {
    const newest = new Map<string, ProgressEvent>()
    for (const event of events) if (event.stage === stage) newest.set(event.component, event)
    const components = [...newest.values()]
    return { stage, state: stateOf(components), components }
  })
}

function stateOf(components: readonly ProgressEvent[]): ProgressEvent['state'] {
  if (components.some((component) => component.state === 'failed')) return 'failed'
  if (components.some((component) => component.state === 'running')) return 'running'
  if (components.length === 0) return 'waiting'
  return components.every((component) => component.state === 'done') ? 'done' : 'running'
}

/** Reports one component of a stage with its elapsed time, started now. */
export function progressOf(onProgress: OnProgress | undefined, stage: Stage, component: string) {
  const startedAt = performance.now()
  const report = (state: ProgressEvent['state'], detail: string, percent?: number) =>
    onProgress?.({
      stage,
      component,
      state,
      detail,
      ...(percent === undefined ? {} : { percent }),
      elapsedSeconds: Math.round((performance.now() - startedAt) / 100) / 10,
    })
  return {
    waiting: (detail: string) => report('waiting', detail),
    running: (detail: string, percent?: number) => report('running', detail, percent),
    done: (detail: string) => report('done', detail, 100),
    failed: (detail: string) => report('failed', detail),
  }
}

/** Runs `act` as one component of a stage; a throw is reported as failed and passed on. */
export async function stepOf<T>(
  onProgress: OnProgress | undefined,
  stage: Stage,
  component: string,
  detail: string,
  act: () => Promise<T>,
): Promise<T> {
  const progress = progressOf(onProgress, stage, component)
  progress.running(detail)
  try {
    const result = await act()
    progress.done(detail)
    return result
  } catch (error) {
    progress.failed((error as Error).message)
    throw error
  }
}
