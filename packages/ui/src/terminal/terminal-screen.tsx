import { lazy, Suspense } from 'react'
import { Skeleton } from '../state.tsx'
import type { TerminalScreenProps } from './xterm-screen.tsx'

const Screen = lazy(async () => ({ default: (await import('./xterm-screen.tsx')).XtermScreen }))

/** A terminal's screen; xterm.js is loaded when the first one is shown. */
export const TerminalScreen = (props: TerminalScreenProps) => (
  <Suspense fallback={<Skeleton />}>
    <Screen {...props} />
  </Suspense>
)
