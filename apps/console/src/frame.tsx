import { serverUnreachable } from '@quarterdeck/client'
import { isProblem } from '@quarterdeck/kernel'
import {
  Age,
  Button,
  call,
  chooseTheme,
  Icon,
  type IconName,
  isTyping,
  Link,
  Menu,
  Note,
  Permissions,
  Stage,
  useGo,
  useLanguage,
  useMay,
  usePath,
  useRead,
  useText,
  useTheme,
} from '@quarterdeck/ui'
import { useQueryClient } from '@tanstack/react-query'
import { Outlet } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { getSetup } from '../../../features/cluster/setup/setup.contract.ts'
import { listOperations } from '../../../features/delivery/operation/operation.contract.ts'
import type { Environment } from '../../../features/tenancy/environment/environment.contract.ts'
import { CodeGate } from '../../../features/tenancy/onetime/code-gate.console.tsx'
import { getSignOut } from '../../../features/tenancy/provider/provider.contract.ts'
import { deleteSession, getSession } from '../../../features/tenancy/session/session.contract.ts'
import { Dock } from './dock.tsx'
import { useEnvironment } from './environment.ts'
import { frameTexts } from './texts.ts'

const palette = () => import('./palette.tsx')
const Palette = lazy(async () => ({ default: (await palette()).Palette }))

/** The frame of every page: rail, context, search, who, and the dock. */
export function Frame() {
  const t = useText(frameTexts)
  // Grants come and go while somebody is signed in.
  const session = useRead(getSession, {}, { everySeconds: 15 })
  const [finding, setFinding] = useState(false)
  useShortcuts(() => setFinding(true))
  const path = usePath()
  const main = useRef<HTMLElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page begins at its top
  useEffect(() => {
    if (main.current) main.current.scrollTop = 0
  }, [path])
  // Loaded before it is asked for, so that what is typed right after ⌘K is not lost.
  useEffect(() => {
    const timer = setTimeout(() => void palette(), 1_000)
    return () => clearTimeout(timer)
  }, [])
  const signOut = useSignOut()
  if (!session.data) return null
  return (
    <Permissions value={session.data.permissions}>
      <div className="frame">
        <a className="skip" href="#main">
          {t('skip')}
        </a>
        <Rail />
        <Top user={session.data.user} find={() => setFinding(true)} />
        <main className="main" id="main" tabIndex={-1} ref={main}>
          <SetupNote />
          <Unreachable />
          <Suspense fallback={null}>
            <Outlet />
          </Suspense>
        </main>
        <Dock />
        <CodeGate signOut={() => void signOut()} />
        {finding && (
          <Suspense fallback={null}>
            <Palette close={() => setFinding(false)} />
          </Suspense>
        )}
      </div>
    </Permissions>
  )
}

const PLACES: Record<string, string> = {
  h: '/',
  a: '/applications',
  c: '/clusters',
  x: '/explore/pods',
  v: '/changes',
  e: '/environments',
  p: '/projects',
  t: '/tokens',
  u: '/users',
  d: '/deploy',
}

