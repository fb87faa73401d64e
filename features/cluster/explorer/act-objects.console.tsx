import { Button, ChangeDialog, Check, Field, isTyping, TextInput, useGo, useRead, useText } from '@quarterdeck/ui'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { listEnvironments } from '../../tenancy/environment/environment.contract.ts'
import {
  cordonNodes,
  drainNodes,
  evictPods,
  MOST_CHOSEN,
  MOST_NODES,
  restartObjects,
  scaleObjects,
  uncordonNodes,
} from '../object/act.contract.ts'
import { ACT_KEYS, type ActName, bodyOf, replicasOf } from './act-kind.rules.ts'
import { actTexts } from './act-texts.console.tsx'
import type { Doomed } from './delete-objects.console.tsx'
import { deletionGroups } from './explore.rules.ts'

const ENDPOINTS = {
  scale: scaleObjects,
  restart: restartObjects,
  move: evictPods,
  cordon: cordonNodes,
  uncordon: uncordonNodes,
  drain: drainNodes,
}
export const ACT_ICONS = {
  scale: 'scale',
  restart: 'restart',
  move: 'leave',
  cordon: 'lock',
  uncordon: 'check',
  drain: 'fall',
} as const
const HARSH: readonly ActName[] = ['drain', 'move']
const LOSING: readonly ActName[] = ['drain', 'move']

interface Acting {
  act: ActName
  /** Of one kind. */
  objects: readonly Doomed[]
  close: () => void
  /** Called when all operations were accepted. */
  done: () => void
}

/**
 * Does something with objects, each namespace of each cluster by an operation of its own with its own plan; where the
 * namespace is an environment near customers its name has to be typed for what ends pods.
 */
export function ActDialog({ act, objects, close, done }: Acting) {
  const t = useText(actTexts)
  const go = useGo()
  const [step, setStep] = useState(0)
  const [replicas, setReplicas] = useState('')
  const [lost, setLost] = useState(false)
  const { data } = useRead(listEnvironments)
  const groups = deletionGroups(
    objects,
    act === 'cordon' || act === 'uncordon' || act === 'drain' ? MOST_NODES : MOST_CHOSEN,
  )
  const group = groups[step]
  if (!group || !data) return null
  const environment = data.items.find(
    ({ cluster, namespace }) => cluster === group.cluster && namespace === group.namespace,
  )
  const count = replicasOf(replicas)
  const place = [group.cluster, group.namespace].filter(Boolean).join(' / ')
  const title = t(`${act}Title`, { count: group.objects.length, place })
  const harsh = HARSH.includes(act)
  return (
    <ChangeDialog
      key={step}
      title={groups.length > 1 ? `${title} (${step + 1}/${groups.length})` : title}
      act={{
        endpoint: ENDPOINTS[act],
        params: { cluster: group.cluster },
        body: bodyOf(act, group, { replicas: count ?? 0, lost }),
        label: t(act),
        danger: harsh,
        waiting: act === 'scale' && count === undefined ? t('howMany') : undefined,
        confirm:
          harsh && environment?.stage === 'prod' ? { name: environment.name, stage: environment.stage } : undefined,
      }}
      onCancel={close}
      onAccepted={({ id }) => {
        if (step + 1 < groups.length) return setStep(step + 1)
        done()
        go(`/operations/${id}`)
      }}
    >
      {act === 'scale' && (
        <Field label={t('replicas')} error={replicas !== '' && count === undefined ? t('noCount') : undefined}>
          {(control) => (
            <TextInput {...control} value={replicas} onChange={setReplicas} inputMode="numeric" autoFocus />
          )}
        </Field>
      )}
      {LOSING.includes(act) && (
        <Check checked={lost} onChange={setLost}>
          {t('lost')}
        </Check>
      )}
    </ChangeDialog>
  )
}

/** Buttons for what can be done with these objects; each has a key of its own. */
export function ActButtons({ acts, onAct }: { acts: readonly ActName[]; onAct: (act: ActName) => void }) {
  const t = useText(actTexts)
  return acts.map((act) => (
    <Button
      key={act}
      small
      icon={ACT_ICONS[act]}
      title={`${t(act)} (${ACT_KEYS[act]})`}
      aria-keyshortcuts={ACT_KEYS[act]}
      onClick={() => onAct(act)}
    >
      {t(act)}
    </Button>
  ))
}

const JUMP_MS = 1_500

/**
 * Does what a key stands for, unless somebody types or a window is open. A key after g is a jump to another page and
 * none of these. `unlessPicked`: what is picked in the list has the keys.
 */
export function useKeys(keys: Readonly<Record<string, () => void>>, { unlessPicked = false } = {}): void {
  const jump = useRef(0)
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('dialog[open], :popover-open, [role="menu"]')) return
      const jumping = event.timeStamp - jump.current < JUMP_MS && jump.current > 0
      jump.current = event.key === 'g' ? event.timeStamp : 0
      if (unlessPicked && document.querySelector('.bulk')) return
      const act = keys[event.key]
      if (!act || jumping || event.defaultPrevented) return
      event.preventDefault()
      act()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  })
}

/** The acts of a kind, with the window of the one that was chosen. */
export function useActs({
  acts,
  objects,
  done,
  unlessPicked = false,
}: Pick<Acting, 'objects' | 'done'> & { acts: readonly ActName[]; unlessPicked?: boolean }): {
  choose: (act: ActName) => void
  dialog: ReactNode
} {
  const [chosen, setChosen] = useState<ActName>()
  useKeys(Object.fromEntries(acts.map((act) => [ACT_KEYS[act], () => setChosen(act)])), { unlessPicked })
  const close = () => setChosen(undefined)
  const dialog = chosen && (
    <ActDialog
      act={chosen}
      objects={objects}
      close={close}
      done={() => {
        close()
        done()
      }}
    />
  )
  return { choose: setChosen, dialog }
}
