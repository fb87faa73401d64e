import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import type { Scope } from '@quarterdeck/kernel'
import { createGrant } from '../../features/tenancy/grant/grant.contract.ts'
import { createToken } from '../../features/tenancy/session/token.contract.ts'
import { choosePassword } from '../../features/tenancy/user/password.contract.ts'
import { createUser } from '../../features/tenancy/user/user.contract.ts'

/** A role and where; no place: the platform. */
export type Granted = { role: string } & Scope

/** Somebody invited by the administrator, with a password and a token of their own. */
export async function person(admin: Client, name: string, grants: readonly Granted[] = []): Promise<Client> {
  const { link } = await admin(createUser, { body: { name } })
  const signedIn = createClient({ baseUrl: admin.baseUrl, fetch: fetchWithCookies(admin.baseUrl) })
  const token = link?.url.split('#')[1] ?? ''
  await signedIn(choosePassword, { body: { token, password: `the harbour of ${name} at dawn` } })
  for (const grant of grants) await give(admin, name, grant)
  const { secret } = await signedIn(createToken, { body: { name: 'test' } })
  return createClient({ baseUrl: admin.baseUrl, token: secret })
}

/** Gives a user a role. */
export async function give(admin: Client, user: string, { role, ...place }: Granted): Promise<void> {
  const where = Object.keys(place).length > 0 ? place : { platform: true as const }
  await admin(createGrant, { query: {}, body: { role, user, ...where } })
}
