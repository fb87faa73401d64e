import type { Draft } from '../draft.ts'
import { quantityIn } from '../kinds/quantity.ts'
import type { AnnotationChoice } from '../metadata.ts'
import type { ProtobufReader } from '../protobuf/object-protobuf.ts'
import { POD } from './columns.ts'
import {
  type ContainerSpecs,
  type ContainerStates,
  PodFacts,
  RESOURCES,
  RUNNING,
  TERMINATED,
  WAITING,
} from './facts.ts'
import * as field from './fields.ts'
import { LastBytes } from './last-bytes.ts'
import { isEqual, MetadataProtobuf, readSeconds } from './metadata-protobuf.ts'
import { PodSummary } from './summary.ts'
import { WIRE_LENGTH, Wire } from './wire.ts'

const encoder = new TextEncoder()
const CPU = encoder.encode('cpu')
const MEMORY = encoder.encode('memory')
const ALWAYS = encoder.encode('Always')
const TRUE = encoder.encode('True')
const SCHEDULED = encoder.encode('PodScheduled')
const INITIALIZED = encoder.encode('Initialized')
const READY = encoder.encode('Ready')
const GATED = encoder.encode('SchedulingGated')

/**
 * Reads core/v1 Pods as an API server encodes them, and of these only the fields that the row needs. First `head`, which
 * tells whose row it is; then, when it is wanted, `write`. Both throw MalformedObject. PodJson gives the same rows.
 */
export class PodProtobuf implements ProtobufReader {
  readonly metadata: MetadataProtobuf
  readonly #draft: Draft
  readonly #facts = new PodFacts()
  readonly #summary: PodSummary
  readonly #wire = new Wire()
  #metadataAt = 0
  #metadataEnd = 0
  #spec = 0
  #specEnd = 0
  #status = 0
  #statusEnd = 0
  #hasPodIps = false
  /** Resources as they were read last, and what they gave. */
  readonly #resources = new LastBytes()
  readonly #amounts = new Float64Array(RESOURCES)

  constructor(draft: Draft, annotations: AnnotationChoice) {
    this.#draft = draft
    this.metadata = new MetadataProtobuf(draft, annotations)
    this.#summary = new PodSummary(draft.strings)
  }

