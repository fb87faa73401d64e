import type { AnyEndpoint } from '@quarterdeck/kernel'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { call } from './api.tsx'
import { Button } from './button.tsx'
import { Dialog } from './overlay.tsx'
import { ShowAs } from './plan/show-as-panel.tsx'
import type { ActInput } from './show-as.ts'
import { Failure } from './state.tsx'
import { useText } from './text.ts'
import { partTexts } from './texts.ts'

/**
 * Asks before something is taken away: what that means, how it is done otherwise, and what went wrong. `done` runs when
 * it has been done, before the dialog closes.
 */
export function ConfirmDialog({
  title,
  act,
  endpoint,
  input,
  done,
  close,
  children,
}: {
  title: string
  /** What the button says. */
  act: string
  endpoint: AnyEndpoint
  input: ActInput
  done?: () => unknown
  close: () => void
  children: ReactNode
}) {
  const t = useText(partTexts)
  const change = useMutation<unknown, Error>({
    mutationFn: () => call(endpoint, input),
    onSuccess: async () => {
      await done?.()
      close()
    },
  })
  return (
    <Dialog
      narrow
      title={title}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="danger" busy={change.isPending} onClick={() => change.mutate()}>
            {act}
          </Button>
        </>
      }
    >
      <div className="rows">
        {typeof children === 'string' ? <p>{children}</p> : children}
        <ShowAs endpoint={endpoint} input={input} />
        {change.error && <Failure error={change.error} />}
      </div>
    </Dialog>
  )
}
