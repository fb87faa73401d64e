import { Button, Field, TextInput, useText } from '@quarterdeck/ui'
import type { ApplicationPort } from './application.contract.ts'
import { applicationTexts } from './texts.console.tsx'

/** Where a list of inputs asks for the sentence at a field, and says that one has been left. */
export interface Faults {
  faultAt: (path: string) => string | undefined
  onLeave: (path: string) => () => void
}

/** The ports of the container and where they are reached; a line each. */
export function Ports({
  ports,
  exposure,
  onChange,
  faultAt,
  onLeave,
}: Faults & { ports: ApplicationPort[]; exposure: string; onChange: (ports: ApplicationPort[]) => void }) {
  const t = useText(applicationTexts)
  const number = (text: string) => (text === '' ? undefined : Number(text))
  const set = (index: number, part: Partial<ApplicationPort>) =>
    onChange(ports.map((port, at) => (at === index ? { ...port, ...part } : port)))
  const free = () => {
    let port = 8080
    while (ports.some((one) => one.containerPort === port)) port += 1
    return port
  }
  return (
    <>
      {ports.map((port, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row keeps its place while its name is written
        <div className="line-fields" key={index}>
          <Field label={t('portName')} error={faultAt(`spec/ports/${index}/name`)}>
            {(control) => (
              <TextInput
                {...control}
                value={port.name}
                onBlur={onLeave(`spec/ports/${index}/name`)}
                onChange={(name) => set(index, { name })}
              />
            )}
          </Field>
          <Field label={t('containerPort')} error={faultAt(`spec/ports/${index}/containerPort`)}>
            {(control) => (
              <TextInput
                {...control}
                type="number"
                value={Number.isNaN(port.containerPort) ? '' : String(port.containerPort)}
                onBlur={onLeave(`spec/ports/${index}/containerPort`)}
                onChange={(text) => set(index, { containerPort: text === '' ? Number.NaN : Number(text) })}
              />
            )}
          </Field>
          {exposure !== 'none' && (
            <Field label={t('servicePort')} error={faultAt(`spec/ports/${index}/servicePort`)}>
              {(control) => (
                <TextInput
                  {...control}
                  type="number"
                  placeholder={t('same')}
                  value={String(port.servicePort ?? '')}
                  onBlur={onLeave(`spec/ports/${index}/servicePort`)}
                  onChange={(text) => set(index, { servicePort: number(text) })}
                />
              )}
            </Field>
          )}
          {exposure === 'node' && (
            <Field label={t('nodePort')} error={faultAt(`spec/ports/${index}/nodePort`)}>
              {(control) => (
                <TextInput
                  {...control}
                  type="number"
                  placeholder={t('chosen')}
                  value={String(port.nodePort ?? '')}
                  onBlur={onLeave(`spec/ports/${index}/nodePort`)}
                  onChange={(text) => set(index, { nodePort: number(text) })}
                />
              )}
            </Field>
          )}
          <Button
            kind="plain"
            icon="trash"
            aria-label={t('remove', { what: port.name })}
            onClick={() => onChange(ports.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <div>
        <Button
          small
          icon="plus"
          onClick={() =>
            onChange([...ports, { name: `port-${ports.length + 1}`, containerPort: free(), protocol: 'TCP' }])
          }
        >
          {t('add')}
        </Button>
      </div>
    </>
  )
}
