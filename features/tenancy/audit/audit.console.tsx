import {
  Age,
  Button,
  call,
  Empty,
  Failure,
  Field,
  Heading,
  Note,
  Read,
  Select,
  TextInput,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { AuditOutcome, checkAuditTrail, exportAudit, listAudit } from './audit.contract.ts'
import { RecordTable } from './record-table.console.tsx'
import { SearchesDialog } from './searches.console.tsx'
import { SinksDialog } from './sinks.console.tsx'
import { auditTexts } from './texts.console.tsx'

const LIMIT = 100

/** The audit trail, newest first, with its filters in the address. */
export function AuditPage() {
  const t = useText(auditTexts)
  const [open, setOpen] = useState<'searches' | 'sinks'>()
  const [actor, setActor] = useUrlValue('actor')
  const [act, setAct] = useUrlValue('act')
  const [environment, setEnvironment] = useUrlValue('environment')
  const [peer, setPeer] = useUrlValue('peer')
  const [what, setWhat] = useUrlValue('what')
  const [about, setAbout] = useUrlValue('about')
  const [text, setText] = useUrlValue('text')
  const [outcome, setOutcome] = useUrlValue('outcome')
  const [since, setSince] = useUrlValue('since')
  const [until, setUntil] = useUrlValue('until')
  const [from, setFrom] = useUrlValue('from')
  // Another filter begins with the newest again.
  const filtering = (set: (value: string) => void) => (value: string) => {
    set(value)
    setFrom('')
  }
  const filter = {
    actor,
    act,
    environment,
    peer,
    what,
    about,
    text,
    outcome,
    since: instantOf(since),
    until: instantOf(until),
  }
  const asked = Object.fromEntries(Object.entries(filter).filter(([, value]) => value))
  const query = { limit: LIMIT, ...asked, ...(from ? { continue: from } : {}) }
  const records = useRead(listAudit, { query }, { keep: true, ...(from ? {} : { everySeconds: 5 }) })
  return (
    <div className="page">
      <header className="page-head">
        <Heading className="grow">{t('audit')}</Heading>
        <a className="button" href={exportAddress(query)} download="audit.jsonl">
          {t('save')}
        </a>
        <Button onClick={() => setOpen('searches')}>{t('searches')}</Button>
        <Button onClick={() => setOpen('sinks')}>{t('sinks')}</Button>
      </header>
      <p className="soft">{t('detail')}</p>
      <Checked />
      {about && (
        <div className="cols">
          <strong>{t('about', { about })}</strong>
          <Button small onClick={() => filtering(setAbout)('')}>
            {t('everything')}
          </Button>
        </div>
      )}
      <div className="cols">
        <Field label={t('who')}>
          {(control) => <TextInput {...control} value={actor} onChange={filtering(setActor)} />}
        </Field>
        <Field label={t('theAct')}>
          {(control) => <TextInput {...control} value={act} onChange={filtering(setAct)} />}
        </Field>
        <Field label={t('environment')}>
          {(control) => <TextInput {...control} value={environment} onChange={filtering(setEnvironment)} />}
        </Field>
        <Field label={t('peer')}>
          {(control) => <TextInput {...control} value={peer} onChange={filtering(setPeer)} />}
        </Field>
        <Field label={t('what')}>
          {(control) => <TextInput {...control} value={what} onChange={filtering(setWhat)} />}
        </Field>
        <Field label={t('text')}>
          {(control) => <TextInput {...control} value={text} onChange={filtering(setText)} />}
        </Field>
        <Field label={t('result')}>
          {(control) => (
            <Select
              {...control}
              value={outcome}
              onChange={filtering(setOutcome)}
              options={[
                { value: '', label: t('any') },
                ...AuditOutcome.options.map((value) => ({ value, label: t(value) })),
              ]}
            />
          )}
        </Field>
        <Field label={t('since')}>
          {(control) => <TextInput {...control} type="datetime-local" value={since} onChange={filtering(setSince)} />}
        </Field>
        <Field label={t('until')}>
          {(control) => <TextInput {...control} type="datetime-local" value={until} onChange={filtering(setUntil)} />}
        </Field>
      </div>
      <section className="card">
        <Read query={records}>
          {({ items, continue: next }) => (
            <>
              <RecordTable
                items={items}
                label={t('audit')}
                empty={<Empty title={t('none')}>{t('noneDetail')}</Empty>}
              />
              {(from || next) && (
                <div className="cols body">
                  {from && <Button onClick={() => setFrom('')}>{t('newest')}</Button>}
                  {next && <Button onClick={() => setFrom(next)}>{t('older')}</Button>}
                </div>
              )}
            </>
          )}
        </Read>
      </section>
      {open === 'sinks' && <SinksDialog close={() => setOpen(undefined)} />}
      {open === 'searches' && <SearchesDialog filter={asked} close={() => setOpen(undefined)} />}
    </div>
  )
}

/** The same records, all of them, for the browser to save. */
function exportAddress({ limit: _, continue: __, ...query }: Record<string, unknown>): string {
  return `/api/v1${exportAudit.path}?${new URLSearchParams(query as Record<string, string>)}`
}

/** Whether the trail is as it was written, computed when it is asked for. */
function Checked() {
  const t = useText(auditTexts)
  const last = useRead(checkAuditTrail, { query: { last: 'true' } }, { everySeconds: 30, keep: true })
  const check = useMutation({ mutationFn: () => call(checkAuditTrail, {}) })
  const data = check.data ?? last.data
  const error = check.error ?? last.error
  return (
    <div className="rows tight">
      <div>
        <Button busy={check.isPending} onClick={() => check.mutate()}>
          {t('check')}
        </Button>
      </div>
      {data?.intact && (
        <Note tone="good">
          {t('checkedLast', { records: data.records, seals: data.seals })} <Age time={data.checkTime} />
        </Note>
      )}
      {data?.brokenSeal !== undefined && (
        <Note tone="bad" title={t('brokenSeal', { number: data.brokenSeal })}>
          {t('brokenDetail')}
        </Note>
      )}
      {data?.brokenAt !== undefined && (
        <Note tone="bad" title={t('broken', { number: data.brokenAt })}>
          {t('brokenDetail')}
        </Note>
      )}
      {data?.missingFrom !== undefined && (
        <Note tone="bad" title={t('missingFrom', { number: data.missingFrom })}>
          {t('brokenDetail')}
        </Note>
      )}
      {data?.appendOnly === 'privilege' && <p className="soft">{t('byPrivilege')}</p>}
      {data?.remark && (
        <Note tone={data.appendOnly === 'no' ? 'bad' : 'warn'} title={t('byTrigger')}>
          {data.remark}
        </Note>
      )}
      {error && <Failure error={error} />}
    </div>
  )
}

/** What the field holds, in the browser's own time zone, as RFC 3339; undefined while it is not a time. */
function instantOf(local: string): string | undefined {
  const time = new Date(local)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}
