import { History } from '../../../features/tenancy/audit/history.console.tsx'
import { Credentials } from '../../../features/tenancy/session/credentials.console.tsx'
import { UsersPage as Users } from '../../../features/tenancy/user/users.console.tsx'

/** Users, and beside one of them sessions, tokens and what was done to them. */
export function UsersPage() {
  return (
    <Users
      credentials={({ name, kind }) => (
        <>
          <Credentials user={name} machine={kind === 'machine'} />
          <History about={`user ${name}`} />
        </>
      )}
    />
  )
}
