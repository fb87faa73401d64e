import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'
import { useText } from './text.ts'
import { partTexts } from './texts.ts'
import { isTyping } from './typing.ts'

/** What may follow in the text, and what part of the text it takes the place of. */
export interface Suggestion {
  insert: string
  from: number
  to: number
  hint: string
}

interface FilterBoxProps {
  label: string
  placeholder: string
  value: string
  /** Called when the person stops for a moment, takes a suggestion or presses Enter. */
  onChange: (value: string) => void
  suggest: (text: string, cursor: number, signal: AbortSignal) => Promise<Suggestion[]>
  /** What is wrong with the text that is in force. */
  error?: string | undefined
}

const APPLY_MS = 350
const SUGGEST_MS = 60
/** More has to come behind this; Enter applies it all the same. */
const UNFINISHED = /[:=~<>!,("-]$|(^|\s)(or|and|not)$/i

/**
 * One line that says in text what is looked for, and completes it: arrows choose, Tab takes, Enter takes what is chosen or
 * applies the text, Escape closes the list, then leaves. The key / goes there.
 */
export function FilterBox({ label, placeholder, value, onChange, suggest, error }: FilterBoxProps) {
  const t = useText(partTexts)
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(value)
  const [at, setAt] = useState(-1)
  const asked = useSuggestions(suggest)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const applied = useRef(value)
  useSlash(input)
  // The text in force was changed from elsewhere: a facet, the back button.
  useEffect(() => {
    if (value === applied.current) return
    applied.current = value
    clearTimeout(timer.current)
    setText(value)
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])

  const apply = (next: string) => {
    clearTimeout(timer.current)
    if (next.trim() === applied.current) return
    applied.current = next.trim()
    onChange(applied.current)
  }
  const change = (next: string, cursor: number) => {
    setText(next)
    setAt(-1)
    asked.ask(next, cursor)
    clearTimeout(timer.current)
    if (!UNFINISHED.test(next)) timer.current = setTimeout(() => apply(next), APPLY_MS)
  }
  const take = ({ insert, from, to }: Suggestion) => {
    const next = text.slice(0, from) + insert + text.slice(to)
    const cursor = from + insert.length
    change(next, cursor)
    queueMicrotask(() => input.current?.setSelectionRange(cursor, cursor))
    requestAnimationFrame(() => input.current?.setSelectionRange(cursor, cursor))
  }
  const list = asked.list
  const key = (event: KeyboardEvent<HTMLInputElement>) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const chosen = list[at] ?? (event.key === 'Tab' ? list[0] : undefined)
    if (step !== 0 && list.length === 0) asked.ask(text, input.current?.selectionStart ?? text.length)
    else if (step !== 0)
      setAt((now) => (now < 0 && step < 0 ? list.length - 1 : (now + step + list.length) % list.length))
    else if (chosen && !event.shiftKey && (event.key === 'Tab' || event.key === 'Enter')) take(chosen)
    else if (event.key === 'Enter') {
      asked.close()
      apply(text)
    } else if (event.key === 'Escape') {
      if (list.length > 0) asked.close()
      else input.current?.blur()
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  const open = list.length > 0
  return (
    <div className="filter-box">
      <div className="filter">
        <Icon name="search" />
        <input
          ref={input}
          className="input mono"
          role="combobox"
          autoComplete="off"
          spellCheck={false}
          aria-label={label}
          aria-autocomplete="list"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-activedescendant={list[at] ? `${id}-${at}` : undefined}
          aria-invalid={error ? true : undefined}
          aria-describedby={error ? `${id}-error` : undefined}
          placeholder={placeholder}
          value={text}
          onChange={(event) => change(event.target.value, event.target.selectionStart ?? event.target.value.length)}
          onFocus={(event) => asked.ask(text, event.target.selectionStart ?? text.length)}
          onBlur={() => {
            asked.close()
            apply(text)
          }}
          onKeyDown={key}
        />
        {text !== '' && (
          <Button
            kind="plain"
            small
            icon="cross"
            aria-label={t('clear')}
            title={t('clear')}
            onClick={() => change('', 0)}
          />
        )}
      </div>
      <div className="suggestions" role="listbox" id={`${id}-list`} aria-label={label} hidden={!open}>
        {list.map((one, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are heard by the input, which keeps the focus
          <div
            key={`${one.from}/${one.insert}`}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(one)}
          >
            <span className="mono clip">{one.insert.trim()}</span>
            <span className="soft small clip">{one.hint}</span>
          </div>
        ))}
      </div>
      {error && (
        <p className="error small" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  )
}

/** Suggestions for the newest text; answers to older ones are thrown away. */
function useSuggestions(suggest: FilterBoxProps['suggest']) {
  const [list, setList] = useState<Suggestion[]>([])
  const running = useRef<{ stop: AbortController; timer: ReturnType<typeof setTimeout> }>(undefined)
  const cancel = () => {
    clearTimeout(running.current?.timer)
    running.current?.stop.abort()
    running.current = undefined
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the box goes away
  useEffect(() => cancel, [])
  return {
    list,
    close: () => {
      cancel()
      setList([])
    },
    ask: (text: string, cursor: number) => {
      cancel()
      const stop = new AbortController()
      const timer = setTimeout(async () => {
        try {
          const found = await suggest(text, cursor, stop.signal)
          if (!stop.signal.aborted) setList(found)
        } catch {
          // Completion is a help; what is wrong with the text is said when it is applied.
          if (!stop.signal.aborted) setList([])
        }
      }, SUGGEST_MS)
      running.current = { stop, timer }
    },
  }
}

/** The key / puts the cursor into the line. */
function useSlash(input: { current: HTMLInputElement | null }) {
  useEffect(() => {
    const focus = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || isTyping(event.target)) return
      if (document.querySelector('dialog[open]')) return
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    }
    document.addEventListener('keydown', focus)
    return () => document.removeEventListener('keydown', focus)
  }, [input])
}
