import {
  Button,
  call,
  client,
  defineTexts,
  Empty,
  Failure,
  Field,
  Note,
  Select,
  type SocketState,
  TerminalScreen,
  useRead,
  useReadAgain,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { attachTerminal, closeTerminal, listTerminals, openTerminal, type Terminal } from './terminal.contract.ts'

const texts = defineTexts(
  'terminal',
  {
    pod: 'Pod',
    container: 'Container',
    open: 'Open a shell',
    end: 'End',
    title: 'Terminal in {{pod}}',
    none: 'No shell is open here',
    noneDetail:
      'It opens in the container that you choose, with the best shell that it has. It goes on when you leave this page; the dock below keeps it.',
    noPods: 'No pod is running',
    noPodsDetail: 'A shell needs a running container. Scale the application to 1 or more first.',
    connecting: 'connecting',
    lost: 'The connection broke; it is tried again. What was written meanwhile is not lost.',
    ended: 'Ended',
    exit: 'Ended with exit code {{code}}.',
    simulated: 'Containers on simulated nodes do not really run, so there may be no shell.',
    terminals: 'Terminals',
  },
  {
    pod: 'Pod',
    container: '容器',
    open: '打开终端',
    end: '结束',
    title: '{{pod}} 的终端',
    none: '这里还没有打开的终端',
    noneDetail: '在所选容器中打开，自动使用容器里最合适的 shell。离开本页后会继续运行，可从底部停靠栏回来。',
    noPods: '没有运行中的 Pod',
    noPodsDetail: '终端需要运行中的容器，请先把副本数设为 1 以上。',
    connecting: '正在连接',
    lost: '连接中断，正在重连。期间的输出不会丢失。',
    ended: '已结束',
    exit: '已结束，退出码 {{code}}。',
    simulated: '模拟节点上的容器并不真正运行，可能没有 shell。',
    terminals: '终端',
  },
)

/** My open terminals, for the dock and for an application's page. */
export const useTerminals = () => useRead(listTerminals, {}, { everySeconds: 5 })

/** One terminal's screen with what it is and how to end it. */
export function TerminalView({ terminal }: { terminal: Terminal }) {
  const t = useText(texts)
  const readAgain = useReadAgain()
  const [state, setState] = useState<SocketState>('connecting')
  const [ended, setEnded] = useState<{ exitCode: number | null; message: string }>()
  const refresh = () => readAgain(listTerminals)
  const end = useMutation({
    mutationFn: () => call(closeTerminal, { params: { terminal: terminal.id } }),
    onSettled: refresh,
  })
  return (
    <div className="fill rows tight">
      <div className="cols">
        <span className="mono small">
          {terminal.pod} / {terminal.container}
        </span>
        <span className="soft small mono">{terminal.command.join(' ')}</span>
        {state === 'connecting' && <span className="soft small">{t('connecting')}</span>}
        <span className="grow" />
        <Button small icon="cross" onClick={() => end.mutate()}>
          {t('end')}
        </Button>
      </div>
      {state === 'lost' && <Note tone="warn">{t('lost')}</Note>}
      {ended && (
        <Note tone="mute">
          {ended.message || (ended.exitCode === null ? t('ended') : t('exit', { code: ended.exitCode }))}
        </Note>
      )}
      <TerminalScreen
        label={t('title', { pod: terminal.pod })}
        urlAt={(offset) => client.socketUrl(attachTerminal, { params: { terminal: terminal.id }, query: { offset } })}
        onState={setState}
        onEnded={(how) => {
          setEnded(how)
          void refresh()
        }}
      />
    </div>
  )
}

/** Opens a shell in one of an application's containers, and shows the one that is open. */
export function TerminalTab({
  environment,
  pods,
}: {
  environment: string
  pods: { name: string; phase: string; deleting: boolean; containers: { name: string; kind: string }[] }[]
}) {
  const t = useText(texts)
  const readAgain = useReadAgain()
  const [podWanted, setPod] = useUrlValue('pod')
  const [containerWanted, setContainer] = useUrlValue('container')
  const [shown, setShown] = useUrlValue('terminal')
  const terminals = useTerminals()
  const alive = pods.filter((pod) => pod.phase === 'Running' && !pod.deleting)
  const pod = alive.find((one) => one.name === podWanted) ?? alive[0]
  const container =
    pod?.containers.find((one) => one.name === containerWanted) ?? pod?.containers.find((one) => one.kind === 'main')
  const open = useMutation<Terminal, Error>({
    mutationFn: () =>
      call(openTerminal, {
        params: { environment, pod: pod?.name ?? '' },
        body: container ? { container: container.name } : {},
      }),
    onSuccess: async (terminal) => {
      await readAgain(listTerminals)
      setShown(terminal.id)
    },
  })
  const mine = (terminals.data?.items ?? []).filter(
    (one) => one.environment === environment && pods.some((known) => known.name === one.pod),
  )
  const current = mine.find((one) => one.id === shown) ?? mine.find((one) => one.state === 'Open')
  if (alive.length === 0 && !current) return <Empty title={t('noPods')}>{t('noPodsDetail')}</Empty>
  return (
    <div className="fill rows tight">
      <form
        className="cols bottom"
        onSubmit={(event) => {
          event.preventDefault()
          open.mutate()
        }}
      >
        <div className="pick wide">
          <Field label={t('pod')}>
            {(control) => (
              <Select
                {...control}
                value={pod?.name ?? ''}
                onChange={setPod}
                options={alive.map((one) => ({ value: one.name, label: one.name }))}
              />
            )}
          </Field>
        </div>
        <div className="pick">
          <Field label={t('container')}>
            {(control) => (
              <Select
                {...control}
                value={container?.name ?? ''}
                onChange={setContainer}
                options={(pod?.containers ?? []).map((one) => ({ value: one.name, label: one.name }))}
              />
            )}
          </Field>
        </div>
        <Button type="submit" kind="primary" icon="terminal" busy={open.isPending} disabled={!pod}>
          {t('open')}
        </Button>
        {mine.length > 1 && (
          <div className="pick">
            <Field label={t('terminals')}>
              {(control) => (
                <Select
                  {...control}
                  value={current?.id ?? ''}
                  onChange={setShown}
                  options={mine.map((one, index) => ({ value: one.id, label: `${index + 1} · ${one.container}` }))}
                />
              )}
            </Field>
          </div>
        )}
      </form>
      {open.error && <Failure error={open.error} />}
      {current ? (
        <TerminalView key={current.id} terminal={current} />
      ) : (
        <Empty title={t('none')}>{t('noneDetail')}</Empty>
      )}
    </div>
  )
}
