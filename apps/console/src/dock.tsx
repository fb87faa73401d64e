import { Button, Elapsed, Icon, Link, Select, Skeleton, usePath, useRead, useText } from '@quarterdeck/ui'
import { lazy, Suspense, useState } from 'react'
import { listTerminals } from '../../../features/container/terminal/terminal.contract.ts'
import { listOperations } from '../../../features/delivery/operation/operation.contract.ts'
import { dockLogs, useDockedLogs } from './docked-logs.ts'
import { frameTexts } from './texts.ts'

const TerminalView = lazy(async () => ({
  default: (await import('../../../features/container/terminal/terminal.console.tsx')).TerminalView,
}))
const DockLogs = lazy(async () => ({
  default: (await import('../../../features/container/log/log.console.tsx')).DockLogs,
}))

/** At the bottom of every page: what runs now, and the terminals and logs that go on while pages change. */
export function Dock() {
  const t = useText(frameTexts)
  const path = usePath()
  const [shown, setShown] = useState<string>()
  const terminals = useRead(listTerminals, {}, { everySeconds: 5 })
  const logs = useDockedLogs()
  // A terminal has one screen: on its application's page it is there, elsewhere here.
  const elsewhere = !path.endsWith('/terminal')
  const open = (terminals.data?.items ?? []).filter((one) => one.state === 'Open' || one.id === shown)
  const terminal = elsewhere ? open.find((one) => one.id === shown) : undefined
  const toggle = (id: string | undefined) => setShown(shown === id ? undefined : id)
  return (
    <section className="dock" aria-label={t('dock')}>
      <div className="dock-line">
        <Running />
        {logs && (
          <Button small kind="plain" icon="logs" aria-expanded={shown === 'logs'} onClick={() => toggle('logs')}>
            {t('logs', { application: logs.application })} · {shown === 'logs' ? t('hide') : t('show')}
          </Button>
        )}
        {open.length > 0 && elsewhere && (
          <>
            {terminal && open.length > 1 && (
              <Select
                aria-label={t('terminals', { count: open.length })}
                value={terminal.id}
                onChange={setShown}
                options={open.map((one, index) => ({ value: one.id, label: `${index + 1} · ${one.pod}` }))}
              />
            )}
            <Button
              small
              kind="plain"
              icon="terminal"
              aria-expanded={terminal !== undefined}
              onClick={() => toggle(terminal?.id ?? open[0]?.id)}
            >
              {t('terminals', { count: open.length })} · {terminal ? t('hide') : t('show')}
            </Button>
          </>
        )}
      </div>
      {(terminal || (logs && shown === 'logs')) && (
        <div className="dock-body">
          <Suspense fallback={<Skeleton />}>
            {terminal ? (
              <TerminalView key={terminal.id} terminal={terminal} />
            ) : (
              logs && <DockLogs key={logs.application} {...logs} close={() => dockLogs(undefined)} />
            )}
          </Suspense>
        </div>
      )}
    </section>
  )
}

function Running() {
  const t = useText(frameTexts)
  const operations = useRead(listOperations, { query: { running: true, limit: 5 } }, { everySeconds: 2 })
  const running = operations.data?.items ?? []
  return (
    <span className="running grow" role="status">
      {running.length === 0 && <span className="soft">{t('quiet')}</span>}
      {running.map((operation) => (
        <Link key={operation.id} to={`/operations/${operation.id}`} className="clip state tone-busy">
          <Icon name="busy" turning /> {operation.summary}{' '}
          <Elapsed from={operation.startTime ?? operation.acceptTime} />
        </Link>
      ))}
    </span>
  )
}
