import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, copyFileSync, mkdirSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endProcess, isLive, type LiveProcess, liveProcess, markedProcesses } from './live-process.ts'
import { LocalClusterError } from './local-cluster-error.ts'

/** One long-running program of a cluster, as it should be. */
export interface Component {
  /** Kubernetes' own name of it, such as `kube-apiserver`. */
  name: string
  /** Absolute path. */
  executable: string
  args: string[]
  environment?: Record<string, string>
  /** Anything else that must lead to a restart when it changes: contents of its configuration files, certificates. */
  configuration?: string[]
  /** Name of the network namespace it lives in; absent means the machine's own. */
  networkNamespace?: string
  /** Loopback ports that it listens on, in the machine's own network namespace. */
  ports?: number[]
  /** Done each time before it is started. */
  before?(): Promise<void>
  /** Resolves to true when it does its work. May throw: then it is not ready yet. */
  ready(): Promise<boolean>
  /** Absent means 60. */
  startTimeoutSeconds?: number
  /** How long it may take to end when asked to; absent means 10. */
  graceSeconds?: number
}

/** Names of the environment variables by which our processes are found again. */
export const MARK = {
  instance: 'QUARTERDECK_INSTANCE',
  component: 'QUARTERDECK_COMPONENT',
  command: 'QUARTERDECK_COMMAND',
}

/** Where an instance's processes write. */
export interface Home {
  /** Absolute path of the state folder: identifies the instance. */
  stateFolder: string
  /** End the processes when the thread that started them ends; for tests. Linux only. */
  endWithParent?: boolean
}

/** A log is cut when it is longer than this; one older part is kept. */
const LOG_LIMIT_BYTES = 16 * 1024 * 1024

/** Path of a component's log. */
export const logFileOf = (home: Home, component: string): string => join(home.stateFolder, 'logs', `${component}.log`)

/** Changes whenever the component would have to be started differently. */
export const commandHash = ({ executable, args, environment, networkNamespace, configuration }: Component): string =>
  createHash('sha256')
    .update(JSON.stringify([executable, args, environment, networkNamespace, configuration]))
    .digest('hex')
    .slice(0, 16)

/** A running component of an instance, and whether its command is still the wanted one. */
export interface RunningComponent extends LiveProcess {
  component: string
  commandHash: string
}

/**
 * What of an instance runs, by component. Looks at the processes themselves, so it also finds those whose starter was
 * killed before it wrote anything. Processes that a component started (container shims) are not components.
 */
export function runningComponents(
  home: Home,
  recorded: readonly RunningComponent[] = [],
): Map<string, RunningComponent> {
  const running = new Map<string, RunningComponent>()
  for (const one of recorded) if (isLive(one)) running.set(one.component, one)
  if (process.platform !== 'linux') return running
  const seen = new Map<string, RunningComponent>()
  for (const { pid, startTime, environment, executable } of markedProcesses(MARK.instance, home.stateFolder)) {
    const component = environment[MARK.component] ?? ''
    const program = environment.QUARTERDECK_PROGRAM
    if (basename(executable).replace(/ \(deleted\)$/, '') !== program) continue
    seen.set(component, { pid, startTime, component, commandHash: environment[MARK.command] ?? '' })
  }
  return seen
}

/** Starts the component as a process of its own session that outlives us, unless the home says otherwise. */
export function startComponent(component: Component, home: Home): RunningComponent {
  const hash = commandHash(component)
  const logFile = logFileOf(home, component.name)
  mkdirSync(dirname(logFile), { recursive: true })
  capLog(logFile)
  const log = openSync(logFile, 'a')
  const [program = '', ...args] = [
    ...(home.endWithParent && process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    ...(component.networkNamespace ? ['nsenter', `--net=/run/netns/${component.networkNamespace}`] : []),
    component.executable,
    ...component.args,
  ]
  try {
    const child = spawn(program, args, {
      cwd: home.stateFolder,
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        ...inheritedEnvironment(),
        ...component.environment,
        QUARTERDECK_PROGRAM: basename(component.executable),
        [MARK.instance]: home.stateFolder,
        [MARK.component]: component.name,
        [MARK.command]: hash,
      },
    })
    // A failure to start shows as a process that is not there.
    child.on('error', () => {})
    child.unref()
    const started = child.pid === undefined ? undefined : liveProcess(child.pid)
    if (!started) throw exited(component, home)
    return { ...started, component: component.name, commandHash: hash }
  } finally {
    closeSync(log)
  }
}

