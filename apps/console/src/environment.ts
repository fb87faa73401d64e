import { useGo, usePath, useRead, useUrlValue } from '@quarterdeck/ui'
import { useEffect } from 'react'
import { type Environment, listEnvironments } from '../../../features/tenancy/environment/environment.contract.ts'

const LAST = 'quarterdeck.environment'

/** The environment that is looked at, all there are, and how to look at another. */
export interface EnvironmentChoice {
  current: Environment | undefined
  all: Environment[]
  loaded: boolean
  /** Why it is not known which there are. */
  error: Error | null
  choose: (name: string) => void
  stageOf: (name: string) => string | undefined
}

/**
 * From the page's path, else its address, else the one looked at last, else the first that is not prod. Production is
 * never chosen for anybody.
 */
export function useEnvironment(): EnvironmentChoice {
  const go = useGo()
  const path = usePath()
  const [inAddress] = useUrlValue('environment')
  const { data, error } = useRead(listEnvironments, { query: {} }, { everySeconds: 10 })
  const all = data?.items ?? []
  const named = /^\/environments\/([^/]+)/.exec(path)?.[1] ?? inAddress
  const find = (name: string | null) => all.find((one) => one.name === name)
  const remembered = find(localStorage.getItem(LAST))
  const current = named
    ? find(named)
    : remembered && remembered.stage !== 'prod'
      ? remembered
      : all.find((one) => one.stage !== 'prod')
  useEffect(() => {
    if (current) localStorage.setItem(LAST, current.name)
  }, [current])
  return {
    current,
    all,
    loaded: data !== undefined,
    error: data === undefined ? error : null,
    choose: (name) => {
      localStorage.setItem(LAST, name)
      go(path.startsWith('/deploy') ? `${path}?environment=${name}` : `/applications?environment=${name}`)
    },
    stageOf: (name) => find(name)?.stage,
  }
}
