import { Credentials } from '../../../features/tenancy/session/credentials.console.tsx'
import { UsersPage as Users } from '../../../features/tenancy/user/users.console.tsx'

/** Users, and beside one of them sessions and tokens. */
export function UsersPage() {
  return <Users credentials={({ name, kind }) => <Credentials user={name} machine={kind === 'machine'} />} />
}
