const FIRST = 8

/** What the row needs of the containers in a pod's specification, one array a field. Used again for every pod. */
export class ContainerSpecs {
  count = 0
  names = new Uint32Array(FIRST)
  images = new Uint32Array(FIRST)
  /** An init container that goes on running. */
  sidecars = new Uint8Array(FIRST)
  /** Four a container: as Resources. */
  resources = new Float64Array(FIRST * RESOURCES)

  /** Place of another container, all absent. */
  next(): number {
    if (this.count === this.names.length) this.#grow()
    const at = this.count++
    this.names[at] = 0
    this.images[at] = 0
    this.sidecars[at] = 0
    this.resources.fill(Number.NaN, at * RESOURCES, (at + 1) * RESOURCES)
    return at
  }

  #grow(): void {
    this.names = larger(this.names)
    this.images = larger(this.images)
    this.sidecars = larger(this.sidecars)
    this.resources = larger(this.resources)
  }
}

/** What the row needs of the states of a pod's containers, one array a field. Used again for every pod. */
export class ContainerStates {
  count = 0
  names = new Uint32Array(FIRST)
  restarts = new Uint32Array(FIRST)
  ready = new Uint8Array(FIRST)
  started = new Uint8Array(FIRST)
  /** Seconds since 1970 at which the run before ended; 0: there was none. */
  lastEnded = new Float64Array(FIRST)
  /** WAITING, RUNNING, TERMINATED or 0. */
  states = new Uint8Array(FIRST)
  /** Of the waiting or the end. */
  reasons = new Uint32Array(FIRST)
  exitCodes = new Int32Array(FIRST)
  signals = new Int32Array(FIRST)

  /** Place of another container, all absent. */
  next(): number {
    if (this.count === this.names.length) this.#grow()
    const at = this.count++
    this.names[at] = 0
    this.restarts[at] = 0
    this.ready[at] = 0
    this.started[at] = 0
    this.lastEnded[at] = 0
    this.states[at] = 0
    this.reasons[at] = 0
    this.exitCodes[at] = 0
    this.signals[at] = 0
    return at
  }

  #grow(): void {
    this.names = larger(this.names)
    this.restarts = larger(this.restarts)
    this.ready = larger(this.ready)
    this.started = larger(this.started)
    this.lastEnded = larger(this.lastEnded)
    this.states = larger(this.states)
    this.reasons = larger(this.reasons)
    this.exitCodes = larger(this.exitCodes)
    this.signals = larger(this.signals)
  }
}

export const WAITING = 1
export const RUNNING = 2
export const TERMINATED = 3

/** Places of resources: of requests and limits each, CPU in cores and memory in bytes; NaN is absent. */
export const CPU_REQUEST = 0
export const MEMORY_REQUEST = 1
export const CPU_LIMIT = 2
export const MEMORY_LIMIT = 3
export const RESOURCES = 4

/**
 * What decides the status, the counts and the sums of a pod; strings as ids of the table's dictionary. Both readers, of
 * JSON and of protobuf, fill it, so that both give the same row.
 */
export class PodFacts {
  phase = 0
  /** Of the pod's status. */
  reason = 0
  deleted = false
  gated = false
  /** 1: the condition Initialized is True; -1: it is not; 0: there is none so far. The first one counts. */
  initialized = 0
  readyCondition = false
  readonly containers = new ContainerSpecs()
  readonly initContainers = new ContainerSpecs()
  readonly states = new ContainerStates()
  readonly initStates = new ContainerStates()
  /** As Resources: of the pod as a whole, and what it costs besides its containers. */
  readonly podResources = new Float64Array(RESOURCES)
  readonly overhead = new Float64Array(RESOURCES)

  clear(): void {
    this.phase = 0
    this.reason = 0
    this.deleted = false
    this.gated = false
    this.initialized = 0
    this.readyCondition = false
    this.containers.count = 0
    this.initContainers.count = 0
    this.states.count = 0
    this.initStates.count = 0
    this.podResources.fill(Number.NaN)
    this.overhead.fill(Number.NaN)
  }
}

function larger<A extends Uint8Array | Uint32Array | Int32Array | Float64Array>(array: A): A {
  const grown = new (array.constructor as new (length: number) => A)(array.length * 2)
  grown.set(array)
  return grown
}