  /** Finds the parts of the message and reads `metadata.uid` and `metadata.revision`. */
  head(bytes: Uint8Array, from: number, to: number): void {
    const wire = this.#wire
    wire.start(bytes, from, to)
    this.#metadataAt = this.#metadataEnd = this.#spec = this.#specEnd = this.#status = this.#statusEnd = from
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === field.POD.metadata) {
        this.#metadataAt = wire.at
        this.#metadataEnd = end
      } else if (number === field.POD.spec) {
        this.#spec = wire.at
        this.#specEnd = end
      } else if (number === field.POD.status) {
        this.#status = wire.at
        this.#statusEnd = end
      }
      wire.at = end
    }
    wire.close(to)
    this.metadata.identify(wire, this.#metadataAt, this.#metadataEnd)
  }

  /** Writes all columns of the message that `head` has read. */
  write(): undefined {
    this.#draft.clear()
    this.#facts.clear()
    this.metadata.write(this.#wire, this.#metadataAt, this.#metadataEnd)
    this.#facts.deleted = this.metadata.deleted
    this.#readSpec(this.#spec, this.#specEnd)
    this.#readStatus(this.#status, this.#statusEnd)
    this.#summary.write(this.#facts, this.#draft)
  }

  #readSpec(from: number, to: number): void {
    const wire = this.#wire
    const draft = this.#draft
    const facts = this.#facts
    wire.at = from
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === field.POD_SPEC.containers) this.#readContainer(facts.containers, end, field.CONTAINER.resources)
      else if (number === field.POD_SPEC.initContainers) {
        this.#readContainer(facts.initContainers, end, field.CONTAINER.restartPolicy)
      } else if (number === field.POD_SPEC.nodeName) draft.textBytes(POD.node, wire.bytes, wire.at, end)
      else if (number === field.POD_SPEC.serviceAccountName) {
        draft.textBytes(POD.serviceAccount, wire.bytes, wire.at, end)
      } else if (number === field.POD_SPEC.priorityClassName) {
        draft.textBytes(POD.priorityClass, wire.bytes, wire.at, end)
      } else if (number === field.POD_SPEC.overhead) this.#readAmount(facts.overhead, 0, end)
      else if (number === field.POD_SPEC.resources) this.#readResources(facts.podResources, 0, end)
      wire.at = end
    }
    wire.close(to)
  }

  /** Reads up to the field `last`: an API server writes fields in the order of their numbers. */
  #readContainer(specs: ContainerSpecs, to: number, last: number): void {
    const wire = this.#wire
    const { strings } = this.#draft
    const place = specs.next()
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number > last) return
      if (number === field.CONTAINER.name) specs.names[place] = strings.idOfBytes(wire.bytes, wire.at, end)
      else if (number === field.CONTAINER.image) specs.images[place] = strings.idOfBytes(wire.bytes, wire.at, end)
      else if (number === field.CONTAINER.resources) this.#readResources(specs.resources, place * RESOURCES, end)
      else if (number === field.CONTAINER.restartPolicy) {
        specs.sidecars[place] = isEqual(wire.bytes, wire.at, end, ALWAYS) ? 1 : 0
      }
      wire.at = end
    }
    wire.close(to)
  }

  #readResources(into: Float64Array, from: number, to: number): void {
    const wire = this.#wire
    const start = wire.at
    if (this.#resources.is(wire.bytes, start, to)) {
      for (let at = 0; at < RESOURCES; at++) into[from + at] = this.#amounts[at] as number
      return
    }
    this.#resources.forget()
    this.#readAllResources(into, from, to)
    for (let at = 0; at < RESOURCES; at++) this.#amounts[at] = into[from + at] as number
    this.#resources.remember(wire.bytes, start, to)
  }

  #readAllResources(into: Float64Array, from: number, to: number): void {
    const wire = this.#wire
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === field.RESOURCES.requests) this.#readAmount(into, from, end)
      else if (number === field.RESOURCES.limits) this.#readAmount(into, from + 2, end)
      wire.at = end
    }
    wire.close(to)
  }

  /** One entry of a map of quantities: CPU goes to `from`, memory after it. */
  #readAmount(into: Float64Array, from: number, to: number): void {
    const wire = this.#wire
    let place = -1
    let quantity = -1
    let quantityEnd = 0
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === field.ENTRY.key) {
        if (isEqual(wire.bytes, wire.at, end, CPU)) place = from
        else if (isEqual(wire.bytes, wire.at, end, MEMORY)) place = from + 1
      } else if (number === field.ENTRY.value) {
        quantity = wire.at
        quantityEnd = end
      }
      wire.at = end
    }
    wire.close(to)
    if (place < 0 || quantity < 0) return
    wire.at = quantity
    while (wire.at < quantityEnd) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(quantityEnd)
      if (tag >>> 3 === field.QUANTITY.string) into[place] = quantityIn(wire.bytes, wire.at, end)
      wire.at = end
    }
    wire.at = to
  }

  #readStatus(from: number, to: number): void {
    const wire = this.#wire
    const draft = this.#draft
    const facts = this.#facts
    const { strings } = draft
    this.#hasPodIps = false
    wire.at = from
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === field.POD_STATUS.phase) facts.phase = strings.idOfBytes(wire.bytes, wire.at, end)
      else if (number === field.POD_STATUS.conditions) this.#readCondition(end)
      else if (number === field.POD_STATUS.containerStatuses) this.#readContainerStatus(facts.states, end)
      else if (number === field.POD_STATUS.initContainerStatuses) this.#readContainerStatus(facts.initStates, end)
      else if (number === field.POD_STATUS.podIPs) this.#readPodIp(end)
      else if (number === field.POD_STATUS.podIP) {
        if (!this.#hasPodIps) draft.splitBytes(POD.ip, wire.bytes, wire.at, end)
      } else if (number === field.POD_STATUS.hostIP) draft.splitBytes(POD.nodeIp, wire.bytes, wire.at, end)
      else if (number === field.POD_STATUS.qosClass) draft.textBytes(POD.qos, wire.bytes, wire.at, end)
      else if (number === field.POD_STATUS.reason) facts.reason = strings.idOfBytes(wire.bytes, wire.at, end)
      wire.at = end
    }
    wire.close(to)
  }

  /** The first of the addresses is the pod's, and the one that `podIP` repeats. */
  #readPodIp(to: number): void {
    const wire = this.#wire
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      if (tag >>> 3 === field.POD_IP.ip && !this.#hasPodIps && end > wire.at) {
        this.#draft.splitBytes(POD.ip, wire.bytes, wire.at, end)
      }
      wire.at = end
    }
    wire.close(to)
    this.#hasPodIps = true
  }

  #readCondition(to: number): void {
    const wire = this.#wire
    const { bytes } = wire
    const facts = this.#facts
    let type = 0
    let typeEnd = 0
    let gated = false
    let isTrue = false
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === field.POD_CONDITION.type) {
        type = wire.at
        typeEnd = end
        // It comes first; most are none of those that count.
        const length = end - type
        if (length !== SCHEDULED.length && length !== INITIALIZED.length && length !== READY.length) return
      } else if (number === field.POD_CONDITION.status) isTrue = isEqual(bytes, wire.at, end, TRUE)
      else if (number === field.POD_CONDITION.reason) gated = isEqual(bytes, wire.at, end, GATED)
      wire.at = end
    }
    wire.close(to)
    if (gated && isEqual(bytes, type, typeEnd, SCHEDULED)) facts.gated = true
    else if (isTrue && isEqual(bytes, type, typeEnd, READY)) facts.readyCondition = true
    else if (facts.initialized === 0 && isEqual(bytes, type, typeEnd, INITIALIZED)) facts.initialized = isTrue ? 1 : -1
  }

  #readContainerStatus(states: ContainerStates, to: number): void {
    const wire = this.#wire
    const place = states.next()
    while (wire.at < to) {
      const tag = wire.varint()
      const number = tag >>> 3
      if (number > field.CONTAINER_STATUS.started) return
      if ((tag & 7) !== WIRE_LENGTH) {
        if (tag === field.CONTAINER_STATUS.restartCount << 3) states.restarts[place] = wire.int32()
        else if (tag === field.CONTAINER_STATUS.ready << 3) states.ready[place] = wire.varint()
        else if (tag === field.CONTAINER_STATUS.started << 3) states.started[place] = wire.varint()
        else wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      if (number === field.CONTAINER_STATUS.name) {
        states.names[place] = this.#draft.strings.idOfBytes(wire.bytes, wire.at, end)
      } else if (number === field.CONTAINER_STATUS.state) this.#readState(states, place, end)
      else if (number === field.CONTAINER_STATUS.lastState) this.#readLastState(states, place, end)
      wire.at = end
    }
    wire.close(to)
  }

  #readState(states: ContainerStates, place: number, to: number): void {
    const wire = this.#wire
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === field.CONTAINER_STATE.waiting) {
        states.states[place] = WAITING
        this.#readReason(states, place, end, field.WAITING.reason)
      } else if (number === field.CONTAINER_STATE.terminated) {
        states.states[place] = TERMINATED
        this.#readReason(states, place, end, field.TERMINATED.reason)
      } else if (number === field.CONTAINER_STATE.running) states.states[place] = RUNNING
      wire.at = end
    }
    wire.close(to)
  }

  #readReason(states: ContainerStates, place: number, to: number, reason: number): void {
    const wire = this.#wire
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        if (tag === field.TERMINATED.exitCode << 3) states.exitCodes[place] = wire.int32()
        else if (tag === field.TERMINATED.signal << 3) states.signals[place] = wire.int32()
        else wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      if (tag >>> 3 === reason) states.reasons[place] = this.#draft.strings.idOfBytes(wire.bytes, wire.at, end)
      wire.at = end
    }
    wire.close(to)
  }

  #readLastState(states: ContainerStates, place: number, to: number): void {
    const wire = this.#wire
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      if (tag >>> 3 === field.CONTAINER_STATE.terminated) {
        while (wire.at < end) {
          const inner = wire.varint()
          if ((inner & 7) !== WIRE_LENGTH) {
            wire.skip(inner & 7)
            continue
          }
          const innerEnd = wire.fieldEnd(end)
          if (inner >>> 3 === field.TERMINATED.finishedAt) {
            states.lastEnded[place] = Math.max(0, readSeconds(wire, innerEnd))
          }
          wire.at = innerEnd
        }
      }
      wire.at = end
    }
    wire.close(to)
  }
}
