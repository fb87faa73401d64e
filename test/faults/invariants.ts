import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@quarterdeck/client'
import type { Cluster } from '@quarterdeck/kube'
import type { Store } from '@quarterdeck/store'
import { listOperations } from '../../features/delivery/operation/operation.contract.ts'
import type { Deploy } from './deploy-stream.ts'

/** What the server wrote about one operation, read past the server. */
interface Written {
  id: string
  sequence: number
  application: string
  state: string
  key: string | null
  intents: number
  results: number
  ordered: boolean
  message: string
}

/**
 * Waits until no operation is running. Generous: after an API server's return the controllers of Kubernetes themselves
 * wait up to 30 s, each for its own watch, before they go on.
 */
export async function settle(client: Client, limitSeconds = 240): Promise<void> {
  const until = Date.now() + limitSeconds * 1000
  for (;;) {
    const { items } = await client(listOperations, { query: { running: true } })
    if (items.length === 0) return
    if (Date.now() > until) {
      const stuck = items.map(({ summary, state }) => `${summary} (${state})`).join('; ')
      throw new Error(`Still running after ${limitSeconds} s: ${stuck}`)
    }
    await sleep(200)
  }
}

/** I1–I3 for these deploys: each key one operation that ended once, intent before result, one effect in the cluster. */
export async function checkInvariants(
  store: Store,
  kube: Cluster,
  namespace: string,
  deploys: readonly Deploy[],
): Promise<void> {
  const written = await readOperations(store)
  const byKey = Map.groupBy(written, ({ key }) => key ?? '')
  for (const { key, answers, problems } of deploys) {
    assert.ok(answers.length > 0, `${key} was never accepted: ${problems.join('; ')}`)
    assert.equal(new Set(answers).size, 1, `${key} was answered with different operations: ${answers.join(', ')}`)
    const rows = byKey.get(key) ?? []
    assert.equal(rows.length, 1, `${key} has ${rows.length} operations`)
    assert.equal(rows[0]?.id, answers[0], `${key} belongs to another operation than was answered`)
  }
  for (const { id, state, intents, results, ordered, message } of written) {
    const fair = state === 'Succeeded' || (state === 'Failed' && isSuperseded(message))
    assert.ok(fair, `Operation ${id} has ended as ${state}: ${message}`)
    assert.equal(intents, 1, `Operation ${id} has ${intents} audit intents`)
    assert.equal(results, 1, `Operation ${id} has ${results} audit results`)
    assert.ok(ordered, `Operation ${id}: the audit intent is not before the result`)
  }
  assert.deepEqual(
    written.filter(({ key }) => key === null).map(({ id }) => id),
    [],
    'operations without a key',
  )
  await checkEffects(kube, namespace, written)
}

/** A newer operation of the same application took its place before it had ended; it may have been applied or not. */
const isSuperseded = (conditions: string) => conditions.includes('"Superseded"')

/**
 * Every deploy sets a variable to its key, so each that is carried out makes the Deployment's generation one higher:
 * carried out twice in a row changes nothing, but out of turn would show here.
 */
async function checkEffects(kube: Cluster, namespace: string, written: Written[]): Promise<void> {
  for (const [name, operations] of Map.groupBy(written, ({ application }) => application)) {
    const found = await kube.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
    assert.ok(found, `Deployment ${name} is not there`)
    const least = operations.filter(({ message }) => !isSuperseded(message)).length
    const generation = found.metadata.generation ?? 0
    assert.ok(
      least <= generation && generation <= operations.length,
      `${name} has been changed ${generation} times by ${operations.length} deploys, ${least} of them not overtaken`,
    )
    const last = operations.toSorted((a, b) => a.sequence - b.sequence).at(-1)
    const variables: { name: string; value: string }[] = found.spec.template.spec.containers[0].env ?? []
    assert.equal(variables.find((one) => one.name === 'DEPLOY')?.value, last?.key, `what ${name} runs`)
  }
}

async function readOperations(store: Store): Promise<Written[]> {
  const session = await store.connect()
  try {
    return await session.query<Written & Record<string, unknown>>(`
      select o.id, o.sequence, o.application, o.state, k.key, o.conditions::text as message,
        count(*) filter (where a.outcome = 'intent')::int as intents,
        count(*) filter (where a.outcome <> 'intent')::int as results,
        max(a.sequence) filter (where a.outcome = 'intent') < min(a.sequence) filter (where a.outcome <> 'intent') as ordered
      from operation o
        left join idempotency_key k on k.operation = o.id
        left join audit_event a on a.operation = o.id
      where o.type = 'application.deploy'
      group by o.id, k.key order by o.sequence`)
  } finally {
    await session.close()
  }
}
