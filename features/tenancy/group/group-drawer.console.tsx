import {
  Button,
  ConfirmDialog,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  Link,
  Note,
  Read,
  State,
  Table,
  TextInput,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { listUsers } from '../user/user.contract.ts'
import {
  addGroupMember,
  deleteGroup,
  type Group,
  type GroupMember,
  getGroup,
  listGroupMembers,
  listGroups,
  removeGroupMember,
} from './group.contract.ts'
import { groupTexts } from './texts.console.tsx'

const LIMIT = 500

function useGroupsChanged(): () => Promise<void> {
  const readAgain = useReadAgain()
  return async () => {
    await Promise.all([listGroups, getGroup, listGroupMembers].map((one) => readAgain(one)))
  }
}

/** One group: who belongs to it, adding and taking out. */
export function GroupDrawer({
  name,
  may,
  close,
}: {
  name: string
  may: (permission: string) => boolean
  close: () => void
}) {
  const group = useRead(getGroup, { params: { group: name } })
  return (
    <Dialog look="drawer" title={name} close={close}>
      <div className="rows">
        <Read query={group}>{(found) => <GroupBody group={found} may={may} close={close} />}</Read>
      </div>
    </Dialog>
  )
}

function GroupBody({ group, may, close }: { group: Group; may: (permission: string) => boolean; close: () => void }) {
  const t = useText(groupTexts)
  const members = useRead(listGroupMembers, { params: { group: group.name }, query: { limit: LIMIT } })
  const [deleting, setDeleting] = useState(false)
  const local = group.source === 'local'
  const change = local && may('user.update')
  return (
    <>
      {group.title && <p>{group.title}</p>}
      {!local && <Note tone="mute">{t('provided', { source: group.source })}</Note>}
      {change && <AddMember group={group.name} />}
      <h3>{t('members')}</h3>
      <Read query={members}>{({ items }) => <Members group={group.name} items={items} change={change} />}</Read>
      {local && may('user.delete') && (
        <div>
          <Button kind="danger" icon="trash" onClick={() => setDeleting(true)}>
            {t('delete')}
          </Button>
        </div>
      )}
      {deleting && <DeleteDialog group={group.name} close={() => setDeleting(false)} gone={close} />}
    </>
  )
}

/** A user name, completed from those that begin so. */
function AddMember({ group }: { group: string }) {
  const t = useText(groupTexts)
  const changed = useGroupsChanged()
  const [user, setUser] = useState('')
  const list = useId()
  const found = useRead(listUsers, { query: { search: user, limit: 10 } }, { enabled: user !== '', keep: true })
  const add = useMutation<unknown, Error>({
    mutationFn: () => call(addGroupMember, { params: { group, user } }),
    onSuccess: async () => {
      setUser('')
      await changed()
    },
  })
  return (
    <form
      className="rows tight"
      onSubmit={(event) => {
        event.preventDefault()
        add.mutate()
      }}
    >
      <div className="cols bottom">
        <Field label={t('addUser')}>
          {(control) => <TextInput {...control} list={list} value={user} onChange={setUser} />}
        </Field>
        <Button type="submit" icon="plus" busy={add.isPending} disabled={user === ''}>
          {t('add')}
        </Button>
      </div>
      <datalist id={list}>
        {(found.data?.items ?? []).map(({ name, title }) => (
          <option key={name} value={name}>
            {title ?? name}
          </option>
        ))}
      </datalist>
      {add.error && <Failure error={add.error} />}
    </form>
  )
}

function Members({ group, items, change }: { group: string; items: GroupMember[]; change: boolean }) {
  const t = useText(groupTexts)
  const changed = useGroupsChanged()
  const remove = useMutation<unknown, Error, string>({
    mutationFn: (user) => call(removeGroupMember, { params: { group, user } }),
    onSuccess: changed,
  })
  return (
    <>
      {remove.error && <Failure error={remove.error} />}
      <Table
        label={t('members')}
        rows={items}
        rowKey={({ user }) => user}
        empty={<Empty title={t('noMembers')}>{change ? t('noMembersLead') : undefined}</Empty>}
        columns={[
          {
            title: t('user'),
            cell: ({ user, title }) => (
              <>
                <Link to={`/users?user=${encodeURIComponent(user)}`}>{user}</Link>{' '}
                {title && <span className="soft">{title}</span>}
              </>
            ),
          },
          {
            title: t('kind'),
            nowrap: true,
            cell: ({ kind, disabled }) => (
              <>
                {t(kind === 'machine' ? 'machine' : 'person')} {disabled && <State tone="mute">{t('disabled')}</State>}
              </>
            ),
          },
          {
            title: t('acts'),
            acts: true,
            cell: ({ user }) =>
              change && (
                <Button
                  small
                  aria-label={t('removeTitle', { user, group })}
                  busy={remove.isPending && remove.variables === user}
                  onClick={() => remove.mutate(user)}
                >
                  {t('remove')}
                </Button>
              ),
          },
        ]}
      />
    </>
  )
}

function DeleteDialog({ group, close, gone }: { group: string; close: () => void; gone: () => void }) {
  const t = useText(groupTexts)
  const changed = useGroupsChanged()
  const done = () => {
    gone()
    return changed()
  }
  return (
    <ConfirmDialog
      title={t('deleteTitle', { group })}
      act={t('delete')}
      endpoint={deleteGroup}
      input={{ params: { group } }}
      done={done}
      close={close}
    >
      {t('deleteLead')}
    </ConfirmDialog>
  )
}
