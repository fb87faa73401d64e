import { type Client, createClient, fetchWithCode, serverUnreachable } from '@quarterdeck/client'
import { type AnyEndpoint, isProblem, type Output, Problem, signInRequired } from '@quarterdeck/kernel'
import { keepPreviousData, QueryClient, type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'

/** Lets a person give a one-time password; true when the server has taken it, false when they would rather not. */
export type AskForCode = (problem: Problem) => Promise<boolean>
let askForCode: AskForCode | undefined

/** Says who asks for one-time passwords; without anybody requests that need one fail. */
export function onCodeRequired(ask: AskForCode): () => void {
  askForCode = ask
  return () => {
    if (askForCode === ask) askForCode = undefined
  }
}

// What reads by itself, every few seconds, must not ask again at once whoever has just said no.
const QUIET_MS = 60_000
let refusedMs = Number.NEGATIVE_INFINITY
let asking: Promise<boolean> | undefined

/** One dialog for all requests that wait for the same code. */
function codeGiven(problem: Problem, background: boolean): Promise<boolean> {
  if (!askForCode || (background && performance.now() - refusedMs < QUIET_MS)) return Promise.resolve(false)
  asking ??= askForCode(problem)
    .then((given) => {
      if (!given) refusedMs = performance.now()
      return given
    })
    .finally(() => {
      asking = undefined
    })
  return asking
}

/** The one client of the page; it speaks to the server that the page came from, with its cookie. */
export const client: Client = createClient({
  baseUrl: '',
  fetch: fetchWithCode(
    (...all) => fetch(...all),
    (problem, method) => codeGiven(problem, method === 'GET'),
  ),
})

/** What a read passes: the parts of the endpoint's input that it declares. */
export interface ReadInput {
  params?: Record<string, string>
  query?: Record<string, string | number | boolean | undefined>
}

export interface ReadOptions {
  /** Read again every so many seconds while the page is visible. */
  everySeconds?: number
  enabled?: boolean
  /** true: show what was there until the new answer has come. */
  keep?: boolean
}

/** Calls any endpoint with input whose shape the caller has checked by its form. */
export const call = <E extends AnyEndpoint>(
  endpoint: E,
  input: ReadInput & { body?: unknown } = {},
  options: { idempotencyKey?: string; signal?: AbortSignal } = {},
): Promise<Output<E>> => (client as unknown as (...all: unknown[]) => Promise<Output<E>>)(endpoint, input, options)

/** The key under which an answer is kept: the endpoint and what was asked. */
export const readKey = (endpoint: AnyEndpoint, input: ReadInput = {}) =>
  [endpoint.id, input.params ?? {}, input.query ?? {}] as const

/** Reads an endpoint; state of the server lives here and nowhere else. */
export function useRead<E extends AnyEndpoint>(
  endpoint: E,
  input: ReadInput = {},
  { everySeconds, enabled = true, keep = false }: ReadOptions = {},
): UseQueryResult<Output<E>, Error> {
  return useQuery<Output<E>, Error>({
    queryKey: readKey(endpoint, input),
    queryFn: ({ signal }) => call(endpoint, input, { signal }),
    enabled,
    ...(everySeconds === undefined ? {} : { refetchInterval: everySeconds * 1_000 }),
    ...(keep ? { placeholderData: keepPreviousData as never } : {}),
  })
}

/** Has what these endpoints answered read again where it is shown; with none given, everything but plans. */
export function useReadAgain(): (...endpoints: AnyEndpoint[]) => Promise<void> {
  const queries = useQueryClient()
  return async (...endpoints) => {
    const ids = endpoints.map(({ id }) => id)
    await queries.invalidateQueries({
      predicate: ({ queryKey: [id] }) => (ids.length === 0 ? id !== 'plan' : ids.includes(String(id))),
    })
  }
}

/** Made once by the console. `onSignedOut` is called when the server asks for a sign-in. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 1_000,
        // Offline is told like any server that does not answer; a pause would look like fresh data.
        networkMode: 'always',
        refetchOnWindowFocus: true,
        retry: (count, error) => isProblem(error, serverUnreachable) && count < 2,
        retryDelay: 800,
      },
      mutations: { networkMode: 'always' },
    },
  })
  queries.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'error') return
    if (isProblem(event.action.error, signInRequired)) onSignedOut()
  })
  queries.getMutationCache().subscribe((event) => {
    if (event.type === 'updated' && event.action.type === 'error' && isProblem(event.action.error, signInRequired)) {
      onSignedOut()
    }
  })
  return queries
}

/** What a failure says to a person: the detail of a problem, or the message of anything else. */
export const detailOf = (error: unknown): string =>
  error instanceof Problem
    ? (error.body.detail ?? error.body.title)
    : error instanceof Error
      ? error.message
      : String(error)

/** The sentence of a problem that belongs to one field, by the end of its JSON pointer. */
export function fieldError(error: unknown, ending: string): string | undefined {
  if (!(error instanceof Problem)) return undefined
  return error.body.errors?.find(({ pointer }) => pointer.endsWith(ending))?.detail
}
