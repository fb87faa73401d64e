import {
  Age,
  Button,
  ButtonLink,
  Facts,
  Heading,
  Link,
  Note,
  Read,
  Shares,
  Stage,
  State,
  useLanguage,
  useMay,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { type ReactNode, useState } from 'react'
import { sharesOf } from '../tenant/quota.contract.ts'
import { DeleteDialog, UpdateDialog, UpToDateDialog } from './change-environment.console.tsx'
import { TONES } from './environment.console.tsx'
import { type EnvironmentDetail, getEnvironment } from './environment.contract.ts'
import { limitFields, limitTexts } from './environment.rules.ts'
import { environmentTexts } from './texts.console.tsx'

/** One environment: where it is, what it may use, whom it may speak with, and whether the cluster has it so. */
export function EnvironmentPage({ environment, history }: { environment: string; history: ReactNode }) {
  const query = useRead(getEnvironment, { params: { environment } }, { everySeconds: 5 })
  return (
    <div className="page">
      <Read query={query}>{(found) => <Inside environment={found} history={history} />}</Read>
    </div>
  )
}

function Inside({ environment, history }: { environment: EnvironmentDetail; history: ReactNode }) {
  const t = useText(environmentTexts)
  const may = useMay()
  const [language] = useLanguage()
  const [act, setAct] = useState<'change' | 'delete' | 'update'>()
  const close = () => setAct(undefined)
  return (
    <div className="rows">
      <header className="page-head">
        <div className="grow">
          <Heading>
            {environment.name} <Stage stage={environment.stage} />
          </Heading>
          {environment.title && <p className="soft">{environment.title}</p>}
        </div>
        <ButtonLink icon="apps" to={`/applications?environment=${environment.name}`}>
          {t('toApplications')}
        </ButtonLink>
        {may('grant.list') && (
          <ButtonLink icon="link" to={`/access?at=environment:${environment.name}&inherited=true`}>
            {t('access')}
          </ButtonLink>
        )}
        {may('environment.update') && <Button onClick={() => setAct('change')}>{t('change')}</Button>}
        {may('environment.delete') && (
          <Button kind="danger" icon="trash" onClick={() => setAct('delete')}>
            {t('delete')}
          </Button>
        )}
      </header>
      {environment.outdated.length > 0 && (
        <Note tone="warn" title={t('outdated')}>
          <ul>
            {environment.outdated.map((what) => (
              <li key={what}>{what}</li>
            ))}
          </ul>
          <Button small onClick={() => setAct('update')}>
            {t('update')}
          </Button>
        </Note>
      )}
      <Where environment={environment} />
      <section className="card">
        <header>
          <h2>{t('quota')}</h2>
        </header>
        {environment.use.length === 0 ? (
          <p className="soft pad">{t('noQuota')}</p>
        ) : (
          <Shares whole label={t('quota')} shares={sharesOf(environment.use, language)} />
        )}
      </section>
      <ContainerLimits environment={environment} />
      {history}
      {act === 'change' && <UpdateDialog environment={environment} close={close} />}
      {act === 'update' && <UpToDateDialog environment={environment} close={close} />}
      {act === 'delete' && <DeleteDialog environment={environment} close={close} />}
    </div>
  )
}

function Where({ environment }: { environment: EnvironmentDetail }) {
  const t = useText(environmentTexts)
  const { isolation, podSecurity, state, message, project, tenant, cluster } = environment
  const isolations = { isolated: t('isolated'), project: t('inProject'), open: t('open') }
  return (
    <section className="card">
      <div className="body">
        <Facts
          rows={[
            [
              t('state'),
              <span key="state">
                <State tone={TONES[state]}>{t(state)}</State> <span className="soft">{message}</span>
              </span>,
            ],
            [
              t('project'),
              <Link key="project" to={`/projects/${project}`}>
                {project}
              </Link>,
            ],
            [
              t('tenant'),
              <Link key="tenant" to={`/tenants/${tenant}`}>
                {tenant}
              </Link>,
            ],
            [
              t('cluster'),
              <Link key="cluster" to={`/clusters/${cluster}`}>
                {cluster}
              </Link>,
            ],
            [t('namespace'), environment.namespace],
            [t('isolation'), isolation ? isolations[isolation] : t('notYet')],
            [t('podSecurity'), podSecurity ? t(podSecurity) : t('notYet')],
            [t('age'), <Age key="age" time={environment.createTime} />],
          ]}
        />
      </div>
    </section>
  )
}

function ContainerLimits({ environment }: { environment: EnvironmentDetail }) {
  const t = useText(environmentTexts)
  const texts = limitTexts(environment.limits ?? {})
  const rows = limitFields.flatMap(({ key }) => (texts[key] ? [[t(key), texts[key]] as const] : []))
  return (
    <section className="card">
      <header>
        <h2>{t('limits')}</h2>
      </header>
      {rows.length === 0 ? (
        <p className="soft pad">{t('noLimits')}</p>
      ) : (
        <div className="body">
          <Facts rows={rows} />
        </div>
      )}
    </section>
  )
}
