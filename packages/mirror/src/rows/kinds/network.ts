import type { JsonObject } from '../../worker/object-sink.ts'
import { at, each, items, numberAt, pairs, type ReadColumn, sizeOf, textAt } from './reading.ts'

/** `80/TCP`, `80:30080/TCP` with a port on every node, as kubectl prints it. */
const servicePorts = (object: JsonObject): string[] =>
  items(object, 'spec.ports').map((port) => {
    const nodePort = numberAt(port, 'nodePort')
    return `${numberAt(port, 'port')}${nodePort > 0 ? `:${nodePort}` : ''}/${textAt(port, 'protocol') || 'TCP'}`
  })

const balancerAddresses = (object: JsonObject): string[] =>
  items(object, 'status.loadBalancer.ingress').map((address) => textAt(address, 'ip') || textAt(address, 'hostname'))

function serviceAddresses(object: JsonObject): string[] {
  if (textAt(object, 'spec.type') === 'ExternalName') return [textAt(object, 'spec.externalName')]
  const given = at('spec.externalIPs')(object)
  return [...balancerAddresses(object), ...(Array.isArray(given) ? given.map(String) : [])]
}

/** Whether an address is ready: absent means yes. */
const isReady = (endpoint: JsonObject): boolean => at('conditions.ready')(endpoint) !== false

const ingressClass = (object: JsonObject): unknown =>
  at('spec.ingressClassName')(object) ??
  (at('metadata.annotations')(object) as Record<string, unknown> | undefined)?.['kubernetes.io/ingress.class']

const ingressBackends = (object: JsonObject): string[] =>
  [
    textAt(object, 'spec.defaultBackend.service.name'),
    ...items(object, 'spec.rules').flatMap((rule) =>
      items(rule, 'http.paths').map((path) => textAt(path, 'backend.service.name')),
    ),
  ].filter(Boolean)

function policyTypes(object: JsonObject): unknown {
  return (
    at('spec.policyTypes')(object) ?? (at('spec.egress')(object) === undefined ? ['Ingress'] : ['Ingress', 'Egress'])
  )
}

/** Columns of the kinds that lead traffic, by resource. */
export const NETWORK: Record<string, ReadColumn[]> = {
  services: [
    { name: 'type', title: 'Type', type: 'text', read: at('spec.type') },
    { name: 'clusterIp', title: 'Cluster address', type: 'split', searched: true, read: at('spec.clusterIP') },
    { name: 'addresses', title: 'External addresses', type: 'set', searched: true, read: serviceAddresses },
    { name: 'ports', title: 'Ports', type: 'set', read: servicePorts },
    { name: 'selector', title: 'Selector', type: 'set', wide: true, read: pairs('spec.selector') },
  ],
  endpoints: [
    {
      name: 'ready',
      title: 'Ready',
      type: 'count',
      read: (object) => items(object, 'subsets').reduce((sum, subset) => sum + items(subset, 'addresses').length, 0),
    },
    {
      name: 'notReady',
      title: 'Not ready',
      type: 'count',
      read: (object) =>
        items(object, 'subsets').reduce((sum, subset) => sum + items(subset, 'notReadyAddresses').length, 0),
    },
  ],
  'endpointslices.discovery.k8s.io': [
    {
      name: 'service',
      title: 'Service',
      type: 'text',
      searched: true,
      read: (object) => object.metadata && labelOf(object, 'kubernetes.io/service-name'),
    },
    { name: 'addressType', title: 'Address type', type: 'text', read: at('addressType') },
    {
      name: 'ready',
      title: 'Ready',
      type: 'count',
      read: (object) => items(object, 'endpoints').filter(isReady).length,
    },
    { name: 'endpoints', title: 'Endpoints', type: 'count', read: sizeOf('endpoints') },
    {
      name: 'ports',
      title: 'Ports',
      type: 'set',
      read: (object) => items(object, 'ports').map((port) => String(at('port')(port) ?? (textAt(port, 'name') || '*'))),
    },
  ],
  'ingresses.networking.k8s.io': [
    { name: 'class', title: 'Class', type: 'text', read: ingressClass },
    { name: 'hosts', title: 'Hosts', type: 'set', searched: true, read: each('spec.rules', 'host') },
    { name: 'addresses', title: 'Addresses', type: 'set', searched: true, read: balancerAddresses },
    {
      name: 'tls',
      title: 'TLS',
      type: 'set',
      description: 'Secrets with certificates',
      read: each('spec.tls', 'secretName'),
    },
    { name: 'services', title: 'Services', type: 'set', searched: true, wide: true, read: ingressBackends },
  ],
  'ingressclasses.networking.k8s.io': [
    { name: 'controller', title: 'Controller', type: 'text', read: at('spec.controller') },
    {
      name: 'parameters',
      title: 'Parameters',
      type: 'text',
      read: (object) =>
        at('spec.parameters')(object) === undefined
          ? undefined
          : `${textAt(object, 'spec.parameters.kind')}/${textAt(object, 'spec.parameters.name')}`,
    },
  ],
  'networkpolicies.networking.k8s.io': [
    { name: 'types', title: 'Types', type: 'set', read: policyTypes },
    { name: 'selector', title: 'Pod selector', type: 'set', read: pairs('spec.podSelector.matchLabels') },
    { name: 'ingressRules', title: 'Ingress rules', type: 'count', read: sizeOf('spec.ingress') },
    { name: 'egressRules', title: 'Egress rules', type: 'count', read: sizeOf('spec.egress') },
  ],
  'ipaddresses.networking.k8s.io': [
    {
      name: 'holder',
      title: 'Holder',
      type: 'text',
      searched: true,
      description: 'Resource/namespace/name',
      read: (object) =>
        ['resource', 'namespace', 'name']
          .map((field) => textAt(object, `spec.parentRef.${field}`))
          .filter(Boolean)
          .join('/'),
    },
  ],
  'servicecidrs.networking.k8s.io': [{ name: 'ranges', title: 'Ranges', type: 'set', read: at('spec.cidrs') }],
}

function labelOf(object: JsonObject, key: string): unknown {
  return (object.metadata?.labels as Record<string, unknown> | undefined)?.[key]
}
