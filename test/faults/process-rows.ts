import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { deleteApplication } from '../../features/application/application/application.contract.ts'
import { operationFailpoints } from '../../features/delivery/operation/failpoints.rules.ts'
import { getOperation } from '../../features/delivery/operation/operation.contract.ts'
import { settle } from './invariants.ts'
import type { Row } from './row.ts'
import { startVictim, type Victim, type World } from './world.ts'

/** Kills the server by a failpoint in the middle of a stream, starts it again, and checks that nothing shows. */
async function dieAt(world: World, failpoint: string): Promise<undefined> {
  const victim = await startVictim(world)
  await victim.server.end('SIGTERM')
  victim.server.start({ QUARTERDECK_FAILPOINT: `${failpoint}:kill:${world.random.between(1, 4)}` })
  await victim.server.ready()
  const stream = victim.stream()
  const ended = await Promise.race([victim.server.ended(), sleep(60_000)])
  assert.equal(ended?.signal, 'SIGKILL', `the failpoint ${failpoint} was never reached`)
  await stream.done
  victim.server.start()
  await victim.server.ready()
  await victim.check(stream)
}

/** The same for a delete: the application is there, the server dies while it takes it away. */
async function dieAtRemove(world: World, failpoint: string): Promise<undefined> {
  const victim = await startVictim(world)
  const stream = victim.stream(1)
  await stream.done
  await victim.check(stream)
  await victim.server.end('SIGTERM')
  victim.server.start({ QUARTERDECK_FAILPOINT: `${failpoint}:kill` })
  await victim.server.ready()
  const remove = () =>
    victim.client(
      deleteApplication,
      { params: { environment: victim.environment, application: 'app-0' }, query: {} },
      { idempotencyKey: `remove-${world.seed}` },
    )
  const first = await remove().catch(() => undefined)
  const ended = await Promise.race([victim.server.ended(), sleep(60_000)])
  assert.equal(ended?.signal, 'SIGKILL', `the failpoint ${failpoint} was never reached`)
  victim.server.start()
  await victim.server.ready()
  const again = await remove()
  assert.ok(again.kind === 'Operation' && (!first || (first.kind === 'Operation' && first.id === again.id)))
  await settle(victim.client)
  const { state, conditions } = await victim.client(getOperation, { params: { operation: again.id } })
  assert.equal(state, 'Succeeded', JSON.stringify(conditions))
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: victim.environment, name: 'app-0' }
  const found = await world.cluster.kube.get(ref)
  assert.ok(!found || found.metadata.deletionTimestamp, 'the Deployment is still there')
}

const victims = new WeakMap<World, Victim>()

export const processRows: Row[] = [
  {
    id: 'F01',
    what: 'kill -9 of the server during a stream of deploys: every accepted operation ends exactly once',
    rounds: 20,
    async run(world) {
      const victim = victims.get(world) ?? (await startVictim(world))
      victims.set(world, victim)
      const stream = victim.stream()
      await sleep(world.random.between(20, 3_500))
      await victim.server.end('SIGKILL')
      await stream.done
      victim.server.start()
      const readyMs = await victim.server.ready()
      await victim.check(stream)
      const unanswered = stream.sent.filter(({ answers }) => answers.length === 1).length
      return `${stream.sent.length} deploys, ${unanswered} of them without an answer at the kill, ready again in ${(readyMs / 1000).toFixed(1)} s`
    },
  },
  ...operationFailpoints.map(
    (failpoint): Row => ({
      id: 'F02',
      what: `kill -9 at ${failpoint}: the operation resumes and ends once`,
      rounds: 1,
      run: (world) => (failpoint.includes('.remove.') ? dieAtRemove(world, failpoint) : dieAt(world, failpoint)),
    }),
  ),
  {
    id: 'F04',
    what: 'SIGTERM under load: no accepted request is lost, the server ends by itself within 20 s',
    rounds: 1,
    async run(world) {
      const victim = await startVictim(world)
      const stream = victim.stream()
      await sleep(world.random.between(300, 1_500))
      const began = performance.now()
      const ended = await victim.server.end('SIGTERM')
      const seconds = (performance.now() - began) / 1000
      assert.ok(ended.status === 0 || ended.signal === 'SIGTERM', `ended with ${JSON.stringify(ended)}`)
      assert.ok(seconds < 20, `took ${seconds.toFixed(1)} s`)
      await stream.done
      const answeredBadly = stream.sent
        .flatMap(({ problems }) => problems)
        .filter((problem) => /^5(?!03)/.test(problem))
      assert.deepEqual(answeredBadly, [])
      victim.server.start()
      await victim.server.ready()
      await victim.check(stream)
      return `ended in ${seconds.toFixed(1)} s`
    },
  },
  {
    id: 'F09',
    what: 'all of the platform is dead: what runs goes on, and it is found again at the start',
    rounds: 1,
    async run(world) {
      const victim = await startVictim(world)
      const stream = victim.stream(1)
      await stream.done
      await victim.check(stream)
      const namespace = victim.environment
      const podNames = async () => {
        const pods = await world.cluster.kube.list({ apiVersion: 'v1', kind: 'Pod', namespace })
        return pods.items.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort()
      }
      const before = await podNames()
      assert.ok(before.length > 0)
      await victim.server.dispose({ keep: true })
      const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'app-0' }
      await world.cluster.kube.patch(ref, { metadata: { annotations: { changed: 'outside' } } })
      await sleep(3_000)
      assert.deepEqual(await podNames(), before)
      victim.server.start()
      await victim.server.ready()
      assert.deepEqual(await podNames(), before)
    },
  },
]
