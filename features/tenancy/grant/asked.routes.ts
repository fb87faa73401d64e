import type { Scope, Subject } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import type { OpenAuthority } from './authority.routes.ts'
import { checkEnd, checkGiver, findHolder, findPlace, findRoleFact } from './give.routes.ts'
import { type GrantOptions, give } from './grant.routes.ts'
import type { GrantRow } from './grant.store.ts'

interface Asked {
  role: string
  /** Name of the account. */
  account: string
  scope: Scope
  expireTime: string
  reason: string
}

/** What requests need of roles, places and grants. */
export function grantsForRequests({ authority, record }: { authority: OpenAuthority } & Pick<GrantOptions, 'record'>) {
  const { decisions, missing, refresh, now } = authority
  const { facts } = decisions
  return {
    missing,
    refresh,
    now,
    roles: {
      named(name: string) {
        const id = facts.idOf('role', name)
        const role = id === undefined ? undefined : facts.roles.get(id)
        return id === undefined || !role ? undefined : { id, permissions: role.permissions }
      },
      get: (id: string) => facts.roles.get(id),
    },
    places: {
      idOf: (scope: Scope) => decisions.idOf(scope),
      scopeOf: (id: string) => facts.scopeOf(id),
      with: (subject: Subject, permission: 'grant.create') => decisions.placesWith(subject, permission, now()),
    },
    /** Gives what somebody has asked for, under the rules for everybody who gives. */
    give(tx: Db, subject: Subject, { role, account, scope, expireTime, reason }: Asked): Promise<GrantRow> {
      const found = { role: findRoleFact(authority, role), holder: findHolder(authority, { user: account }), scope }
      checkEnd(authority, expireTime)
      checkGiver(authority, subject, found, expireTime)
      return give(tx, { record }, subject, { ...found, place: findPlace(authority, scope), expireTime, reason })
    },
  }
}
