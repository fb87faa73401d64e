import { join } from 'node:path'
import { clusterUnreachable, isProblem, storeUnavailable, tooManyRequests } from '@quarterdeck/kernel'
import { findMigrations, type LateStore, migrate } from '@quarterdeck/store'
import type { BringUpStep } from './bring-up.ts'
import type { Features } from './features.ts'
import type { OwnCluster } from './own-cluster.ts'
import type { SetupProgress } from './setup-progress.ts'

const featuresFolder = join(import.meta.dirname, '../../../features')

/** What goes with the opening of the store. */
export interface StoreStepActs {
  /** Done while the database starts; again when it has to be tried again. */
  meanwhile(): Promise<void>
  opened(): Promise<void>
}

/** Opens the store with its schema, then does what follows from it; each once. */
export class StoreStep {
  readonly #late: LateStore
  readonly #progress: SetupProgress
  readonly #meanwhile: () => Promise<void>
  readonly #opened: () => Promise<void>
  #state: 'closed' | 'open' | 'done' = 'closed'

  constructor(late: LateStore, progress: SetupProgress, { meanwhile, opened }: StoreStepActs) {
    this.#late = late
    this.#progress = progress
    this.#meanwhile = meanwhile
    this.#opened = opened
  }

  async ensure(): Promise<void> {
    if (this.#state === 'done') return
    await this.#progress.step('store', 'PostgreSQL', async () => {
      if (this.#state === 'closed') {
        const opening = this.#late.open((store) => migrate(store, findMigrations(featuresFolder)))
        await Promise.all([opening.then(() => (this.#state = 'open')), this.#meanwhile()])
      }
      await this.#opened()
      this.#state = 'done'
      return 'PostgreSQL'
    })
  }
}

/** The start, step by step: each looks at what is there and does what is missing. */
export function stepsOf(
  store: StoreStep,
  cluster: OwnCluster,
  progress: SetupProgress,
  features: () => Features | undefined,
  say: (sentence: string) => void,
): BringUpStep[] {
  let name = ''
  return [
    { name: 'Database', ensure: () => store.ensure() },
    {
      name: 'Cluster',
      async ensure() {
        name = await cluster.ensure()
      },
    },
    {
      name: 'First environment',
      async ensure() {
        if (progress.ready) return
        await progress.step('environment', 'environment', async () => {
          try {
            progress.firstEnvironment = await features()?.ensureFirstEnvironment(name)
            return `${progress.firstEnvironment} on ${name}`
          } catch (error) {
            const remark = withoutEnvironment(error, name)
            if (remark === undefined) throw error
            progress.remark(remark)
            say(remark)
            return 'none yet'
          }
        })
      },
    },
  ]
}

/** What to say when the cluster, though it answers, lets us make no environment: the platform is of use without one. */
function withoutEnvironment(error: unknown, cluster: string): string | undefined {
  const passing = [clusterUnreachable, storeUnavailable, tooManyRequests].some((type) => isProblem(error, type))
  if (!isProblem(error) || passing) return undefined
  const why = (error.body.detail ?? error.body.title).replace(/\.$/, '')
  return `No environment could be made on cluster ${cluster}: ${why}. When its kubeconfig may, make one: qd env create NAME --cluster ${cluster} --stage dev`
}
