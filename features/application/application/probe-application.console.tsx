import { Field, Select, TextInput, useText } from '@quarterdeck/ui'
import type { Probe } from './application.contract.ts'
import { applicationTexts } from './texts.console.tsx'

/** One probe, or none. */
export function ProbeFields({
  title,
  probe,
  onChange,
}: {
  title: string
  probe: Probe | null
  onChange: (probe: Probe | null) => void
}) {
  const t = useText(applicationTexts)
  const kinds = [
    { value: 'none', label: t('probeNone') },
    { value: 'http', label: t('probeHttp') },
    { value: 'tcp', label: t('probeTcp') },
    { value: 'exec', label: t('probeExec') },
  ]
  const choose = (kind: string) => {
    if (kind === 'none') return onChange(null)
    const times = { initialDelaySeconds: probe?.initialDelaySeconds ?? 0, periodSeconds: probe?.periodSeconds ?? 5 }
    const port = probe?.port === undefined ? {} : { port: probe.port }
    if (kind === 'exec') return onChange({ kind: 'exec', command: probe?.command ?? ['true'], ...times })
    return onChange(
      kind === 'http'
        ? { kind: 'http', path: probe?.path ?? '/', ...port, ...times }
        : { kind: 'tcp', ...port, ...times },
    )
  }
  const seconds = (name: 'initialDelaySeconds' | 'periodSeconds', label: string) =>
    probe && (
      <Field label={label}>
        {(control) => (
          <TextInput
            {...control}
            type="number"
            min={name === 'periodSeconds' ? 1 : 0}
            value={String(probe[name])}
            onChange={(text) => onChange({ ...probe, [name]: Number(text) })}
          />
        )}
      </Field>
    )
  return (
    <fieldset className="rows tight">
      <legend className="hidden">{title}</legend>
      <Field label={title} term="probe">
        {(control) => <Select {...control} value={probe?.kind ?? 'none'} options={kinds} onChange={choose} />}
      </Field>
      {probe && (
        <div className="line-fields">
          {probe.kind === 'http' && (
            <Field label={t('path')}>
              {(control) => (
                <TextInput
                  {...control}
                  className="mono"
                  value={probe.path ?? '/'}
                  onChange={(path) => onChange({ ...probe, path })}
                />
              )}
            </Field>
          )}
          {probe.kind !== 'exec' && (
            <Field label={t('port')}>
              {(control) => (
                <TextInput
                  {...control}
                  type="number"
                  value={String(probe.port ?? '')}
                  onChange={(text) => {
                    const { port: _, ...rest } = probe
                    onChange(text === '' ? rest : { ...rest, port: Number(text) })
                  }}
                />
              )}
            </Field>
          )}
          {seconds('initialDelaySeconds', t('delay'))}
          {seconds('periodSeconds', t('period'))}
        </div>
      )}
      {probe?.kind === 'exec' && (
        <Field label={t('execCommand')}>
          {(control) => (
            <textarea
              {...control}
              className="input"
              rows={2}
              value={(probe.command ?? []).join('\n')}
              onChange={(event) => onChange({ ...probe, command: event.target.value.split('\n') })}
            />
          )}
        </Field>
      )}
    </fieldset>
  )
}
