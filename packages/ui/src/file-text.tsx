import { Field } from './form.tsx'

/** A text that is written, pasted, dropped as a file or chosen as one. */
export function FileText({
  label,
  hint,
  fileLabel,
  value,
  onChange,
  rows,
  className = '',
  error,
}: {
  label: string
  hint?: string
  /** Of the button that chooses a file. */
  fileLabel: string
  value: string
  onChange: (text: string) => void
  /** Height of the text in lines. */
  rows: number
  /** Added to the text's own class. */
  className?: string
  error?: string | undefined
}) {
  const take = async (files: FileList | null) => {
    const file = files?.[0]
    if (file) onChange(await file.text())
  }
  return (
    <>
      <Field label={label} {...(hint === undefined ? {} : { hint })} error={error}>
        {(control) => (
          <textarea
            {...control}
            className={`input ${className}`.trim()}
            rows={rows}
            spellCheck={false}
            value={value}
            onChange={(event) => onChange(event.target.value)}
            onDragOver={(event) => event.preventDefault()}
            onDrop={(event) => {
              if (event.dataTransfer.files.length === 0) return
              event.preventDefault()
              void take(event.dataTransfer.files)
            }}
          />
        )}
      </Field>
      <Field label={fileLabel}>
        {(control) => <input {...control} type="file" onChange={(event) => void take(event.target.files)} />}
      </Field>
    </>
  )
}
