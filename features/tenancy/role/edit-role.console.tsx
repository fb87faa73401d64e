import {
  Button,
  Check,
  ConfirmDialog,
  call,
  Dialog,
  Failure,
  Field,
  fieldError,
  Note,
  Read,
  ShowAs,
  TextInput,
  useLanguage,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { createRole, deleteRole, listPermissions, listRoles, type Role, updateRole } from './role.contract.ts'
import { roleTexts } from './texts.console.tsx'

function useRolesChanged(close: () => void) {
  const readAgain = useReadAgain()
  return async () => {
    await readAgain(listRoles)
    close()
  }
}

/** Makes a role, with the permissions of `from` picked, or changes `role`. */
export function RoleDialog({ role, from, close }: { role?: Role; from?: Role; close: () => void }) {
  const t = useText(roleTexts)
  const all = useRead(listPermissions)
  const [name, setName] = useState(role?.name ?? '')
  const [title, setTitle] = useState(role?.title ?? '')
  const [left, setLeft] = useState(false)
  const [picked, setPicked] = useState<readonly string[] | undefined>(role?.permissions ?? from?.permissions)
  const known = all.data?.items.map(({ permission }) => permission) ?? []
  // Whoever clones the administrator picks from all that there are.
  const permissions = picked?.includes('*') ? known : (picked ?? [])
  const checked = createRole.body.shape.name.safeParse(name)
  const words = title.trim() === '' ? {} : { title: title.trim() }
  const body = role ? { ...words, permissions } : { name, ...words, permissions }
  const save = useMutation<Role, Error>({
    mutationFn: () => (role ? call(updateRole, { params: { role: role.name }, body }) : call(createRole, { body })),
    onSuccess: useRolesChanged(close),
  })
  const ready = permissions.length > 0 && (role !== undefined || checked.success)
  const toggle = (permission: string, on: boolean) =>
    setPicked(
      on
        ? known.filter((one) => one === permission || permissions.includes(one))
        : permissions.filter((one) => one !== permission),
    )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready) save.mutate()
  }
  const nameError =
    fieldError(save.error, '/name') ?? (left && !checked.success ? checked.error.issues[0]?.message : undefined)
  return (
    <Dialog
      title={role ? t('change', { name: role.name }) : from ? t('createFrom', { name: from.name }) : t('create')}
      close={close}
      footer={
        <>
          <span className="soft grow" aria-live="polite">
            {t('picked', { count: permissions.length })}
          </span>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" type="submit" form="edit-role" busy={save.isPending} disabled={!ready}>
            {role ? t('save') : t('make')}
          </Button>
        </>
      }
    >
      <form id="edit-role" className="rows" onSubmit={submit}>
        {role && role.grants > 0 && <Note tone="warn">{t('granted', { count: role.grants })}</Note>}
        {!role && (
          <Field label={t('name')} error={nameError}>
            {(control) => (
              <TextInput {...control} value={name} onChange={setName} onBlur={() => setLeft(name !== '')} autoFocus />
            )}
          </Field>
        )}
        <Field label={t('title')} hint={t('titleHint')}>
          {(control) => <TextInput {...control} value={title} onChange={setTitle} maxLength={200} />}
        </Field>
        <Read query={all}>{({ items }) => <Picks infos={items} picked={permissions} toggle={toggle} />}</Read>
        {ready && (
          <ShowAs endpoint={role ? updateRole : createRole} input={{ params: role ? { role: role.name } : {}, body }} />
        )}
        {save.error && !nameError && <Failure error={save.error} />}
      </form>
    </Dialog>
  )
}

/** Every permission with a tick, those of one noun together. */
function Picks({
  infos,
  picked,
  toggle,
}: {
  infos: { permission: string; en: string; zh: string }[]
  picked: readonly string[]
  toggle: (permission: string, on: boolean) => void
}) {
  const [language] = useLanguage()
  const nouns = [...new Set(infos.map(({ permission }) => permission.split('.')[0] ?? ''))]
  return nouns.map((noun) => (
    <fieldset key={noun} className="rows tight">
      <legend className="soft">{noun}</legend>
      {infos
        .filter(({ permission }) => permission.startsWith(`${noun}.`))
        .map((one) => (
          <Check
            key={one.permission}
            checked={picked.includes(one.permission)}
            onChange={(on) => toggle(one.permission, on)}
          >
            <code>{one.permission}</code> {one[language]}
          </Check>
        ))}
    </fieldset>
  ))
}

export function DeleteRoleDialog({ role, close }: { role: Role; close: () => void }) {
  const t = useText(roleTexts)
  const readAgain = useReadAgain()
  return (
    <ConfirmDialog
      title={t('deleteTitle', { name: role.name })}
      act={t('delete')}
      endpoint={deleteRole}
      input={{ params: { role: role.name } }}
      done={() => readAgain(listRoles)}
      close={close}
    >
      {t('deleteLead')}
    </ConfirmDialog>
  )
}
