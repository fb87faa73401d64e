import { formatBytes } from '@quarterdeck/kernel'
import { Age, defineTexts, Facts, useText } from '@quarterdeck/ui'
import type { ReactNode } from 'react'
import type { ImageProposal } from './image.contract.ts'

const texts = defineTexts(
  'describe-image',
  {
    title: 'What the image says of itself',
    digest: 'Digest',
    built: 'Built',
    size: 'Size',
    platform: 'Platform',
    ports: 'Ports',
    user: 'User',
    volumes: 'Volumes',
    command: 'Command',
    none: 'none',
    notSaid: 'not said',
    notes: 'Why this is proposed',
  },
  {
    title: '镜像自身的信息',
    digest: '摘要',
    built: '构建时间',
    size: '大小',
    platform: '平台',
    ports: '端口',
    user: '用户',
    volumes: '卷',
    command: '启动命令',
    none: '无',
    notSaid: '未声明',
    notes: '建议的依据',
  },
)

/** An image's own configuration, and why the platform proposes what it proposes. */
export function ImageFacts({ proposal }: { proposal: ImageProposal }) {
  const t = useText(texts)
  const { image, notes } = proposal
  const rows: [string, ReactNode][] = [
    [t('digest'), <code key="digest">{image.digest.slice(0, 19)}</code>],
    [t('built'), <Age key="built" time={image.createTime} />],
    [t('size'), formatBytes(image.sizeBytes)],
    [t('platform'), `${image.os}/${image.architecture}`],
    [t('ports'), image.ports.map((port) => `${port.port}/${port.protocol}`).join(', ') || t('none')],
    [t('user'), image.user || t('notSaid')],
    [t('volumes'), image.volumes.join(', ') || t('none')],
    [t('command'), <code key="command">{[...image.entrypoint, ...image.command].join(' ') || t('notSaid')}</code>],
  ]
  return (
    <section className="card" aria-label={t('title')}>
      <header>
        <h2>{t('title')}</h2>
      </header>
      <div className="body rows">
        <Facts rows={rows} />
        {notes.length > 0 && (
          <div className="rows tight">
            <h3>{t('notes')}</h3>
            <ul className="notes">
              {notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </section>
  )
}
