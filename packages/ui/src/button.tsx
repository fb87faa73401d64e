import { type ButtonHTMLAttributes, type ReactNode, useEffect, useRef, useState } from 'react'
import { Icon, type IconName } from './icon.tsx'
import { Link } from './link.tsx'
import { useText } from './text.ts'
import { partTexts } from './texts.ts'

interface Look {
  kind?: 'primary' | 'danger' | 'plain' | undefined
  small?: boolean | undefined
  icon?: IconName | undefined
}
const classOf = ({ kind, small }: Look) => ['button', kind, small ? 'small' : ''].filter(Boolean).join(' ')

/** An act. Give `aria-label` when there is only an icon. */
export function Button({
  kind,
  small,
  icon,
  busy,
  children,
  ...rest
}: Look & { busy?: boolean } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" {...rest} disabled={rest.disabled || busy} className={classOf({ kind, small })}>
      {busy ? <Icon name="busy" turning /> : icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A link that looks like an act, for going to a page where it is done. */
export function ButtonLink({ kind, small, icon, to, children }: Look & { to: string; children: ReactNode }) {
  return (
    <Link to={to} className={classOf({ kind, small })}>
      {icon && <Icon name={icon} />}
      {children}
    </Link>
  )
}

/** One line of a menu; `rule` draws a line above it. */
export interface MenuItem {
  label: ReactNode
  icon?: IconName
  act: () => void
  danger?: boolean
  rule?: boolean
  /** Named once above the first of its items. */
  group?: string
  disabled?: boolean
}

/** A button that opens a short list of acts: arrows move, Escape closes, the first has the focus. */
export function Menu({
  label,
  icon,
  text,
  items,
  kind,
  small,
  left,
  head,
}: Look & { label: string; text?: ReactNode; items: MenuItem[]; left?: boolean; head?: ReactNode }) {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    if (list.current && root.current) place(list.current, root.current, left === true)
    const entries = () => [...(root.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])]
    entries()[0]?.focus()
    const leave = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    const key = (event: KeyboardEvent) => {
      if (event.key === 'Escape' || event.key === 'Tab') {
        setOpen(false)
        root.current?.querySelector<HTMLElement>('button')?.focus()
        if (event.key === 'Escape') event.preventDefault()
      }
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
      if (step === 0) return
      event.preventDefault()
      const all = entries()
      const at = all.indexOf(document.activeElement as HTMLElement)
      all[(at + step + all.length) % all.length]?.focus()
    }
    const gone = () => setOpen(false)
    window.addEventListener('resize', gone)
    document.addEventListener('scroll', gone, true)
    document.addEventListener('pointerdown', leave)
    document.addEventListener('keydown', key)
    return () => {
      window.removeEventListener('resize', gone)
      document.removeEventListener('scroll', gone, true)
      document.removeEventListener('pointerdown', leave)
      document.removeEventListener('keydown', key)
    }
  }, [open, left])
  return (
    <div className="menu" ref={root}>
      <Button
        kind={kind}
        small={small}
        icon={icon}
        aria-label={text === undefined ? label : undefined}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {text}
      </Button>
      {open && (
        <div className="list" role="menu" aria-label={label} popover="manual" ref={list}>
          {head && (
            <div className="head" role="presentation">
              {head}
            </div>
          )}
          {items.map((item, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a menu is made whole and never reordered
            <MenuLine key={index} item={item} before={items[index - 1]} close={() => setOpen(false)} />
          ))}
        </div>
      )}
    </div>
  )
}

/** Shows a list above everything, below its button, or above it where there is no room; never cut off by a table. */
function place(list: HTMLElement, button: HTMLElement, left: boolean) {
  list.showPopover()
  const at = button.getBoundingClientRect()
  const { offsetWidth, offsetHeight } = list
  const x = left ? at.left : at.right - offsetWidth
  const below = at.bottom + 4
  const y = below + offsetHeight <= innerHeight ? below : Math.max(4, at.top - offsetHeight - 4)
  list.style.left = `${Math.max(4, Math.min(x, innerWidth - offsetWidth - 4))}px`
  list.style.top = `${y}px`
}

function MenuLine({ item, before, close }: { item: MenuItem; before: MenuItem | undefined; close: () => void }) {
  return (
    <>
      {item.rule && <hr />}
      {item.group !== undefined && item.group !== before?.group && (
        <div className="group" role="presentation">
          {item.group}
        </div>
      )}
      <button
        type="button"
        role="menuitem"
        className={item.danger ? 'danger' : undefined}
        disabled={item.disabled}
        onClick={() => {
          close()
          item.act()
        }}
      >
        {item.icon && <Icon name={item.icon} />}
        {item.label}
      </button>
    </>
  )
}

/** Puts a text on the clipboard and says so. */
export function CopyButton({ text }: { text: string }) {
  const t = useText(partTexts)
  const [done, setDone] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setDone(true)
    setTimeout(() => setDone(false), 1_500)
  }
  return (
    <Button small icon={done ? 'check' : 'copy'} onClick={() => void copy()}>
      {done ? t('copied') : t('copy')}
    </Button>
  )
}
