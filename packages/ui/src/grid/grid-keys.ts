import { type RefObject, useEffect, useRef } from 'react'
import { isTyping } from '../typing.ts'

/** What keys mean to a list of rows. */
export type GridKey =
  | { type: 'step'; by: number; extend: boolean }
  | { type: 'page'; by: number; extend: boolean }
  | { type: 'first' | 'last' | 'open' | 'pick' }

type Pressed = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>

/** The meaning of a key; undefined when it has none here. */
export function gridKey({ key, shiftKey, ctrlKey, metaKey, altKey }: Pressed): GridKey | undefined {
  if (ctrlKey || metaKey || altKey) return undefined
  switch (key) {
    case 'j':
    case 'J':
    case 'ArrowDown':
      return { type: 'step', by: 1, extend: shiftKey }
    case 'k':
    case 'K':
    case 'ArrowUp':
      return { type: 'step', by: -1, extend: shiftKey }
    case 'PageDown':
      return { type: 'page', by: 1, extend: shiftKey }
    case 'PageUp':
      return { type: 'page', by: -1, extend: shiftKey }
    case 'Home':
      return { type: 'first' }
    case 'End':
      return { type: 'last' }
    case 'Enter':
      return { type: 'open' }
    case 'x':
    case ' ':
      return { type: 'pick' }
    default:
      return undefined
  }
}

/** Hears keys that are pressed in the grid, or on the page while nothing in particular has the focus. */
export function useGridKeys(grid: RefObject<HTMLElement | null>, act: (key: GridKey) => void): void {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      const here = target === grid.current || target === document.body || target.id === 'main'
      if (!here || isTyping(target) || document.querySelector('dialog[open]')) return
      const key = gridKey(event)
      if (!key) return
      event.preventDefault()
      latest.current(key)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [grid])
}
