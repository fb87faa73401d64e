import { bind, hashSecret, newSecret, type Server } from '@quarterdeck/http'
import { invalidInput, notFound, type Subject } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import type { RecordAct } from './administrator.routes.ts'
import { done, requireWholeUser } from './session.rules.ts'
import { createToken, deleteToken, listTokens, type Token, tokenNameTaken, tokenTooBroad } from './token.contract.ts'
import { beyond, outlives, TOKEN_PREFIX } from './token.rules.ts'
import { createTokenRow, deleteTokenRow, listTokenRows, type TokenRow } from './token.store.ts'

const shown = ({ userName: _, lastUseTime, expireTime, ...row }: TokenRow, subject: Subject): Token => ({
  ...row,
  current: row.id === subject.credentialId,
  ...(lastUseTime === null ? {} : { lastUseTime }),
  ...(expireTime === null ? {} : { expireTime }),
})

/** A token with a permission that no endpoint asks for would be refused everywhere, without anybody knowing why. */
function checkKnown(server: Server, permissions: readonly string[]): void {
  const known = new Set(['*', ...server.endpoints.map((endpoint) => endpoint.permission)])
  const errors = permissions.flatMap((permission, index) =>
    known.has(permission)
      ? []
      : [{ pointer: `/body/permissions/${index}`, detail: `There is no permission ${permission}` }],
  )
  if (errors[0]) throw invalidInput({ detail: `${errors[0].detail}; see x-permission in /api/v1/openapi.json`, errors })
}

/** Own tokens: make, list, revoke. */
export function tokenRoutes(
  server: Server,
  { db, now, record, revoked }: { db: Db; now: () => string; record: RecordAct; revoked: () => void },
): void {
  bind(server, createToken, async ({ subject, body: { name, permissions = subject.permissions, expireTime } }) => {
    checkKnown(server, permissions)
    const missing = beyond(subject, permissions)
    if (missing.length > 0) throw tokenTooBroad({ detail: `This token does not carry ${missing.join(', ')} itself` })
    if (outlives(subject, expireTime)) {
      throw tokenTooBroad({ detail: `This token ends at ${subject.expireTime}; one it makes must not end later` })
    }
    if (expireTime !== undefined && Date.parse(expireTime) <= Date.parse(now())) {
      throw invalidInput({
        detail: 'expireTime is in the past',
        errors: [{ pointer: '/body/expireTime', detail: 'An instant in the future' }],
      })
    }
    const secret = newSecret(TOKEN_PREFIX)
    const wanted = {
      secretHash: hashSecret(secret),
      userName: subject.name,
      name,
      permissions,
      createTime: now(),
      expireTime: expireTime ?? null,
    }
    const row = await transaction(db, async (tx) => {
      const made = await createTokenRow(tx, wanted)
      const detail = `Permissions ${permissions.join(', ')}; ${expireTime ? `until ${expireTime}` : 'until it is revoked'}`
      if (made) await record(tx, done(createToken, subject.name, `token ${name}`, detail))
      return made
    })
    if (!row) throw tokenNameTaken({ detail: `You have a token ${name}; choose another name or revoke that one` })
    return { ...shown(row, subject), secret }
  })
  bind(server, listTokens, async ({ subject }) => {
    requireWholeUser(subject)
    return { items: (await listTokenRows(db, subject.name)).map((row) => shown(row, subject)) }
  })
  bind(server, deleteToken, async ({ subject, params: { token } }) => {
    requireWholeUser(subject)
    const found = (await listTokenRows(db, subject.name)).find((row) => row.id === token || row.name === token)
    if (!found) throw notFound({ detail: `You have no token ${token}` })
    await transaction(db, async (tx) => {
      await deleteTokenRow(tx, subject.name, found.id)
      await record(tx, done(deleteToken, subject.name, `token ${found.name}`))
    })
    revoked()
    return null
  })
}
