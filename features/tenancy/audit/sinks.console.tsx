import {
  Age,
  Button,
  ConfirmDialog,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  fieldError,
  Note,
  Read,
  Select,
  ShowAs,
  Table,
  TextInput,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { type AuditSink, deleteAuditSink, listAuditSinks, saveAuditSink } from './sink.contract.ts'
import { auditTexts } from './texts.console.tsx'

/** Where the trail is sent: how far that is, another target, an end. */
export function SinksDialog({ close }: { close: () => void }) {
  const t = useText(auditTexts)
  const sinks = useRead(listAuditSinks, {}, { everySeconds: 3 })
  const [adding, setAdding] = useState(false)
  const [ending, setEnding] = useState<AuditSink>()
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>
      {t('addSink')}
    </Button>
  )
  return (
    <Dialog title={t('sinks')} look="drawer" close={close} footer={add}>
      <p className="soft">{t('sinksDetail')}</p>
      <Read query={sinks}>
        {({ items }) => (
          <Table
            label={t('sinks')}
            rows={items}
            rowKey={({ name }) => name}
            empty={<Empty title={t('noSinks')}>{t('noSinksDetail')}</Empty>}
            columns={[
              { title: t('name'), cell: ({ name }) => <strong>{name}</strong> },
              { title: t('target'), wide: true, cell: ({ url }) => <span className="mono small">{url}</span> },
              {
                title: t('arrived'),
                cell: ({ sent, waiting, sentTime, message }) => (
                  <div className="rows tight">
                    <span>{t('arrivedUpTo', { sent, waiting })}</span>
                    {sentTime && <Age time={sentTime} />}
                    {message && <Note tone="bad">{message}</Note>}
                  </div>
                ),
              },
              {
                title: t('acts'),
                acts: true,
                cell: (sink) => (
                  <Button small kind="danger" onClick={() => setEnding(sink)}>
                    {t('endSink')}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Read>
      {adding && <SinkDialog close={() => setAdding(false)} />}
      {ending && <EndDialog sink={ending} close={() => setEnding(undefined)} />}
    </Dialog>
  )
}

function SinkDialog({ close }: { close: () => void }) {
  const t = useText(auditTexts)
  const readAgain = useReadAgain()
  const [name, setName] = useState('')
  const [kind, setKind] = useState<AuditSink['kind']>('syslog')
  const [url, setUrl] = useState('')
  const [secret, setSecret] = useState('')
  const [from, setFrom] = useState<'now' | 'beginning'>('now')
  const input = { params: { sink: name }, body: { kind, url, from, ...(secret ? { secret } : {}) } }
  const checked = saveAuditSink.params.safeParse(input.params).success && url !== ''
  const save = useMutation({
    mutationFn: () => call(saveAuditSink, input),
    onSuccess: async () => {
      await readAgain(listAuditSinks)
      close()
    },
  })
  const errors = {
    name: fieldError(save.error, '/sink'),
    url: fieldError(save.error, '/url'),
    secret: fieldError(save.error, '/secret'),
  }
  return (
    <Dialog
      narrow
      title={t('addSink')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={save.isPending} disabled={!checked} onClick={() => save.mutate()}>
            {t('addSink')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <Field label={t('name')} error={errors.name}>
          {(control) => <TextInput {...control} value={name} onChange={setName} autoFocus />}
        </Field>
        <Field label={t('kind')}>
          {(control) => (
            <Select
              {...control}
              value={kind}
              onChange={(value) => setKind(value === 'webhook' ? 'webhook' : 'syslog')}
              options={[
                { value: 'syslog', label: 'syslog (RFC 5424)' },
                { value: 'webhook', label: 'Webhook' },
              ]}
            />
          )}
        </Field>
        <Field label={t('target')} error={errors.url}>
          {(control) => (
            <TextInput
              {...control}
              value={url}
              onChange={setUrl}
              placeholder={kind === 'syslog' ? 'tls://log.example.com:6514' : 'https://siem.example.com/audit'}
            />
          )}
        </Field>
        {kind === 'webhook' && (
          <Field label={t('secret')} error={errors.secret}>
            {(control) => (
              <TextInput {...control} type="password" autoComplete="off" value={secret} onChange={setSecret} />
            )}
          </Field>
        )}
        <Field label={t('from')}>
          {(control) => (
            <Select
              {...control}
              value={from}
              onChange={(value) => setFrom(value === 'beginning' ? 'beginning' : 'now')}
              options={[
                { value: 'now', label: t('fromNow') },
                { value: 'beginning', label: t('fromBeginning') },
              ]}
            />
          )}
        </Field>
        {checked && (
          <ShowAs
            endpoint={saveAuditSink}
            input={secret ? { ...input, body: { ...input.body, secret: '…' } } : input}
          />
        )}
        {save.error && !errors.name && !errors.url && !errors.secret && <Failure error={save.error} />}
      </div>
    </Dialog>
  )
}

function EndDialog({ sink, close }: { sink: AuditSink; close: () => void }) {
  const t = useText(auditTexts)
  const readAgain = useReadAgain()
  return (
    <ConfirmDialog
      title={t('endSinkTitle', { name: sink.name })}
      act={t('endSink')}
      endpoint={deleteAuditSink}
      input={{ params: { sink: sink.name } }}
      done={() => readAgain(listAuditSinks)}
      close={close}
    >
      {t('endSinkDetail')}
    </ConfirmDialog>
  )
}
