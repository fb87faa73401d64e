import type { ProgressEvent } from '@quarterdeck/local-cluster'
import type { Setup } from '../../../features/cluster/setup/setup.contract.ts'
import {
  type SetupFailure,
  type SetupReport,
  stagesFor,
  stagesOf,
  waysOutOf,
} from '../../../features/cluster/setup/setup.rules.ts'

/** What is known from the beginning, and who tells about the administrator. */
export interface SetupOptions {
  version: string
  origin: Setup['clusterOrigin']
  administrator(): Promise<Setup['administrator']>
  /** Called when a stage begins, ends or fails. */
  onStage(stage: Setup['stages'][number]): void
}

/** How far the start is: collects the reports of all who bring something up. */
export class SetupProgress {
  ready = false
  mode: Setup['clusterMode'] = 'none'
  firstEnvironment: string | undefined
  /** Of the stage that failed last; undefined once it is tried again with success. */
  failure: SetupFailure | undefined
  readonly #options: SetupOptions
  readonly #reports = new Map<string, SetupReport>()
  readonly #remarks = new Set<string>()
  readonly #told = new Map<string, string>()

  constructor(options: SetupOptions) {
    this.#options = options
  }

  /** Of each component of a stage the newest report counts. */
  report(report: SetupReport): void {
    this.#reports.set(`${report.stage} ${report.component}`, report)
    const [stage] = stagesOf([report.stage], [...this.#reports.values()])
    if (!stage || this.#told.get(stage.id) === stage.state) return
    this.#told.set(stage.id, stage.state)
    this.#options.onStage(stage)
  }

  /** Runs `act` as one component of a stage. */
  async step<T>(stage: string, component: string, act: () => Promise<T>): Promise<T> {
    const began = performance.now()
    const report = (state: SetupReport['state'], detail: string) =>
      this.report({
        stage,
        component,
        state,
        detail,
        elapsedSeconds: Math.round((performance.now() - began) / 100) / 10,
      })
    report('running', '')
    try {
      const result = await act()
      report('done', '')
      return result
    } catch (error) {
      report('failed', (error as Error).message)
      throw error
    }
  }

  /** A report of the local cluster. What it says about this machine is remarked for all to see. */
  local({ stage, component, state, detail, percent, elapsedSeconds }: ProgressEvent): void {
    if (stage === 'host' && state === 'done' && component === 'machine') this.#remarks.add(detail)
    const known = percent === undefined ? {} : { percent }
    const into = stage === 'host' || stage === 'obtain' ? 'binaries' : stage
    this.report({ stage: into, component, state, detail, elapsedSeconds, ...known })
  }

  async read(): Promise<Setup> {
    const { version, origin, administrator } = this.#options
    return {
      ready: this.ready,
      version,
      administrator: await administrator().catch(() => 'unknown' as const),
      clusterOrigin: origin,
      clusterMode: this.mode,
      stages: stagesOf(stagesFor(origin), [...this.#reports.values()]),
      remarks: [...this.#remarks],
      waysOut: waysOutOf(this.failure),
      ...(this.firstEnvironment ? { firstEnvironment: this.firstEnvironment } : {}),
    }
  }
}
