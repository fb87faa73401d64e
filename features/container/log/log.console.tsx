import {
  Button,
  Check,
  client,
  defineTexts,
  detailOf,
  LogBuffer,
  LogScreen,
  Note,
  Select,
  TextInput,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useDeferredValue, useEffect, useRef, useState } from 'react'
import { downloadLogs, type LogFrame, readLogs } from './log.contract.ts'

const texts = defineTexts(
  'log',
  {
    logs: 'Logs of {{application}}',
    pod: 'Pod',
    container: 'Container',
    allPods: 'all pods',
    allContainers: 'all containers',
    search: 'Find in the logs',
    follow: 'Follow',
    pause: 'Pause',
    previous: 'previous container (before its last restart)',
    times: 'times',
    download: 'Download',
    keep: 'Dock',
    keepHint: 'Keep them in sight below while you go to other pages',
    close: 'Take out of the dock',
    lines_one: '{{count}} line',
    lines_other: '{{count}} lines',
    dropped_one: '{{count}} older line is no longer held here; the download goes back 100,000',
    dropped_other: '{{count}} older lines are no longer held here; the download goes back 100,000',
    held_one: '{{count}} new line waits',
    held_other: '{{count}} new lines wait',
    none: 'Nothing has been written yet.',
    noneFound: 'No line holds this text.',
    broken: 'The stream broke and is tried again: {{detail}}',
    toEnd: 'To the newest',
  },
  {
    logs: '{{application}} 的日志',
    pod: 'Pod',
    container: '容器',
    allPods: '全部 Pod',
    allContainers: '全部容器',
    search: '在日志中查找',
    follow: '实时',
    pause: '暂停',
    previous: '上一个容器（重启之前）',
    times: '时间',
    download: '下载',
    keep: '停靠',
    keepHint: '切换页面时在底部继续显示',
    close: '移出停靠栏',
    lines_other: '{{count}} 行',
    dropped_other: '较早的 {{count}} 行不再保留在页面中，下载最多可取得 100,000 行',
    held_other: '有 {{count}} 行新日志',
    none: '还没有日志输出。',
    noneFound: '没有包含该内容的日志。',
    broken: '日志流中断，正在重连：{{detail}}',
    toEnd: '回到最新',
  },
)

interface LogQuery {
  pod: string
  container: string
  search: string
  previous: boolean
}
const asked = ({ pod, container, search, previous }: LogQuery) => ({
  ...(pod ? { pod } : {}),
  ...(container ? { container } : {}),
  ...(search ? { search } : {}),
  previous,
})

const shownOf = (frame: LogFrame) =>
  'note' in frame
    ? { time: '', pod: frame.pod ?? '', container: '', text: frame.note, remark: true as const }
    : { time: frame.time, pod: frame.pod, container: frame.container, text: frame.text }

/** Streams into a ring of 50,000 lines and redraws at most every 100 ms, however fast they come. */
function useLogs(params: { environment: string; application: string }, query: LogQuery, paused: boolean) {
  const { pod, container, search, previous } = query
  const { environment, application } = params
  const buffer = useRef(new LogBuffer())
  const held = useRef<LogFrame[]>([])
  const pausedNow = useRef(paused)
  const [version, setVersion] = useState(0)
  const [waiting, setWaiting] = useState(0)
  const [failure, setFailure] = useState<unknown>()
  useEffect(() => {
    pausedNow.current = paused
    if (paused) return
    for (const frame of held.current.splice(0)) buffer.current.push(shownOf(frame))
    setWaiting(0)
    setVersion((now) => now + 1)
  }, [paused])
  useEffect(() => {
    const stop = new AbortController()
    let dirty = true
    const redraw = setInterval(() => {
      if (!dirty) return
      dirty = false
      setVersion((now) => now + 1)
      setWaiting(held.current.length)
    }, 100)
    const read = async () => {
      let more = true
      while (more && !stop.signal.aborted) {
        buffer.current.clear()
        held.current = []
        dirty = true
        try {
          const call = {
            params: { environment, application },
            query: {
              ...asked({ pod, container, search, previous }),
              follow: !previous,
              tailLines: search ? 100_000 : 2_000,
            },
          }
          for await (const frame of client.lines(readLogs, call, { signal: stop.signal })) {
            if (pausedNow.current) {
              held.current.push(frame)
              if (held.current.length > 50_000) held.current.shift()
            } else buffer.current.push(shownOf(frame))
            dirty = true
            setFailure(undefined)
          }
          more = !previous
        } catch (error) {
          if (stop.signal.aborted) return
          setFailure(error)
        }
        if (more) await new Promise((done) => setTimeout(done, 2_000))
      }
    }
    void read()
    return () => {
      stop.abort()
      clearInterval(redraw)
    }
  }, [environment, application, pod, container, search, previous])
  return { buffer: buffer.current, version, waiting, failure }
}

