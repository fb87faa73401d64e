import { bind, type Context, type Server } from '@quarterdeck/http'
import { notFound, type Scope } from '@quarterdeck/kernel'
import { knownPermissions } from '../role/permission.contract.ts'
import type { OpenAuthority } from './authority.routes.ts'
import { placeText } from './authority.routes.ts'
import { getUserPermission, listHolders, listUserPermissions, type Verdict } from './explain.contract.ts'
import { heldAt, holdersAt, throughAt, throughText } from './explain.rules.ts'
import { scopeIn } from './give.routes.ts'

/** What can somebody do here, who can do this here, and why. Answered from memory. */
export function explainRoutes(server: Server, { authority }: { authority: OpenAuthority }): void {
  const { decisions } = authority

  /** Oneself may always be asked about; others by whoever may see grants there. Throws notFound. */
  function accountAt(
    { subject, require: need }: Pick<Context<typeof listUserPermissions>, 'subject' | 'require'>,
    user: string,
    scope: Scope,
  ): string {
    if (user === subject.name && subject.id !== undefined) return subject.id
    need('grant.list', scope)
    const id = decisions.facts.idOf('account', user)
    if (id === undefined) throw notFound({ detail: `There is no user ${user}; qd user list shows those there are` })
    return id
  }

  bind(server, listUserPermissions, (context) => {
    const scope = scopeIn(context.query, 'query')
    const { user } = context.params
    const id = accountAt(context, user, scope)
    const disabled = decisions.facts.accounts.get(id)?.disabled === true
    return { user, disabled, items: heldAt(decisions, id, scope, authority.now(), knownPermissions) }
  })

  bind(server, getUserPermission, (context): Verdict => {
    const scope = scopeIn(context.query, 'query')
    const { user, permission } = context.params
    const id = accountAt(context, user, scope)
    const through = throughAt(decisions, id, { permission, scope }, authority.now())
    const answer = { user, permission, allowed: through.length > 0, through }
    const [first] = through
    if (first) {
      const detail = `${user} may ${permission} ${placeText(scope)}, ${throughText(first)}`
      return { ...answer, detail, grantedBy: [] }
    }
    const grantedBy = [...decisions.grantors(permission, scope, authority.now(), 3)]
    const who = grantedBy.length > 0 ? `${grantedBy.join(' or ')} can grant it.` : 'Nobody who is there can grant it.'
    const why = decisions.facts.accounts.get(id)?.disabled ? ' The account is disabled.' : ''
    const detail = `${user} does not have ${permission} ${placeText(scope)}.${why} ${who}`
    return { ...answer, detail, grantedBy }
  })

  bind(server, listHolders, ({ query: { permission, limit, continue: from, ...place }, require: need }) => {
    const scope = scopeIn(place, 'query')
    need('grant.list', scope)
    const now = authority.now()
    const named = [...holdersAt(decisions, permission, scope, now)]
      .flatMap((id) => decisions.facts.accounts.get(id) ?? [])
      .filter(({ name }) => from === undefined || name > from)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    const page = named.slice(0, limit)
    const items = page.map(({ name, kind }) => ({
      user: name,
      machine: kind === 'machine',
      through: throughAt(decisions, decisions.facts.idOf('account', name) ?? '', { permission, scope }, now),
    }))
    const last = page.at(-1)
    return { items, ...(named.length > limit && last ? { continue: last.name } : {}) }
  })
}
