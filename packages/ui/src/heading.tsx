import { type ReactNode, useEffect, useRef } from 'react'

/** The heading of a page, which is the title of its tab as well. */
export function Heading({ children, className }: { children: ReactNode; className?: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const text = heading.current?.textContent?.trim()
    document.title = text ? `${text} · Quarterdeck` : 'Quarterdeck'
  })
  return (
    <h1 ref={heading} className={className}>
      {children}
    </h1>
  )
}
