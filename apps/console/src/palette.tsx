import {
  call,
  chooseTheme,
  Icon,
  type IconName,
  readKey,
  Stage,
  useGo,
  useLanguage,
  useRead,
  useText,
  useTheme,
} from '@quarterdeck/ui'
import { useQueries } from '@tanstack/react-query'
import { Fragment, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { listApplications } from '../../../features/application/application/application.contract.ts'
import { listClusters } from '../../../features/cluster/cluster/cluster.contract.ts'
import { listPath, objectPath } from '../../../features/cluster/explorer/explore.rules.ts'
import { searchObjects } from '../../../features/cluster/object/object.contract.ts'
import { useEnvironment } from './environment.ts'
import { frameTexts } from './texts.ts'

interface Choice {
  id: string
  /** Objects of one kind stand together under its name. */
  group?: string
  icon: IconName
  text: string
  note?: string
  stage?: string
  act: () => void
}

function useChoices(): Choice[] {
  const t = useText(frameTexts)
  const go = useGo()
  const theme = useTheme()
  const [language, setLanguage] = useLanguage()
  const { all, current, choose } = useEnvironment()
  const clusters = useRead(listClusters)
  const applications = useQueries({
    queries: all.map(({ name }) => ({
      queryKey: readKey(listApplications, { params: { environment: name } }),
      queryFn: () => call(listApplications, { params: { environment: name } }),
    })),
  }).flatMap((query) => query.data?.items ?? [])
  const page = (to: string, icon: IconName, text: string): Choice => ({ id: to, icon, text, act: () => go(to) })
  return [
    ...applications.map(({ name, environment }) => ({
      id: `application/${environment}/${name}`,
      icon: 'apps' as const,
      text: name,
      note: environment,
      stage: all.find((one) => one.name === environment)?.stage ?? '',
      act: () => go(`/environments/${environment}/applications/${name}/overview`),
    })),
    ...all.map((one) => ({
      id: `environment/${one.name}`,
      icon: 'environment' as const,
      text: one.name,
      note: t('context'),
      stage: one.stage,
      act: () => choose(one.name),
    })),
    ...(clusters.data?.items ?? []).map((one) => ({
      id: `cluster/${one.name}`,
      icon: 'cluster' as const,
      text: one.name,
      note: t('clusters'),
      act: () => go(`/clusters/${one.name}`),
    })),
    page(current ? `/deploy?environment=${current.name}` : '/deploy', 'deploy', t('deployAct')),
    page(current ? `/deploy/yaml?environment=${current.name}` : '/deploy/yaml', 'deploy', t('yamlTitle')),
    page('/environments?create=true', 'plus', t('environmentAct')),
    page('/clusters?register=true', 'plus', t('registerAct')),
    page('/tokens', 'token', t('tokenAct')),
    page('/', 'home', t('home')),
    page('/applications', 'apps', t('applications')),
    page('/clusters', 'cluster', t('clusters')),
    page('/explore/pods', 'explore', t('explorer')),
    page('/changes', 'changes', t('changes')),
    page('/environments', 'environment', t('environments')),
    page('/projects', 'projects', t('projects')),
    page('/tenants', 'tenant', t('tenants')),
    page('/providers', 'enter', t('providers')),
    page('/one-time-passwords', 'lock', t('oneTimePasswords')),
    page('/version-settings', 'changes', t('versionSettings')),
    page('/audit', 'logs', t('audit')),
    page('/account', 'who', t('account')),
    { id: 'theme', icon: 'moon', text: t('themeAct'), act: () => chooseTheme(theme === 'dark' ? 'light' : 'dark') },
    { id: 'language', icon: 'turn', text: t('languageAct'), act: () => setLanguage(language === 'zh' ? 'en' : 'zh') },
  ]
}

const SEARCH_MS = 80

/** Objects of every cluster that hold the words, by kind; what was found before stays until the next answer. */
function useObjects(text: string): { choices: Choice[]; asking: boolean } {
  const t = useText(frameTexts)
  const go = useGo()
  const [asked, setAsked] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), SEARCH_MS)
    return () => clearTimeout(timer)
  }, [text])
  const query = useRead(searchObjects, { query: { text: asked, limit: 5 } }, { enabled: asked !== '', keep: true })
  const kinds = asked === '' ? [] : (query.data?.kinds ?? [])
  const choices = kinds.flatMap(({ resource, kind, total, columns, rows }) => [
    ...rows.map((row): Choice => {
      const value = (name: string) => String(row.values[columns.indexOf(name)] ?? '')
      const object = { resource, cluster: row.cluster, namespace: value('namespace'), name: value('name') }
      return {
        id: `${resource}/${row.cluster}/${row.uid}`,
        group: kind,
        icon: 'explore',
        text: object.name,
        note: [value('status'), object.namespace, row.cluster].filter(Boolean).join(' · '),
        act: () => go(objectPath(object)),
      }
    }),
    ...(total > rows.length
      ? [
          {
            id: `${resource}/all`,
            group: kind,
            icon: 'search' as const,
            text: t('allObjects', { total: total.toLocaleString('en'), kind }),
            act: () => go(listPath(resource, { filter: asked })),
          },
        ]
      : []),
  ])
  return { choices, asking: text.trim() !== asked || query.isFetching }
}

/** Choices of the console's own that are shown beside objects. */
const OWN = 8

/** Finds applications, environments, clusters and acts by what they are called, and every object of every cluster. */
export function Palette({ close }: { close: () => void }) {
  const t = useText(frameTexts)
  const box = useRef<HTMLDialogElement>(null)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const words = text.toLowerCase().split(/\s+/)
  const objects = useObjects(text)
  const own = useChoices().filter((choice) =>
    words.every((word) => `${choice.text} ${choice.note ?? ''}`.toLowerCase().includes(word)),
  )
  const found = [...own.slice(0, text.trim() === '' ? 50 : OWN), ...objects.choices]
  useEffect(() => {
    box.current?.showModal()
  }, [])
  const take = (choice: Choice | undefined) => {
    if (!choice) return
    close()
    choice.act()
  }
  const key = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setAt((now) => (now + step + found.length) % Math.max(1, found.length))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      take(found[at])
    }
  }
  return (
    <dialog
      ref={box}
      className="dialog palette"
      aria-label={t('find')}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
    >
      <input
        className="input"
        role="combobox"
        aria-expanded="true"
        aria-controls="choices"
        aria-activedescendant={found[at] ? `choice-${at}` : undefined}
        aria-label={t('findHint')}
        placeholder={t('findHint')}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={key}
        autoFocus
      />
      <div className="list" role="listbox" id="choices" aria-label={t('find')}>
        {found.map((choice, index) => (
          <Fragment key={choice.id}>
            {choice.group && choice.group !== found[index - 1]?.group && (
              <div className="group" role="presentation">
                {choice.group}
              </div>
            )}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keys are heard by the input, which keeps the focus */}
            <div
              id={`choice-${index}`}
              role="option"
              aria-selected={index === at}
              tabIndex={-1}
              onClick={() => take(choice)}
              onPointerMove={() => setAt(index)}
            >
              <Icon name={choice.icon} />
              <span className="grow clip">{choice.text}</span>
              {choice.note && <span className="soft small">{choice.note}</span>}
              {choice.stage && <Stage stage={choice.stage} />}
            </div>
          </Fragment>
        ))}
      </div>
      {found.length === 0 && !objects.asking && <p className="soft pad">{t('nothingFound')}</p>}
    </dialog>
  )
}
