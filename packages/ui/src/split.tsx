import './styles/split.css'
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from 'react'
import { useText } from './text.ts'
import { partTexts } from './texts.ts'

const LEAST = 340
const MOST = 2000
const STEP = 24

/**
 * What is looked at, and at its right the details of one of it. The line between is dragged or moved by arrows; its place
 * is kept in this browser under `name`.
 */
export function Split({ name, children, side }: { name: string; children: ReactNode; side: ReactNode }) {
  const t = useText(partTexts)
  const key = `quarterdeck.split.${name}`
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(() => Number(localStorage.getItem(key)) || 560)
  const most = () => Math.max(LEAST, (box.current?.offsetWidth ?? 1_200) - 320)
  const set = (next: number) => setWidth(Math.round(Math.min(most(), Math.max(LEAST, next))))
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || !box.current) return
    set(box.current.getBoundingClientRect().right - event.clientX)
  }
  const keep = () => localStorage.setItem(key, String(width))
  const press = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowLeft' ? STEP : event.key === 'ArrowRight' ? -STEP : 0
    if (by === 0) return
    event.preventDefault()
    set(width + by)
  }
  return (
    <div className="split" ref={box}>
      <div className="split-main">{children}</div>
      {side && (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: a separator that can be moved has no element of its own */}
          <div
            role="separator"
            className="split-line"
            tabIndex={0}
            aria-orientation="vertical"
            aria-label={t('splitWidth')}
            aria-valuenow={width}
            aria-valuemin={LEAST}
            aria-valuemax={MOST}
            onPointerDown={(event) => {
              event.preventDefault()
              event.currentTarget.setPointerCapture(event.pointerId)
            }}
            onPointerMove={drag}
            onPointerUp={keep}
            onKeyDown={press}
            onKeyUp={keep}
          />
          <aside className="split-side" style={{ width: `min(${width}px, 60%)` }}>
            {side}
          </aside>
        </>
      )}
    </div>
  )
}
