import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { system } from './network.ts'

const CGROUPS = '/sys/fs/cgroup'

/** The instance's control groups, one per hierarchy. */
function cgroupFolders(name: string): string[] {
  if (!existsSync(CGROUPS)) return []
  return [join(CGROUPS, name), ...readdirSync(CGROUPS).map((hierarchy) => join(CGROUPS, hierarchy, name))].filter(
    (folder) => existsSync(folder),
  )
}

/** Folders below `folder`, deepest first. Any of them may go away while we look. */
function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? [...subfolders(path), path] : []
    })
  } catch {
    return []
  }
}

/** Processes of all containers of the instance: what is in its control groups, whoever started it. */
function containerProcesses(name: string): number[] {
  const pids = new Set<number>()
  for (const root of cgroupFolders(name)) {
    for (const folder of [...subfolders(root), root]) {
      try {
        for (const line of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n'))
          if (line) pids.add(Number(line))
      } catch {
        // Went away while we looked.
      }
    }
  }
  return [...pids]
}

/** Asks all containers to end, then kills what is left after `graceSeconds`. */
export async function endContainers(cgroup: string, graceSeconds: number): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ['SIGTERM', graceSeconds],
    ['SIGKILL', 10],
  ]
  for (const [signal, seconds] of steps) {
    for (const pid of containerProcesses(cgroup)) {
      try {
        process.kill(pid, signal)
      } catch {
        // Ended meanwhile.
      }
    }
    for (let waited = 0; waited < seconds * 1000 && containerProcesses(cgroup).length > 0; waited += 50) await delay(50)
  }
}

/** Removes the instance's control groups, which must be empty of processes. */
export function removeCgroups(cgroup: string): void {
  for (const root of cgroupFolders(cgroup)) {
    for (const folder of [...subfolders(root), root]) {
      try {
        rmdirSync(folder)
      } catch {
        // Still has a dying process; the next start or stop gets it.
      }
    }
  }
}

/** Mount points at or below any of the folders, deepest first. */
export function mountsBelow(folders: readonly string[]): string[] {
  if (!existsSync('/proc/self/mounts')) return []
  const targets = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[1] ?? '').replace(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
  return targets
    .filter((target) => folders.some((folder) => target === folder || target.startsWith(`${folder}/`)))
    .reverse()
}

/** Unmounts everything at or below the folders. What is still in use vanishes when its last user ends. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const mounts = mountsBelow(folders)
    if (mounts.length === 0) return
    for (const target of mounts) await system('umount', '--lazy', target).catch(() => '')
  }
}

/** Removes the links to our pods' logs that the kubelet leaves in a folder it shares with other kubelets. */
export function removeLogLinks(podLogsFolder: string): void {
  const shared = '/var/log/containers'
  if (!existsSync(shared)) return
  for (const name of readdirSync(shared)) {
    const link = join(shared, name)
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith(`${podLogsFolder}/`))
      rmSync(link, { force: true })
  }
}
