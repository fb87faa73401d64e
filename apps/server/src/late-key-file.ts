import { storeUnavailable } from '@quarterdeck/kernel'
import type { KeyFile } from '@quarterdeck/kube'

/** A key file that can be handed out before it is open: until then it throws the problem store-unavailable. */
export function lateKeyFile(): { keyFile: KeyFile; set(opened: KeyFile): void } {
  let opened: KeyFile | undefined
  const current = () => {
    if (opened) return opened
    throw storeUnavailable({ detail: 'The database is being started', retryAfterSeconds: 2 })
  }
  return {
    keyFile: {
      seal: (text, owner) => current().seal(text, owner),
      open: (sealed, owner) => current().open(sealed, owner),
      derive: (purpose) => current().derive(purpose),
    },
    set(file) {
      opened = file
    },
  }
}
