import { ChangeDialog, useGo, useRead, useText } from '@quarterdeck/ui'
import { useState } from 'react'
import { listEnvironments } from '../../tenancy/environment/environment.contract.ts'
import { deleteObjects, MOST_DELETED } from '../object/object.contract.ts'
import { deletionGroups, type ObjectRef } from './explore.rules.ts'
import { exploreTexts } from './texts.console.tsx'

/** An object that is to be deleted: this very one, not one made anew under its name. */
export interface Doomed extends ObjectRef {
  uid?: string | undefined
}

/**
 * Deletes objects, each namespace of each cluster by an operation of its own with its own plan; where the namespace is an
 * environment near customers its name has to be typed.
 */
export function DeleteDialog({
  objects,
  close,
  done,
}: {
  objects: readonly Doomed[]
  close: () => void
  /** Called when all operations were accepted. */
  done: () => void
}) {
  const t = useText(exploreTexts)
  const go = useGo()
  const [step, setStep] = useState(0)
  const { data } = useRead(listEnvironments)
  const groups = deletionGroups(objects, MOST_DELETED)
  const group = groups[step]
  if (!group || !data) return null
  const environment = data.items.find(
    ({ cluster, namespace }) => cluster === group.cluster && namespace === group.namespace,
  )
  const place = [group.cluster, group.namespace].filter(Boolean).join(' / ')
  const title = t('deleteTitle', { count: group.objects.length, place })
  return (
    <ChangeDialog
      key={step}
      title={groups.length > 1 ? `${title} (${step + 1}/${groups.length})` : title}
      act={{
        endpoint: deleteObjects,
        params: { cluster: group.cluster },
        body: {
          namespace: group.namespace,
          objects: group.objects.map(({ resource, name, uid }) => ({ resource, name, ...(uid ? { uid } : {}) })),
        },
        label: t('delete'),
        danger: true,
        confirm: environment?.stage === 'prod' ? { name: environment.name, stage: environment.stage } : undefined,
      }}
      onCancel={close}
      onAccepted={({ id }) => {
        if (step + 1 < groups.length) return setStep(step + 1)
        done()
        go(`/operations/${id}`)
      }}
    />
  )
}
