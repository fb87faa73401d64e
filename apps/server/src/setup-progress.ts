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
}

type Stage = Setup['stages'][number]

/** How far the start is: collects the reports of all who bring something up. */
export class SetupProgress {
  /** True once everything has been up for the first time; the page then shows the platform, whatever happens later. */
  ready = false
  /** True while everything is up. */
  healthy = false
  mode: Setup['clusterMode'] = 'none'
  firstEnvironment: string | undefined
  /** Of the stage that failed last; undefined once it is tried again with success. */
  failure: SetupFailure | undefined
  readonly #options: SetupOptions
  readonly #reports = new Map<string, SetupReport>()
  readonly #remarks = new Set<string>()

  constructor(options: SetupOptions) {
    this.#options = options
  }

  /** Of each component of a stage the newest report counts. */
  report(report: SetupReport): void {
    this.#reports.set(`${report.stage} ${report.component}`, report)
  }

  /** All stages as they are now. */
  get stages(): Stage[] {
    return stagesOf(stagesFor(this.#options.origin), [...this.#reports.values()])
  }

  /** Runs `act` as one component of a stage. It answers what to say of it when it is done. */
  async step(stage: string, component: string, act: () => Promise<string>): Promise<void> {
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
      report('done', await act())
    } catch (error) {
      report('failed', (error as Error).message)
      throw error
    }
  }

  /** A report of the local cluster. What it says about this machine is remarked for all to see. */
  local({ stage, component, state, detail, percent, elapsedSeconds }: ProgressEvent): void {
    // Whole sentences end with a full stop; the others are what is being done.
    if (stage === 'host' && state === 'done' && detail.endsWith('.')) this.#remarks.add(detail)
    const known = percent === undefined ? {} : { percent }
    const into = stage === 'host' || stage === 'obtain' ? 'binaries' : stage
    this.report({ stage: into, component, state, detail, elapsedSeconds, ...known })
  }

  /** A sentence for all to see, beside the stages. */
  remark(sentence: string): void {
    this.#remarks.add(sentence)
  }

  async read(): Promise<Setup> {
    const { version, origin, administrator } = this.#options
    return {
      ready: this.ready,
      version,
      administrator: await administrator().catch(() => 'unknown' as const),
      clusterOrigin: origin,
      clusterMode: this.mode,
      stages: this.stages,
      remarks: [...this.#remarks],
      waysOut: waysOutOf(this.failure),
      ...(this.firstEnvironment ? { firstEnvironment: this.firstEnvironment } : {}),
    }
  }
}