// Proxies and the like of the caller must not reach the cluster's programs.
const inheritedEnvironment = () => ({
  PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin`,
  HOME: process.env.HOME ?? '/',
  LANG: 'C.UTF-8',
})

/**
 * Waits until the component is ready. Throws ComponentExited with its last log lines when it ends first, and
 * ComponentNotReady after its time.
 */
export async function awaitReady(component: Component, running: RunningComponent, home: Home): Promise<void> {
  const limit = performance.now() + (component.startTimeoutSeconds ?? 60) * 1000
  for (;;) {
    if (await component.ready().catch(() => false)) return
    if (!isLive(running)) throw exited(component, home)
    if (performance.now() > limit) throw notReady(component, home)
    await delay(50)
  }
}

/** Ends what runs of a component. */
export const stopComponent = (running: RunningComponent, graceSeconds?: number): Promise<void> =>
  endProcess(running, graceSeconds)

/** Throws PortInUse, naming the port, when another program listens where the component should. */
export async function checkPorts(component: Component): Promise<void> {
  for (const port of component.ports ?? []) {
    // A process that was killed may hold its port for a moment longer.
    for (let tries = 0; tries < 40 && (await answers(port)); tries++) await delay(50)
    if (await answers(port)) {
      throw new LocalClusterError(
        'PortInUse',
        `Port ${port} of 127.0.0.1, which ${component.name} needs, is taken by another program.`,
        `End the program that listens on port ${port} (\`ss -ltnp 'sport = :${port}'\` names it) and start again; \`qd local reset\` chooses new ports but deletes the cluster.`,
      )
    }
  }
}

/** Whether something listens on a loopback port. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Keeps the log under its limit; the part cut off is kept as `.1`. The writer appends, so it goes on undisturbed. */
export function capLog(logFile: string): void {
  try {
    if (statSync(logFile).size < LOG_LIMIT_BYTES) return
    copyFileSync(logFile, `${logFile}.1`)
    truncateSync(logFile)
  } catch {
    // No log yet.
  }
}

/** The last `lines` lines of a log; empty when there is none. Reads at most 256 KiB. */
export function lastLines(logFile: string, lines: number): string {
  try {
    const size = statSync(logFile).size
    const length = Math.min(size, 256 * 1024)
    const buffer = Buffer.alloc(length)
    const file = openSync(logFile, 'r')
    readSync(file, buffer, 0, length, size - length)
    closeSync(file)
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return ''
  }
}

function exited(component: Component, home: Home): LocalClusterError {
  const logFile = logFileOf(home, component.name)
  const words = lastLines(logFile, 6)
  if (/no space left on device/i.test(words)) {
    return new LocalClusterError(
      'DiskFull',
      `${component.name} ended because the disk of ${home.stateFolder} is full.`,
      `Free space on the disk of ${home.stateFolder} and start again.`,
    )
  }
  return new LocalClusterError(
    'ComponentExited',
    `${component.name} ended right after its start. Its last words: ${words || '(none)'}`,
    `Read ${logFile}, cure what it says and start again; \`qd local reset\` begins anew and deletes the cluster.`,
  )
}

function notReady(component: Component, home: Home): LocalClusterError {
  const logFile = logFileOf(home, component.name)
  return new LocalClusterError(
    'ComponentNotReady',
    `${component.name} runs but was not ready after ${component.startTimeoutSeconds ?? 60} s. Its last words: ${lastLines(logFile, 3)}`,
    `Read ${logFile}. On a busy machine, start again: what runs already is kept.`,
  )
}
