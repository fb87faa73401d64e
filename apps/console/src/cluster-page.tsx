import { ButtonLink, useText } from '@quarterdeck/ui'
import { ClusterPage as Page } from '../../../features/cluster/cluster/cluster.console.tsx'
import { ClusterAccessNote } from '../../../features/cluster/identity/identity.console.tsx'
import { ClusterNodes } from '../../../features/cluster/node/node.console.tsx'
import { UnwellPods } from '../../../features/cluster/node/unwell-pods.console.tsx'
import { History } from '../../../features/tenancy/audit/history.console.tsx'
import { frameTexts } from './texts.ts'

/** One cluster: what is not well, its state, and its nodes with what runs on them. */
export function ClusterPage({ cluster }: { cluster: string }) {
  const t = useText(frameTexts)
  return (
    <Page
      cluster={cluster}
      explore={
        <ButtonLink to={`/explore/pods?filter=${encodeURIComponent(`cluster:${cluster}`)}`} icon="explore">
          {t('explorer')}
        </ButtonLink>
      }
      unwell={
        <>
          <ClusterAccessNote cluster={cluster} />
          <UnwellPods cluster={cluster} />
        </>
      }
      nodes={
        <>
          <ClusterNodes cluster={cluster} />
          <History about={`cluster ${cluster}`} />
        </>
      }
    />
  )
}
