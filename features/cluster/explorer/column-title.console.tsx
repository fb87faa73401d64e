import { useLanguage, useText } from '@quarterdeck/ui'
import type { ObjectColumn } from '../object/object.contract.ts'
import { exploreTexts } from './texts.console.tsx'

/** Columns whose heading has a text in every language. */
const KNOWN = {
  namespace: 'namespace',
  name: 'name',
  status: 'status',
  created: 'created',
  deleted: 'deleted',
  generation: 'generation',
  labels: 'labels',
  annotations: 'annotations',
  owner: 'ownerColumn',
  application: 'application',
  cluster: 'cluster',
  ready: 'ready',
  restarts: 'restarts',
  restarted: 'restarted',
  node: 'node',
  replicas: 'replicas',
  images: 'images',
  ip: 'ip',
  address: 'ip',
  version: 'version',
  zone: 'zone',
  roles: 'roles',
  type: 'type',
  reason: 'reason',
  message: 'message',
  object: 'object',
  count: 'count',
  cpu: 'cpu',
  memory: 'memory',
  cpuRequest: 'cpuRequest',
  memoryRequest: 'memoryRequest',
  containers: 'containers',
} as const

/** A column's heading: as the kind says it in English, in the words of the glossary otherwise. */
export function useColumnTitle(): (column: Pick<ObjectColumn, 'name' | 'title'>) => string {
  const t = useText(exploreTexts)
  const [language] = useLanguage()
  return ({ name, title }) => {
    const key = Object.hasOwn(KNOWN, name) ? KNOWN[name as keyof typeof KNOWN] : undefined
    return key === undefined || language === 'en' ? title : t(key)
  }
}
