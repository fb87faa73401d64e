import { Button, Field, TextInput, useText } from '@quarterdeck/ui'
import type { ApplicationSpec } from './application.contract.ts'
import type { Faults } from './edit-ports.console.tsx'
import { applicationTexts } from './texts.console.tsx'

type Variable = ApplicationSpec['variables'][number]
/** The environment variables of the container; a line each. */
export function Variables({
  variables,
  onChange,
  faultAt,
  onLeave,
}: Faults & { variables: Variable[]; onChange: (variables: Variable[]) => void }) {
  const t = useText(applicationTexts)
  const set = (index: number, part: Partial<Variable>) =>
    onChange(variables.map((one, at) => (at === index ? { ...one, ...part } : one)))
  return (
    <>
      {variables.map((variable, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row keeps its place while its name is written
        <div className="line-fields" key={index}>
          <Field label={t('variableName')} error={faultAt(`spec/variables/${index}/name`)}>
            {(control) => (
              <TextInput
                {...control}
                className="mono"
                value={variable.name}
                onBlur={onLeave(`spec/variables/${index}/name`)}
                onChange={(name) => set(index, { name })}
              />
            )}
          </Field>
          <Field label={t('variableValue')}>
            {(control) => (
              <TextInput
                {...control}
                className="mono"
                value={variable.value}
                onChange={(value) => set(index, { value })}
              />
            )}
          </Field>
          <Button
            kind="plain"
            icon="trash"
            aria-label={t('remove', { what: variable.name })}
            onClick={() => onChange(variables.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <div>
        <Button small icon="plus" onClick={() => onChange([...variables, { name: '', value: '' }])}>
          {t('add')}
        </Button>
      </div>
    </>
  )
}
