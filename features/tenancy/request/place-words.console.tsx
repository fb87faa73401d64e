import { useText } from '@quarterdeck/ui'
import type { GrantRequest } from './request.contract.ts'
import { requestTexts } from './texts.console.tsx'

/** Where a request counts, in words. */
export function usePlaceWords(): (request: GrantRequest) => string {
  const t = useText(requestTexts)
  return ({ environment, project, tenant }) => {
    if (environment) return t('environmentAt', { name: environment })
    if (project) return t('projectAt', { name: project })
    return tenant ? t('tenantAt', { name: tenant }) : t('platform')
  }
}
