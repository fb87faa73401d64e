import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { checkAuditTrail, listAudit } from '../../features/tenancy/audit/audit.contract.ts'
import { openDatabase } from '../platform/platform.ts'
import { postgresPid, serverProcess } from '../platform/server-process.ts'
import type { Row } from './row.ts'
import { startVictim, type Victim, type World } from './world.ts'

/** Ends PostgreSQL by a signal in the middle of a stream; the server goes on and brings it back. */
async function endPostgres(world: World, signal: NodeJS.Signals, victim: Victim): Promise<string> {
  const stream = victim.stream()
  await sleep(world.random.between(50, 1_500))
  const pid = postgresPid(victim.server.home)
  assert.ok(pid, 'no PostgreSQL is recorded')
  process.kill(pid, signal)
  const began = performance.now()
  await stream.done
  await victim.server.ready(30)
  await victim.check(stream)
  const again = postgresPid(victim.server.home)
  assert.notEqual(again, pid, 'PostgreSQL was not started again')
  const refused = stream.sent.filter(({ problems }) => problems.length > 0).length
  return `${stream.sent.length} deploys, ${refused} were first refused, all ended ${((performance.now() - began) / 1000).toFixed(1)} s after the fault`
}

const victims = new WeakMap<World, Victim>()
async function sameVictim(world: World): Promise<Victim> {
  const victim = victims.get(world) ?? (await startVictim(world))
  victims.set(world, victim)
  return victim
}

/** One record is altered in the database, past everything that keeps it; the running check must name it within a minute. */
async function bitRot(world: World): Promise<string> {
  const victim = await startVictim(world)
  const { client, server } = victim
  const last = () => client(checkAuditTrail, { query: { last: 'true' } })
  assert.ok((await last()).intact, 'the trail is broken before anything was altered')
  const { items } = await client(listAudit, { query: { limit: 100 } })
  const number = items[world.random.between(0, items.length - 1)]?.number
  const store = await openDatabase(server)
  const began = performance.now()
  try {
    await sql`alter table audit_event disable trigger audit_event_append_only`.execute(store.db)
    await sql`update audit_event set actor = actor || 'x' where sequence = ${number}`.execute(store.db)
    await sql`alter table audit_event enable trigger audit_event_append_only`.execute(store.db)
  } finally {
    await store.close()
  }
  for (;;) {
    const found = await last()
    const seconds = (performance.now() - began) / 1000
    if (!found.intact) {
      assert.equal(found.brokenAt, number)
      return `record ${number} of ${items.length} named after ${seconds.toFixed(1)} s`
    }
    assert.ok(seconds < 60, `record ${number} was altered a minute ago and nothing says so`)
    await sleep(500)
  }
}

/** The newest records are taken out: what is left is a whole chain, and still it is found out within a minute. */
async function cutEnd(world: World): Promise<string> {
  const { client, server } = await startVictim(world)
  const [newest] = (await client(listAudit, { query: { limit: 1 } })).items
  // It has been looked at by whoever watches the end.
  await sleep(6_000)
  const store = await openDatabase(server)
  const began = performance.now()
  try {
    await sql`alter table audit_event disable trigger audit_event_append_only`.execute(store.db)
    await sql`delete from audit_event where sequence >= ${newest?.number}`.execute(store.db)
    await sql`alter table audit_event enable trigger audit_event_append_only`.execute(store.db)
  } finally {
    await store.close()
  }
  for (;;) {
    const found = await client(checkAuditTrail, { query: { last: 'true' } })
    const seconds = (performance.now() - began) / 1000
    if (!found.intact) {
      assert.ok((found.missingFrom ?? 0) >= (newest?.number ?? 0), 'something else is said to be wrong')
      return `the end from record ${newest?.number} named as missing after ${seconds.toFixed(1)} s`
    }
    assert.ok(seconds < 60, `record ${newest?.number} was taken out a minute ago and nothing says so`)
    await sleep(500)
  }
}

export const storeRows: Row[] = [
  {
    id: 'F64',
    what: 'the last records of the audit trail taken out of PostgreSQL are missed within a minute',
    rounds: 1,
    run: cutEnd,
  },
  {
    id: 'F64',
    what: 'one record of the audit trail altered in PostgreSQL is named within a minute',
    rounds: 1,
    run: bitRot,
  },
  {
    id: 'F10',
    what: 'kill -9 of PostgreSQL during a stream of deploys: every answered one is there, the server goes on',
    rounds: 3,
    run: async (world) => endPostgres(world, 'SIGKILL', await sameVictim(world)),
  },
  {
    id: 'F11',
    what: 'fast restart of PostgreSQL: nothing is carried out twice by a repeated commit',
    rounds: 2,
    run: async (world) => endPostgres(world, 'SIGINT', await sameVictim(world)),
  },
  {
    id: 'F19',
    what: 'a second server on the same state folder is refused and the first goes on',
    rounds: 1,
    async run(world) {
      const victim = await startVictim(world)
      const second = await serverProcess({
        environment: { ...world.cluster.environment, QUARTERDECK_HOME: victim.server.home },
      })
      world.servers.push(second)
      second.start({ QUARTERDECK_HOME: victim.server.home })
      const ended = await Promise.race([second.ended(), sleep(30_000)])
      assert.ok(ended && ended.status !== 0, 'the second server did not end by itself')
      assert.match(second.log(), /already|in use|another/i)
      const stream = victim.stream(1)
      await stream.done
      await victim.check(stream)
    },
  },
]
