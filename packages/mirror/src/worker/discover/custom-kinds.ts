import type { JsonObject, ObjectSink } from '../object-sink.ts'
import type { PrinterColumn } from '../served-kind.ts'

// apiextensions.k8s.io/v1
interface Definition {
  spec?: {
    group?: string
    names?: { plural?: string }
    versions?: { name: string; served?: boolean; additionalPrinterColumns?: PrinterColumn[] }[]
  }
  status?: { conditions?: { type: string; status: string }[] }
}

/** What the CustomResourceDefinitions and APIServices of a cluster say. Calls back when what is served may have changed. */
export class CustomKinds {
  /** Printer columns by version, by name of the definition, which is the resource: `widgets.example.com`. */
  readonly #columns = new Map<string, Map<string, PrinterColumn[]>>()
  /** What of an object bears on what is served, by its kind and name. */
  readonly #marks = new Map<string, string>()
  readonly #onChange: () => void

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  columnsOf(resource: string, version: string): PrinterColumn[] {
    return this.#columns.get(resource)?.get(version) ?? []
  }

  /** Passes everything on to `inner` and learns from it. */
  listening(kind: string, inner: ObjectSink): ObjectSink {
    let listed: Set<string> | undefined
    return {
      protobuf: false,
      putProtobuf: (bytes, from, to) => inner.putProtobuf(bytes, from, to),
      removeProtobuf: (bytes, from, to) => inner.removeProtobuf(bytes, from, to),
      count: () => inner.count(),
      beginList(options) {
        listed = new Set()
        inner.beginList(options)
      },
      endList: () => {
        inner.endList()
        this.#keepOnly(kind, listed ?? new Set())
        listed = undefined
      },
      put: (object) => {
        inner.put(object)
        const key = this.#learn(kind, object)
        listed?.add(key)
      },
      remove: (object) => {
        inner.remove(object)
        this.#forget(`${kind}/${nameOf(object)}`)
      },
    }
  }

  #learn(kind: string, object: JsonObject): string {
    const name = nameOf(object)
    const key = `${kind}/${name}`
    if (kind === 'CustomResourceDefinition') this.#learnColumns(name, object as Definition)
    const mark = markOf(object)
    if (this.#marks.get(key) !== mark) {
      this.#marks.set(key, mark)
      this.#onChange()
    }
    return key
  }

  #learnColumns(name: string, { spec }: Definition): void {
    const versions = (spec?.versions ?? []).map((one) => [one.name, one.additionalPrinterColumns ?? []] as const)
    this.#columns.set(name, new Map(versions))
  }

  #forget(key: string): void {
    if (!this.#marks.delete(key)) return
    this.#columns.delete(key.slice(key.indexOf('/') + 1))
    this.#onChange()
  }

  #keepOnly(kind: string, listed: Set<string>): void {
    for (const key of [...this.#marks.keys()]) {
      if (key.startsWith(`${kind}/`) && !listed.has(key)) this.#forget(key)
    }
  }
}

const nameOf = ({ metadata }: JsonObject) => String(metadata?.name ?? '')

/** Definitions also change when their schema or a status time does, which is nothing to us. */
function markOf(object: JsonObject): string {
  const { spec, status } = object as Definition
  const versions = spec?.versions?.map(({ name, served, additionalPrinterColumns }) => ({
    name,
    served,
    additionalPrinterColumns,
  }))
  const conditions = status?.conditions?.map(({ type, status }) => `${type}=${status}`).sort()
  return JSON.stringify([object.metadata?.uid, spec?.names, versions, versions ? '' : spec, conditions])
}
