import { type ReactNode, useEffect, useId, useRef } from 'react'
import { Button, CopyButton } from './button.tsx'
import { useText } from './text.ts'
import { partTexts } from './texts.ts'

/** A window over the page. The browser keeps the focus inside, and Escape closes it. */
export function Dialog({
  title,
  close,
  children,
  footer,
  look = 'dialog',
  narrow,
}: {
  title: ReactNode
  close: () => void
  children: ReactNode
  footer?: ReactNode
  look?: 'dialog' | 'drawer'
  narrow?: boolean
}) {
  const t = useText(partTexts)
  const box = useRef<HTMLDialogElement>(null)
  // One window may lie over another.
  const titleId = useId()
  useEffect(() => {
    const element = box.current
    if (element && !element.open) element.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={box}
      className={narrow ? `${look} narrow` : look}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
    >
      <header>
        <h2 id={titleId}>{title}</h2>
        <Button kind="plain" icon="cross" aria-label={t('close')} onClick={close} />
      </header>
      <div className="body">{children}</div>
      {footer && <footer>{footer}</footer>}
    </dialog>
  )
}

/** Text as it is, with a way to copy it. */
export function Code({ text, label, highlight }: { text: string; label: string; highlight?: 'yaml' }) {
  return (
    <div className="code">
      <div className="copy">
        <CopyButton text={text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset holds form controls, this holds text */}
      <pre tabIndex={0} role="group" aria-label={label}>
        <code>{highlight === 'yaml' ? <Yaml text={text} /> : text}</code>
      </pre>
    </div>
  )
}

const LINE = /^(\s*(?:- )*)([^\s:#'"][^:#]*|"[^"]*")(:)(\s|$)(.*)$/
function Yaml({ text }: { text: string }) {
  return text.split('\n').map((line, index) => {
    const match = LINE.exec(line)
    const value = match ? (match[5] ?? '') : ''
    const look = /^(-?\d[\d.e+-]*|true|false|null)$/.test(value) ? 'value-other' : 'value-string'
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: a line's number is its name
      <span key={index}>
        {match ? (
          <>
            {match[1]}
            <span className="key">{match[2]}</span>
            {match[3]}
            {match[4]}
            <span className={look}>{value}</span>
          </>
        ) : (
          line
        )}
        {'\n'}
      </span>
    )
  })
}
