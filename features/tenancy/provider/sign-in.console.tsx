import { ButtonLink, call, Failure, Heading, readKey, useGo, useText } from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { getSession } from '../session/session.contract.ts'
import { finishSignIn } from './provider.contract.ts'
import { providerTexts } from './texts.console.tsx'

/** Where a provider sends the browser back to: finishes the sign-in, once. */
export function SignInCallbackPage({ provider }: { provider: string }) {
  const t = useText(providerTexts)
  const go = useGo()
  const queries = useQueryClient()
  const begun = useRef(false)
  const finish = useMutation({
    mutationFn: (query: string) => call(finishSignIn, { params: { provider }, body: { query } }),
    onSuccess: ({ next, ...signIn }) => {
      queries.setQueryData(readKey(getSession), signIn)
      go(next, { replace: true })
    },
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was sent back counts once
  useEffect(() => {
    if (begun.current) return
    begun.current = true
    const query = location.search.slice(1)
    // The code must not stay in the history.
    history.replaceState(history.state, '', location.pathname)
    finish.mutate(query)
  }, [])
  return (
    <main className="lone">
      <div className="card body rows">
        <p className="brand">Quarterdeck</p>
        <Heading>{t(finish.error ? 'failed' : 'finishing')}</Heading>
        {finish.error && (
          <>
            <Failure error={finish.error} />
            <ButtonLink to="/sign-in">{t('back')}</ButtonLink>
          </>
        )}
      </div>
    </main>
  )
}
