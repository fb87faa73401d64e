import { objectPath } from '../../../features/cluster/explorer/explore.rules.ts'
import { ChangesPage as Changes } from '../../../features/cluster/version/list-changes.console.tsx'

/** What was changed lately in the clusters; each line leads to the versions of its object. */
export function ChangesPage() {
  return <Changes linkOf={(change) => objectPath(change, '?tab=versions')} />
}
