import { Button, call, Empty, Failure, Read, useMay, useRead, useReadAgain, useText } from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { CreateTokenDialog } from './create-token.console.tsx'
import { listUserSessions, revokeUserSession } from './session.contract.ts'
import { SessionTable } from './session-table.console.tsx'
import { sessionTexts } from './texts.console.tsx'
import { listUserTokens } from './token.contract.ts'
import { TokenTable } from './token-table.console.tsx'

/** Sessions and tokens of somebody else, for who may see them; a machine account has tokens only. */
export function Credentials({ user, machine }: { user: string; machine: boolean }) {
  const may = useMay()
  if (!may('credential.list')) return null
  return (
    <>
      {!machine && <SessionsOf user={user} revocable={may('credential.revoke')} />}
      <TokensOf user={user} revocable={may('credential.revoke')} creatable={machine && may('user.create')} />
    </>
  )
}

function SessionsOf({ user, revocable }: { user: string; revocable: boolean }) {
  const t = useText(sessionTexts)
  const readAgain = useReadAgain()
  const sessions = useRead(listUserSessions, { params: { user } })
  const end = useMutation<unknown, Error, string>({
    mutationFn: (session) => call(revokeUserSession, { params: { user, session } }),
    onSuccess: () => readAgain(listUserSessions),
  })
  return (
    <>
      <h3>{t('sessions')}</h3>
      {end.error && <Failure error={end.error} />}
      <Read query={sessions}>
        {({ items }) => <SessionTable sessions={items} {...(revocable ? { end: (id) => end.mutate(id) } : {})} />}
      </Read>
    </>
  )
}

function TokensOf({ user, revocable, creatable }: { user: string; revocable: boolean; creatable: boolean }) {
  const t = useText(sessionTexts)
  const tokens = useRead(listUserTokens, { params: { user } })
  const [creating, setCreating] = useState(false)
  const create = creatable && (
    <Button icon="plus" onClick={() => setCreating(true)}>
      {t('create')}
    </Button>
  )
  return (
    <>
      <h3>{t('tokens')}</h3>
      {creatable && <p className="soft">{t('machineLead')}</p>}
      <Read query={tokens}>
        {({ items }) => (
          <>
            {items.length > 0 && create && <div>{create}</div>}
            <TokenTable
              tokens={items}
              user={user}
              revocable={revocable}
              empty={
                <Empty title={t('noTokensOf')} act={create}>
                  {t('noTokensOfLead')}
                </Empty>
              }
            />
          </>
        )}
      </Read>
      {creating && <CreateTokenDialog user={user} close={() => setCreating(false)} />}
    </>
  )
}
