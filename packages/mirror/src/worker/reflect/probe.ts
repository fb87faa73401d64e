import { textOf } from '../connection/answer.ts'
import type { ServedKind } from '../served-kind.ts'
import { pathOf, revisionNumber, type Server } from './source.ts'

interface Answer {
  metadata?: { resourceVersion?: string }
  items?: { metadata?: { uid?: string; resourceVersion?: string } }[] | null
}

/** An object as it was last heard of. */
export interface Known {
  namespace: string
  name: string
  uid: string
  revision: number
}

/**
 * Whether the server's store went back behind `revision`, as after a restore from a backup: a watch from there would
 * say nothing until the store has caught up, and would never tell what happened in between. Asks the store itself for
 * the newest object that is known, so it is also noticed when the store has caught up already. Rejects as
 * Connection.ask does.
 */
export async function wentBackwards(
  server: Server,
  kind: ServedKind,
  revision: number,
  known: Known | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { connection } = server
  const ask = {
    path: known?.namespace ? inNamespace(kind, known.namespace) : pathOf(kind),
    // Without a resource version the answer is as new as the store.
    query: known ? { fieldSelector: `metadata.name=${known.name}` } : { limit: 1 },
    accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
    verb: 'list',
    what: kind.plural,
  }
  const text = await textOf(await connection.ask(ask, signal), connection.timings.listSilence, signal, 16 << 20)
  const { metadata, items } = parsed(text)
  if (revisionNumber(metadata?.resourceVersion ?? '') < revision) return true
  const same = items?.find((item) => item.metadata?.uid === known?.uid)
  return known !== undefined && revisionNumber(same?.metadata?.resourceVersion ?? '') < known.revision
}

function inNamespace(kind: ServedKind, namespace: string): string {
  const path = pathOf(kind)
  const at = path.length - kind.plural.length
  return `${path.slice(0, at)}namespaces/${encodeURIComponent(namespace)}/${kind.plural}`
}

function parsed(text: string): Answer {
  try {
    return (JSON.parse(text) as Answer | null) ?? {}
  } catch {
    return {}
  }
}
