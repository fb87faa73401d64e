import { COMMON_COLUMNS, type ColumnSpec, type KindSpec, resourceOf } from '../../kind.ts'
import { POD_COLUMNS } from '../pod/columns.ts'
import { ACCESS } from './access.ts'
import { CLUSTER } from './cluster.ts'
import { CONFIGURATION } from './configuration.ts'
import { NETWORK } from './network.ts'
import { type PrinterColumn, printedColumns } from './printer-columns.ts'
import type { Kind, ReadColumn } from './reading.ts'
import { STORAGE } from './storage.ts'
import { WORKLOADS } from './workloads.ts'

/** A kind as an API server says that it serves it. */
export interface Discovered extends Omit<KindSpec, 'resource' | 'columns'> {}

const BUILT_IN: Record<string, ReadColumn[]> = {
  ...WORKLOADS,
  ...NETWORK,
  ...STORAGE,
  ...CONFIGURATION,
  ...ACCESS,
  ...CLUSTER,
}

/**
 * The columns of a kind and how they are read: for Kubernetes' own kinds the ones that are written down here, for others
 * those of the printer columns.
 */
export function kindOf(discovered: Discovered, printerColumns: readonly PrinterColumn[] = []): Kind {
  const { group, version, kind, plural, shortNames, namespaced, custom } = discovered
  const resource = resourceOf(plural, group)
  const spec = { resource, group, version, kind, plural, shortNames, namespaced, custom }
  if (resource === 'pods')
    return { spec: { ...spec, columns: [...COMMON_COLUMNS, ...POD_COLUMNS] }, readings: new Map() }
  const known = Object.hasOwn(BUILT_IN, resource) ? BUILT_IN[resource] : undefined
  const columns = known ?? printedColumns(printerColumns)
  return {
    spec: { ...spec, columns: [...COMMON_COLUMNS, ...columns.map(specOf)] },
    readings: new Map(columns.map((column) => [column.name, column.read])),
  }
}

const specOf = ({ read: _, ...column }: ReadColumn): ColumnSpec => column
