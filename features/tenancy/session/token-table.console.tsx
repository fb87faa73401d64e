import { Age, Button, ConfirmDialog, Table, useReadAgain, useText } from '@quarterdeck/ui'
import { type ReactNode, useState } from 'react'
import { sessionTexts } from './texts.console.tsx'
import { deleteToken, deleteUserToken, listTokens, listUserTokens, type Token } from './token.contract.ts'

/** Reads tokens anew after one was made or revoked. */
export function useTokensChanged(): () => Promise<void> {
  const readAgain = useReadAgain()
  return async () => {
    await Promise.all([listTokens, listUserTokens].map((one) => readAgain(one)))
  }
}

/** Tokens and what limits them. `user`: whose they are; absent: mine. */
export function TokenTable({
  tokens,
  user,
  revocable,
  empty,
}: {
  tokens: Token[]
  user?: string
  revocable: boolean
  empty: ReactNode
}) {
  const t = useText(sessionTexts)
  const [revoking, setRevoking] = useState<Token>()
  return (
    <>
      <Table
        label={t('tokens')}
        rows={tokens}
        rowKey={({ id }) => id}
        empty={empty}
        columns={[
          { title: t('name'), cell: ({ name }) => <strong>{name}</strong> },
          {
            title: t('may'),
            cell: (token) => <Limits token={token} all={user === undefined ? t('all') : t('allOf', { user })} />,
          },
          { title: t('created'), nowrap: true, cell: ({ createTime }) => <Age time={createTime} /> },
          {
            title: t('used'),
            nowrap: true,
            cell: ({ lastUseTime, lastPeer }) =>
              lastUseTime ? (
                <>
                  <Age time={lastUseTime} />{' '}
                  {lastPeer && <span className="soft small">{t('usedFrom', { peer: lastPeer })}</span>}
                </>
              ) : (
                t('unused')
              ),
          },
          {
            title: t('until'),
            nowrap: true,
            cell: ({ expireTime }) => (expireTime ? new Date(expireTime).toLocaleDateString() : t('never')),
          },
          {
            title: t('acts'),
            acts: true,
            cell: (token) =>
              revocable && (
                <Button
                  small
                  kind="danger"
                  aria-label={t('revokeTitle', { name: token.name })}
                  onClick={() => setRevoking(token)}
                >
                  {t('revoke')}
                </Button>
              ),
          },
        ]}
      />
      {revoking && (
        <RevokeDialog token={revoking} {...(user === undefined ? {} : { user })} close={() => setRevoking(undefined)} />
      )}
    </>
  )
}

/** What a token may, where, and from which networks: only what is less than its owner has. */
function Limits({ token: { permissions, within, sources }, all }: { token: Token; all: string }) {
  const t = useText(sessionTexts)
  const [place] = Object.entries(within ?? {})
  return (
    <>
      {permissions.includes('*') ? all : <span className="mono small">{permissions.join(', ')}</span>}
      {place && (
        <p className="small">
          {t('within')} {t(place[0] as 'tenant' | 'project' | 'environment')} {place[1]}
        </p>
      )}
      {sources.length > 0 && (
        <p className="small">
          {t('sources')} <span className="mono">{sources.join(', ')}</span>
        </p>
      )}
    </>
  )
}

function RevokeDialog({ token, user, close }: { token: Token; user?: string; close: () => void }) {
  const t = useText(sessionTexts)
  const changed = useTokensChanged()
  const mine = user === undefined
  return (
    <ConfirmDialog
      title={t('revokeTitle', { name: token.name })}
      act={t('revoke')}
      endpoint={mine ? deleteToken : deleteUserToken}
      input={{ params: { token: token.name, ...(mine ? {} : { user }) } }}
      done={changed}
      close={close}
    >
      {t('revokeLead')}
    </ConfirmDialog>
  )
}
