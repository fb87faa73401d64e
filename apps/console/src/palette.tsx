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
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { listApplications } from '../../../features/application/application/application.contract.ts'
import { listClusters } from '../../../features/cluster/cluster/cluster.contract.ts'
import { useEnvironment } from './environment.ts'
import { frameTexts } from './texts.ts'

interface Choice {
  id: string
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
    page('/environments', 'environment', t('environments')),
    page('/account', 'who', t('account')),
    { id: 'theme', icon: 'moon', text: t('themeAct'), act: () => chooseTheme(theme === 'dark' ? 'light' : 'dark') },
    { id: 'language', icon: 'turn', text: t('languageAct'), act: () => setLanguage(language === 'zh' ? 'en' : 'zh') },
  ]
}

/** Finds applications, environments, clusters and acts by what they are called. */
export function Palette({ close }: { close: () => void }) {
  const t = useText(frameTexts)
  const box = useRef<HTMLDialogElement>(null)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const words = text.toLowerCase().split(/\s+/)
  const found = useChoices()
    .filter((choice) => words.every((word) => `${choice.text} ${choice.note ?? ''}`.toLowerCase().includes(word)))
    .slice(0, 50)
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
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are heard by the input, which keeps the focus
          <div
            key={choice.id}
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
        ))}
      </div>
      {found.length === 0 && <p className="soft pad">{t('nothingFound')}</p>}
    </dialog>
  )
}
