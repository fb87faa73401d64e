import { defineTexts } from '@quarterdeck/ui'

export const identityTexts = defineTexts(
  'identity',
  {
    Missing:
      'Nobody gets through to this cluster as themselves: kubectl, logs, shells and details of objects are closed.',
    Limited: 'Not all that was granted counts at this cluster.',
    cure: 'It is tried again by itself four times a minute.',
  },
  {
    Missing: '任何人都无法以自己的身份访问此集群：kubectl、日志、终端和对象详情均不可用。',
    Limited: '部分授权在此集群上未生效。',
    cure: '系统每分钟自动重试四次。',
  },
)
