import { useRouter, useRouterState } from '@tanstack/react-router'
import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from 'react'

/**
 * Goes to a page of the console without loading it anew; a plain anchor for everything else (new tab, copy). With `go`
 * that is done instead when it is clicked plainly.
 */
export function Link({
  to,
  go,
  children,
  ...rest
}: { to: string; go?: () => void; children: ReactNode } & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'>) {
  const router = useRouter()
  const preload = () => {
    const path = to.split('?')[0] ?? to
    router.preloadRoute({ to: path } as never).catch(() => undefined)
  }
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    rest.onClick?.(event)
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    if (go) go()
    else router.history.push(to)
  }
  return (
    <a {...rest} href={to} onClick={follow} onMouseEnter={preload} onFocus={preload}>
      {children}
    </a>
  )
}

/** Goes to a page; `replace` leaves no step back. */
export function useGo(): (to: string, options?: { replace?: boolean }) => void {
  const router = useRouter()
  return (to, options) => (options?.replace ? router.history.replace(to) : router.history.push(to))
}

/** The path of the page that is shown. */
export const usePath = (): string => useRouterState({ select: (state) => state.location.pathname })

/** One value of the page's address, for what a person looks at: filter, tab, pod. Setting '' takes it out. */
export function useUrlValue(name: string): [string, (value: string) => void] {
  const router = useRouter()
  const search = useRouterState({ select: (state) => state.location.searchStr })
  const value = new URLSearchParams(search).get(name) ?? ''
  const set = (next: string) => {
    const at = router.history.location
    const query = new URLSearchParams(at.search)
    if (next === '') query.delete(name)
    else query.set(name, next)
    const text = query.toString()
    router.history.replace(text === '' ? at.pathname : `${at.pathname}?${text}`)
  }
  return [value, set]
}

/** What stands behind the question mark of the page's address. */
export const useSearch = (): URLSearchParams => {
  const text = useRouterState({ select: (state) => state.location.searchStr })
  return new URLSearchParams(text)
}
