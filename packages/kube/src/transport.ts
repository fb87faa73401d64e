import type { Problem } from '@quarterdeck/kernel'
import { tlsAndHeaders } from './connection.ts'
import type { Credential } from './credential.ts'
import { credentialsOf } from './credentials.ts'
import type { Kubeconfig } from './kubeconfig.ts'
import { statusProblem } from './status.ts'
import { transportProblem } from './transport-failure.ts'

/** What somebody with a connection of its own kind (the mirror) needs to speak to an API server as everybody else does. */
export interface Transport {
  readonly cluster: string
  /** Without a trailing slash; may have a path. */
  readonly server: string
  /** Headers and TLS options. `refused`: the server has just refused the last ones, so a plugin is asked again. */
  credential(how?: { refused?: boolean }): Promise<Credential>
  /** A failed connection as clusterUnreachable, saying what to do. */
  failure(error: unknown, timeoutSeconds: number): Problem
  /** The API server's refusal as the problem it stands for. `body`: parsed, or text. */
  refusal(status: number, body: unknown, verb: string, what: string): Problem
}

/** Opens nothing. Connect with `lookupServer`, which keeps us from link-local addresses. */
export function transportOf(cluster: string, kubeconfig: Kubeconfig): Transport {
  let credentials = credentialsOf(cluster, kubeconfig)
  return {
    cluster,
    server: kubeconfig.server,
    async credential({ refused = false } = {}) {
      if (refused && kubeconfig.plugin) credentials = credentialsOf(cluster, kubeconfig)
      return tlsAndHeaders(kubeconfig, await credentials())
    },
    failure: (error, timeoutSeconds) =>
      transportProblem(error, { cluster, server: kubeconfig.server, write: false, timeoutSeconds }),
    refusal: (status, body, verb, what) => statusProblem(status, body, { cluster, verb, what, write: false }),
  }
}
