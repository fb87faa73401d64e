import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Home, MARK, runningComponents, stopComponent } from './component.ts'
import { type Instance, networkOf, runFolderOf, writeInstance } from './instance.ts'
import { endProcess, markedProcesses } from './live-process.ts'
import { removeNetwork } from './network.ts'
import { endContainers, removeCgroups, removeLogLinks, unmountBelow } from './node-cleanup.ts'

/** What would go on acting on containers must end first; what others depend on, last. */
const ORDER = [
  'kubelet',
  'kube-proxy',
  'kwok',
  'kube-scheduler',
  'kube-controller-manager',
  'kube-apiserver',
  'etcd',
  'registry',
]

const CONTAINER_GRACE_SECONDS = 4

/**
 * Ends everything of the instance and nothing else: its processes by id and start time, what is in its control groups,
 * its mounts, its network. Leaves the stored state. Safe to repeat and after any half-done start.
 */
export async function takeDown(home: Home, instance: Instance | undefined): Promise<void> {
  const running = runningComponents(home, instance?.components)
  const stop = async (name: string, graceSeconds?: number) => {
    const one = running.get(name)
    if (one) await stopComponent(one, graceSeconds)
  }
  await Promise.all(ORDER.slice(0, 3).map((name) => stop(name, 5)))
  const runFolder = runFolderOf(home.stateFolder)
  const real = instance?.mode === 'node'
  const network = networkOf(instance?.index ?? 0)
  if (real) {
    await endContainers(network.cgroup, CONTAINER_GRACE_SECONDS)
    await stop('containerd', 5)
  }
  for (const name of ORDER.slice(3)) await stop(name, name === 'kube-apiserver' ? 5 : 10)
  // Container shims, and anything whose start was never recorded.
  for (const one of markedProcesses(MARK.instance, home.stateFolder)) await endProcess(one, 2)
  if (real) {
    await unmountBelow([join(home.stateFolder, 'node'), runFolder])
    removeCgroups(network.cgroup)
    removeLogLinks(join(home.stateFolder, 'node', 'pod-logs'))
    await removeNetwork(network)
  }
  rmSync(runFolder, { recursive: true, force: true })
  if (instance) writeInstance(home.stateFolder, { ...instance, components: [] })
}
