import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useEffect, useId, useState } from 'react'
import { Icon } from './icon.tsx'

/** What a field passes to the control inside it. */
export interface Labelled {
  id: string
  'aria-invalid'?: true
  'aria-describedby'?: string
}

/** A label, its control, a hint, and what is wrong with it. `term` is Kubernetes' own word for it. */
export function Field({
  label,
  term,
  hint,
  error,
  children,
}: {
  label: string
  term?: string
  hint?: ReactNode
  error?: string | undefined
  children: (control: Labelled) => ReactNode
}) {
  const id = useId()
  const about = error ? `${id}-error` : hint ? `${id}-hint` : undefined
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {term && <span className="term small">{term}</span>}
      </label>
      {children({
        id,
        ...(error ? { 'aria-invalid': true as const } : {}),
        ...(about ? { 'aria-describedby': about } : {}),
      })}
      {error ? (
        <span className="error small" id={`${id}-error`} role="alert">
          {error}
        </span>
      ) : (
        hint && (
          <span className="soft small" id={`${id}-hint`}>
            {hint}
          </span>
        )
      )}
    </div>
  )
}

type Control<Props> = Omit<Props, 'onChange' | 'value'> & { value: string; onChange: (value: string) => void }

/** One line of text. */
export function TextInput({ onChange, className, ...rest }: Control<InputHTMLAttributes<HTMLInputElement>>) {
  return (
    <input
      autoComplete="off"
      spellCheck={false}
      {...rest}
      className={className ? `input ${className}` : 'input'}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}

/** One of several. */
export function Select({
  onChange,
  options,
  ...rest
}: Control<SelectHTMLAttributes<HTMLSelectElement>> & { options: readonly { value: string; label: string }[] }) {
  return (
    <select {...rest} className="input" onChange={(event) => onChange(event.target.value)}>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  )
}

/** A tick with its sentence. */
export function Check({
  checked,
  onChange,
  children,
}: {
  checked: boolean
  onChange: (checked: boolean) => void
  children: ReactNode
}) {
  const id = useId()
  return (
    <div className="check">
      <input id={id} type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      <label htmlFor={id}>{children}</label>
    </div>
  )
}

/**
 * A heading that opens; says how many things it holds before it is opened. `open` opens it, when something inside has to
 * be seen; only the person closes it.
 */
export function Section({
  title,
  count,
  open,
  children,
}: {
  title: string
  count?: string | undefined
  open?: boolean | undefined
  children: ReactNode
}) {
  const [shown, setShown] = useState(open === true)
  useEffect(() => {
    if (open) setShown(true)
  }, [open])
  return (
    <details className="section" open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        <svg className="icon turn" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M6 3.5 10.5 8 6 12.5" />
        </svg>
        {title} {count && <span className="count small">{count}</span>}
      </summary>
      <div className="body">{children}</div>
    </details>
  )
}

/** A sentence that stands out: what happened, what it means, what to do. */
export function Note({
  tone,
  title,
  children,
}: {
  tone: 'good' | 'busy' | 'warn' | 'bad' | 'mute'
  title?: ReactNode
  children?: ReactNode
}) {
  const icon =
    tone === 'good' ? 'check' : tone === 'bad' || tone === 'warn' ? 'alert' : tone === 'busy' ? 'wait' : 'info'
  return (
    <div className={`note tone-${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon name={icon} />
      <div>
        {title && <strong>{title}</strong>} {children}
      </div>
    </div>
  )
}
