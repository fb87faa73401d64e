import { Link, Read, Stage, useRead, useText } from '@quarterdeck/ui'
import { lazy, Suspense } from 'react'
import { ApplicationHead } from '../../../features/application/application/application.console.tsx'
import { type Application, getApplication } from '../../../features/application/application/application.contract.ts'
import { OverviewTab, YamlTab } from '../../../features/application/application/show-application.console.tsx'
import { OperationTable } from '../../../features/delivery/operation/list-operations.console.tsx'
import { UndoDialog } from '../../../features/delivery/operation/operation.console.tsx'
import { dockLogs } from './docked-logs.ts'
import { useEnvironment } from './environment.ts'
import { frameTexts } from './texts.ts'

const LogsTab = lazy(async () => ({
  default: (await import('../../../features/container/log/log.console.tsx')).LogsTab,
}))
const TerminalTab = lazy(async () => ({
  default: (await import('../../../features/container/terminal/terminal.console.tsx')).TerminalTab,
}))

const ManifestView = lazy(async () => ({
  default: (await import('../../../features/application/manifest/manifest.console.tsx')).ManifestView,
}))

const TABS = { overview: 'overview', logs: 'logsTab', terminal: 'terminal', history: 'history', yaml: 'yaml' } as const
export type ApplicationTab = keyof typeof TABS
/** True for a word that is one of the tabs. */
export const isTab = (word: string): word is ApplicationTab => word in TABS

/** One application: its header line, its acts, and its tabs. */
export function ApplicationPage({
  environment,
  application,
  tab,
}: {
  environment: string
  application: string
  tab: ApplicationTab
}) {
  const t = useText(frameTexts)
  const { stageOf } = useEnvironment()
  const stage = stageOf(environment)
  const query = useRead(getApplication, { params: { environment, application } }, { everySeconds: 2 })
  return (
    <div className={tab === 'logs' || tab === 'terminal' ? 'page full' : 'page'}>
      <nav className="crumbs" aria-label={t('applications')}>
        <Link to={`/applications?environment=${environment}`}>{t('applications')}</Link>
        <span aria-hidden="true">/</span>
        <span>{environment}</span> {stage && <Stage stage={stage} />}
      </nav>
      <Read query={query}>
        {(found) => (
          <>
            <ApplicationHead
              application={found}
              stage={stage}
              undo={(operation, close) => <UndoDialog operation={operation} stage={stage} close={close} />}
            />
            <nav className="tabs" aria-label={application}>
              {Object.entries(TABS).map(([name, text]) => (
                <Link
                  key={name}
                  to={`/environments/${environment}/applications/${application}/${name}`}
                  {...(name === tab ? { 'aria-current': 'page' as const } : {})}
                >
                  {t(text)}
                </Link>
              ))}
            </nav>
            <Suspense fallback={null}>
              <Tab application={found} tab={tab} stageOf={stageOf} />
            </Suspense>
          </>
        )}
      </Read>
    </div>
  )
}

function Tab({
  application,
  tab,
  stageOf,
}: {
  application: Application
  tab: ApplicationTab
  stageOf: (name: string) => string | undefined
}) {
  const { environment, name } = application
  const pods = application.replicaSets.flatMap((set) => set.pods)
  if (tab === 'overview') return <OverviewTab application={application} />
  if (tab === 'logs')
    return (
      <LogsTab
        environment={environment}
        application={name}
        pods={pods}
        keep={() => dockLogs({ environment, application: name })}
      />
    )
  if (tab === 'terminal') return <TerminalTab environment={environment} pods={pods} />
  if (tab === 'yaml')
    return (
      <YamlTab
        environment={environment}
        application={name}
        show={(yaml) => <ManifestView environment={environment} application={name} yaml={yaml} />}
      />
    )
  return (
    <section className="card">
      <OperationTable query={{ environment, application: name }} stageOf={stageOf} />
    </section>
  )
}
