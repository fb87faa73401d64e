import { Field, fieldError, Section, Select, TextInput, useText } from '@quarterdeck/ui'
import { useState } from 'react'
import { ApplicationSpec, getApplication } from './application.contract.ts'
import { Ports } from './edit-ports.console.tsx'
import { Variables } from './edit-variables.console.tsx'
import { ProbeFields } from './probe-application.console.tsx'
import { applicationTexts } from './texts.console.tsx'

/** What the form edits: the name and the whole specification. */
export interface Proposal {
  name: string
  spec: ApplicationSpec
}

/** The sentences of a proposal's faults by their path: `name`, `spec/replicas`, `spec/ports/0/name`. */
export function faultsOf({ name, spec }: Proposal): Record<string, string> {
  const faults: Record<string, string> = {}
  const named = getApplication.params.shape.application.safeParse(name)
  if (!named.success) faults.name = named.error.issues[0]?.message ?? ''
  const checked = ApplicationSpec.safeParse(spec)
  for (const issue of checked.error?.issues ?? []) faults[`spec/${issue.path.join('/')}`] ??= issue.message
  return faults
}

/** Every part of the proposal, editable; what is seldom touched is folded, with how many are set. */
export function ProposalForm({
  value,
  onChange,
  refusal,
}: {
  value: Proposal
  onChange: (value: Proposal) => void
  /** What the server said of it, shown at its fields. */
  refusal?: unknown
}) {
  const t = useText(applicationTexts)
  const { spec } = value
  const [touched, setTouched] = useState<Record<string, true>>({})
  const faults = faultsOf(value)
  const set = (part: Partial<ApplicationSpec>) => onChange({ ...value, spec: { ...spec, ...part } })
  const at = (path: string) =>
    (touched[path] ? faults[path] : undefined) ?? fieldError(refusal, `/${path.replace(/^spec\//, '')}`)
  const left = (path: string) => () => setTouched((before) => ({ ...before, [path]: true }))
  const optional = (text: string) => (text.trim() === '' ? undefined : text.trim())
  const limits = ['cpuLimit', 'memoryLimit'] as const
  const count = (number: number) => t('set', { count: number })
  const lines = (text: string) => (text === '' ? undefined : text.split('\n'))
  return (
    <div className="rows form">
      <Field label={t('name')} hint={t('nameHint')} error={at('name')}>
        {(control) => (
          <TextInput
            {...control}
            value={value.name}
            onBlur={left('name')}
            onChange={(name) => onChange({ ...value, name })}
          />
        )}
      </Field>
      <Field label={t('replicas')} error={at('spec/replicas')}>
        {(control) => (
          <TextInput
            {...control}
            type="number"
            min={0}
            max={1_000}
            value={Number.isNaN(spec.replicas) ? '' : String(spec.replicas)}
            onBlur={left('spec/replicas')}
            onChange={(text) => set({ replicas: text === '' ? Number.NaN : Number(text) })}
          />
        )}
      </Field>
      <div className="pairs">
        {(['cpuRequest', 'memoryRequest'] as const).map((name) => (
          <Field key={name} label={t(name)} error={at(`spec/${name}`)}>
            {(control) => (
              <TextInput
                {...control}
                value={spec[name] ?? ''}
                placeholder={t('noLimit')}
                onBlur={left(`spec/${name}`)}
                onChange={(text) => set({ [name]: optional(text) })}
              />
            )}
          </Field>
        ))}
      </div>
      <Field label={t('exposure')} term="Service">
        {(control) => (
          <Select
            {...control}
            value={spec.exposure}
            onChange={(exposure) => set({ exposure: exposure as ApplicationSpec['exposure'] })}
            options={[
              { value: 'node', label: t('exposeNode') },
              { value: 'cluster', label: t('exposeCluster') },
              { value: 'none', label: t('exposeNone') },
            ]}
          />
        )}
      </Field>
      <div className="sections">
        <Section
          title={t('ports')}
          count={count(spec.ports?.length ?? 0)}
          open={Object.keys(faults).some((path) => path.startsWith('spec/ports'))}
        >
          <Ports
            ports={spec.ports ?? []}
            exposure={spec.exposure}
            faultAt={at}
            onLeave={left}
            onChange={(ports) => set({ ports })}
          />
        </Section>
        <Section
          title={t('probes')}
          count={count([spec.readinessProbe, spec.livenessProbe].filter(Boolean).length)}
          open={Object.keys(faults).some((path) => path.includes('Probe'))}
        >
          <ProbeFields
            title={t('readiness')}
            probe={spec.readinessProbe ?? null}
            onChange={(readinessProbe) => set({ readinessProbe })}
          />
          <ProbeFields
            title={t('liveness')}
            probe={spec.livenessProbe ?? null}
            onChange={(livenessProbe) => set({ livenessProbe })}
          />
        </Section>
        <Section
          title={t('limits')}
          count={count(limits.filter((name) => spec[name]).length)}
          open={limits.some((name) => faults[`spec/${name}`])}
        >
          <div className="pairs">
            {limits.map((name) => (
              <Field key={name} label={t(name)} error={at(`spec/${name}`)}>
                {(control) => (
                  <TextInput
                    {...control}
                    value={spec[name] ?? ''}
                    placeholder={t('noLimit')}
                    onBlur={left(`spec/${name}`)}
                    onChange={(text) => set({ [name]: optional(text) })}
                  />
                )}
              </Field>
            ))}
          </div>
        </Section>
        <Section
          title={t('variables')}
          count={count(spec.variables.length)}
          open={Object.keys(faults).some((path) => path.startsWith('spec/variables'))}
        >
          <Variables
            variables={spec.variables}
            faultAt={at}
            onLeave={left}
            onChange={(variables) => set({ variables })}
          />
        </Section>
        <Section
          title={t('command')}
          count={spec.command || spec.args || spec.runAsUser !== undefined ? undefined : t('asImage')}
          open={Object.keys(faults).some((path) => /^spec\/(command|args|runAsUser)/.test(path))}
        >
          <Field label={t('command')} term="command" hint={t('commandHint')}>
            {(control) => (
              <textarea
                {...control}
                className="input"
                rows={2}
                value={(spec.command ?? []).join('\n')}
                onChange={(event) => set({ command: lines(event.target.value) })}
              />
            )}
          </Field>
          <Field label={t('args')} term="args" hint={t('commandHint')}>
            {(control) => (
              <textarea
                {...control}
                className="input"
                rows={2}
                value={(spec.args ?? []).join('\n')}
                onChange={(event) => set({ args: lines(event.target.value) })}
              />
            )}
          </Field>
          <Field label={t('user')} term="runAsUser" hint={t('userHint')} error={at('spec/runAsUser')}>
            {(control) => (
              <TextInput
                {...control}
                type="number"
                min={0}
                value={spec.runAsUser === undefined ? '' : String(spec.runAsUser)}
                onBlur={left('spec/runAsUser')}
                onChange={(text) => set({ runAsUser: text === '' ? undefined : Number(text) })}
              />
            )}
          </Field>
        </Section>
      </div>
    </div>
  )
}
