import { useSyncExternalStore } from 'react'

/** What the person chose; `system` follows the operating system. */
export type Theme = 'light' | 'dark' | 'system'
const STORED = 'quarterdeck.theme'
const dark = matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

const chosen = (): Theme => {
  const stored = localStorage.getItem(STORED)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}
const effective = (): 'light' | 'dark' => {
  const theme = chosen()
  return theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme
}
const show = () => {
  document.documentElement.dataset.theme = effective()
  for (const listener of listeners) listener()
}
dark.addEventListener('change', show)
show()

/** Chooses and remembers in this browser. */
export function chooseTheme(theme: Theme): void {
  localStorage.setItem(STORED, theme)
  show()
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
/** Light or dark, as it is shown now. */
export const useTheme = (): 'light' | 'dark' => useSyncExternalStore(subscribe, effective)
