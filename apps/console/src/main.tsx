import { call, createQueryClient } from '@quarterdeck/ui'
import './frame.css'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { getSetup } from '../../../features/cluster/setup/setup.contract.ts'
import { router } from './routes.tsx'

const ALONE = ['/setup', '/sign-in', '/first', '/password']
let asking = false

/** Nobody is signed in: to the set-up page while the platform is not there yet, else to sign-in and back here. */
async function signedOut(): Promise<void> {
  const { pathname, search } = router.history.location
  if (asking || ALONE.some((page) => pathname === page || pathname.startsWith(`${page}/`))) return
  asking = true
  const setup = await call(getSetup).catch(() => undefined)
  const failed = setup?.stages.some((stage) => stage.state === 'failed')
  const early = setup && (setup.administrator === 'missing' || (!setup.ready && !failed))
  router.history.replace(early ? '/setup' : `/sign-in?next=${encodeURIComponent(pathname + search)}`)
  asking = false
}

// A page that was open while the server was replaced asks for parts that are gone: it is loaded anew, once a minute.
window.addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem('reloaded') ?? 0)
  if (Date.now() - last < 60_000) return
  event.preventDefault()
  sessionStorage.setItem('reloaded', String(Date.now()))
  location.reload()
})

const queries = createQueryClient(() => void signedOut())
const place = document.getElementById('root')
if (place) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  )
}
