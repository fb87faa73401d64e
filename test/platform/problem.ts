import { isProblem, type Problem } from '@quarterdeck/kernel'

/** The problem that something is refused with. */
export async function problemOf(promise: Promise<unknown>): Promise<Problem['body']> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) throw new Error(`it was let through: ${JSON.stringify(outcome.value)}`)
  if (!isProblem(outcome.error)) throw outcome.error
  return outcome.error.body
}
/** Its type, without where types are. */
export const typeOf = async (promise: Promise<unknown>): Promise<string> =>
  (await problemOf(promise)).type.replace('/problems/', '')
