import { createContext, useContext } from 'react'

/** What whoever is signed in may do at one place at least; the frame says it to all pages. */
export const Permissions = createContext<readonly string[]>([])

/** Whether whoever is signed in has a permission at one place at least. */
export function useMay(): (permission: string) => boolean {
  const permissions = useContext(Permissions)
  return (permission) => permissions.includes(permission)
}
