import { formatBytes } from '@quarterdeck/kernel'
import {
  Button,
  Check,
  ConfirmDialog,
  call,
  Failure,
  Field,
  FilterLine,
  Heading,
  Note,
  Read,
  Table,
  TextInput,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { listKinds } from '../object/object.contract.ts'
import {
  getVersionSettings,
  type KindVersions,
  setVersionSettings,
  VersionSettings,
  type VersionSettingsInForce,
  type VersionSettingsPlan,
} from './setting.contract.ts'
import { settingTexts } from './setting-texts.console.tsx'

/** Which kinds are recorded, for how long, and how much is kept of each. */
export function VersionSettingsPage() {
  const t = useText(settingTexts)
  const settings = useRead(getVersionSettings)
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('settings')}</Heading>
          <p className="soft">{t('lead')}</p>
        </div>
      </header>
      <Read query={settings}>{(found) => <Settings key={found.updateTime ?? ''} found={found} />}</Read>
    </div>
  )
}

function Settings({ found }: { found: VersionSettingsInForce }) {
  const t = useText(settingTexts)
  const readAgain = useReadAgain()
  const [days, setDays] = useState(String(found.keepDays))
  const [unrecorded, setUnrecorded] = useState(found.unrecorded)
  const [filter, setFilter] = useState('')
  const checked = VersionSettings.safeParse({ unrecorded, keepDays: Number(days) })
  const plan = useMutation({
    mutationFn: (body: VersionSettings) => call(setVersionSettings, { body, query: { dryRun: 'true' } }),
  })
  const kinds = useKinds(found).filter(({ resource }) => resource.includes(filter.trim().toLowerCase()))
  const record = (resource: string, on: boolean) =>
    setUnrecorded(on ? unrecorded.filter((one) => one !== resource) : [...unrecorded, resource])
  const same = Number(days) === found.keepDays && [...unrecorded].sort().join() === [...found.unrecorded].sort().join()
  return (
    <>
      <section className="card body rows">
        <Field label={t('days')} hint={t('daysHint')} error={checked.success ? undefined : t('daysWrong')}>
          {(control) => <TextInput {...control} value={days} onChange={setDays} inputMode="numeric" />}
        </Field>
        {plan.error && <Failure error={plan.error} />}
        <div>
          <Button
            kind="primary"
            busy={plan.isPending}
            disabled={same || !checked.success}
            onClick={() => checked.success && plan.mutate(checked.data)}
          >
            {t('plan')}
          </Button>
        </div>
      </section>
      <section className="card">
        <header>
          <h2 className="grow">{t('kinds')}</h2>
          <FilterLine value={filter} onChange={setFilter} placeholder={t('filter')} />
        </header>
        <Table
          label={t('kinds')}
          rows={kinds}
          rowKey={({ resource }) => resource}
          columns={[
            {
              title: t('kind'),
              wide: true,
              cell: ({ resource }) => (
                <Check checked={!unrecorded.includes(resource)} onChange={(on) => record(resource, on)}>
                  {resource}
                </Check>
              ),
            },
            ...figures(t),
          ]}
        />
      </section>
      {plan.data && (
        <ConfirmDialog
          title={t('saveTitle')}
          act={t('save')}
          endpoint={setVersionSettings}
          input={{ params: {}, body: plan.data.settings }}
          done={() => readAgain(getVersionSettings)}
          close={() => plan.reset()}
        >
          <PlanText plan={plan.data} />
        </ConfirmDialog>
      )}
    </>
  )
}

const figures = (t: (key: 'objects' | 'versions' | 'size') => string) => [
  { title: t('objects'), end: true, cell: ({ objects }: KindVersions) => objects.toLocaleString() },
  { title: t('versions'), end: true, cell: ({ versions }: KindVersions) => versions.toLocaleString() },
  { title: t('size'), end: true, nowrap: true, cell: ({ bytes }: KindVersions) => formatBytes(bytes) },
]

/** What saving does: what is forgotten, what begins and what ends. */
function PlanText({ plan: { forgets, begins, ends } }: { plan: VersionSettingsPlan }) {
  const t = useText(settingTexts)
  return (
    <div className="rows">
      {forgets.length === 0 ? (
        <p>{t('forgetsNothing')}</p>
      ) : (
        <>
          <Note tone="warn">{t('forgets')}</Note>
          <Table
            label={t('forgets')}
            rows={forgets}
            rowKey={({ resource }) => resource}
            columns={[{ title: t('kind'), wide: true, cell: ({ resource }) => resource }, ...figures(t)]}
          />
        </>
      )}
      {begins.length > 0 && <p>{t('begins', { kinds: begins.join(', ') })}</p>}
      {ends.length > 0 && <p>{t('ends', { kinds: ends.join(', ') })}</p>}
    </div>
  )
}

/** Every kind that is served, left out or kept; what most is kept of first. */
function useKinds({ kinds, unrecorded }: VersionSettingsInForce): KindVersions[] {
  const served = useRead(listKinds)
  const names = new Set([...unrecorded, ...(served.data?.items.map(({ resource }) => resource) ?? [])])
  for (const { resource } of kinds) names.delete(resource)
  const empty = [...names].sort().map((resource) => ({ resource, objects: 0, versions: 0, bytes: 0 }))
  return [...kinds, ...empty]
}