interface Place {
  environment: string
  application: string
}
/** Where what is looked at is kept: the page's address, or the component itself in the dock. */
type UseValue = (name: string) => [string, (value: string) => void]
const useOwnValue: UseValue = () => useState('')

/** Logs of all pods of an application, live, or of one pod and container. */
export const LogsTab = (props: Place & { pods: readonly Pod[]; keep?: () => void }) => (
  <Logs {...props} useValue={useUrlValue} />
)

/** The same in the dock, of all pods. */
export const DockLogs = (props: Place & { close: () => void }) => <Logs {...props} pods={[]} useValue={useOwnValue} />

interface Pod {
  name: string
  containers: { name: string }[]
}

function Logs({
  environment,
  application,
  pods,
  keep,
  close,
  useValue,
}: Place & { pods: readonly Pod[]; keep?: () => void; close?: () => void; useValue: UseValue }) {
  const t = useText(texts)
  const [pod, setPod] = useValue('pod')
  const [container, setContainer] = useValue('container')
  const [search, setSearch] = useValue('search')
  const [previous, setPrevious] = useValue('previous')
  const [times, setTimes] = useValue('times')
  const [paused, setPaused] = useState(false)
  const [follow, setFollow] = useState(true)
  const query = { pod, container, search: useDeferredValue(search), previous: previous === 'true' }
  const logs = useLogs({ environment, application }, query, paused)
  const containers = [
    ...new Set(pods.filter((one) => !pod || one.name === pod).flatMap((one) => one.containers.map((c) => c.name))),
  ]
  const download = client.url(downloadLogs, {
    params: { environment, application },
    query: { ...asked(query), tailLines: 100_000 },
  })
  const choices = (all: string, names: string[], chosen: string) => [
    { value: '', label: all },
    ...[...new Set(chosen ? [...names, chosen] : names)].map((name) => ({ value: name, label: name })),
  ]
  return (
    <div className="fill rows tight">
      <div className="cols">
        <div className="pick">
          <Select
            aria-label={t('pod')}
            value={pod}
            onChange={setPod}
            options={choices(
              t('allPods'),
              pods.map((one) => one.name),
              pod,
            )}
          />
        </div>
        <div className="pick">
          <Select
            aria-label={t('container')}
            value={container}
            onChange={setContainer}
            options={choices(t('allContainers'), containers, container)}
          />
        </div>
        <div className="pick wide">
          <TextInput
            type="search"
            aria-label={t('search')}
            placeholder={t('search')}
            value={search}
            onChange={setSearch}
          />
        </div>
        <Check checked={previous === 'true'} onChange={(on) => setPrevious(on ? 'true' : '')}>
          {t('previous')}
        </Check>
        <Check checked={times === 'true'} onChange={(on) => setTimes(on ? 'true' : '')}>
          {t('times')}
        </Check>
        <span className="grow" />
        <Button icon={paused ? 'play' : 'pause'} aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? t('follow') : t('pause')}
        </Button>
        {keep && (
          <Button icon="down" title={t('keepHint')} onClick={keep}>
            {t('keep')}
          </Button>
        )}
        {close && <Button icon="cross" aria-label={t('close')} title={t('close')} onClick={close} />}
        <a className="button" href={download} download>
          {t('download')}
        </a>
      </div>
      {logs.failure !== undefined && <Note tone="warn">{t('broken', { detail: detailOf(logs.failure) })}</Note>}
      <LogScreen
        buffer={logs.buffer}
        version={logs.version}
        follow={follow && !paused}
        onFollow={setFollow}
        search={query.search}
        times={times === 'true'}
        label={t('logs', { application })}
      />
      <p className="cols soft small" role="status">
        {logs.buffer.size === 0 ? (query.search ? t('noneFound') : t('none')) : t('lines', { count: logs.buffer.size })}
        {logs.buffer.dropped > 0 && <span>{t('dropped', { count: logs.buffer.dropped })}</span>}
        {logs.waiting > 0 && <span>{t('held', { count: logs.waiting })}</span>}
        {!follow && !paused && (
          <Button small onClick={() => setFollow(true)}>
            {t('toEnd')}
          </Button>
        )}
      </p>
    </div>
  )
}
