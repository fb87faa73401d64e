import { bind, type Server } from '@quarterdeck/http'
import type { KubeObject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Blocker, ChangeRequest, MakeChange } from '../../delivery/operation/operation.contract.ts'
import { readDocuments, type YamlDocument } from './document.routes.ts'
import { applyManifests, MAX_YAML_CHARACTERS } from './manifest.contract.ts'
import { doubles, judgeDocument, kindOf, type Scope } from './manifest.rules.ts'

interface Read {
  objects: { document: number; object: KubeObject }[]
  blockers: Blocker[]
  warnings: string[]
}

export interface ManifestRoutesOptions {
  makeChange: MakeChange
  /** Makes an application out of objects; belongs to applications. */
  change: (
    named: { environment: string; application: string },
    type: string,
    read: (place: { namespace: string }, cluster: Cluster) => Promise<Read>,
  ) => Promise<ChangeRequest>
}

/** Applications made from YAML. */
export function manifestRoutes(server: Server, { makeChange, change }: ManifestRoutesOptions): void {
  bind(
    server,
    applyManifests,
    ({ subject, params, query, body, idempotencyKey }) => {
      const documents = readDocuments(body.yaml)
      return makeChange({ endpoint: applyManifests.id, subject, params, query, body, idempotencyKey }, () =>
        change(params, applyManifests.id, ({ namespace }, cluster) => judgeAll(documents, namespace, cluster)),
      )
    },
    // In JSON a character of the YAML may take two, or six.
    { bodyLimitBytes: 3 * MAX_YAML_CHARACTERS },
  )
}

async function judgeAll(documents: YamlDocument[], namespace: string, cluster: Cluster): Promise<Read> {
  const scopes = await scopesOf(documents, cluster)
  const judged = documents.map((document) => ({
    document: document.number,
    ...judgeDocument(document, scopes.get(keyOf(document.value)), namespace),
  }))
  const objects = judged.flatMap((one) => ('object' in one ? [{ document: one.document, object: one.object }] : []))
  const blockers = judged.flatMap((one) => ('blocker' in one ? [one.blocker] : []))
  return { objects, blockers: [...blockers, ...doubles(objects)], warnings: [] }
}

const keyOf = (value: unknown): string => {
  const kind = kindOf(value)
  return kind ? `${kind.apiVersion} ${kind.kind}` : ''
}

/** Asks the cluster once about each kind. */
async function scopesOf(documents: YamlDocument[], cluster: Cluster): Promise<Map<string, Scope>> {
  const kinds = new Map(documents.map(({ value }) => [keyOf(value), kindOf(value)]))
  const asked = [...kinds].map(async ([key, kind]): Promise<[string, Scope]> => {
    const resource = kind && (await cluster.resource(kind.apiVersion, kind.kind))
    return [key, resource && (resource.namespaced ? 'namespaced' : 'cluster')]
  })
  return new Map(await Promise.all(asked))
}
