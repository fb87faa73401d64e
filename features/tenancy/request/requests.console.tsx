import {
  Age,
  Button,
  ButtonLink,
  call,
  Empty,
  Heading,
  Menu,
  Read,
  State,
  Table,
  type Tone,
  useRead,
  useReadAgain,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { AskDialog, type PlaceChoice } from './ask.console.tsx'
import { DecideDialog } from './decide.console.tsx'
import { usePlaceWords } from './place-words.console.tsx'
import { type GrantRequest, listRequests, type RequestState, withdrawRequest } from './request.contract.ts'
import { requestTexts } from './texts.console.tsx'

const TONES: Record<RequestState, Tone> = { open: 'busy', approved: 'good', refused: 'bad', withdrawn: 'mute' }
const TABS = { decide: 'to-decide', mine: 'mine' } as const

/** Requests to decide and one's own. `places` belongs to grants and is passed. */
export function RequestsPage({ places }: { places: PlaceChoice }) {
  const t = useText(requestTexts)
  const [tab, setTab] = useUrlValue('tab')
  const [ask, setAsk] = useUrlValue('ask')
  const [at, setAt] = useUrlValue('at')
  const [from, setFrom] = useUrlValue('from')
  const waiting = useRead(listRequests, { query: { which: 'to-decide', state: 'open', limit: 1 } })
  const shown = tab === 'mine' || tab === 'decide' ? tab : waiting.data?.items.length ? 'decide' : 'mine'
  const query = useRead(
    listRequests,
    { query: { which: TABS[shown], ...(from === '' ? {} : { continue: from }) } },
    { keep: true, everySeconds: 10 },
  )
  const choose = (next: string) => {
    setTab(next)
    setFrom('')
  }
  const button = (
    <Button kind="primary" icon="plus" onClick={() => setAsk('true')}>
      {t('ask')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('requests')}</Heading>
          <p className="soft">{t('lead')}</p>
        </div>
        <ButtonLink to="/who-can">{t('whatICan')}</ButtonLink>
        {button}
      </header>
      <div className="tabs" role="tablist" aria-label={t('requests')}>
        {(['decide', 'mine'] as const).map((name) => (
          <button key={name} type="button" role="tab" aria-selected={name === shown} onClick={() => choose(name)}>
            {t(name === 'decide' ? 'toDecide' : 'mine')}
          </button>
        ))}
      </div>
      <section className="card" role="tabpanel" aria-label={t(shown === 'decide' ? 'toDecide' : 'mine')}>
        <Read query={query}>
          {({ items, continue: next }) => (
            <>
              <RequestTable
                requests={items}
                empty={
                  shown === 'decide' ? (
                    <Empty title={t('noneToDecide')}>{t('noneToDecideLead')}</Empty>
                  ) : (
                    <Empty title={t('noneMine')} act={button}>
                      {t('noneMineLead')}
                    </Empty>
                  )
                }
              />
              {(from !== '' || next) && (
                <div className="cols body">
                  {from !== '' && <Button onClick={() => setFrom('')}>{t('first')}</Button>}
                  {next && <Button onClick={() => setFrom(next)}>{t('older')}</Button>}
                </div>
              )}
            </>
          )}
        </Read>
      </section>
      {ask !== '' && (
        <AskDialog
          permission={ask === 'true' ? '' : ask}
          place={at}
          places={places}
          close={() => {
            setAsk('')
            setAt('')
          }}
        />
      )}
    </div>
  )
}

function RequestTable({ requests, empty }: { requests: GrantRequest[]; empty: ReactNode }) {
  const t = useText(requestTexts)
  const placeWords = usePlaceWords()
  const readAgain = useReadAgain()
  const [deciding, setDeciding] = useState<{ request: GrantRequest; approving: boolean }>()
  const withdraw = useMutation({
    mutationFn: (request: string) => call(withdrawRequest, { params: { request } }),
    onSettled: () => readAgain(listRequests),
  })
  const durationWords = ({ durationSeconds }: GrantRequest) => {
    const hours = Math.round(durationSeconds / 3_600)
    return hours < 48 ? t('hours', { count: hours }) : t('days', { count: Math.round(hours / 24) })
  }
  return (
    <>
      <Table
        label={t('requests')}
        rows={requests}
        rowKey={({ id }) => id}
        empty={empty}
        columns={[
          { title: t('who'), nowrap: true, cell: ({ user }) => <strong>{user}</strong> },
          {
            title: t('role'),
            cell: ({ role, permission }) => (
              <>
                {role} {permission && <code className="soft small">{permission}</code>}
              </>
            ),
          },
          { title: t('where'), nowrap: true, cell: placeWords },
          { title: t('duration'), nowrap: true, cell: durationWords },
          { title: t('reason'), wide: true, cell: ({ reason }) => reason },
          {
            title: t('state'),
            cell: ({ state, decider, decision }) => (
              <>
                <State tone={TONES[state]} turning={false}>
                  {t(state)}
                </State>{' '}
                {decider && <span className="soft small">{t('by', { name: decider })}</span>}
                {decision && <div className="soft small wrap">{decision}</div>}
              </>
            ),
          },
          { title: t('age'), nowrap: true, cell: ({ createTime }) => <Age time={createTime} /> },
          {
            title: t('acts'),
            acts: true,
            cell: (request) =>
              request.decidable ? (
                <div className="cols">
                  <Button small kind="primary" onClick={() => setDeciding({ request, approving: true })}>
                    {t('approve')}
                  </Button>
                  <Button small onClick={() => setDeciding({ request, approving: false })}>
                    {t('refuse')}
                  </Button>
                </div>
              ) : (
                request.mine &&
                request.state === 'open' && (
                  <Menu
                    small
                    kind="plain"
                    icon="more"
                    label={`${t('withdraw')}: ${request.role}`}
                    items={[{ label: t('withdraw'), icon: 'undo', act: () => withdraw.mutate(request.id) }]}
                  />
                )
              ),
          },
        ]}
      />
      {deciding && <DecideDialog {...deciding} close={() => setDeciding(undefined)} />}
    </>
  )
}
