import type { Connection } from '../connection/connection.ts'
import type { ServedKind } from '../served-kind.ts'
import type { Slots } from './slots.ts'

/** How a list is read. */
export type ListStrategy =
  /** A page first; if there is more, as the server does it most cheaply. */
  | 'cheapest'
  | 'pages'
  /** All in one answer, from the server's cache. */
  | 'whole'
  /** As the beginning of the watch. */
  | 'stream'

/** What a reflector needs of a Connection. */
export type Asked = Pick<Connection, 'ask' | 'timings' | 'up' | 'lost'>

/** What is known of one API server. */
export interface Server {
  readonly connection: Asked
  /** Encodes a whole list piece by piece (1.34 and later), so that it costs the server no memory. */
  wholeLists: boolean
  /** Sends a list as the beginning of a watch, as far as is known. */
  streams: boolean
  strategy: ListStrategy
  /** First pages and short lists. */
  readonly shortLists: Slots
  /** The rest of long ones. */
  readonly longLists: Slots
}

/** Path of all objects of a kind. */
export const pathOf = ({ group, version, plural }: ServedKind): string =>
  group === '' ? `/api/${version}/${plural}` : `/apis/${group}/${version}/${plural}`

/** Media types to ask for, the best first. */
export const acceptOf = (protobuf: boolean): string =>
  protobuf ? 'application/vnd.kubernetes.protobuf,application/json' : 'application/json'

/** A resource version as a number; NaN when it is none. */
export const revisionNumber = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN)
