import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, serverUnreachable } from '@quarterdeck/client'
import { Problem, type ProblemType } from '@quarterdeck/kernel'
import { deployApplication } from '../../features/application/application/application.contract.ts'

/** One deploy as a client sent it, under one idempotency key, perhaps several times. */
export interface Deploy {
  application: string
  key: string
  tag: 1 | 2
  /** Ids of operations in the order of the answers; all must be the same. */
  answers: string[]
  /** Problems that were answered, `status title`. A server that is gone is none. */
  problems: string[]
}

export interface StreamOptions {
  client: Client
  environment: string
  image(tag: 1 | 2): string
  /** Each is deployed to by a client of its own, one deploy after the other. */
  applications: string[]
  /** Deploys for each application. */
  each: number
  /** Makes the keys of different streams different. */
  prefix: string
}

export interface DeployStream {
  sent: Deploy[]
  /** Resolves when all have been sent, or the server is gone. */
  done: Promise<void>
}

/** Sends deploys until all are sent or the server does not answer. */
export function startDeploys(options: StreamOptions): DeployStream {
  const sent: Deploy[] = []
  const writer = async (application: string) => {
    for (let n = 0; n < options.each; n++) {
      const deploy: Deploy = {
        application,
        key: `${options.prefix}-${application}-${n}`,
        tag: n % 2 === 0 ? 1 : 2,
        answers: [],
        problems: [],
      }
      sent.push(deploy)
      if (!(await send(options, deploy))) return
    }
  }
  return { sent, done: Promise.all(options.applications.map(writer)).then(() => undefined) }
}

/** Sends every deploy again under its key, until each has an answer. */
export async function sendAgain(options: StreamOptions, deploys: readonly Deploy[]): Promise<void> {
  const waiting = [...deploys]
  const worker = async () => {
    for (let deploy = waiting.shift(); deploy; deploy = waiting.shift()) {
      for (let tries = 0; !(await send(options, deploy)); tries++) {
        if (tries > 100) throw new Error(`${deploy.key} gets no answer: ${deploy.problems.at(-1) ?? 'unreachable'}`)
        await sleep(200)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

/** False when the server does not answer, or cannot reach its database just now. */
async function send(options: StreamOptions, deploy: Deploy): Promise<boolean> {
  try {
    const answer = await options.client(
      deployApplication,
      {
        params: { environment: options.environment, application: deploy.application },
        query: {},
        body: {
          image: options.image(deploy.tag),
          exposure: 'cluster',
          // Two of ten roll a pod; a rollout more or less is the cluster's work, and its time, not ours.
          replicas: options.applications.indexOf(deploy.application) % 5 === 0 ? 1 : 0,
          readinessProbe: null,
          variables: [{ name: 'DEPLOY', value: deploy.key }],
        },
      },
      { idempotencyKey: deploy.key },
    )
    if (answer.kind !== 'Operation') throw new Error(`${deploy.key} was answered with a plan`)
    deploy.answers.push(answer.id)
    return true
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { type, status, title, detail } = error.body
    if (type === typeOf(serverUnreachable)) return false
    deploy.problems.push(`${status} ${title}: ${detail ?? ''}`)
    return status < 500 && status !== 429
  }
}

const typeOf = ({ slug }: ProblemType) => `/problems/${slug}`
