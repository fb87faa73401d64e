import type { JsonObject } from '../../worker/object-sink.ts'
import { at, conditionOf, entriesAt, isTrue, items, type ReadColumn, textAt, unlessDeleted } from './reading.ts'

const labelsOf = (object: JsonObject): [string, unknown][] => entriesAt(object, 'metadata.labels')

const labelled =
  (...keys: string[]) =>
  (object: JsonObject): unknown => {
    const labels = Object.fromEntries(labelsOf(object))
    return keys.map((key) => labels[key]).find((value) => value !== undefined)
  }

/** As kubectl prints it. */
function nodeStatus(object: JsonObject): string {
  const ready = conditionOf(object, 'Ready')
  const status = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return at('spec.unschedulable')(object) === true ? `${status},SchedulingDisabled` : status
}

const ROLE = 'node-role.kubernetes.io/'
function nodeRoles(object: JsonObject): string[] {
  const roles = labelsOf(object).flatMap(([key, value]) => {
    if (key === 'kubernetes.io/role') return [String(value)]
    return key.startsWith(ROLE) ? [key.slice(ROLE.length)] : []
  })
  return [...new Set(roles.filter(Boolean))].sort()
}

/** Conditions that are not as they should be: all but Ready should be False. */
const wrongConditions = (object: JsonObject): string[] =>
  items(object, 'status.conditions')
    .filter((condition) => textAt(condition, 'status') !== (condition.type === 'Ready' ? 'True' : 'False'))
    .map((condition) => (condition.type === 'Ready' ? 'NotReady' : textAt(condition, 'type')))

function nodeAddress(object: JsonObject): string | undefined {
  const addresses = items(object, 'status.addresses')
  const internal = addresses.find(({ type }) => type === 'InternalIP') ?? addresses[0]
  return internal && textAt(internal, 'address')
}

/** The first part of its provider ID (`aws:///…`); `kwok` for one that is simulated. */
function nodeProvider(object: JsonObject): string | undefined {
  if (entriesAt(object, 'metadata.annotations').some(([key]) => key === KWOK)) return 'kwok'
  const id = textAt(object, 'spec.providerID')
  const end = id.indexOf(':')
  return end > 0 ? id.slice(0, end) : undefined
}
const KWOK = 'kwok.x-k8s.io/node'

const taintText = (taint: JsonObject): string => {
  const value = textAt(taint, 'value')
  return `${textAt(taint, 'key')}${value === '' ? '' : `=${value}`}:${textAt(taint, 'effect')}`
}

const capacity = (name: string, title: string, resource: string, unit: 'cores' | 'bytes'): ReadColumn[] => [
  { name, title, type: 'number', unit, description: 'For pods', read: at(`status.allocatable.${resource}`) },
  {
    name: `${name}Capacity`,
    title: `${title} in all`,
    type: 'number',
    unit,
    wide: true,
    read: at(`status.capacity.${resource}`),
  },
]

const established = (object: JsonObject): string => {
  if (isTrue(object, 'Terminating')) return 'Terminating'
  if (conditionOf(object, 'NamesAccepted')?.status === 'False') return 'NamesNotAccepted'
  return isTrue(object, 'Established') ? 'Established' : 'Pending'
}

/** Columns of the kinds that are the cluster itself, by resource. */
export const CLUSTER: Record<string, ReadColumn[]> = {
  nodes: [
    { name: 'status', title: 'Status', type: 'text', read: nodeStatus },
    { name: 'roles', title: 'Roles', type: 'set', read: nodeRoles },
    { name: 'version', title: 'Version', type: 'text', read: at('status.nodeInfo.kubeletVersion') },
    {
      name: 'zone',
      title: 'Zone',
      type: 'text',
      searched: true,
      read: labelled('topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'),
    },
    {
      name: 'region',
      title: 'Region',
      type: 'text',
      wide: true,
      read: labelled('topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'),
    },
    { name: 'address', title: 'Address', type: 'split', searched: true, read: nodeAddress },
    ...capacity('cpu', 'CPU', 'cpu', 'cores'),
    ...capacity('memory', 'Memory', 'memory', 'bytes'),
    {
      name: 'pods',
      title: 'Pods',
      type: 'count',
      description: 'How many it takes',
      read: at('status.allocatable.pods'),
    },
    { name: 'podsCapacity', title: 'Pods in all', type: 'count', wide: true, read: at('status.capacity.pods') },
    { name: 'os', title: 'Operating system', type: 'text', wide: true, read: at('status.nodeInfo.osImage') },
    {
      name: 'runtime',
      title: 'Runtime',
      type: 'text',
      wide: true,
      read: at('status.nodeInfo.containerRuntimeVersion'),
    },
    { name: 'kernel', title: 'Kernel', type: 'text', wide: true, read: at('status.nodeInfo.kernelVersion') },
    { name: 'architecture', title: 'Architecture', type: 'text', wide: true, read: at('status.nodeInfo.architecture') },
    {
      name: 'provider',
      title: 'Provider',
      type: 'text',
      wide: true,
      description: 'Where its machine comes from; kwok: it is simulated',
      read: nodeProvider,
    },
    { name: 'taints', title: 'Taints', type: 'set', read: (object) => items(object, 'spec.taints').map(taintText) },
    {
      name: 'conditions',
      title: 'Wrong conditions',
      type: 'set',
      description: 'Pressure and others that should not be; NotReady',
      read: wrongConditions,
    },
  ],
  namespaces: [{ name: 'status', title: 'Status', type: 'text', read: at('status.phase') }],
  'customresourcedefinitions.apiextensions.k8s.io': [
    { name: 'status', title: 'Status', type: 'text', read: unlessDeleted(established) },
    { name: 'group', title: 'Group', type: 'text', searched: true, read: at('spec.group') },
    { name: 'kind', title: 'Kind', type: 'text', searched: true, read: at('spec.names.kind') },
    { name: 'scope', title: 'Scope', type: 'text', read: at('spec.scope') },
    {
      name: 'versions',
      title: 'Versions',
      type: 'set',
      description: 'Those that are served',
      read: (object) =>
        items(object, 'spec.versions')
          .filter((version) => version.served === true)
          .map((version) => textAt(version, 'name')),
    },
  ],
  'flowschemas.flowcontrol.apiserver.k8s.io': [
    { name: 'level', title: 'Priority level', type: 'text', read: at('spec.priorityLevelConfiguration.name') },
    { name: 'precedence', title: 'Precedence', type: 'count', read: at('spec.matchingPrecedence') },
    { name: 'method', title: 'Told apart by', type: 'text', read: at('spec.distinguisherMethod.type') },
  ],
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': [
    { name: 'type', title: 'Type', type: 'text', read: at('spec.type') },
    { name: 'shares', title: 'Shares', type: 'count', read: at('spec.limited.nominalConcurrencyShares') },
    { name: 'queues', title: 'Queues', type: 'count', read: at('spec.limited.limitResponse.queuing.queues') },
  ],
}
