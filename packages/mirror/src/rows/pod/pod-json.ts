import type { JsonObject } from '../../worker/object-sink.ts'
import type { Draft } from '../draft.ts'
import { quantityOf } from '../kinds/quantity.ts'
import { at, items, secondsOf, textAt } from '../kinds/reading.ts'
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
import { PodSummary } from './summary.ts'

/** Reads pods that came as JSON. PodProtobuf gives the same rows. */
export class PodJson {
  readonly #draft: Draft
  readonly #facts = new PodFacts()
  readonly #summary: PodSummary

  constructor(draft: Draft) {
    this.#draft = draft
    this.#summary = new PodSummary(draft.strings)
  }

  /** Writes all columns but the common ones. */
  write(pod: JsonObject): void {
    const draft = this.#draft
    const facts = this.#facts
    facts.clear()
    draft.text(POD.node, textAt(pod, 'spec.nodeName'))
    draft.text(POD.priorityClass, textAt(pod, 'spec.priorityClassName'))
    draft.text(POD.serviceAccount, textAt(pod, 'spec.serviceAccountName'))
    draft.text(POD.qos, textAt(pod, 'status.qosClass'))
    draft.split(POD.nodeIp, textAt(pod, 'status.hostIP'))
    const [first] = items(pod, 'status.podIPs')
    draft.split(POD.ip, (first && textAt(first, 'ip')) || textAt(pod, 'status.podIP'))
    facts.phase = this.#id(textAt(pod, 'status.phase'))
    facts.reason = this.#id(textAt(pod, 'status.reason'))
    facts.deleted = secondsOf(pod.metadata?.deletionTimestamp) > 0
    this.#conditions(items(pod, 'status.conditions'))
    this.#specs(facts.containers, items(pod, 'spec.containers'))
    this.#specs(facts.initContainers, items(pod, 'spec.initContainers'))
    this.#states(facts.states, items(pod, 'status.containerStatuses'))
    this.#states(facts.initStates, items(pod, 'status.initContainerStatuses'))
    resourcesOf(pod, 'spec.resources', facts.podResources, 0)
    pairOf(at('spec.overhead')(pod), facts.overhead, 0)
    this.#summary.write(facts, draft)
  }

  #id(text: string): number {
    return this.#draft.strings.idOfText(text)
  }

  #conditions(conditions: JsonObject[]): void {
    const facts = this.#facts
    for (const { type, status, reason } of conditions) {
      if (type === 'PodScheduled' && reason === 'SchedulingGated') facts.gated = true
      else if (type === 'Ready' && status === 'True') facts.readyCondition = true
      else if (type === 'Initialized' && facts.initialized === 0) facts.initialized = status === 'True' ? 1 : -1
    }
  }

  #specs(specs: ContainerSpecs, containers: JsonObject[]): void {
    for (const container of containers) {
      const place = specs.next()
      specs.names[place] = this.#id(textAt(container, 'name'))
      specs.images[place] = this.#id(textAt(container, 'image'))
      specs.sidecars[place] = container.restartPolicy === 'Always' ? 1 : 0
      resourcesOf(container, 'resources', specs.resources, place * RESOURCES)
    }
  }

  #states(states: ContainerStates, statuses: JsonObject[]): void {
    for (const status of statuses) {
      const place = states.next()
      states.names[place] = this.#id(textAt(status, 'name'))
      states.restarts[place] = numberOf(status.restartCount)
      states.ready[place] = status.ready === true ? 1 : 0
      states.started[place] = status.started === true ? 1 : 0
      states.lastEnded[place] = Math.max(0, secondsOf(at('lastState.terminated.finishedAt')(status)))
      const state = status.state as Record<string, JsonObject | undefined> | undefined
      if (state?.waiting) {
        states.states[place] = WAITING
        states.reasons[place] = this.#id(textAt(state.waiting, 'reason'))
      } else if (state?.terminated) {
        states.states[place] = TERMINATED
        states.reasons[place] = this.#id(textAt(state.terminated, 'reason'))
        states.exitCodes[place] = numberOf(state.terminated.exitCode)
        states.signals[place] = numberOf(state.terminated.signal)
      } else if (state?.running) states.states[place] = RUNNING
    }
  }
}

function resourcesOf(object: JsonObject, path: string, into: Float64Array, from: number): void {
  pairOf(at(`${path}.requests`)(object), into, from)
  pairOf(at(`${path}.limits`)(object), into, from + 2)
}

function pairOf(list: unknown, into: Float64Array, from: number): void {
  if (typeof list !== 'object' || list === null) return
  const { cpu, memory } = list as Record<string, unknown>
  into[from] = amount(cpu)
  into[from + 1] = amount(memory)
}

const amount = (value: unknown): number =>
  typeof value === 'string' ? quantityOf(value) : typeof value === 'number' ? value : Number.NaN

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
