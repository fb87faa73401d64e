import { clusterForbidden, isProblem, notFound } from '@quarterdeck/kernel'
import { z } from 'zod'
import type { CredentialSource } from './credentials.ts'
import { IMPERSONATOR } from './impersonation.ts'

const LIFETIME_SECONDS = 3_600
// Renewed when a fifth of its time is left: enough tries before it ends.
const RENEWED_AFTER = 0.8

const TokenRequest = z.looseObject({
  status: z.looseObject({ token: z.string().min(1), expirationTimestamp: z.string() }),
})

/** The connection with the registered credential, as far as it is needed here. */
interface Registered {
  readonly cluster: string
  call(call: {
    method: 'POST'
    path: string
    body: object
    verb: string
    what: string
    timeoutSeconds: number
    changesNothing: true
  }): Promise<{ body: unknown }>
}

/**
 * Tokens of the impersonator for an hour each, asked for with the registered credential. They are kept nowhere but in
 * memory. Throws clusterForbidden while the cluster has no impersonator, and what else the cluster answers.
 */
export function impersonatorOf(registered: Registered): CredentialSource {
  let current: Promise<{ token: string; until: number }> | undefined
  async function ask() {
    const askedAt = Date.now()
    const token = await request(registered)
    const lifetimeMs = Date.parse(token.expirationTimestamp) - askedAt
    return { token: token.token, until: askedAt + Math.min(lifetimeMs, LIFETIME_SECONDS * 1_000) * RENEWED_AFTER }
  }
  return {
    async get() {
      const last = current
      const held = await last?.catch(() => undefined)
      if (held && held.until > Date.now()) return { token: held.token }
      // Whoever comes first asks; the others wait for the same answer.
      const asked = current !== undefined && current !== last ? current : ask()
      current = asked
      return { token: (await asked).token }
    },
    refused() {
      current = undefined
    },
  }
}

async function request(registered: Registered) {
  const { namespace, name } = IMPERSONATOR
  try {
    const { body } = await registered.call({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: LIFETIME_SECONDS },
      },
      verb: 'create a token of',
      what: `ServiceAccount ${namespace}/${name}`,
      timeoutSeconds: 10,
      changesNothing: true,
    })
    return TokenRequest.parse(body).status
  } catch (error) {
    const isMissing = isProblem(error, notFound)
    const isForbidden = isProblem(error, clusterForbidden) && error.body.credentials !== 'refused'
    if (!isMissing && !isForbidden) throw error
    throw clusterForbidden({
      detail: isMissing
        ? `Cluster ${registered.cluster} is not prepared for people yet: it has no ServiceAccount ${namespace}/${name}. Try again in a few seconds; if it stays so, the page of the cluster says what is missing.`
        : `Cluster ${registered.cluster} lets nobody through: the kubeconfig that it is registered with may not make tokens of ServiceAccount ${namespace}/${name}. Its page says what else is missing.`,
      reason: 'NoImpersonator',
    })
  }
}
