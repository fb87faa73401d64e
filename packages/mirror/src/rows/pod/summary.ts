import type { Draft } from '../draft.ts'
import type { Dictionary } from '../strings/dictionary.ts'
import { POD } from './columns.ts'
import {
  type ContainerStates,
  CPU_LIMIT,
  CPU_REQUEST,
  MEMORY_LIMIT,
  MEMORY_REQUEST,
  type PodFacts,
  RESOURCES,
  RUNNING,
  TERMINATED,
  WAITING,
} from './facts.ts'

/** Works out of the facts what is written nowhere in a pod: its status as kubectl prints it, counts and sums. */
export class PodSummary {
  readonly #strings: Dictionary
  readonly #completed: number
  readonly #running: number
  readonly #notReady: number
  readonly #unknown: number
  readonly #terminating: number
  readonly #gated: number
  readonly #nodeLost: number
  readonly #initializing: number
  readonly #succeeded: number
  readonly #failed: number
  /** Ids of `Init:…` and of numbers in a status, so that no text is made for one that was seen before. */
  readonly #initOf = new Map<number, number>()
  readonly #numbered = new Map<number, number>()
  readonly #sums = new Float64Array(RESOURCES)
  readonly #sidecars = new Float64Array(RESOURCES)

  #status = 0
  #ready = 0
  #restarts = 0
  #restarted = 0

  constructor(strings: Dictionary) {
    this.#strings = strings
    this.#completed = strings.idOfText('Completed')
    this.#running = strings.idOfText('Running')
    this.#notReady = strings.idOfText('NotReady')
    this.#unknown = strings.idOfText('Unknown')
    this.#terminating = strings.idOfText('Terminating')
    this.#gated = strings.idOfText('SchedulingGated')
    this.#nodeLost = strings.idOfText('NodeLost')
    this.#initializing = strings.idOfText('PodInitializing')
    this.#succeeded = strings.idOfText('Succeeded')
    this.#failed = strings.idOfText('Failed')
  }

  write(facts: PodFacts, draft: Draft): void {
    this.#ready = 0
    this.#restarts = 0
    this.#restarted = 0
    this.#status = facts.gated ? this.#gated : facts.reason || facts.phase
    const initializing = this.#readInitStates(facts)
    if (!initializing || facts.initialized > 0) this.#readStates(facts)
    if (facts.deleted && facts.reason === this.#nodeLost) this.#status = this.#unknown
    else if (facts.deleted && facts.phase !== this.#succeeded && facts.phase !== this.#failed) {
      this.#status = this.#terminating
    }
    draft.words[POD.status] = this.#status
    draft.words[POD.phase] = facts.phase
    draft.words[POD.ready] = this.#ready
    draft.words[POD.restarts] = this.#restarts
    if (this.#restarts > 0) draft.time(POD.restarted, this.#restarted)
    this.#writeContainers(facts, draft)
    this.#writeResources(facts, draft)
  }

  /** Whether some init container still has to end. Until then restarts are those of the init containers. */
  #readInitStates(facts: PodFacts): boolean {
    const states = facts.initStates
    let sidecarRestarts = 0
    let sidecarRestarted = 0
    for (let at = 0; at < states.count; at++) {
      const sidecar = isSidecar(facts, states.names[at] as number)
      const restarts = states.restarts[at] as number
      const ended = states.lastEnded[at] as number
      this.#restarts += restarts
      if (ended > this.#restarted) this.#restarted = ended
      if (sidecar) {
        sidecarRestarts += restarts
        if (ended > sidecarRestarted) sidecarRestarted = ended
      }
      const terminated = states.states[at] === TERMINATED
      if (terminated && states.exitCodes[at] === 0) continue
      if (sidecar && states.started[at] === 1) {
        if (states.ready[at] === 1) this.#ready++
        continue
      }
      this.#status = this.#initStatus(facts, states, at)
      if (facts.initialized > 0) this.#restartsOf(sidecarRestarts, sidecarRestarted)
      return true
    }
    this.#restartsOf(sidecarRestarts, sidecarRestarted)
    return false
  }

  #restartsOf(restarts: number, restarted: number): void {
    this.#restarts = restarts
    this.#restarted = restarted
  }

  #initStatus(facts: PodFacts, states: ContainerStates, at: number): number {
    const reason = states.reasons[at] as number
    if (states.states[at] === TERMINATED) return this.#init(reason !== 0 ? reason : this.#exit(states, at))
    if (states.states[at] === WAITING && reason !== 0 && reason !== this.#initializing) return this.#init(reason)
    return this.#number(0, at * 65_536 + facts.initContainers.count, () => `Init:${at}/${facts.initContainers.count}`)
  }

  #readStates(facts: PodFacts): void {
    const states = facts.states
    let running = false
    let error = 0
    for (let at = states.count - 1; at >= 0; at--) {
      this.#restarts += states.restarts[at] as number
      if ((states.lastEnded[at] as number) > this.#restarted) this.#restarted = states.lastEnded[at] as number
      const state = states.states[at] as number
      const reason = states.reasons[at] as number
      if (state === WAITING && reason !== 0) this.#status = reason
      else if (state === TERMINATED) {
        this.#status = reason !== 0 ? reason : this.#exit(states, at)
        if (states.exitCodes[at] !== 0) error = this.#status
      } else if (state === RUNNING && states.ready[at] === 1) {
        running = true
        this.#ready++
      }
    }
    if (this.#status !== this.#completed) return
    if (running && facts.readyCondition) this.#status = this.#running
    else if (error !== 0) this.#status = error
    else if (running) this.#status = this.#notReady
  }

  #exit(states: ContainerStates, at: number): number {
    const signal = states.signals[at] as number
    const exitCode = states.exitCodes[at] as number
    if (signal !== 0) return this.#number(1, signal, () => `Signal:${signal}`)
    return this.#number(2, exitCode, () => `ExitCode:${exitCode}`)
  }

  #init(reason: number): number {
    const known = this.#initOf.get(reason)
    if (known !== undefined) return known
    const id = this.#strings.idOfText(`Init:${this.#strings.text(reason)}`)
    this.#initOf.set(reason, id)
    return id
  }

