import { type AuditEntry, done, isProblem } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { type DirectoryPerson, withDirectory } from './ldap-directory.routes.ts'
import { isPlausible } from './provider.rules.ts'
import { listAccountStates, saveSync, setAbsent, setGroups, setPresent } from './provider.store.ts'
import type { Registrations } from './registration.routes.ts'

export interface SyncOptions {
  db: Db
  registrations: Registrations
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** Awaited when somebody may no longer do what they could. */
  changed(): Promise<void>
  now?: () => string
}

// A directory with tens of thousands of people takes minutes.
const LIMIT_MS = 10 * 60_000

/**
 * Compares those who have signed in by LDAP with their directory: takes their groups over, disables who has gone and
 * enables who is back. Whoever is disabled is signed out. When unbelievably many have gone nothing is changed.
 */
export function directorySync({
  db,
  registrations,
  record,
  changed,
  now = () => new Date().toISOString(),
}: SyncOptions) {
  async function compare(name: string): Promise<string> {
    const provider = await registrations.ldap(name)
    const accounts = await listAccountStates(db, name)
    const told = (tx: Db, id: string, user: string, detail: string) =>
      record(tx, done({ id }, 'quarterdeck', `user ${user}`, detail))
    return withDirectory(
      provider,
      async (directory) => {
        const people = new Map<string, DirectoryPerson>()
        for await (const person of directory.people()) if (person.key !== '') people.set(person.key, person)
        const gone = accounts.filter(({ key, absent }) => !people.has(key) && !absent)
        if (!isPlausible(accounts.length, gone.length)) {
          return `${gone.length} of ${accounts.length} users are not in the directory. That is taken for a mistake in the settings, and nothing was changed; check baseDn and userFilter`
        }
        const counts = { groups: 0, disabled: 0, enabled: 0 }
        for (const { id, name: user, key } of accounts) {
          const person = people.get(key)
          const groups =
            person && provider.settings.groupBaseDn !== undefined
              ? await directory.groups(person, person.name)
              : undefined
          await transaction(db, async (tx) => {
            if (!person) {
              if (!(await setAbsent(tx, id))) return
              counts.disabled++
              await told(tx, 'provider.disable-user', user, `The directory ${name} no longer has them`)
              return
            }
            if (await setPresent(tx, id)) {
              counts.enabled++
              await told(tx, 'provider.enable-user', user, `The directory ${name} has them again`)
            }
            if (groups && (await setGroups(tx, id, name, groups))) counts.groups++
          })
        }
        if (counts.groups + counts.disabled + counts.enabled > 0) await changed()
        return `${accounts.length} users compared: ${counts.groups} in other groups, ${counts.disabled} disabled, ${counts.enabled} enabled again`
      },
      { limitMs: LIMIT_MS },
    )
  }

  /** What came of it, as a sentence, which is kept. Rejects when the directory cannot be asked. */
  return async (name: string): Promise<string> => {
    try {
      const message = await compare(name)
      await saveSync(db, name, now(), message)
      return message
    } catch (error) {
      const why = isProblem(error)
        ? (error.body.detail ?? error.message)
        : error instanceof Error
          ? error.message
          : String(error)
      await saveSync(db, name, now(), `It could not be compared: ${why}`)
      throw error
    }
  }
}
