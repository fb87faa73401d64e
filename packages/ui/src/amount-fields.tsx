import { Field, TextInput } from './form.tsx'

/** Amounts side by side, each with its name; what is left empty is not limited. */
export function AmountFields({
  fields,
  values,
  onChange,
  errors,
}: {
  fields: readonly { key: string; label: string; placeholder?: string }[]
  values: Readonly<Record<string, string>>
  onChange: (values: Record<string, string>) => void
  errors?: Readonly<Record<string, string | undefined>> | undefined
}) {
  return (
    <div className="thirds">
      {fields.map(({ key, label, placeholder }) => (
        <Field key={key} label={label} error={errors?.[key]}>
          {(control) => (
            <TextInput
              {...control}
              value={values[key] ?? ''}
              placeholder={placeholder}
              onChange={(value) => onChange({ ...values, [key]: value })}
            />
          )}
        </Field>
      ))}
    </div>
  )
}
