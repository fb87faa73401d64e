import type { Permission, Scope } from '@quarterdeck/kernel'
import type { Decisions } from './authority.rules.ts'
import type { HeldPermission, Through } from './explain.contract.ts'
import type { HeldGrant } from './fact.rules.ts'

/** Grants that an account has, itself or through groups, at a place and further up, the nearest first. */
function grantsAt({ facts }: Decisions, account: string, chain: readonly string[], nowMs: number): HeldGrant[] {
  const groups = facts.accounts.get(account)?.groups ?? []
  return [account, ...groups]
    .flatMap((holder) => [...facts.grantsOf(holder)])
    .filter(({ place, expireMs }) => chain.includes(place) && (expireMs === null || nowMs < expireMs))
    .sort((a, b) => chain.indexOf(a.place) - chain.indexOf(b.place))
}

const grants = ({ facts }: Decisions, { role }: HeldGrant, permission: string): boolean => {
  const permissions = facts.roles.get(role)?.permissions ?? []
  return permissions.includes('*') || permissions.includes(permission)
}

function throughOf({ facts }: Decisions, { id, role, holder, place, expireMs }: HeldGrant): Through {
  const group = facts.groups.get(holder)
  return {
    grant: id,
    role: facts.roles.get(role)?.name ?? '',
    ...(group ? { group: group.name } : {}),
    ...(place === '' ? { platform: true as const } : facts.scopeOf(place)),
    ...(expireMs === null ? {} : { expireTime: new Date(expireMs).toISOString() }),
  }
}

/** The grants through which an account has a permission at a place, the nearest first; none: it does not have it. */
export function throughAt(
  decisions: Decisions,
  account: string,
  { permission, scope }: { permission: Permission; scope: Scope },
  nowMs: number,
): Through[] {
  if (!decisions.accountMay(account, permission, scope, nowMs)) return []
  return grantsAt(decisions, account, decisions.chainOf(scope), nowMs)
    .filter((grant) => grants(decisions, grant, permission))
    .map((grant) => throughOf(decisions, grant))
}

/** Everything an account may do at a place, in the order of `all`. */
export function heldAt(
  decisions: Decisions,
  account: string,
  scope: Scope,
  nowMs: number,
  all: readonly Permission[],
): HeldPermission[] {
  if (decisions.facts.accounts.get(account)?.disabled !== false) return []
  const held = grantsAt(decisions, account, decisions.chainOf(scope), nowMs)
  return all.flatMap((permission) => {
    const through = held.filter((grant) => grants(decisions, grant, permission))
    return through.length > 0 ? [{ permission, through: through.map((grant) => throughOf(decisions, grant)) }] : []
  })
}

/** Ids of accounts that have a permission at a place. */
export function holdersAt(decisions: Decisions, permission: Permission, scope: Scope, nowMs: number): Set<string> {
  const found = new Set<string>()
  for (const place of decisions.chainOf(scope)) {
    for (const grant of decisions.facts.grantsAt(place)) {
      if (!grants(decisions, grant, permission) || (grant.expireMs !== null && grant.expireMs <= nowMs)) continue
      for (const account of decisions.facts.accountsOf(grant.holder)) {
        if (decisions.facts.accounts.get(account)?.disabled === false) found.add(account)
      }
    }
  }
  return found
}

/** `through role developer in project shop, as a member of retail-devs`. */
export function throughText({ role, group, tenant, project, environment }: Through): string {
  const place = environment
    ? `in environment ${environment}`
    : project
      ? `in project ${project}`
      : tenant
        ? `in tenant ${tenant}`
        : 'for the platform'
  return `through role ${role} ${place}${group === undefined ? '' : `, as a member of ${group}`}`
}
