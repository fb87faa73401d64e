import './explore.css'
import { usePath, useText } from '@quarterdeck/ui'
import { ExplorePage as Explorer } from '../../../features/cluster/explorer/explore.console.tsx'
import { namespaceOfPath } from '../../../features/cluster/explorer/explore.rules.ts'
import { type ObjectPlace, VersionsOfObject } from '../../../features/cluster/version/version.console.tsx'
import { frameTexts } from './texts.ts'

/** `/explore/:resource`, and the details of one object beside its list: `/explore/:resource/:cluster/:namespace/:name`. */
export function ExplorePage() {
  const t = useText(frameTexts)
  const [, , resource = 'pods', cluster, namespace, name] = usePath().split('/').map(decodeURIComponent)
  const opened =
    cluster && namespace && name ? { resource, cluster, namespace: namespaceOfPath(namespace), name } : undefined
  const versions = {
    key: 'versions',
    title: t('versions'),
    render: (object: ObjectPlace) => <VersionsOfObject place={object} />,
  }
  return <Explorer resource={resource} opened={opened} tabs={[versions]} />
}
