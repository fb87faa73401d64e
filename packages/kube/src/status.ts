import {
  clusterConflict,
  clusterForbidden,
  clusterUnreachable,
  conflict,
  notFound,
  type Problem,
  rejectedByCluster,
  tooManyRequests,
} from '@quarterdeck/kernel'
import { z } from 'zod'
import { heldBack, watchExpired } from './problems.ts'

/** Kubernetes' own answer to a failed request (meta/v1 Status). */
export const Status = z.looseObject({
  kind: z.literal('Status'),
  status: z.string().optional(),
  message: z.string().optional(),
  reason: z.string().optional(),
  code: z.number().optional(),
  details: z
    .looseObject({
      causes: z
        .array(
          z.looseObject({
            reason: z.string().optional(),
            message: z.string().optional(),
            field: z.string().optional(),
          }),
        )
        .optional(),
      retryAfterSeconds: z.number().optional(),
    })
    .optional(),
})
export type Status = z.infer<typeof Status>

/** What was asked, for the sentence. */
export interface Asked {
  cluster: string
  /** As in RBAC: get, list, create, patch, delete … */
  verb: string
  /** `Deployment dev/shop`, `nodes`, `/version`. */
  what: string
  write: boolean
  /**
   * True: a body that is not a Status is the reason, as kubelets give it. Otherwise it is not repeated: what answers may
   * be no API server, and its words are not for whoever made us ask.
   */
  plainText?: boolean
  /** True: it was asked as somebody else. */
  impersonated?: boolean
}

/** A field that another manager holds, from a 409 on server-side apply. */
export interface FieldConflict {
  manager: string
  /** As the API server writes it: `.spec.replicas`. */
  field: string
}

/** `spec.containers[0].ports[0].name` → `/spec/containers/0/ports/0/name`. */
export const pointerOf = (field: string): string =>
  field
    .replace(/^\./, '')
    .replace(/\[("?)([^\]]*?)\1\]/g, (_, _quote, key: string) => `.${key.replaceAll('.', '\u0000')}`)
    .split('.')
    .filter((part) => part !== '')
    .map((part) => `/${part.replaceAll('\u0000', '.').replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')

/** Turns an answer of 400 and above into the problem it stands for. `body` is the parsed JSON or text. */
export function statusProblem(httpStatus: number, body: unknown, asked: Asked): Problem {
  const status = Status.safeParse(body).data
  const message = status?.message ?? (asked.plainText && typeof body === 'string' ? body.slice(0, 500).trim() : '')
  const place = `Cluster ${asked.cluster}`
  const causes = status?.details?.causes ?? []
  switch (httpStatus) {
    case 401:
      return clusterForbidden({
        detail: `${place} does not accept the credentials it was registered with: they are expired or revoked. Register it again with a new kubeconfig.`,
        credentials: 'refused',
      })
    case 403:
      return forbidden(message, asked, place)
    case 404:
      return notFound({ detail: `${place}: ${message || `${asked.what} is not there`}` })
    case 409:
      return conflicting(status, message, asked, place)
    case 410:
      return watchExpired({ detail: `${place}: ${message}` })
    case 429:
      if (causes.some(({ reason }) => reason === 'DisruptionBudget')) return held(message, causes, place)
      return tooManyRequests({
        detail: `${place} has too much to do: ${message}`,
        retryAfterSeconds: status?.details?.retryAfterSeconds ?? 1,
      })
  }
  if (httpStatus >= 500 && !isRefusal(message)) {
    return clusterUnreachable({
      detail: `${place} failed at ${asked.verb} ${asked.what}: ${message || `HTTP ${httpStatus}`}`,
      reason: status?.reason ?? `HTTP${httpStatus}`,
      ...(asked.write ? { ambiguous: true } : {}),
    })
  }
  return rejected(message || `HTTP ${httpStatus} to ${asked.verb} ${asked.what}`, causes, place)
}

// Server-side apply and admission webhooks answer 500 to some objects that they will never accept.
const isRefusal = (message: string) =>
  /field not declared in schema|failed to create typed patch object|admission webhook .* denied|more than one PodDisruptionBudget/.test(
    message,
  )

/** RBAC's refusal names the user and the verb; a 403 without them is admission saying no to the object. */
function forbidden(message: string, asked: Asked, place: string): Problem {
  if (/exceeded quota/.test(message)) {
    const quota = message.slice(message.indexOf('exceeded quota'))
    return rejectedByCluster({ detail: `${place}: the quota of the namespace does not allow it: ${quota}`, quota })
  }
  // Since 1.35 a command in a container is refused without any words to whoever may get it, but not create it.
  const isWordless = /is forbidden: ?$/.test(message)
  const byAdmission =
    message !== '' && !isWordless && !/ cannot [a-z]+ /.test(message) && !/^[Ff]orbidden:? ?"?\//.test(message)
  if (byAdmission) return rejectedByCluster({ detail: `${place}: ${message}` })
  if (asked.impersonated && /\bcannot impersonate resource\b/.test(message)) {
    return clusterForbidden({
      detail: `${place} has not been told of you yet. Try again in a few seconds; if it stays so, the page of the cluster says what is missing.`,
      reason: 'NotKnown',
    })
  }
  return clusterForbidden({
    detail: `${place} does not allow ${asked.impersonated ? 'you' : 'us'} to ${asked.verb} ${asked.what}${message ? `: ${message}` : ''}`,
    verb: asked.verb,
    kind: asked.what,
  })
}

function conflicting(status: Status | undefined, message: string, asked: Asked, place: string): Problem {
  if (status?.reason === 'AlreadyExists') return conflict({ detail: `${place}: ${asked.what} is there already` })
  if (/resourcequotas/.test(message)) {
    return rejectedByCluster({ detail: `${place}: the quota was being changed at the same moment. Try again.` })
  }
  const conflicts: FieldConflict[] = (status?.details?.causes ?? [])
    .filter((cause) => cause.reason === 'FieldManagerConflict')
    .map((cause) => ({ manager: /"([^"]+)"/.exec(cause.message ?? '')?.[1] ?? 'unknown', field: cause.field ?? '' }))
  if (conflicts.length === 0) return clusterConflict({ detail: `${place}: ${message}`, conflicts })
  const list = conflicts.map(({ manager, field }) => `${field} by ${manager}`).join(', ')
  return clusterConflict({ detail: `${place}: fields of ${asked.what} are managed by others: ${list}`, conflicts })
}

type Causes = NonNullable<NonNullable<Status['details']>['causes']>

/** The budget's own words say which one it is and what it counts. */
function held(message: string, causes: Causes, place: string) {
  const words = causes.flatMap((cause) => (cause.message ? [cause.message.replace(/\.?$/, '.')] : []))
  return heldBack({ detail: `${place}: ${words.join(' ') || message}` })
}

function rejected(message: string, causes: Causes, place: string) {
  const errors = [
    ...causes.map(({ field = '', message: detail = '' }) => ({ pointer: pointerOf(field), detail })),
    ...[...message.matchAll(UNKNOWN_FIELD)].map((match) => ({
      pointer: pointerOf(match[1] ?? match[2] ?? ''),
      detail: 'The cluster does not know this field. Check the spelling and where it stands.',
    })),
  ].filter(({ pointer }) => pointer !== '')
  return rejectedByCluster({ detail: `${place}: ${message}`, ...(errors.length > 0 ? { errors } : {}) })
}

// Server-side apply and strict decoding each say it in their own way.
const UNKNOWN_FIELD = /(\.[^\s:,]+): field not declared in schema|unknown field "([^"]+)"/g
