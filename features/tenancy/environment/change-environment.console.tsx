import {
  AmountFields,
  ChangeDialog,
  Field,
  Section,
  Select,
  Stage,
  TextInput,
  useGo,
  useLanguage,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useDeferredValue, useState } from 'react'
import { listClusters } from '../../cluster/cluster/cluster.contract.ts'
import { listProjects } from '../project/project.contract.ts'
import { quotaFields, quotaOfTexts, quotaTexts } from '../tenant/quota.contract.ts'
import {
  createEnvironment,
  deleteEnvironment,
  type Environment,
  Isolation,
  PodSecurity,
  updateEnvironment,
} from './environment.contract.ts'
import { limitFields, limitsOfTexts, limitTexts } from './environment.rules.ts'
import { environmentTexts } from './texts.console.tsx'

function useAnswers(close: () => void) {
  const go = useGo()
  return {
    onCancel: close,
    onAccepted: ({ id }: { id: string }) => {
      close()
      go(`/operations/${id}`)
    },
  }
}

/** What making and changing have in common. */
interface Form {
  stage: string
  title: string
  project: string
  isolation: string
  podSecurity: string
  quota: Record<string, string>
  limits: Record<string, string>
}

const formOf = (environment: Environment | undefined, project: string): Form => ({
  stage: environment?.stage ?? 'dev',
  title: environment?.title ?? '',
  project: environment?.project ?? project,
  isolation: environment?.isolation ?? '',
  podSecurity: environment?.podSecurity ?? '',
  quota: quotaTexts(environment?.quota ?? {}),
  limits: limitTexts(environment?.limits ?? {}),
})

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** Only what differs from `was`. */
function changesOf(form: Form, was: Form) {
  const { quota } = quotaOfTexts(form.quota)
  const { limits } = limitsOfTexts(form.limits)
  const plain = (['title', 'project', 'isolation', 'podSecurity'] as const).filter((key) => form[key] !== was[key])
  return {
    ...Object.fromEntries(plain.map((key) => [key, form[key]])),
    ...(same(form.quota, was.quota) || !quota ? {} : { quota }),
    ...(same(form.limits, was.limits) || !limits ? {} : { limits }),
  }
}

const isSound = (form: Form) =>
  Object.keys(quotaOfTexts(form.quota).errors).length === 0 &&
  Object.keys(limitsOfTexts(form.limits).errors).length === 0

/** Makes an environment; `project` is chosen at first. */
export function CreateDialog({ project, close }: { project: string; close: () => void }) {
  const t = useText(environmentTexts)
  const clusters = useRead(listClusters)
  const projects = useRead(listProjects, { query: {} })
  const was = formOf(undefined, '')
  const [form, setForm] = useState({ ...formOf(undefined, project), name: '', cluster: '' })
  const [left, setLeft] = useState(false)
  const names = (clusters.data?.items ?? []).map((one) => one.name)
  const cluster = form.cluster || names[0] || ''
  const mine = (projects.data?.items ?? []).map((one) => one.name)
  const chosen = form.project || (mine.includes('default') ? 'default' : (mine[0] ?? ''))
  const wanted = useDeferredValue(form)
  const named = createEnvironment.params.safeParse({ environment: wanted.name })
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part })
  const body = {
    cluster,
    stage: wanted.stage,
    ...changesOf({ ...wanted, project: chosen }, was),
  }
  const waiting = named.success && cluster !== '' ? (isSound(wanted) ? undefined : t('mend')) : t('fill')
  return (
    <ChangeDialog
      title={t('create')}
      act={{
        endpoint: createEnvironment,
        params: { environment: wanted.name },
        body,
        label: t('createShort'),
        waiting,
      }}
      {...useAnswers(close)}
    >
      <Field
        label={t('name')}
        hint={t('nameHint')}
        error={left && !named.success ? named.error.issues[0]?.message : undefined}
      >
        {(control) => (
          <TextInput
            {...control}
            value={form.name}
            onChange={(name) => set({ name })}
            onBlur={() => setLeft(true)}
            autoFocus
          />
        )}
      </Field>
      <Field label={t('cluster')}>
        {(control) => (
          <Select
            {...control}
            value={cluster}
            onChange={(next) => set({ cluster: next })}
            options={names.map((name) => ({ value: name, label: name }))}
          />
        )}
      </Field>
      <PlaceFields form={{ ...form, project: chosen }} set={set} projects={mine} fresh />
    </ChangeDialog>
  )
}

