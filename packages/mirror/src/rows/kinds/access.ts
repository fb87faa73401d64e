import type { JsonObject } from '../../worker/object-sink.ts'
import { at, flagAt, items, type ReadColumn, sizeOf, textAt } from './reading.ts'

const roleRef: ReadColumn = {
  name: 'role',
  title: 'Role',
  type: 'text',
  searched: true,
  description: 'Kind/name',
  read: (object) => `${textAt(object, 'roleRef.kind')}/${textAt(object, 'roleRef.name')}`,
}
const subjects: ReadColumn = {
  name: 'subjects',
  title: 'Subjects',
  type: 'set',
  searched: true,
  description: 'Kind/name; service accounts with their namespace',
  read: (object) =>
    items(object, 'subjects').map((subject) => {
      const namespace = textAt(subject, 'namespace')
      return `${textAt(subject, 'kind')}/${namespace === '' ? '' : `${namespace}/`}${textAt(subject, 'name')}`
    }),
}
const policyName: ReadColumn = {
  name: 'policy',
  title: 'Policy',
  type: 'text',
  searched: true,
  read: at('spec.policyName'),
}
const rules: ReadColumn = { name: 'rules', title: 'Rules', type: 'count', read: sizeOf('rules') }

/** As kubectl prints it. */
function requestStatus(object: JsonObject): string {
  const has = (type: string) => items(object, 'status.conditions').some((condition) => condition.type === type)
  const decided = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return `${decided}${has('Failed') ? ',Failed' : ''}${textAt(object, 'status.certificate') === '' ? '' : ',Issued'}`
}

/** Columns of the kinds that say who may do what, by resource. */
export const ACCESS: Record<string, ReadColumn[]> = {
  serviceaccounts: [
    { name: 'secrets', title: 'Secrets', type: 'count', read: sizeOf('secrets') },
    {
      name: 'mounted',
      title: 'Token mounted',
      type: 'text',
      wide: true,
      read: (object) => at('automountServiceAccountToken')(object) !== false,
    },
  ],
  'roles.rbac.authorization.k8s.io': [rules],
  'clusterroles.rbac.authorization.k8s.io': [
    rules,
    {
      name: 'aggregated',
      title: 'Aggregated',
      type: 'text',
      read: (object) => at('aggregationRule')(object) !== undefined,
    },
  ],
  'rolebindings.rbac.authorization.k8s.io': [roleRef, subjects],
  'clusterrolebindings.rbac.authorization.k8s.io': [roleRef, subjects],
  'certificatesigningrequests.certificates.k8s.io': [
    { name: 'status', title: 'Status', type: 'text', read: requestStatus },
    { name: 'signer', title: 'Signer', type: 'text', searched: true, read: at('spec.signerName') },
    { name: 'requestor', title: 'Requestor', type: 'text', searched: true, read: at('spec.username') },
    {
      name: 'seconds',
      title: 'Requested duration',
      type: 'count',
      unit: 'seconds',
      read: at('spec.expirationSeconds'),
    },
  ],
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhooks(),
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhooks(),
  'validatingadmissionpolicies.admissionregistration.k8s.io': [
    { name: 'validations', title: 'Validations', type: 'count', read: sizeOf('spec.validations') },
    { name: 'failing', title: 'Failure', type: 'text', read: at('spec.failurePolicy') },
    { name: 'parameters', title: 'Parameters', type: 'text', read: at('spec.paramKind.kind') },
  ],
  'mutatingadmissionpolicies.admissionregistration.k8s.io': [
    { name: 'mutations', title: 'Mutations', type: 'count', read: sizeOf('spec.mutations') },
    { name: 'failing', title: 'Failure', type: 'text', read: at('spec.failurePolicy') },
    { name: 'parameters', title: 'Parameters', type: 'text', read: at('spec.paramKind.kind') },
  ],
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': [policyName],
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': [policyName],
  'apiservices.apiregistration.k8s.io': [
    { name: 'status', title: 'Status', type: 'text', read: serviceStatus },
    {
      name: 'service',
      title: 'Service',
      type: 'text',
      searched: true,
      read: (object) =>
        at('spec.service')(object) == null
          ? 'Local'
          : `${textAt(object, 'spec.service.namespace')}/${textAt(object, 'spec.service.name')}`,
    },
    { name: 'group', title: 'Group', type: 'text', wide: true, read: at('spec.group') },
    { name: 'version', title: 'Version', type: 'text', wide: true, read: at('spec.version') },
    {
      name: 'insecure',
      title: 'Unverified',
      type: 'text',
      wide: true,
      description: 'Its certificate is not checked',
      read: flagAt('spec.insecureSkipTLSVerify'),
    },
  ],
}

function serviceStatus(object: JsonObject): string {
  const condition = items(object, 'status.conditions').find(({ type }) => type === 'Available')
  if (condition?.status === 'True') return 'Available'
  return (condition && textAt(condition, 'reason')) || 'Unavailable'
}

function webhooks(): ReadColumn[] {
  const failing = (object: JsonObject): boolean =>
    items(object, 'webhooks').some((webhook) => at('failurePolicy')(webhook) !== 'Ignore')
  return [
    { name: 'webhooks', title: 'Webhooks', type: 'count', read: sizeOf('webhooks') },
    {
      name: 'services',
      title: 'Services',
      type: 'set',
      searched: true,
      description: 'Namespace/name, or the address',
      read: (object) =>
        items(object, 'webhooks').map((webhook) => {
          const url = textAt(webhook, 'clientConfig.url')
          const service = `${textAt(webhook, 'clientConfig.service.namespace')}/${textAt(webhook, 'clientConfig.service.name')}`
          return url || service
        }),
    },
    {
      name: 'failing',
      title: 'Failure',
      type: 'text',
      description: 'Fail: requests are refused when a webhook does not answer',
      read: (object) => (failing(object) ? 'Fail' : 'Ignore'),
    },
  ]
}
