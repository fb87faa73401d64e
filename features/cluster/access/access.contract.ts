/** What somebody may see of the objects of all clusters: by the cluster's own bindings, and by what the platform grants. */
export interface ObjectReader {
  /** Readers of equal `key` and `generation` see the same. */
  readonly key: string
  /** Stands for a set of rights: the same number, the same answers. */
  readonly generation: number
  /** May list this resource there; `namespace` is '' for what has none. Stays with the rights it was taken with. */
  readonly may: (resource: string, cluster: string, namespace: string) => boolean
  /** May list this resource (absent: any) at one place of the cluster at least. Stays with the rights, too. */
  readonly knows: (cluster: string, resource?: string) => boolean
  /** Whether they may do something with one object: a verb of Kubernetes, `get` or `delete`. */
  allows(verb: string, object: NamedObject): boolean
}

/** One object by its names. */
export interface NamedObject {
  /** As in RBAC: `pods`, `deployments.apps`. */
  resource: string
  cluster: string
  /** '' for what has none. */
  namespace: string
  name: string
}
