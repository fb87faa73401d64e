import { Field, TextInput } from '@quarterdeck/ui'

/** A code to be typed. */
export function CodeField({
  label,
  hint,
  value,
  onChange,
  error,
}: {
  label: string
  hint: string
  value: string
  onChange: (value: string) => void
  error?: string | undefined
}) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <TextInput
          {...control}
          className="mono"
          inputMode="text"
          autoComplete="one-time-code"
          value={value}
          onChange={onChange}
          autoFocus
        />
      )}
    </Field>
  )
}
