import type { FromReader, RelistCause } from '../../batch.ts'
import { resourceOf } from '../../kind.ts'
import type { ReaderTables } from '../cluster-reader.ts'
import { type OpenReaderOptions, openReader, type Reader } from '../reader.ts'
import type { Standing } from '../reflect/target.ts'
import type { ServedKind } from '../served-kind.ts'
import { MapSink } from './map-sink.ts'

/** A reader whose tables are maps, for tests. */
export interface TestReader {
  reader: Reader
  messages: FromReader[]
  /** Undefined when the kind is not read. */
  sink(resource: string, cluster?: number): MapSink | undefined
  state(resource: string, cluster?: number): Standing | undefined
  resources(cluster?: number): string[]
  /** As it was opened last. */
  kind(resource: string): ServedKind | undefined
  /** Notes with this cause. */
  relists(cause?: RelistCause): string[]
}

/** Opens it. `standing`: revisions of a snapshot, whose rows `restore` puts into the sinks. */
export function openTestReader(
  options: Partial<Pick<OpenReaderOptions, 'timings' | 'strategy'>> & { protobuf?: boolean } = {},
): TestReader {
  const sinks = new Map<string, MapSink>()
  const states = new Map<string, Standing>()
  const kinds = new Map<string, ServedKind>()
  const messages: FromReader[] = []
  const tables: ReaderTables = {
    sink(cluster, kind) {
      const { plural, group } = kind
      const key = `${cluster} ${resourceOf(plural, group)}`
      kinds.set(resourceOf(plural, group), kind)
      const sink = sinks.get(key) ?? new MapSink({ protobuf: options.protobuf ?? PROTOBUF.has(group) })
      sinks.set(key, sink)
      return sink
    },
    standing: () => 0,
    state: (cluster, resource, standing) => void states.set(`${cluster} ${resource}`, { ...standing }),
    drop(cluster, resource) {
      for (const key of [...sinks.keys()]) {
        if (resource ? key !== `${cluster} ${resource}` : !key.startsWith(`${cluster} `)) continue
        sinks.delete(key)
        states.delete(key)
      }
    },
    table: () => 1,
    flush: () => {},
  }
  const { timings, strategy = 'cheapest' } = options
  const reader = openReader({ tables, timings, strategy, post: (message) => messages.push(message) })
  return {
    reader,
    messages,
    sink: (resource, cluster = 1) => sinks.get(`${cluster} ${resource}`),
    state: (resource, cluster = 1) => states.get(`${cluster} ${resource}`),
    resources: (cluster = 1) =>
      [...sinks.keys()].filter((key) => key.startsWith(`${cluster} `)).map((key) => key.slice(`${cluster} `.length)),
    kind: (resource) => kinds.get(resource),
    relists: (cause) =>
      messages.flatMap((one) =>
        one.type === 'note' && one.relist && (!cause || one.relist === cause) ? [one.message] : [],
      ),
  }
}

const PROTOBUF = new Set(['', 'apps', 'batch'])