/** ⌘K or Ctrl K opens the search; g and then a letter goes to a page. */
function useShortcuts(find: () => void) {
  const go = useGo()
  // biome-ignore lint/correctness/useExhaustiveDependencies: go and find do the same in every render
  useEffect(() => {
    let waiting = Number.NEGATIVE_INFINITY
    const press = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        find()
        return
      }
      if (
        event.metaKey ||
        event.ctrlKey ||
        event.altKey ||
        isTyping(event.target) ||
        document.querySelector('dialog[open]')
      )
        return
      const place = PLACES[event.key]
      if (performance.now() - waiting < 1_500 && place) {
        waiting = Number.NEGATIVE_INFINITY
        event.preventDefault()
        go(place)
      } else if (event.key === 'g') waiting = performance.now()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}

function Entry({ to, icon, word, sub }: { to: string; icon: IconName; word: string; sub?: boolean }) {
  const path = usePath()
  const here =
    to === '/'
      ? path === '/'
      : path === to ||
        path.startsWith(`${to}/`) ||
        (to === '/applications' && /^\/environments\/[^/]+\/|^\/deploy/.test(path))
  const current = here && !(to === '/environments' && /^\/environments\/[^/]+\//.test(path))
  return (
    <Link to={to} className={sub ? 'entry sub' : 'entry'} title={word} {...(current ? { 'aria-current': 'page' } : {})}>
      <Icon name={icon} />
      <span className="word">{word}</span>
    </Link>
  )
}

function Rail() {
  const t = useText(frameTexts)
  const may = useMay()
  return (
    <nav className="rail" aria-label={t('navigation')}>
      <Link to="/" className="brand" aria-label="Quarterdeck">
        <img src="/icon.svg" alt="" />
        <span className="word">Quarterdeck</span>
      </Link>
      <Entry to="/" icon="home" word={t('home')} />
      {may('application.list') && <Entry to="/applications" icon="apps" word={t('applications')} />}
      {may('cluster.list') && <Entry to="/clusters" icon="cluster" word={t('clusters')} />}
      {may('object.list') && <Entry to="/explore" icon="explore" word={t('explorer')} />}
      {may('object.get') && <Entry to="/changes" icon="changes" word={t('changes')} />}
      <Entry to="/requests" icon="wait" word={t('requests')} />
      <div className="group">{t('administration')}</div>
      {may('environment.list') && <Entry to="/environments" icon="environment" word={t('environments')} />}
      {may('project.list') && <Entry to="/projects" icon="projects" word={t('projects')} />}
      {may('tenant.list') && <Entry to="/tenants" icon="tenant" word={t('tenants')} />}
      {may('user.list') && <Entry to="/users" icon="who" word={t('users')} />}
      {may('user.list') && <Entry to="/groups" icon="people" word={t('groups')} />}
      {may('grant.list') && <Entry to="/access" icon="link" word={t('access')} />}
      {may('role.list') && <Entry to="/roles" icon="columns" word={t('roles')} />}
      {may('provider.list') && <Entry to="/providers" icon="enter" word={t('providers')} />}
      {may('setting.update') && <Entry to="/one-time-passwords" icon="lock" word={t('oneTimePasswords')} />}
      {may('setting.update') && <Entry to="/version-settings" icon="changes" word={t('versionSettings')} />}
      <Entry to="/tokens" icon="token" word={t('tokens')} />
      {may('audit.list') && <Entry to="/audit" icon="logs" word={t('audit')} />}
    </nav>
  )
}

/** Ends the session here, and at the provider that it came from. */
function useSignOut(): () => Promise<void> {
  const go = useGo()
  const queries = useQueryClient()
  return async () => {
    const elsewhere = await call(getSignOut).catch(() => undefined)
    await call(deleteSession).catch(() => undefined)
    queries.clear()
    if (elsewhere?.url) location.assign(elsewhere.url)
    else go('/sign-in')
  }
}

function Top({ user, find }: { user: string; find: () => void }) {
  const t = useText(frameTexts)
  const [language, setLanguage] = useLanguage()
  const theme = useTheme()
  const go = useGo()
  const signOut = useSignOut()
  return (
    <header className="top">
      <Context />
      <button type="button" className="button find" onClick={find}>
        <Icon name="search" /> {t('find')} <kbd>{/Mac|iP/.test(navigator.platform) ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <Button kind="plain" title={t('languageTitle')} onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')}>
        {t('language')}
      </Button>
      <Button
        kind="plain"
        icon={theme === 'dark' ? 'sun' : 'moon'}
        aria-label={t('themeTitle')}
        title={t('themeTitle')}
        onClick={() => chooseTheme(theme === 'dark' ? 'light' : 'dark')}
      />
      <Menu
        kind="plain"
        icon="who"
        text={user}
        label={t('who', { user })}
        items={[
          { label: t('account'), icon: 'who', act: () => go('/account') },
          { label: t('signOut'), icon: 'leave', act: () => void signOut() },
        ]}
      />
    </header>
  )
}

/** Which environment is looked at, with its stage as a word in its colour. */
function Context() {
  const t = useText(frameTexts)
  const { current, all, choose, loaded } = useEnvironment()
  const go = useGo()
  const label = current ? `${t('context')}: ${current.name} (${current.stage})` : t('choose')
  return (
    <Menu
      left
      kind="plain"
      label={label}
      text={
        <>
          <Icon name="environment" />
          {current ? (
            <>
              <span className="soft">{current.cluster} /</span> <strong>{current.name}</strong>{' '}
              <Stage stage={current.stage} />
            </>
          ) : (
            loaded && (all.length > 0 ? t('choose') : t('noEnvironment'))
          )}
          <Icon name="down" />
        </>
      }
      head={t('choose')}
      items={[
        ...byProject(all).map((one) => ({
          group: one.project,
          label: (
            <>
              <span className="grow">{one.name}</span> <Stage stage={one.stage} />
            </>
          ),
          act: () => choose(one.name),
        })),
        {
          label: t('environments'),
          icon: 'environment' as const,
          rule: all.length > 0,
          act: () => go('/environments'),
        },
      ]}
    />
  )
}

/** By project, then from dev to prod. */
const STAGES = ['dev', 'test', 'pre', 'prod']
const byProject = (all: readonly Environment[]) =>
  all.toSorted(
    (one, other) =>
      one.project.localeCompare(other.project) ||
      STAGES.indexOf(one.stage) - STAGES.indexOf(other.stage) ||
      one.name.localeCompare(other.name),
  )

/** Says when the server does not answer, and how old what is shown may be. */
function Unreachable() {
  const t = useText(frameTexts)
  const query = useRead(listOperations, { query: { running: true, limit: 5 } }, { everySeconds: 2 })
  if (!isProblem(query.error, serverUnreachable)) return null
  return (
    <div className="pad">
      <Note tone="bad" title={t('unreachable')}>
        {t('unreachableDetail')} <Age time={new Date(query.dataUpdatedAt).toISOString()} />
      </Note>
    </div>
  )
}

/** Says when the platform is not ready although somebody is signed in. */
function SetupNote() {
  const t = useText(frameTexts)
  const { data } = useRead(getSetup, {}, { everySeconds: 10 })
  if (!data || data.ready) return null
  const failed = data.stages.some((stage) => stage.state === 'failed')
  return (
    <div className="pad">
      <Note tone={failed ? 'bad' : 'busy'}>
        {failed ? t('setupFailed') : t('setupRunning')} <Link to="/setup">{t('setupShow')}</Link>
      </Note>
    </div>
  )
}
