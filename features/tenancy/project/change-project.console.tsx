import {
  AmountFields,
  Button,
  ConfirmDialog,
  call,
  Dialog,
  Failure,
  Field,
  fieldError,
  Section,
  Select,
  ShowAs,
  TextInput,
  useGo,
  useLanguage,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { quotaFields, quotaOfTexts, quotaTexts } from '../tenant/quota.contract.ts'
import { listTenants } from '../tenant/tenant.contract.ts'
import { createProject, deleteProject, type Project, updateProject } from './project.contract.ts'
import { projectTexts } from './texts.console.tsx'

interface Form {
  name: string
  tenant: string
  title: string
  quota: Record<string, string>
}

const formOf = (project: Project | undefined, tenant: string): Form => ({
  name: project?.name ?? '',
  tenant,
  title: project?.title ?? '',
  quota: quotaTexts(project?.quota ?? {}),
})

/** Only what differs is sent, so that nobody needs a permission for what he leaves alone. */
function changesOf(form: Form, was: Form) {
  const { quota } = quotaOfTexts(form.quota)
  return {
    ...(form.title === was.title ? {} : { title: form.title }),
    ...(JSON.stringify(form.quota) === JSON.stringify(was.quota) || !quota ? {} : { quota }),
  }
}

/** Makes a project, or changes one. */
export function ProjectDialog({ project, tenant, close }: { project?: Project; tenant: string; close: () => void }) {
  const t = useText(projectTexts)
  const [language] = useLanguage()
  const go = useGo()
  const readAgain = useReadAgain()
  const was = formOf(project, tenant)
  const [form, setForm] = useState(was)
  const [left, setLeft] = useState(false)
  const tenants = useRead(listTenants)
  const names = [...new Set([...(tenant ? [tenant] : []), ...(tenants.data?.items ?? []).map((one) => one.name)])]
  const chosen = form.tenant || names[0] || ''
  const set = (part: Partial<Form>) => setForm({ ...form, ...part })
  const named = createProject.body.shape.name.safeParse(form.name)
  const { errors } = quotaOfTexts(form.quota)
  const changes = changesOf(form, was)
  const made = { name: form.name, tenant: chosen, ...changes }
  const save = useMutation<Project, Error>({
    mutationFn: () =>
      project
        ? call(updateProject, { params: { project: project.name }, body: changes })
        : call(createProject, { body: made }),
    onSuccess: async ({ name }) => {
      await readAgain()
      close()
      if (!project) go(`/projects/${name}`)
    },
  })
  const ready = named.success && chosen !== '' && Object.keys(errors).length === 0
  const nameError = fieldError(save.error, '/name')
  return (
    <Dialog
      title={project ? t('changeTitle', { name: project.name }) : t('create')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={save.isPending} disabled={!ready} onClick={() => save.mutate()}>
            {project ? t('save') : t('createShort')}
          </Button>
        </>
      }
    >
      <div className="rows">
        {!project && (
          <div className="pairs">
            <Field
              label={t('name')}
              error={nameError ?? (left && !named.success ? named.error.issues[0]?.message : undefined)}
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
            <Field label={t('tenant')}>
              {(control) => (
                <Select
                  {...control}
                  value={chosen}
                  onChange={(next) => set({ tenant: next })}
                  options={names.map((name) => ({ value: name, label: name }))}
                />
              )}
            </Field>
          </div>
        )}
        <Field label={t('title')}>
          {(control) => <TextInput {...control} value={form.title} onChange={(title) => set({ title })} />}
        </Field>
        <Section title={t('quota')} open={Object.keys(form.quota).length > 0}>
          <p className="soft small">{t('quotaLead')}</p>
          <AmountFields
            fields={quotaFields(language)}
            values={form.quota}
            onChange={(quota) => set({ quota })}
            errors={errors}
          />
        </Section>
        {ready && (
          <ShowAs
            endpoint={project ? updateProject : createProject}
            input={project ? { params: { project: project.name }, body: changes } : { params: {}, body: made }}
          />
        )}
        {save.error && !nameError && <Failure error={save.error} />}
      </div>
    </Dialog>
  )
}

/** Deletes a project that holds nothing. */
export function DeleteProjectDialog({ project, close }: { project: string; close: () => void }) {
  const t = useText(projectTexts)
  const go = useGo()
  const readAgain = useReadAgain()
  const done = () => {
    go('/projects')
    return readAgain()
  }
  return (
    <ConfirmDialog
      title={t('deleteTitle', { name: project })}
      act={t('delete')}
      endpoint={deleteProject}
      input={{ params: { project } }}
      done={done}
      close={close}
    >
      {t('deleteLead')}
    </ConfirmDialog>
  )
}
