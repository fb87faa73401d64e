import { Select, TextInput, useRead, useText } from '@quarterdeck/ui'
import { useDeferredValue, useId } from 'react'
import { listEnvironments } from '../environment/environment.contract.ts'
import { listGroups } from '../group/group.contract.ts'
import { listProjects } from '../project/project.contract.ts'
import { listTenants } from '../tenant/tenant.contract.ts'
import { listUsers } from '../user/user.contract.ts'
import { grantTexts } from './texts.console.tsx'

/** A place as the address of a page has it: `environment:shop-prod`, `platform`; empty: none. */
export type PlaceText = string

/** As endpoints name a place in a body. */
export function placeBody(place: PlaceText): { [kind: string]: string | true } {
  if (place === 'platform') return { platform: true }
  const [kind = '', name = ''] = place.split(':')
  return name === '' ? {} : { [kind]: name }
}

/** As endpoints name a place in a question, where the platform is meant by naming none. */
export function placeQuery(place: PlaceText): Record<string, string> {
  const [kind = '', name = ''] = place.split(':')
  return name === '' ? {} : { [kind]: name }
}

interface Placed {
  tenant?: string | undefined
  project?: string | undefined
  environment?: string | undefined
}

export function usePlaceWords(): (place: Placed) => string {
  const t = useText(grantTexts)
  return ({ environment, project, tenant }) => {
    if (environment) return t('environmentAt', { name: environment })
    if (project) return t('projectAt', { name: project })
    return tenant ? t('tenantAt', { name: tenant }) : t('platform')
  }
}

/** One of the places that one may see. */
export function PlaceField({
  value,
  onChange,
  none,
  ...control
}: {
  value: PlaceText
  onChange: (place: PlaceText) => void
  /** What no place at all is called. */
  none?: string | undefined
}) {
  const t = useText(grantTexts)
  const environments = useRead(listEnvironments).data?.items ?? []
  const projects = useRead(listProjects).data?.items ?? []
  const tenants = useRead(listTenants).data?.items ?? []
  const options = [
    ...environments.map(({ name }) => ({ value: `environment:${name}`, label: t('environmentAt', { name }) })),
    ...projects.map(({ name }) => ({ value: `project:${name}`, label: t('projectAt', { name }) })),
    ...tenants.map(({ name }) => ({ value: `tenant:${name}`, label: t('tenantAt', { name }) })),
    { value: 'platform', label: t('platform') },
  ]
  // A place that was named but cannot be seen, in a link that somebody was sent.
  const [kind = '', name = ''] = value.split(':')
  const named = value !== '' && !options.some((option) => option.value === value)
  const words = kind === 'environment' || kind === 'project' || kind === 'tenant' ? t(`${kind}At`, { name }) : value
  return (
    <Select
      {...control}
      value={value}
      onChange={onChange}
      options={[
        ...(none === undefined ? [{ value: '', label: t('choosePlace') }] : [{ value: '', label: none }]),
        ...(named ? [{ value, label: words }] : []),
        ...options,
      ]}
    />
  )
}

interface Control {
  id?: string
  value: string
  onChange: (value: string) => void
  autoFocus?: boolean
}

/** A user by name, with suggestions for whoever may see users. */
export function UserField(props: Control) {
  const search = useDeferredValue(props.value)
  const { data } = useRead(listUsers, { query: { limit: 20, ...(search ? { search } : {}) } }, { keep: true })
  return <Suggested {...props} names={data?.items.map(({ name, title }) => ({ name, title })) ?? []} />
}

/** A group by name, with suggestions for whoever may see groups. */
export function GroupField(props: Control) {
  const search = useDeferredValue(props.value)
  const { data } = useRead(listGroups, { query: { limit: 20, ...(search ? { search } : {}) } }, { keep: true })
  return <Suggested {...props} names={data?.items.map(({ name, title }) => ({ name, title })) ?? []} />
}

function Suggested({ names, ...control }: Control & { names: { name: string; title?: string | undefined }[] }) {
  const list = useId()
  return (
    <>
      <TextInput {...control} list={list} />
      <datalist id={list}>
        {names.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </datalist>
    </>
  )
}
