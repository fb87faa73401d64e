import { Button, Empty, Heading, Read, useRead, useText } from '@quarterdeck/ui'
import { useState } from 'react'
import { CreateTokenDialog } from './create-token.console.tsx'
import { sessionTexts } from './texts.console.tsx'
import { listTokens } from './token.contract.ts'
import { TokenTable } from './token-table.console.tsx'

/** My tokens: make, see, revoke. */
export function TokensPage() {
  const t = useText(sessionTexts)
  const query = useRead(listTokens)
  const [creating, setCreating] = useState(false)
  const create = (
    <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
      {t('create')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('tokens')}</Heading>
          <p className="soft">{t('tokensLead')}</p>
        </div>
        {create}
      </header>
      <section className="card">
        <Read query={query}>
          {({ items }) => (
            <TokenTable
              tokens={items}
              revocable
              empty={
                <Empty title={t('noTokens')} act={create}>
                  {t('noTokensLead')}
                </Empty>
              }
            />
          )}
        </Read>
      </section>
      {creating && <CreateTokenDialog close={() => setCreating(false)} />}
    </div>
  )
}
