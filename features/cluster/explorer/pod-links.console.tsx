import { Link, useRead, useText } from '@quarterdeck/ui'
import { listEnvironments } from '../../tenancy/environment/environment.contract.ts'
import type { ObjectRef } from './explore.rules.ts'
import { exploreTexts } from './texts.console.tsx'

/** Logs and a terminal of a pod, where it belongs to an application that Quarterdeck knows. */
export function PodLinks({ object, application }: { object: ObjectRef; application: string }) {
  const t = useText(exploreTexts)
  const { data } = useRead(listEnvironments, {}, { enabled: application !== '' })
  const environment = data?.items.find(
    ({ cluster, namespace }) => cluster === object.cluster && namespace === object.namespace,
  )
  if (!environment || application === '') return null
  const page = `/environments/${environment.name}/applications/${application}`
  const pod = `?pod=${encodeURIComponent(object.name)}`
  return (
    <>
      <Link to={`${page}/logs${pod}`}>{t('logs')}</Link>
      <Link to={`${page}/terminal${pod}`}>{t('terminal')}</Link>
      <Link to={`${page}/overview`}>
        {t('applicationPage')} {application}
      </Link>
    </>
  )
}
