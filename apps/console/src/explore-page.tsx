import './explore.css'
import { usePath } from '@quarterdeck/ui'
import { ExplorePage as Explorer } from '../../../features/cluster/explorer/explore.console.tsx'
import { namespaceOfPath } from '../../../features/cluster/explorer/explore.rules.ts'

/** `/explore/:resource`, and the details of one object beside its list: `/explore/:resource/:cluster/:namespace/:name`. */
export function ExplorePage() {
  const [, , resource = 'pods', cluster, namespace, name] = usePath().split('/').map(decodeURIComponent)
  const opened =
    cluster && namespace && name ? { resource, cluster, namespace: namespaceOfPath(namespace), name } : undefined
  return <Explorer resource={resource} opened={opened} />
}
