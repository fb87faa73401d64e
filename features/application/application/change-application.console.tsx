import { ChangeDialog, Field, Select, TextInput, useGo, useRead, useText } from '@quarterdeck/ui'
import { useDeferredValue, useState } from 'react'
import { listTags } from '../../image/image/image.contract.ts'
import {
  type Application,
  deleteApplication,
  restartApplication,
  scaleApplication,
  setApplicationImage,
} from './application.contract.ts'
import { applicationTexts } from './texts.console.tsx'

export type ActName = 'image' | 'scale' | 'restart' | 'delete'

interface ActProps {
  application: Pick<Application, 'name' | 'environment' | 'image' | 'replicas'>
  stage: string | undefined
  close: () => void
}

/** The window of one act on an application: its few fields, then the plan. */
export function ActDialog({ act, ...rest }: ActProps & { act: ActName }) {
  if (act === 'image') return <ImageDialog {...rest} />
  if (act === 'scale') return <ScaleDialog {...rest} />
  if (act === 'restart') return <RestartDialog {...rest} />
  return <DeleteDialog {...rest} />
}

function useAct({ application, close }: ActProps) {
  const go = useGo()
  return {
    t: useText(applicationTexts),
    params: { environment: application.environment, application: application.name },
    answers: {
      onCancel: close,
      onAccepted: ({ id }: { id: string }) => {
        close()
        go(`/operations/${id}`)
      },
    },
  }
}

function ScaleDialog(props: ActProps) {
  const { t, params, answers } = useAct(props)
  const { name, replicas } = props.application
  const [text, setText] = useState(String(replicas))
  const wanted = useDeferredValue(text)
  const body = scaleApplication.body.safeParse({ replicas: wanted === '' ? undefined : Number(wanted) })
  return (
    <ChangeDialog
      title={t('scaleTitle', { name })}
      act={{ endpoint: scaleApplication, params, body: body.data ?? { replicas }, label: t('scale') }}
      {...answers}
    >
      <Field
        label={t('replicas')}
        hint={t('replicasHint', { now: replicas })}
        error={body.success ? undefined : body.error.issues[0]?.message}
      >
        {(control) => (
          <TextInput {...control} type="number" min={0} max={1_000} value={text} onChange={setText} autoFocus />
        )}
      </Field>
    </ChangeDialog>
  )
}

const repositoryOf = (image: string) => image.replace(/@.*$/, '').replace(/:[^:/]*$/, '')

function ImageDialog(props: ActProps) {
  const { t, params, answers } = useAct(props)
  const { name, image } = props.application
  const [chosen, setChosen] = useState(image)
  const [typing, setTyping] = useState(false)
  const wanted = useDeferredValue(chosen)
  const tags = useRead(listTags, { query: { repository: repositoryOf(image) } })
  const body = setApplicationImage.body.safeParse({ image: wanted })
  const options = (tags.data?.items ?? []).map((tag) => ({ value: tag.image, label: tag.tag }))
  if (!options.some((option) => option.value === image)) options.push({ value: image, label: image })
  const other = { value: '', label: `${t('otherImage')} …` }
  return (
    <ChangeDialog
      title={t('imageTitle', { name })}
      act={{ endpoint: setApplicationImage, params, body: body.data ?? { image }, label: t('deploy') }}
      {...answers}
    >
      {tags.data && (
        <Field label={t('tags')} hint={t('imageNow', { image })}>
          {(control) => (
            <Select
              {...control}
              value={typing ? '' : chosen}
              options={[...options, other]}
              onChange={(next) => {
                setTyping(next === '')
                setChosen(next === '' ? image : next)
              }}
            />
          )}
        </Field>
      )}
      {(typing || tags.error) && (
        <Field
          label={t('image')}
          hint={t('imageNow', { image })}
          error={body.success ? undefined : body.error.issues[0]?.message}
        >
          {(control) => <TextInput {...control} className="mono" value={chosen} onChange={setChosen} />}
        </Field>
      )}
    </ChangeDialog>
  )
}

function RestartDialog(props: ActProps) {
  const { t, params, answers } = useAct(props)
  return (
    <ChangeDialog
      title={t('restartTitle', { name: props.application.name })}
      act={{ endpoint: restartApplication, params, label: t('restart') }}
      {...answers}
    />
  )
}

function DeleteDialog(props: ActProps) {
  const { t, params, answers } = useAct(props)
  const { name } = props.application
  const near = props.stage === 'pre' || props.stage === 'prod'
  return (
    <ChangeDialog
      title={t('deleteTitle', { name })}
      act={{
        endpoint: deleteApplication,
        params,
        label: t('delete'),
        danger: true,
        confirm: near ? { name, stage: props.stage ?? '' } : undefined,
      }}
      {...answers}
    />
  )
}
