import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { deleteApplication } from '../../features/application/application/application.contract.ts'
import { undoOperation } from '../../features/delivery/operation/operation.contract.ts'
import { settle } from './invariants.ts'
import type { Row } from './row.ts'
import { startVictim, type Victim, type World } from './world.ts'

/** Takes each application away while it is still being deployed: by deleting it, or by undoing its first deploy. */
async function takeAwayWhileDeployed(world: World, victim: Victim): Promise<string> {
  const { client, environment } = victim
  const stream = victim.stream(1)
  const pauses = stream.sent.map(() => world.random.between(0, 400))
  await stream.done
  const acts = stream.sent.map(async ({ application, answers }, n) => {
    await sleep(pauses[n])
    const params = { environment, application }
    if (n % 2 === 0) return client(deleteApplication, { params, query: {} })
    return client(undoOperation, { params: { operation: answers[0] ?? '' }, query: {} })
  })
  await Promise.all(acts)
  await settle(client)
  for (const kind of ['Deployment', 'Service']) {
    const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1'
    const { items } = await world.cluster.kube.list({ apiVersion, kind, namespace: environment })
    const left = items.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name)
    assert.deepEqual(left, [], `${kind}s that nobody wants any more`)
  }
  return `${acts.length} applications`
}

const victims = new WeakMap<World, Victim>()

export const clusterRows: Row[] = [
  {
    id: 'F58',
    what: 'delete and undo while the deploy is still running: one winner, and nothing stays behind',
    rounds: 5,
    async run(world) {
      const victim = victims.get(world) ?? (await startVictim(world))
      victims.set(world, victim)
      return takeAwayWhileDeployed(world, victim)
    },
  },
  {
    id: 'F30',
    what: 'kill -9 of the API server while operations run: each ends once when it is back',
    rounds: 2,
    async run(world) {
      const victim = await startVictim(world)
      const stream = victim.stream()
      await sleep(world.random.between(200, 1_500))
      await world.cluster.plane.restart('kube-apiserver', { kill: true, pauseSeconds: 3 })
      await stream.done
      await victim.check(stream)
      const refused = stream.sent.filter(({ problems }) => problems.length > 0).length
      return `${stream.sent.length} deploys, ${refused} were first refused`
    },
  },
]