/** Changes an environment. */
export function UpdateDialog({ environment, close }: { environment: Environment; close: () => void }) {
  const t = useText(environmentTexts)
  const projects = useRead(listProjects, { query: { tenant: environment.tenant } })
  const was = formOf(environment, '')
  const [form, setForm] = useState(was)
  const wanted = useDeferredValue(form)
  const names = (projects.data?.items ?? []).map((one) => one.name)
  const body = { ...(wanted.stage === was.stage ? {} : { stage: wanted.stage }), ...changesOf(wanted, was) }
  return (
    <ChangeDialog
      title={
        <>
          {t('changeTitle', { name: environment.name })} <Stage stage={environment.stage} />
        </>
      }
      act={{
        endpoint: updateEnvironment,
        params: { environment: environment.name },
        body,
        label: t('change'),
        waiting: isSound(wanted) ? undefined : t('mend'),
      }}
      {...useAnswers(close)}
    >
      <PlaceFields
        form={form}
        set={(part) => setForm({ ...form, ...part })}
        projects={[...new Set([was.project, ...names])]}
      />
    </ChangeDialog>
  )
}

/** Brings an environment to what its definition says, in whatever it differs. */
export function UpToDateDialog({ environment, close }: { environment: Environment; close: () => void }) {
  const t = useText(environmentTexts)
  return (
    <ChangeDialog
      title={t('updateTitle', { name: environment.name })}
      act={{
        endpoint: updateEnvironment,
        params: { environment: environment.name },
        body: {},
        label: t('update'),
      }}
      {...useAnswers(close)}
    />
  )
}

function PlaceFields({
  form,
  set,
  projects,
  fresh,
}: {
  form: Form
  set: (part: Partial<Form>) => void
  projects: readonly string[]
  fresh?: boolean
}) {
  const t = useText(environmentTexts)
  const [language] = useLanguage()
  const isolations = { isolated: t('isolated'), project: t('inProject'), open: t('open') }
  return (
    <>
      <div className="pairs">
        <Field label={t('stage')} hint={t('stageHint')}>
          {(control) => (
            <Select
              {...control}
              value={form.stage}
              onChange={(stage) => set({ stage })}
              options={(['dev', 'test', 'pre', 'prod'] as const).map((stage) => ({ value: stage, label: t(stage) }))}
            />
          )}
        </Field>
        <Field label={t('project')} hint={t('projectHint')}>
          {(control) => (
            <Select
              {...control}
              value={form.project}
              onChange={(project) => set({ project })}
              options={projects.map((name) => ({ value: name, label: name }))}
            />
          )}
        </Field>
      </div>
      <Field label={t('title')}>
        {(control) => <TextInput {...control} value={form.title} onChange={(title) => set({ title })} />}
      </Field>
      <div className="pairs">
        <Field label={t('isolation')} hint={t('isolationHint')}>
          {(control) => (
            <Select
              {...control}
              value={form.isolation || (fresh ? 'isolated' : 'open')}
              onChange={(isolation) => set({ isolation })}
              options={Isolation.options.map((value) => ({ value, label: isolations[value] }))}
            />
          )}
        </Field>
        <Field label={t('podSecurity')} hint={t('podSecurityHint')}>
          {(control) => (
            <Select
              {...control}
              value={form.podSecurity || (fresh ? 'baseline' : 'privileged')}
              onChange={(podSecurity) => set({ podSecurity })}
              options={PodSecurity.options.map((value) => ({ value, label: t(value) }))}
            />
          )}
        </Field>
      </div>
      <Section title={t('quota')} open={Object.keys(form.quota).length > 0}>
        <p className="soft small">{t('quotaLead')}</p>
        <AmountFields
          fields={quotaFields(language)}
          values={form.quota}
          onChange={(quota) => set({ quota })}
          errors={quotaOfTexts(form.quota).errors}
        />
      </Section>
      <Section title={t('limits')} open={Object.keys(form.limits).length > 0}>
        <p className="soft small">{t('limitsLead')}</p>
        <AmountFields
          fields={limitFields.map(({ key, placeholder }) => ({ key, placeholder, label: t(key) }))}
          values={form.limits}
          onChange={(limits) => set({ limits })}
          errors={limitsOfTexts(form.limits).errors}
        />
      </Section>
    </>
  )
}

/** Deletes an environment; near customers its name is typed. */
export function DeleteDialog({ environment, close }: { environment: Environment; close: () => void }) {
  const t = useText(environmentTexts)
  const near = environment.stage === 'pre' || environment.stage === 'prod'
  return (
    <ChangeDialog
      title={
        <>
          {t('deleteTitle', { name: environment.name })} <Stage stage={environment.stage} />
        </>
      }
      act={{
        endpoint: deleteEnvironment,
        params: { environment: environment.name },
        label: t('delete'),
        danger: true,
        confirm: near ? { name: environment.name, stage: environment.stage } : undefined,
      }}
      {...useAnswers(close)}
    />
  )
}
