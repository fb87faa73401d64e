import { isProblem } from '@quarterdeck/kernel'
import {
  Button,
  Code,
  call,
  defineTexts,
  Failure,
  Heading,
  Note,
  Read,
  readKey,
  State,
  secondsText,
  type Tone,
  useGo,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { getSetup, retrySetup, type Setup } from './setup.contract.ts'

const texts = defineTexts(
  'setup',
  {
    title: 'Quarterdeck is getting ready',
    ready: 'Quarterdeck is ready',
    failed: 'A stage has failed',
    lead: 'This page follows by itself and goes on to sign-in when it is done.',
    leadLocal:
      'On two cores the first start may build Kubernetes from source, in about ten minutes; later ones take seconds.',
    stages: 'Stages',
    waiting: 'waiting',
    running: 'running',
    done: 'done',
    failedState: 'failed',
    remarks: 'About this machine',
    waysOut: 'Ways out',
    retry: 'Try the failed stage again',
    signInToRetry: 'Sign in first, then it can be tried again from here.',
    signIn: 'Sign in',
    first:
      'There is no administrator yet. Open the one-time link that npm start has printed on the terminal to choose a password.',
    go: 'Go on',
    version: 'Version {{version}}',
  },
  {
    title: 'Quarterdeck 正在准备',
    ready: 'Quarterdeck 已就绪',
    failed: '有一个阶段失败',
    lead: '本页会自动更新，完成后进入登录页。',
    leadLocal: '首次启动可能需要从源码构建 Kubernetes，两核机器约需十分钟，之后只需几秒。',
    stages: '阶段',
    waiting: '等待',
    running: '进行中',
    done: '完成',
    failedState: '失败',
    remarks: '本机情况',
    waysOut: '可选办法',
    retry: '重试失败的阶段',
    signInToRetry: '登录后可在此重试。',
    signIn: '登录',
    first: '还没有管理员。请打开 npm start 在终端打印的一次性链接，设置密码。',
    go: '继续',
    version: '版本 {{version}}',
  },
)

const TONES: Record<Setup['stages'][number]['state'], Tone> = {
  waiting: 'mute',
  running: 'busy',
  done: 'good',
  failed: 'bad',
}

/** The page that a stranger sees first: how far the platform is. Goes on to `next` by itself when all is ready. */
export function SetupPage() {
  const t = useText(texts)
  const go = useGo()
  const query = useRead(getSetup, {}, { everySeconds: 1 })
  const setup = query.data
  const waitsForLink = setup?.administrator === 'missing'
  useEffect(() => {
    if (!setup?.ready || waitsForLink) return
    const timer = setTimeout(() => go('/', { replace: true }), 800)
    return () => clearTimeout(timer)
  }, [setup?.ready, waitsForLink, go])
  return (
    <main className="lone wide">
      <Read query={query}>{(now) => <Shown setup={now} />}</Read>
      {setup?.ready && !waitsForLink && <Button onClick={() => go('/')}>{t('go')}</Button>}
    </main>
  )
}

function Shown({ setup }: { setup: Setup }) {
  const t = useText(texts)
  const failed = setup.stages.some((stage) => stage.state === 'failed')
  return (
    <div className="rows">
      <header>
        <Heading>{failed ? t('failed') : setup.ready ? t('ready') : t('title')}</Heading>
        <p className="soft">
          {t('lead')} {setup.clusterOrigin === 'local' && t('leadLocal')}
        </p>
      </header>
      {setup.administrator === 'missing' && <Note tone="busy">{t('first')}</Note>}
      <section className="card" aria-label={t('stages')}>
        <ol className="steps" aria-live="polite">
          {setup.stages.map((stage) => (
            <li key={stage.id} data-stage-id={stage.id} data-state={stage.state}>
              <State tone={TONES[stage.state]}>{stage.state === 'failed' ? t('failedState') : t(stage.state)}</State>
              <span className="grow">
                {stage.title}
                {stage.detail && <span className="soft small wrap step-message">{stage.detail}</span>}
                {stage.percent !== undefined && stage.state === 'running' && (
                  <progress value={stage.percent} max={100} aria-label={stage.title} />
                )}
              </span>
              <span className="soft small num">
                {stage.elapsedSeconds !== undefined && secondsText(stage.elapsedSeconds)}
              </span>
            </li>
          ))}
        </ol>
      </section>
      {failed && <WaysOut setup={setup} />}
      {setup.remarks.length > 0 && (
        <section className="card">
          <header>
            <h2>{t('remarks')}</h2>
          </header>
          <ul className="plain-list">
            {setup.remarks.map((remark) => (
              <li key={remark}>{remark}</li>
            ))}
          </ul>
        </section>
      )}
      <p className="soft small">{t('version', { version: setup.version })}</p>
    </div>
  )
}

function WaysOut({ setup }: { setup: Setup }) {
  const t = useText(texts)
  const go = useGo()
  const queries = useQueryClient()
  const retry = useMutation({
    mutationFn: () => call(retrySetup),
    onSuccess: (next) => queries.setQueryData(readKey(getSetup), next),
  })
  const needsSignIn = isProblem(retry.error) && retry.error.body.status === 401
  return (
    <section className="card" aria-label={t('waysOut')}>
      <header>
        <h2>{t('waysOut')}</h2>
        <Button icon="restart" busy={retry.isPending} onClick={() => retry.mutate()}>
          {t('retry')}
        </Button>
      </header>
      <div className="body rows">
        {needsSignIn && (
          <Note tone="warn">
            {t('signInToRetry')}{' '}
            <Button small onClick={() => go('/sign-in?next=/setup')}>
              {t('signIn')}
            </Button>
          </Note>
        )}
        {retry.error && !needsSignIn && <Failure error={retry.error} />}
        {setup.waysOut.map((way) => (
          <div key={way.title} className="rows tight">
            <h3>{way.title}</h3>
            <p>{way.detail}</p>
            {way.command && <Code text={way.command} label={way.title} />}
          </div>
        ))}
      </div>
    </section>
  )
}
