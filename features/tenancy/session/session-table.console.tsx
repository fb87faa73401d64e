import { Age, Button, Empty, Table, useText } from '@quarterdeck/ui'
import type { Session } from './session.contract.ts'
import { sessionTexts } from './texts.console.tsx'

/** Chromium 156 on Linux, from what the browser calls itself; the whole of it when that is not recognised. */
function browserName(client: string): string {
  const browser = /(Edg|OPR|Firefox|HeadlessChrome|Chrome|Version)\/(\d+)/.exec(client)
  const system = /(Windows|Mac OS X|Android|Linux|iPhone|iPad)/.exec(client)
  if (!browser) return client
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', Version: 'Safari', HeadlessChrome: 'Chrome' }
  return `${names[browser[1] ?? ''] ?? browser[1]} ${browser[2]}${system ? ` · ${system[1]}` : ''}`
}

/** Signed-in browsers. `end` absent: they are only looked at. */
export function SessionTable({ sessions, end }: { sessions: Session[]; end?: (id: string) => void }) {
  const t = useText(sessionTexts)
  return (
    <Table
      label={t('sessions')}
      rows={sessions}
      rowKey={({ id }) => id}
      empty={<Empty title={t('noSessions')} />}
      columns={[
        { title: t('browser'), cell: ({ client }) => <span title={client}>{browserName(client)}</span> },
        { title: t('where'), nowrap: true, cell: ({ peer }) => <span className="mono">{peer}</span> },
        { title: t('since'), nowrap: true, cell: ({ createTime }) => <Age time={createTime} /> },
        { title: t('used'), nowrap: true, cell: ({ lastUseTime }) => <Age time={lastUseTime} /> },
        { title: t('ends'), nowrap: true, cell: ({ expireTime }) => new Date(expireTime).toLocaleString() },
        {
          title: t('acts'),
          acts: true,
          cell: ({ id, current }) =>
            current ? (
              <span className="soft">{t('thisOne')}</span>
            ) : (
              end && (
                <Button small onClick={() => end(id)}>
                  {t('end')}
                </Button>
              )
            ),
        },
      ]}
    />
  )
}
