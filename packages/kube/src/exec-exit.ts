import { type Problem, rejectedByCluster } from '@quarterdeck/kernel'
import { Status } from './status.ts'

/**
 * What the error channel of exec says at the end: the exit code, or rejectedByCluster when the command could not be
 * started (no such program, no such container).
 */
export function execExit(
  text: string,
  { cluster, what }: { cluster: string; what: string },
): { code: number; problem?: Problem } {
  let status: Status | undefined
  try {
    status = Status.safeParse({ kind: 'Status', ...JSON.parse(text) }).data
  } catch {
    status = undefined
  }
  if (status?.status === 'Success') return { code: 0 }
  const cause = status?.details?.causes?.find((each) => each.reason === 'ExitCode')
  if (cause) return { code: Number(cause.message) }
  const message = status?.message ?? text
  return {
    code: -1,
    problem: rejectedByCluster({ detail: `Cluster ${cluster}: ${what}: ${message}`, reason: 'ExecFailed' }),
  }
}
