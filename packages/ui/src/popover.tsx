import { type ReactNode, useId, useRef, useState } from 'react'
import { Button } from './button.tsx'
import type { IconName } from './icon.tsx'

/** A button that opens a small window below itself; a click beside it or Escape closes it. */
export function Popover({
  label,
  text,
  icon,
  kind,
  small,
  className,
  children,
}: {
  label: string
  text?: ReactNode
  icon?: IconName
  kind?: 'primary' | 'danger' | 'plain'
  small?: boolean
  className?: string
  /** Made only while it is open. */
  children: (close: () => void) => ReactNode
}) {
  const id = useId()
  const root = useRef<HTMLDivElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState(false)
  const close = () => {
    box.current?.hidePopover()
    root.current?.querySelector('button')?.focus()
  }
  return (
    <div className={className} ref={root}>
      <Button
        kind={kind}
        small={small}
        icon={icon}
        aria-label={text === undefined ? label : undefined}
        title={label}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => box.current?.togglePopover()}
      >
        {text}
      </Button>
      <div
        id={id}
        ref={box}
        role="dialog"
        aria-label={label}
        className="popover"
        popover="auto"
        onBeforeToggle={(event) => {
          if (event.newState === 'open') setOpen(true)
        }}
        onToggle={(event) => {
          setOpen(event.newState === 'open')
          if (event.newState !== 'open' || !box.current || !root.current) return
          place(box.current, root.current)
          box.current.querySelector<HTMLElement>('[data-first], input, button, a')?.focus()
        }}
      >
        {open && children(close)}
      </div>
    </div>
  )
}

/** Below its button, moved to stay inside the window. */
function place(box: HTMLElement, button: HTMLElement) {
  const at = button.getBoundingClientRect()
  box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - box.offsetWidth - 8))}px`
  box.style.top = `${at.bottom + 4}px`
  box.style.maxHeight = `${innerHeight - at.bottom - 16}px`
}
