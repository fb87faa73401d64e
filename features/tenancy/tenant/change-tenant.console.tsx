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
  ShowAs,
  TextInput,
  useGo,
  useLanguage,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { quotaFields, quotaOfTexts, quotaTexts } from './quota.contract.ts'
import { createTenant, deleteTenant, Overcommit, type Tenant, updateTenant } from './tenant.contract.ts'
import { tenantTexts } from './texts.console.tsx'

interface Form {
  name: string
  title: string
  clusters: string
  overcommit: string
  quota: Record<string, string>
}

const formOf = (tenant: Tenant | undefined): Form => ({
  name: tenant?.name ?? '',
  title: tenant?.title ?? '',
  clusters: tenant?.clusters.join(', ') ?? '',
  overcommit: String(tenant?.overcommit ?? 1),
  quota: quotaTexts(tenant?.quota ?? {}),
})

/** Only what differs is sent, so that nobody needs a permission for what he leaves alone. */
function changesOf(form: Form, tenant: Tenant | undefined) {
  const was = formOf(tenant)
  const { quota } = quotaOfTexts(form.quota)
  const names = form.clusters.split(/[\s,]+/).filter(Boolean)
  return {
    ...(form.title === was.title ? {} : { title: form.title }),
    ...(form.clusters === was.clusters ? {} : { clusters: names }),
    ...(form.overcommit === was.overcommit ? {} : { overcommit: Number(form.overcommit) }),
    ...(JSON.stringify(form.quota) === JSON.stringify(was.quota) || !quota ? {} : { quota }),
  }
}

/** Makes a tenant, or changes one. */
export function TenantDialog({ tenant, close }: { tenant?: Tenant; close: () => void }) {
  const t = useText(tenantTexts)
  const [language] = useLanguage()
  const go = useGo()
  const readAgain = useReadAgain()
  const [form, setForm] = useState(formOf(tenant))
  const [left, setLeft] = useState(false)
  const set = (part: Partial<Form>) => setForm({ ...form, ...part })
  const named = createTenant.body.shape.name.safeParse(form.name)
  const factor = Overcommit.safeParse(form.overcommit.trim() === '' ? undefined : Number(form.overcommit))
  const { errors } = quotaOfTexts(form.quota)
  const changes = changesOf(form, tenant)
  const save = useMutation<Tenant, Error>({
    mutationFn: () =>
      tenant
        ? call(updateTenant, { params: { tenant: tenant.name }, body: changes })
        : call(createTenant, { body: { name: form.name, ...changes } }),
    onSuccess: async ({ name }) => {
      await readAgain()
      close()
      if (!tenant) go(`/tenants/${name}`)
    },
  })
  const ready = named.success && factor.success && Object.keys(errors).length === 0
  const nameError = fieldError(save.error, '/name')
  return (
    <Dialog
      title={tenant ? t('changeTitle', { name: tenant.name }) : t('create')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={save.isPending} disabled={!ready} onClick={() => save.mutate()}>
            {tenant ? t('save') : t('createShort')}
          </Button>
        </>
      }
    >
      <div className="rows">
        {!tenant && (
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
        )}
        <Field label={t('title')}>
          {(control) => <TextInput {...control} value={form.title} onChange={(title) => set({ title })} />}
        </Field>
        <div className="pairs">
          <Field label={t('clusters')} hint={t('clustersHint')} error={fieldError(save.error, '/clusters')}>
            {(control) => <TextInput {...control} value={form.clusters} onChange={(clusters) => set({ clusters })} />}
          </Field>
          <Field
            label={t('overcommit')}
            hint={t('overcommitHint')}
            error={factor.success ? undefined : t('overcommitWrong')}
          >
            {(control) => (
              <TextInput {...control} value={form.overcommit} onChange={(overcommit) => set({ overcommit })} />
            )}
          </Field>
        </div>
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
            endpoint={tenant ? updateTenant : createTenant}
            input={
              tenant
                ? { params: { tenant: tenant.name }, body: changes }
                : { params: {}, body: { name: form.name, ...changes } }
            }
          />
        )}
        {save.error && !nameError && <Failure error={save.error} />}
      </div>
    </Dialog>
  )
}

/** Deletes a tenant that holds nothing. */
export function DeleteTenantDialog({ tenant, close }: { tenant: string; close: () => void }) {
  const t = useText(tenantTexts)
  const go = useGo()
  const readAgain = useReadAgain()
  const done = () => {
    go('/tenants')
    return readAgain()
  }
  return (
    <ConfirmDialog
      title={t('deleteTitle', { name: tenant })}
      act={t('delete')}
      endpoint={deleteTenant}
      input={{ params: { tenant } }}
      done={done}
      close={close}
    >
      {t('deleteLead')}
    </ConfirmDialog>
  )
}
