import { Note, useRead, useText } from '@quarterdeck/ui'
import { getClusterAccess } from './identity.contract.ts'
import { identityTexts } from './texts.console.tsx'

/** What keeps people from getting through to a cluster as themselves; nothing when nothing does. */
export function ClusterAccessNote({ cluster }: { cluster: string }) {
  const t = useText(identityTexts)
  const { data } = useRead(getClusterAccess, { params: { cluster } }, { everySeconds: 10 })
  if (data?.state !== 'Missing' && data?.state !== 'Limited') return null
  return (
    <Note tone={data.state === 'Missing' ? 'bad' : 'warn'} title={t(data.state)}>
      <ul>
        {data.messages.map((message) => (
          <li key={message} className="wrap">
            {message}
          </li>
        ))}
      </ul>
      {t('cure')}
    </Note>
  )
}
