import { isProblem } from '@quarterdeck/kernel'
import {
  Age,
  Button,
  ButtonLink,
  ChangeDialog,
  client,
  Elapsed,
  Failure,
  Heading,
  Icon,
  Link,
  Note,
  PlanPanel,
  readKey,
  Section,
  Skeleton,
  Stage,
  State,
  type Tone,
  useGo,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import {
  getOperation,
  type Operation,
  type OperationStep,
  undoOperation,
  watchOperation,
} from './operation.contract.ts'
import { operationTexts } from './texts.console.tsx'

const TONES: Record<Operation['state'] | OperationStep['state'], Tone> = {
  Accepted: 'busy',
  Running: 'busy',
  Unknown: 'warn',
  Succeeded: 'good',
  Failed: 'bad',
  Waiting: 'mute',
  Skipped: 'mute',
}
const hasEnded = (state: Operation['state']) => state === 'Succeeded' || state === 'Failed'

/** The state of an operation or a step, in words. */
export function OperationState({ state }: { state: Operation['state'] | OperationStep['state'] }) {
  const t = useText(operationTexts)
  return <State tone={TONES[state]}>{t(state)}</State>
}

/** Keeps an operation current by its stream of lines until it has ended; true while the stream is broken. */
function useWatch(id: string, wanted: boolean): boolean {
  const queries = useQueryClient()
  const [broken, setBroken] = useState(false)
  useEffect(() => {
    if (!wanted) return
    const stop = new AbortController()
    const follow = async () => {
      while (!stop.signal.aborted) {
        try {
          for await (const line of client.lines(
            watchOperation,
            { params: { operation: id } },
            { signal: stop.signal },
          )) {
            setBroken(false)
            queries.setQueryData(readKey(getOperation, { params: { operation: id } }), line)
            if (hasEnded(line.state)) {
              await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'operation.get' })
              return
            }
          }
        } catch (error) {
          if (stop.signal.aborted || (isProblem(error) && error.body.status === 404)) return
          setBroken(true)
        }
        await new Promise((done) => setTimeout(done, 1_000))
      }
    }
    void follow()
    return () => stop.abort()
  }, [id, wanted, queries])
  return broken
}

/** One operation: what it does, how far it is, what it waits for, and the way back. */
export function OperationPage({
  operation: id,
  stageOf,
}: {
  operation: string
  stageOf?: (environment: string) => string | undefined
}) {
  const query = useRead(getOperation, { params: { operation: id } })
  const broken = useWatch(id, query.data !== undefined && !hasEnded(query.data.state))
  if (query.data === undefined) {
    return (
      <div className="page">
        {query.error ? <Failure error={query.error} retry={() => void query.refetch()} /> : <Skeleton />}
      </div>
    )
  }
  return (
    <Shown operation={query.data} broken={broken} stage={query.data.environment && stageOf?.(query.data.environment)} />
  )
}

function Shown({ operation, broken, stage }: { operation: Operation; broken: boolean; stage: string | undefined }) {
  const t = useText(operationTexts)
  const [undoing, setUndoing] = useState(false)
  const { environment, application } = operation
  const deleted = operation.type === 'application.delete' && operation.state === 'Succeeded'
  const failed = operation.conditions.filter((condition) => condition.status === 'False' && condition.message)
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{operation.summary}</Heading>
          <p className="cols soft">
            <OperationState state={operation.state} />
            <Elapsed from={operation.startTime ?? operation.acceptTime} to={operation.endTime} />
            <span>{t('by', { actor: operation.actor })}</span>
            <Age time={operation.acceptTime} />
            {environment && (
              <span>
                {operation.cluster} / {environment} {stage && <Stage stage={stage} />}
              </span>
            )}
          </p>
        </div>
        {environment && application && !deleted && (
          <ButtonLink to={`/environments/${environment}/applications/${application}/overview`} icon="apps">
            {t('toApplication', { application })}
          </ButtonLink>
        )}
        {operation.undoable && (
          <Button icon="undo" onClick={() => setUndoing(true)}>
            {t('undo')}
          </Button>
        )}
      </header>
      {broken && <Note tone="warn">{t('gone')}</Note>}
      {operation.state === 'Unknown' && <Note tone="warn">{t('unknownDetail')}</Note>}
      {operation.state === 'Failed' &&
        failed.map((condition) => (
          <Note key={condition.type} tone="bad" title={condition.reason}>
            {condition.message}
          </Note>
        ))}
      {operation.reason && (
        <Note tone="mute" title={t('reason')}>
          {operation.reason}
        </Note>
      )}
      {operation.undoneBy && (
        <Note tone="mute">
          <Link to={`/operations/${operation.undoneBy}`}>{t('undoneBy')}</Link>
        </Note>
      )}
      {operation.undoes && (
        <Note tone="mute">
          <Link to={`/operations/${operation.undoes}`}>{t('undoes')}</Link>
        </Note>
      )}
      <Steps steps={operation.steps} />
      <Section open title={t('planned')} count={operation.plan.hash.slice(0, 8)}>
        <PlanPanel plan={operation.plan} />
      </Section>
      {undoing && <UndoDialog operation={operation} stage={stage} close={() => setUndoing(false)} />}
    </div>
  )
}

function Steps({ steps }: { steps: OperationStep[] }) {
  const t = useText(operationTexts)
  return (
    <section className="card" aria-label={t('steps')}>
      <ol className="steps">
        {steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps keep their order, and two may have one name
          <li key={`${index} ${step.name}`} data-state={step.state}>
            <OperationState state={step.state} />
            <span className="grow">
              {step.name}
              {step.message && <span className="soft small wrap step-message">{step.message}</span>}
            </span>
            <span className="soft small">{step.startTime && <Elapsed from={step.startTime} to={step.endTime} />}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** The inverse of an operation, with its own plan; goes on to the operation that undoes. */
export function UndoDialog({
  operation,
  stage,
  close,
}: {
  operation: { id: string; summary: string; application?: string | undefined }
  stage?: string | undefined
  close: () => void
}) {
  const t = useText(operationTexts)
  const go = useGo()
  const near = stage === 'pre' || stage === 'prod'
  return (
    <ChangeDialog
      title={
        <>
          <Icon name="undo" /> {t('undoTitle', { summary: operation.summary })}
        </>
      }
      act={{
        endpoint: undoOperation,
        params: { operation: operation.id },
        label: t('undo'),
        ...(near && operation.application ? { confirm: { name: operation.application, stage } } : {}),
      }}
      onCancel={close}
      onAccepted={({ id }) => {
        close()
        go(`/operations/${id}`)
      }}
    />
  )
}
