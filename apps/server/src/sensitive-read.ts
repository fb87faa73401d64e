import type { ServerOptions } from '@quarterdeck/http'
import { isProblem, notFound } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import { getEnvironmentPlace } from '../../../features/tenancy/environment/environment.routes.ts'
import { recordAct } from './parts.ts'

const PROTECTED = new Set(['pre', 'prod'])

/** Writes down who reads what is sensitive: some things always, others where customers are near. */
export const sensitiveReads =
  (db: Db): NonNullable<ServerOptions['recordRead']> =>
  async (subject, { id, recorded }, params) => {
    const { environment } = params
    if (recorded === 'protected' && !(await isProtected(db, environment))) return
    const what = Object.entries(params).map(([name, value]) => `${name} ${value}`)
    await recordAct(db, {
      actor: subject.name,
      act: id,
      what: what.join(', '),
      outcome: 'intent',
      detail: '',
      ...(typeof environment === 'string' ? { environment } : {}),
    })
  }

/** What is not there is refused by whoever is asked for it. */
async function isProtected(db: Db, environment: unknown): Promise<boolean> {
  if (typeof environment !== 'string') return true
  try {
    return PROTECTED.has((await getEnvironmentPlace(db, environment)).stage)
  } catch (error) {
    if (isProblem(error, notFound)) return false
    throw error
  }
}