  #number(kind: number, number: number, text: () => string): number {
    const key = number * 4 + kind
    const known = this.#numbered.get(key)
    if (known !== undefined) return known
    const id = this.#strings.idOfText(text())
    this.#numbered.set(key, id)
    return id
  }

  #writeContainers(facts: PodFacts, draft: Draft): void {
    const { containers, initContainers } = facts
    let count = containers.count
    for (let at = 0; at < containers.count; at++) draft.member(containers.images[at] as number)
    for (let at = 0; at < initContainers.count; at++) {
      draft.member(initContainers.images[at] as number)
      count += initContainers.sidecars[at] as number
    }
    draft.endSet(POD.images)
    draft.words[POD.containers] = count
  }

  /** What the scheduler reckons with: the containers and sidecars together, or an init container that needs more. */
  #writeResources(facts: PodFacts, draft: Draft): void {
    const { containers, initContainers, podResources, overhead } = facts
    const sums = this.#sums.fill(Number.NaN)
    const sidecars = this.#sidecars.fill(Number.NaN)
    for (let at = 0; at < containers.count; at++) addTo(sums, containers.resources, at * RESOURCES)
    for (let at = 0; at < initContainers.count; at++) {
      if (initContainers.sidecars[at] === 1) addTo(sums, initContainers.resources, at * RESOURCES)
    }
    for (let at = 0; at < initContainers.count; at++) {
      const own = at * RESOURCES
      const sidecar = initContainers.sidecars[at] === 1
      if (sidecar) addTo(sidecars, initContainers.resources, own)
      for (let resource = 0; resource < RESOURCES; resource++) {
        const before = sidecars[resource] as number
        const while_ = sidecar ? before : sum(initContainers.resources[own + resource] as number, before)
        if (!(while_ <= (sums[resource] as number))) sums[resource] = while_ >= 0 ? while_ : (sums[resource] as number)
      }
    }
    for (let resource = 0; resource < RESOURCES; resource++) {
      const whole = podResources[resource] as number
      if (whole >= 0) sums[resource] = whole
      // What it costs besides counts towards a limit only where there is one.
      const besides = overhead[resource % 2] as number
      if (besides >= 0 && (resource < CPU_LIMIT || (sums[resource] as number) >= 0)) {
        sums[resource] = sum(sums[resource] as number, besides)
      }
    }
    draft.doubles[POD.cpuRequest] = sums[CPU_REQUEST] as number
    draft.doubles[POD.memoryRequest] = sums[MEMORY_REQUEST] as number
    draft.doubles[POD.cpuLimit] = sums[CPU_LIMIT] as number
    draft.doubles[POD.memoryLimit] = sums[MEMORY_LIMIT] as number
  }
}

function isSidecar(facts: PodFacts, name: number): boolean {
  const { names, sidecars, count } = facts.initContainers
  for (let at = 0; at < count; at++) if (names[at] === name) return sidecars[at] === 1
  return false
}

/** NaN is absent: what is there stays. */
const sum = (a: number, b: number): number => (a >= 0 ? (b >= 0 ? a + b : a) : b)

function addTo(sums: Float64Array, resources: Float64Array, from: number): void {
  for (let at = 0; at < RESOURCES; at++) sums[at] = sum(sums[at] as number, resources[from + at] as number)
}
