import { type AnyEndpoint, Problem } from '@quarterdeck/kernel'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type ReactNode, useRef, useState } from 'react'
import { call, useReadAgain } from '../api.tsx'
import { Button } from '../button.tsx'
import { Check, Field, Note, TextInput } from '../form.tsx'
import { Dialog } from '../overlay.tsx'
import { Failure, Skeleton } from '../state.tsx'
import { useText } from '../text.ts'
import { partTexts } from '../texts.ts'
import { isEmpty, managersOf, type PlanView } from './plan.ts'
import { PlanPanel } from './plan-panel.tsx'
import { ShowAs } from './show-as-panel.tsx'

/** One mutating act before it is accepted. `confirm` asks for the name to be typed: what is gone near customers. */
export interface Act {
  endpoint: AnyEndpoint
  params: Record<string, string>
  body?: unknown
  /** What the button says: Deploy, Delete … */
  label: string
  danger?: boolean
  confirm?: { name: string; stage: string } | undefined
  /** Said instead of a plan while the fields do not hold enough to ask for one. */
  waiting?: string | undefined
}

interface Answers {
  onCancel: () => void
  /** Called with the accepted operation. */
  onAccepted: (operation: { id: string }) => void
  cancelLabel?: string
}

/** An idempotency key; works without a secure context too. */
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** True when asking again may be answered otherwise without anything being changed here. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof Problem) || error.body.status >= 500 || error.body.status === 429

/** The key of a request: the same while the request is the same, so that asking again after a lost answer is safe. */
function keyOf(kept: { of: string; value: string }, request: unknown): string {
  const of = JSON.stringify(request)
  if (kept.of !== of) Object.assign(kept, { of, value: newKey() })
  return kept.value
}

function usePlan(act: Act, force: boolean) {
  const { endpoint, params, body } = act
  return useQuery<PlanView, Error>({
    queryKey: ['plan', endpoint.id, params, body ?? null, force],
    queryFn: ({ signal }) =>
      call(
        endpoint,
        { params, query: { dryRun: true, ...(force ? { force } : {}) }, ...(body === undefined ? {} : { body }) },
        { signal },
      ) as Promise<PlanView>,
    enabled: act.waiting === undefined,
    retry: false,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  })
}

/**
 * The panel that every mutating act ends on: dry run first, then accept with the plan's hash and an idempotency key,
 * so that pressing twice, or a lost answer, does it once.
 */
export function useChange(
  act: Act,
  { onCancel, onAccepted, cancelLabel }: Answers,
): { body: ReactNode; footer: ReactNode } {
  const t = useText(partTexts)
  const readAgain = useReadAgain()
  const key = useRef({ of: '', value: '' })
  const [force, setForce] = useState(false)
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [stale, setStale] = useState(false)
  const plan = usePlan(act, force)
  const query = { ...(force ? { force } : {}), ...(reason ? { reason } : {}) }
  const accept = useMutation<{ id: string }, Error>({
    mutationFn: () =>
      call(
        act.endpoint,
        {
          params: act.params,
          query: { ...query, planHash: plan.data?.hash },
          ...(act.body === undefined ? {} : { body: act.body }),
        },
        { idempotencyKey: keyOf(key.current, [act.params, act.body, query, plan.data?.hash]) },
      ) as Promise<{ id: string }>,
    onSuccess: async (operation) => {
      await readAgain()
      onAccepted(operation)
    },
    onError: (error) => {
      if (!(error instanceof Problem) || error.body.type !== '/problems/plan-changed') return
      setStale(true)
      void plan.refetch()
    },
  })
  const conflicted = plan.data !== undefined && (force || managersOf(plan.data).length > 0)
  const ready =
    plan.data !== undefined &&
    act.waiting === undefined &&
    !plan.isFetching &&
    plan.data.blockers.length === 0 &&
    !isEmpty(plan.data) &&
    (!conflicted || force) &&
    (!act.confirm || typed === act.confirm.name)
  const body = (
    <div className="rows">
      {stale && <Note tone="warn">{t('planChanged')}</Note>}
      {act.waiting && <p className="soft">{act.waiting}</p>}
      {plan.isPending && !act.waiting && (
        <div role="status">
          <p className="soft">{t('planning')}</p>
          <Skeleton lines={4} />
        </div>
      )}
      {plan.error && !plan.data && (
        <Failure error={plan.error} {...(mayPass(plan.error) ? { retry: () => void plan.refetch() } : {})} />
      )}
      {plan.data && <PlanPanel plan={plan.data} />}
      {conflicted && (
        <div>
          <Check checked={force} onChange={setForce}>
            {t('takeOver')}
          </Check>
          <p className="soft small">{t('conflictsDetail', { managers: managersOf(plan.data).join(', ') })}</p>
        </div>
      )}
      {plan.data && !isEmpty(plan.data) && (
        <Field label={t('reason')} term={t('optional')} hint={t('reasonHint')}>
          {(control) => <TextInput {...control} value={reason} maxLength={500} onChange={setReason} />}
        </Field>
      )}
      {act.confirm && plan.data && (
        <Field label={t('typeName', { name: act.confirm.name, stage: act.confirm.stage.toUpperCase() })}>
          {(control) => <TextInput {...control} value={typed} onChange={setTyped} />}
        </Field>
      )}
      {!act.waiting && (
        <ShowAs
          endpoint={act.endpoint}
          input={{ params: act.params, query, body: act.body }}
          changes={plan.data?.changes}
        />
      )}
      {accept.error && !stale && <Failure error={accept.error} />}
    </div>
  )
  const footer = (
    <>
      <Button onClick={onCancel}>{cancelLabel ?? t('cancel')}</Button>
      <Button
        kind={act.danger ? 'danger' : 'primary'}
        disabled={!ready}
        busy={accept.isPending}
        onClick={() => {
          setStale(false)
          accept.mutate()
        }}
      >
        {act.label}
      </Button>
    </>
  )
  return { body, footer }
}

/** The plan in a window. `children` are the few fields that the act needs, above the plan. */
export function ChangeDialog({
  title,
  act,
  children,
  ...answers
}: Answers & { title: ReactNode; act: Act; children?: ReactNode }) {
  const { body, footer } = useChange(act, answers)
  return (
    <Dialog title={title} close={answers.onCancel} footer={footer}>
      <div className="rows">
        {children}
        {body}
      </div>
    </Dialog>
  )
}

/** The plan as a part of a page. */
export function ChangePanel({ act, ...answers }: Answers & { act: Act }) {
  const { body, footer } = useChange(act, answers)
  return (
    <div className="rows">
      {body}
      <div className="cols page-acts">{footer}</div>
    </div>
  )
}
