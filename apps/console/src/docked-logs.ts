import { useSyncExternalStore } from 'react'

/** The application whose logs stay in sight while pages change; kept for this tab of the browser. */
export interface DockedLogs {
  environment: string
  application: string
}
const STORED = 'quarterdeck.docked-logs'
const listeners = new Set<() => void>()
let docked: DockedLogs | undefined = read()

function read(): DockedLogs | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(STORED) ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}

/** Puts an application's logs into the dock; undefined takes them out. */
export function dockLogs(logs: DockedLogs | undefined): void {
  docked = logs
  if (logs) sessionStorage.setItem(STORED, JSON.stringify(logs))
  else sessionStorage.removeItem(STORED)
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
/** What the dock holds. */
export const useDockedLogs = (): DockedLogs | undefined => useSyncExternalStore(subscribe, () => docked)
