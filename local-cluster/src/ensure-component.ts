import {
  awaitReady,
  type Component,
  checkPorts,
  commandHash,
  type Home,
  type RunningComponent,
  runningComponents,
  startComponent,
  stopComponent,
} from './component.ts'
import type { ControlPlaneSpec } from './control-plane-components.ts'
import { type Instance, writeInstance } from './instance.ts'
import type { NodeSpec } from './node-spec.ts'
import { type OnProgress, progressOf, type Stage } from './progress.ts'

/** Everything that bringing an instance up works with. */
export interface BringUp {
  home: Home
  instance: Instance
  spec: ControlPlaneSpec & NodeSpec
  onProgress?: OnProgress
}

/** Makes one component run with its present command: leaves it, replaces it or starts it. Answers whether it was started. */
export async function ensureComponent(up: BringUp, stage: Stage, wanted: Component): Promise<boolean> {
  const { home, instance } = up
  const component = { ...wanted, configuration: [...(wanted.configuration ?? []), up.spec.identities.revision] }
  const running = runningComponents(home, instance.components).get(component.name)
  const progress = progressOf(up.onProgress, stage, component.name)
  progress.running(running ? 'looking' : 'starting')
  try {
    if (running && (await isKept(component, running, home))) {
      record(up, running)
      progress.done('runs')
      return false
    }
    if (running) await stopComponent(running, component.graceSeconds)
    await checkPorts(component)
    await component.before?.()
    const began = performance.now()
    const started = startComponent(component, home)
    record(up, started)
    await awaitReady(component, started, home)
    instance.readySeconds[component.name] = Math.round((performance.now() - began) / 100) / 10
    writeInstance(home.stateFolder, instance)
    progress.done(`ready after ${instance.readySeconds[component.name]} s`)
    return true
  } catch (error) {
    progress.failed((error as Error).message)
    throw error
  }
}

/** One that runs with another command, or that stays unready, is replaced. */
async function isKept(component: Component, running: RunningComponent, home: Home): Promise<boolean> {
  if (running.commandHash !== commandHash(component)) return false
  return awaitReady(component, running, home).then(
    () => true,
    () => false,
  )
}

function record({ home, instance }: BringUp, running: RunningComponent): void {
  instance.components = [...instance.components.filter((one) => one.component !== running.component), running]
  writeInstance(home.stateFolder, instance)
}
