/** A kind of object that a cluster serves, as discovery and its CustomResourceDefinition say. */
export interface ServedKind {
  group: string
  /** The version that is read. */
  version: string
  kind: string
  plural: string
  shortNames: string[]
  namespaced: boolean
  /** Defined by a CustomResourceDefinition or an aggregated API server. */
  custom: boolean
  /** Of the CustomResourceDefinition; empty for all others. */
  printerColumns: PrinterColumn[]
}

/** One of `additionalPrinterColumns` of a CustomResourceDefinition (apiextensions.k8s.io/v1). */
export interface PrinterColumn {
  name: string
  /** integer, number, string, boolean or date. */
  type: string
  format?: string
  description?: string
  /** Above 0: shown only when asked for. */
  priority?: number
  /** Simple JSON path from the object: `.status.phase`. */
  jsonPath: string
}
