import { OneTimeSection } from '../../../features/tenancy/onetime/onetime.console.tsx'
import { AccountPage as Account } from '../../../features/tenancy/session/account.console.tsx'

/** Who is signed in, with the one-time password. */
export function AccountPage() {
  return <Account oneTimePassword={<OneTimeSection />} />
}
