import { ButtonLink, Heading, Note, Stage, useText } from '@quarterdeck/ui'
import { ManifestForm } from '../../../features/application/manifest/manifest.console.tsx'
import { useEnvironment } from './environment.ts'
import { frameTexts } from './texts.ts'

/** Deploy from Kubernetes objects that somebody has written. */
export function YamlPage() {
  const t = useText(frameTexts)
  const { current } = useEnvironment()
  return (
    <div className="page">
      <header className="page-head">
        <Heading className="grow">
          {t('yamlTitle')}{' '}
          {current && (
            <span className="soft in">
              {t('into')} {current.name} <Stage stage={current.stage} />
            </span>
          )}
        </Heading>
        <ButtonLink small to={current ? `/deploy?environment=${current.name}` : '/deploy'}>
          {t('fromImage')}
        </ButtonLink>
      </header>
      {current ? <ManifestForm environment={current.name} /> : <Note tone="warn">{t('chooseEnvironment')}</Note>}
    </div>
  )
}
