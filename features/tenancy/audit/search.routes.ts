import { bind, type Server } from '@quarterdeck/http'
import { type AuditEntry, done, invalidInput, notFound, permissionMissing, type Subject } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { type AuditSearch, deleteAuditSearch, listAuditSearches, saveAuditSearch } from './search.contract.ts'
import { countSearches, deleteSearch, listSearches, type SearchRow, saveSearch } from './search.store.ts'

export interface SearchRoutesOptions {
  db: Db
  record(tx: Db, entry: AuditEntry): Promise<unknown>
}

const MOST = 200

/** Saved searches of the trail: one's own, and what others share. */
export function searchRoutes(server: Server, { db, record }: SearchRoutesOptions): void {
  bind(server, listAuditSearches, async ({ subject }) => {
    const rows = await listSearches(db, subject.id)
    return { items: rows.map((row) => shown(row, subject)) }
  })
  bind(server, saveAuditSearch, async ({ params, body, subject }) => {
    const account = accountOf(subject)
    const row = { account, name: params.search, owner: subject.name, ...body }
    return transaction(db, async (tx) => {
      const saved = await saveSearch(tx, row)
      if ((await countSearches(tx, account)) > MOST) {
        throw invalidInput({ detail: `You have ${MOST} saved searches; delete one that you need no more` })
      }
      const detail = body.shared ? 'Shared with everybody who may read the trail' : ''
      await record(tx, done(saveAuditSearch, subject.name, `audit search ${params.search}`, detail))
      return shown(saved, subject)
    })
  })
  bind(server, deleteAuditSearch, async ({ params, subject }) => {
    await transaction(db, async (tx) => {
      if (!(await deleteSearch(tx, accountOf(subject), params.search))) {
        throw notFound({ detail: `You have no saved search named ${params.search}` })
      }
      await record(tx, done(deleteAuditSearch, subject.name, `audit search ${params.search}`))
    })
    return null
  })
}

const shown = ({ account, ...row }: SearchRow, subject: Subject): AuditSearch => ({
  ...row,
  mine: account === subject.id,
})

function accountOf({ id }: Subject): string {
  if (id === undefined) throw permissionMissing({ detail: 'Only a user has saved searches; sign in as one' })
  return id
}
