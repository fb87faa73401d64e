import { clusterUnreachable, isProblem, rejectedByCluster } from '@quarterdeck/kernel'
import type { Cluster, Exec, ExecRequest } from '@quarterdeck/kube'

/** Record separators around the process id that the probe prints: so it is known that a shell runs, and which. */
const MARK = 0x1e
const PROBE = `printf '\\036%s\\036' "$$"; for s in /bin/bash /usr/bin/bash /usr/local/bin/bash; do [ -x "$s" ] && exec "$s"; done; exec `
const MARKED_BYTES = 32
const SHELLS = ['/bin/sh', '/busybox/sh', 'ash', 'bash']
// The kubelet and the runtime together take 50 to 300 ms (dev cluster, 2026-11); a loaded node more.
const START_TIMEOUT_MS = 15_000
/** A command that has not failed by then is taken to run; on a loaded node that it did not comes later. */
const FAILS_WITHIN_MS = 400
const CONTROL_C = Buffer.of(3)
const STOP_TIMEOUT_MS = 3_000

/** A command that runs, or has just ended. */
export interface Started {
  exec: Exec
  command: readonly string[]
  /** What it has written so far. */
  begun: Buffer
  /** Asks the process in the container to end, which closing the connection does not. Never rejects. */
  stop(): Promise<void>
}

type Where = Omit<ExecRequest, 'command' | 'stdin'>
type Execs = Pick<Cluster, 'exec'>

/** Starts the command. Undefined: the container has no such program. Throws the cluster's problems. */
export async function startCommand(
  cluster: Execs,
  where: Where,
  command: readonly string[],
): Promise<Started | undefined> {
  const exec = await cluster.exec({ ...where, command, stdin: true })
  const { bytes, failure } = await outputOf(exec, FAILS_WITHIN_MS, (read) => read.length > 0)
  if (isProgramAbsent(failure)) return undefined
  const stop = async () => {
    // All that can be done without a shell: the interrupt key, or an end of the input.
    if (where.tty) exec.stdin.write(CONTROL_C)
    else exec.stdin.end()
    await ended(exec, 500)
  }
  return { exec, command, begun: bytes, stop }
}

/**
 * Starts the best shell that the container has; undefined when it has none. Throws the cluster's problems. `ender` ends
 * it: whoever started it may not be let in any more by then.
 */
export async function startShell(cluster: Execs, where: Where, ender: Execs = cluster): Promise<Started | undefined> {
  for (const shell of SHELLS) {
    const exec = await cluster.exec({ ...where, command: [shell, '-c', `${PROBE}${shell}`], stdin: true })
    const { bytes, failure } = await outputOf(exec, START_TIMEOUT_MS, (read) => markOf(read) !== undefined)
    if (isProgramAbsent(failure)) continue
    if (failure) throw failure
    const mark = markOf(bytes)
    if (!mark) {
      exec.close()
      const detail = `The container did not start a shell within ${START_TIMEOUT_MS / 1000} s; its node may be overloaded. Try again.`
      throw clusterUnreachable({ detail, reason: 'ShellSilent' })
    }
    const stop = () => hangUp(ender, where, shell, mark.pid, exec)
    return { exec, command: [shell], begun: bytes.subarray(mark.end), stop }
  }
  return undefined
}

function markOf(bytes: Buffer): { pid: number; end: number } | undefined {
  const end = bytes.indexOf(MARK, 1)
  if (bytes[0] !== MARK || end < 0 || end > MARKED_BYTES) return undefined
  return { pid: Number(bytes.toString('latin1', 1, end)), end: end + 1 }
}

/** As when a terminal's line is cut: the shell ends and takes what runs in its foreground with it. */
async function hangUp(cluster: Execs, where: Where, shell: string, pid: number, exec: Exec): Promise<void> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return
  const script = `kill -HUP ${pid}; sleep 1; kill -KILL ${pid}`
  const { namespace, pod, container } = where
  const signal = AbortSignal.timeout(STOP_TIMEOUT_MS)
  const killing = cluster
    .exec({ namespace, pod, container, command: [shell, '-c', script], signal })
    .catch(() => undefined)
  await ended(exec, STOP_TIMEOUT_MS)
  const kill = await killing
  // It runs on for its second, for a shell that does not listen; nobody needs its answer.
  kill?.stdout.resume()
  kill?.stderr.resume()
  await kill?.exit.catch(() => undefined)
}

async function ended({ exit }: Exec, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  await Promise.race([exit.catch(() => undefined), promise])
  clearTimeout(timer)
}

/**
 * What the command has written when `enough` is so, when it ended, or when the time is over; or why it did not start.
 * What follows waits in the stream.
 */
async function outputOf(
  { stdout, exit }: Exec,
  timeoutMs: number,
  enough: (read: Buffer) => boolean,
): Promise<{ bytes: Buffer; failure?: unknown }> {
  const { promise: timeout, resolve: late } = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => late('late'), timeoutMs)
  let bytes: Buffer = Buffer.alloc(0)
  const { promise: output, resolve: done } = Promise.withResolvers<'output'>()
  const readable = () => {
    const read: Buffer | null = stdout.read()
    if (read) bytes = Buffer.concat([bytes, read])
    if (enough(bytes)) done('output')
  }
  stdout.on('readable', readable)
  const failed = exit.then(
    () => ({}),
    (failure: unknown) => ({ failure }),
  )
  const first = await Promise.race([output, failed, timeout])
  clearTimeout(timer)
  stdout.removeListener('readable', readable)
  return { bytes, ...(typeof first === 'string' ? {} : first) }
}

/** The runtimes' words for a program that is not there; there is no code for it (containerd 2, runc 1.2, CRI-O 1.3x). */
export function isProgramAbsent(failure: unknown): boolean {
  if (!isProblem(failure, rejectedByCluster)) return false
  return /executable file not found|no such file or directory|not a directory|permission denied|is a directory/i.test(
    failure.message,
  )
}
