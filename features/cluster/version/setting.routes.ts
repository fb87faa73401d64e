import { bind, type Server } from '@quarterdeck/http'
import { type AuditEntry, done, invalidInput } from '@quarterdeck/kernel'
import { type Db, type Log, type Store, transaction } from '@quarterdeck/store'
import { getVersionSettings, setVersionSettings, type VersionSettings } from './setting.contract.ts'
import { countOlder, countVersions, findSettings, SETTING_CHANNEL, saveSettings } from './setting.store.ts'

interface Parts {
  db: Db
  /** What holds until somebody sets something else. */
  initial: VersionSettings
  /** Names of all registered clusters. */
  clusters(): Promise<string[]>
  /** Resources of the kinds that the clusters serve; undefined while that is not known. */
  served(): string[] | undefined
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  now(): number
}

const DAY = 86_400_000

/** What is recorded of objects and for how long. */
export function versionSettingRoutes(server: Server, { db, initial, clusters, served, record, now }: Parts): void {
  bind(server, getVersionSettings, async () => ({
    ...((await findSettings(db)) ?? initial),
    kinds: await countVersions(db),
  }))

  bind(server, setVersionSettings, async ({ body, query: { dryRun }, subject }) => {
    const { unrecorded, keepDays } = await currentSettings(db, initial)
    checkServed(body.unrecorded, [...unrecorded, ...initial.unrecorded], served())
    const before = new Date(now() - body.keepDays * DAY).toISOString()
    const forgets = await countOlder(db, before, await clusters())
    if (!dryRun) {
      await transaction(db, async (tx) => {
        await saveSettings(tx, body, subject.name)
        const from = { unrecorded, keepDays }
        const detail = `${JSON.stringify(from)} → ${JSON.stringify(body)}`
        await record(tx, done(setVersionSettings, subject.name, 'settings of object versions', detail))
      })
    }
    return {
      settings: body,
      saved: !dryRun,
      forgets,
      begins: unrecorded.filter((resource) => !body.unrecorded.includes(resource)),
      ends: body.unrecorded.filter((resource) => !unrecorded.includes(resource)),
    }
  })
}

/** Throws invalidInput at a kind that no cluster serves, unless it was left out before, too. */
function checkServed(resources: readonly string[], before: readonly string[], served: readonly string[] | undefined) {
  if (!served || served.length === 0) return
  const errors = resources.flatMap((resource, index) => {
    if (served.includes(resource) || before.includes(resource)) return []
    const near = served.find((one) => one.startsWith(`${resource.split('.')[0]}.`))
    const detail = `No cluster serves a kind ${resource}. ${near ? `Did you mean ${near}?` : 'qd kinds lists those there are.'}`
    return [{ pointer: `/body/unrecorded/${index}`, detail }]
  })
  if (errors[0]) throw invalidInput({ detail: errors[0].detail, errors })
}

/** What holds now. */
export async function currentSettings(db: Db, initial: VersionSettings): Promise<VersionSettings> {
  const { unrecorded, keepDays } = (await findSettings(db)) ?? initial
  return { unrecorded, keepDays }
}

interface Following {
  db: Db
  initial: VersionSettings
  listen: Store['listen']
  /** Safe to repeat. */
  apply(settings: VersionSettings): void
  log: Log
}

/** Applies the settings whenever anybody has set them on any process; until the returned function is called. */
export function followVersionSettings({ db, initial, listen, apply, log }: Following): () => void {
  let last: Promise<unknown> = Promise.resolve()
  return listen(SETTING_CHANNEL, () => {
    last = last
      .then(async () => apply(await currentSettings(db, initial)))
      .catch((error: unknown) => log.warn({ err: error }, 'the settings of object versions could not be read'))
  })
}
