import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { ansiRuns } from './ansi.ts'
import type { LogBuffer, ShownLine } from './log-buffer.ts'

/**
 * The lines of a buffer, only those in sight in the page. `version` changes when the buffer has; `follow` keeps the end
 * in sight, and scrolling up calls `onFollow(false)`.
 */
export function LogScreen({
  buffer,
  version,
  follow,
  onFollow,
  search,
  times,
  label,
}: {
  buffer: LogBuffer
  version: number
  follow: boolean
  onFollow: (follow: boolean) => void
  search: string
  times: boolean
  label: string
}) {
  const box = useRef<HTMLDivElement>(null)
  const lines = useVirtualizer({
    count: buffer.size,
    getScrollElement: () => box.current,
    estimateSize: () => 18,
    overscan: 30,
    getItemKey: (index) => buffer.at(index)?.id ?? index,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are the reason to go to the end
  useEffect(() => {
    if (follow && buffer.size > 0) lines.scrollToIndex(buffer.size - 1, { align: 'end' })
  }, [version, follow, buffer])
  const scrolled = () => {
    const element = box.current
    if (!element) return
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40
    if (atEnd !== follow && (atEnd || !lines.isScrolling || lines.scrollDirection === 'backward')) onFollow(atEnd)
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <div className="log" ref={box} tabIndex={0} role="log" aria-live="off" aria-label={label} onScroll={scrolled}>
      <div style={{ height: lines.getTotalSize(), position: 'relative' }}>
        {lines.getVirtualItems().map((item) => {
          const line = buffer.at(item.index)
          return (
            line && (
              <div
                key={item.key}
                ref={lines.measureElement}
                data-index={item.index}
                className={line.remark ? 'line remark' : 'line'}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <LineText line={line} search={search} times={times} />
              </div>
            )
          )
        })}
      </div>
    </div>
  )
}

function LineText({ line, search, times }: { line: ShownLine; search: string; times: boolean }) {
  return (
    <>
      {times && line.time && <span className="time">{line.time.slice(11, 23)}</span>}
      {line.pod && <span className="pod">{line.pod}</span>}
      {ansiRuns(line.text).map((run, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the runs of a line do not change
        <span key={index} className={run.look || undefined}>
          <Marked text={run.text} search={search} />
        </span>
      ))}
    </>
  )
}

function Marked({ text, search }: { text: string; search: string }) {
  if (search === '') return text
  const parts: (string | { found: string })[] = []
  const low = text.toLowerCase()
  const word = search.toLowerCase()
  let from = 0
  for (let at = low.indexOf(word); at >= 0; at = low.indexOf(word, from)) {
    parts.push(text.slice(from, at), { found: text.slice(at, at + word.length) })
    from = at + word.length
  }
  parts.push(text.slice(from))
  return parts.map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other name
    typeof part === 'string' ? part : <mark key={index}>{part.found}</mark>,
  )
}
