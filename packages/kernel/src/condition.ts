import { z } from 'zod'
import { Time } from './name.ts'

/** An observation, as Kubernetes conditions are; `reason` is CamelCase, `message` a sentence for people. */
export const Condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: Time,
})
export type Condition = z.infer<typeof Condition>

/** Puts one observation into the list; the same list when nothing changed, so callers can skip the write. */
export function setCondition(
  conditions: Condition[],
  seen: Omit<Condition, 'lastTransitionTime'>,
  now: string,
): Condition[] {
  const old = conditions.find((condition) => condition.type === seen.type)
  if (old && old.status === seen.status && old.reason === seen.reason && old.message === seen.message) return conditions
  const lastTransitionTime = old && old.status === seen.status ? old.lastTransitionTime : now
  return [...conditions.filter((condition) => condition.type !== seen.type), { ...seen, lastTransitionTime }]
}
