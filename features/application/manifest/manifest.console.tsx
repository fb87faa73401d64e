import { Button, ChangePanel, Code, defineTexts, Field, FileText, TextInput, useGo, useText } from '@quarterdeck/ui'
import { useState } from 'react'
import { applyManifests } from './manifest.contract.ts'

const texts = defineTexts(
  'manifest',
  {
    name: 'Name of the application',
    yaml: 'Kubernetes objects',
    hint: 'Documents apart by ---. Write it, paste it, or drop a file here. Namespaced kinds, without a namespace or with that of the environment.',
    file: 'Choose a file',
    toPlan: 'Show the plan',
    back: 'Back to the YAML',
    apply: 'Apply',
    edit: 'Edit',
    cancel: 'Cancel',
    now: 'YAML',
    fill: 'Needs a name and at least one object.',
  },
  {
    name: '应用名称',
    yaml: 'Kubernetes 对象',
    hint: '多个文档用 --- 分隔。可直接编写、粘贴或拖入文件。只支持命名空间级资源，命名空间可不写，或与环境一致。',
    file: '选择文件',
    toPlan: '查看计划',
    back: '返回 YAML',
    apply: '应用变更',
    edit: '编辑',
    cancel: '取消',
    now: 'YAML',
    fill: '需要填写名称和至少一个对象。',
  },
)

const SAMPLE = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
spec:
  replicas: 1
  selector:
    matchLabels: { app: NAME }
  template:
    metadata:
      labels: { app: NAME }
    spec:
      containers:
        - name: NAME
          image: IMAGE
`

/** Makes an application from YAML, or brings one to it: the text, then the plan. */
export function ManifestForm({
  environment,
  application,
  start = SAMPLE,
  cancel,
}: {
  environment: string
  /** Absent: a new one, whose name is asked for. */
  application?: string
  start?: string
  cancel?: () => void
}) {
  const t = useText(texts)
  const go = useGo()
  const [name, setName] = useState(application ?? '')
  const [yaml, setYaml] = useState(start)
  const [left, setLeft] = useState(false)
  const [planning, setPlanning] = useState(false)
  const named = applyManifests.params.shape.application.safeParse(name)
  const ready = named.success && applyManifests.body.safeParse({ yaml }).success
  if (planning) {
    return (
      <ChangePanel
        act={{
          endpoint: applyManifests,
          params: { environment, application: name },
          body: { yaml },
          label: t('apply'),
        }}
        cancelLabel={t('back')}
        onCancel={() => setPlanning(false)}
        onAccepted={({ id }) => go(`/operations/${id}`)}
      />
    )
  }
  return (
    <form
      className="rows"
      onSubmit={(event) => {
        event.preventDefault()
        setPlanning(true)
      }}
    >
      {application === undefined && (
        <Field label={t('name')} error={left && !named.success ? named.error.issues[0]?.message : undefined}>
          {(control) => (
            <TextInput {...control} value={name} onChange={setName} onBlur={() => setLeft(true)} autoFocus />
          )}
        </Field>
      )}
      <FileText
        label={t('yaml')}
        hint={t('hint')}
        fileLabel={t('file')}
        value={yaml}
        onChange={setYaml}
        rows={24}
        className="yaml"
      />
      <div className="cols page-acts">
        {!ready && <span className="soft">{t('fill')}</span>}
        {cancel && <Button onClick={cancel}>{t('cancel')}</Button>}
        <Button type="submit" kind="primary" disabled={!ready}>
          {t('toPlan')}
        </Button>
      </div>
    </form>
  )
}

/** The objects as they are, and the way to change them. */
export function ManifestView({
  environment,
  application,
  yaml,
}: {
  environment: string
  application: string
  yaml: string
}) {
  const t = useText(texts)
  const [editing, setEditing] = useState(false)
  if (editing) {
    return (
      <ManifestForm environment={environment} application={application} start={yaml} cancel={() => setEditing(false)} />
    )
  }
  return (
    <div className="rows tight">
      <div>
        <Button onClick={() => setEditing(true)}>{t('edit')}</Button>
      </div>
      <Code text={yaml} label={t('now')} highlight="yaml" />
    </div>
  )
}
