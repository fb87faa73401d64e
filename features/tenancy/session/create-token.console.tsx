import { Problem } from '@quarterdeck/kernel'
import {
  Button,
  Code,
  call,
  Dialog,
  Failure,
  Field,
  Note,
  Section,
  Select,
  ShowAs,
  TextInput,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { sessionTexts } from './texts.console.tsx'
import { createToken, createUserToken } from './token.contract.ts'
import { useTokensChanged } from './token-table.console.tsx'

type Place = 'tenant' | 'project' | 'environment'
interface Wanted {
  name: string
  days: string
  place: '' | Place
  placeName: string
  sources: string
  permissions: string
}

const wordsOf = (text: string) => text.split(/[\s,;]+/).filter((word) => word !== '')

/** Valid for whole days from today's midnight on, so that what is shown does not change while it is looked at. */
function endIn(days: string): string {
  const end = new Date()
  end.setHours(24, 0, 0, 0)
  return new Date(end.getTime() + (Number(days) - 1) * 86_400_000).toISOString()
}

function bodyOf({ name, days, place, placeName, sources, permissions }: Wanted) {
  const [networks, allowed] = [wordsOf(sources), wordsOf(permissions)]
  return {
    name,
    ...(days === '' ? {} : { expireTime: endIn(days) }),
    ...(place === '' ? {} : { within: { [place]: placeName } }),
    ...(networks.length === 0 ? {} : { sources: networks }),
    ...(allowed.length === 0 ? {} : { permissions: allowed }),
  }
}

/** Makes a token of mine, or of the machine account `user`, and shows its secret once. */
export function CreateTokenDialog({ user, close }: { user?: string; close: () => void }) {
  const t = useText(sessionTexts)
  const changed = useTokensChanged()
  const [wanted, setWanted] = useState<Wanted>({
    name: '',
    days: '90',
    place: '',
    placeName: '',
    sources: '',
    permissions: '',
  })
  const [left, setLeft] = useState(false)
  const set = (member: keyof Wanted) => (value: string) => setWanted({ ...wanted, [member]: value })
  const leave = () => setLeft(true)
  const body = bodyOf(wanted)
  const checked = createToken.body.safeParse(body)
  const endpoint = user === undefined ? createToken : createUserToken
  const params: Record<string, string> = user === undefined ? {} : { user }
  const input = { params, body }
  const create = useMutation<{ secret: string }, Error>({
    mutationFn: () => call(endpoint, input),
    onSuccess: changed,
  })
  if (create.data) return <SecretDialog name={wanted.name} secret={create.data.secret} close={close} />
  const told = create.error instanceof Problem ? (create.error.body.errors ?? []) : []
  const wrong = (member: string) =>
    told.find(({ pointer }) => pointer.startsWith(`/body/${member}`))?.detail ??
    (left && !checked.success ? checked.error.issues.find(({ path }) => path[0] === member)?.message : undefined)
  return (
    <Dialog
      narrow
      title={t('create')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={create.isPending} disabled={!checked.success} onClick={() => create.mutate()}>
            {t('create')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <Field label={t('name')} error={wrong('name')}>
          {(control) => <TextInput {...control} value={wanted.name} onChange={set('name')} onBlur={leave} autoFocus />}
        </Field>
        <Field label={t('expires')} error={wrong('expireTime')}>
          {(control) => (
            <Select
              {...control}
              value={wanted.days}
              onChange={set('days')}
              options={[
                ...['7', '30', '90', '365'].map((value) => ({ value, label: t('days', { count: Number(value) }) })),
                { value: '', label: t('never') },
              ]}
            />
          )}
        </Field>
        <Limits wanted={wanted} set={set} leave={leave} wrong={wrong} />
        {checked.success && <ShowAs endpoint={endpoint} input={input} />}
        {create.error && told.length === 0 && <Failure error={create.error} />}
      </div>
    </Dialog>
  )
}

/** What makes the token less than its owner. */
function Limits({
  wanted,
  set,
  leave,
  wrong,
}: {
  wanted: Wanted
  set: (member: keyof Wanted) => (value: string) => void
  leave: () => void
  wrong: (member: string) => string | undefined
}) {
  const t = useText(sessionTexts)
  const count = [wanted.place, wanted.sources, wanted.permissions].filter((value) => value.trim() !== '').length
  const problem = wrong('within') ?? wrong('sources') ?? wrong('permissions')
  return (
    <Section title={t('limits')} count={count === 0 ? undefined : String(count)} open={problem !== undefined}>
      <div className="rows">
        <Field label={t('within')} error={wrong('within')}>
          {(control) => (
            <div className="cols">
              <Select
                {...control}
                value={wanted.place}
                onChange={set('place')}
                options={[
                  { value: '', label: t('everywhere') },
                  ...(['tenant', 'project', 'environment'] as const).map((value) => ({ value, label: t(value) })),
                ]}
              />
              {wanted.place !== '' && (
                <TextInput
                  aria-label={t('placeName')}
                  value={wanted.placeName}
                  onChange={set('placeName')}
                  onBlur={leave}
                />
              )}
            </div>
          )}
        </Field>
        <Field label={t('sources')} hint={t('sourcesHint')} error={wrong('sources')}>
          {(control) => <TextInput {...control} value={wanted.sources} onChange={set('sources')} onBlur={leave} />}
        </Field>
        <Field label={t('may')} hint={t('permissionsHint')} error={wrong('permissions')}>
          {(control) => (
            <TextInput {...control} value={wanted.permissions} onChange={set('permissions')} onBlur={leave} />
          )}
        </Field>
      </div>
    </Section>
  )
}

function SecretDialog({ name, secret, close }: { name: string; secret: string; close: () => void }) {
  const t = useText(sessionTexts)
  return (
    <Dialog
      narrow
      title={t('secret', { name })}
      close={close}
      footer={
        <Button kind="primary" onClick={close}>
          {t('done')}
        </Button>
      }
    >
      <div className="rows">
        <Note tone="warn">{t('secretLead')}</Note>
        <div data-testid="token-secret">
          <Code text={secret} label={t('secret', { name })} />
        </div>
        <h3>{t('secretUse')}</h3>
        <Code text={`export QUARTERDECK_TOKEN='${secret}'`} label={t('secretUse')} />
      </div>
    </Dialog>
  )
}
