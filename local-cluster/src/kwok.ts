import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Component } from './component.ts'
import { type ControlPlaneSpec, clientKubeconfig } from './control-plane-components.ts'
import { writeWhole } from './kubeconfig.ts'

/** Annotation of the nodes that KWOK plays. */
export const FAKE_NODE_ANNOTATION = { 'kwok.x-k8s.io/node': 'fake' }

/** Keeps ordinary pods off fake nodes; a pod that tolerates it may go there. */
export const FAKE_NODE_TAINT = { key: 'kwok.x-k8s.io/node', value: 'fake', effect: 'NoSchedule' }

/** KWOK, which gives annotated nodes and the pods on them the status that a kubelet would. Nothing runs there. */
export function kwokComponent(
  spec: Pick<ControlPlaneSpec, 'stateFolder' | 'binaries' | 'identities' | 'ports'>,
): Component {
  const stages = join(spec.stateFolder, 'kwok-stages.yaml')
  const configuration = STAGES.map((one) => stringify(one)).join('---\n')
  writeWhole(stages, configuration)
  const kubeconfig = clientKubeconfig(spec, 'kwok')
  const selector = Object.entries(FAKE_NODE_ANNOTATION).map(([key, value]) => `${key}=${value}`)
  return {
    name: 'kwok',
    executable: spec.binaries.executable('kwok'),
    configuration: [configuration],
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--manage-all-nodes=false',
      `--manage-nodes-with-annotation-selector=${selector.join(',')}`,
      '--node-lease-duration-seconds=40',
      // Reserved addresses (RFC 1112 §4): what is sent to a simulated pod must reach nobody.
      '--cidr=240.0.0.0/8',
      `--config=${stages}`,
      '--v=WARN',
    ],
    ready: async () => true,
  }
}

const stage = (name: string, kind: 'Node' | 'Pod', expressions: unknown[], next: unknown) => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name },
  spec: { resourceRef: { apiGroup: 'v1', kind }, selector: { matchExpressions: expressions }, next },
})

const READY = '.status.conditions.[] | select( .type == "Ready" ) | .status'
const alive = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' }
const inPhase = (phase: string) => ({ key: '.status.phase', operator: 'In', values: [phase] })

// Capacity, addresses and versions are in the nodes as we create them; only what changes is said here.
const NODE_STATUS = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
`

const POD_RUNNING = `
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
{{ range $type := list "PodReadyToStartContainers" "Initialized" "ContainersReady" "Ready" }}
- type: {{ $type | Quote }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
{{ range .spec.readinessGates }}
- type: {{ .conditionType | Quote }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  started: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
{{ end }}
{{ with PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
podIP: {{ index . 0 | Quote }}
podIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
`

const POD_SUCCEEDED = `
{{ $now := Now }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  started: false
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
`

const STAGES = [
  stage('node-ready', 'Node', [{ key: READY, operator: 'NotIn', values: ['True'] }], { statusTemplate: NODE_STATUS }),
  stage('pod-running', 'Pod', [alive, inPhase('Pending')], { statusTemplate: POD_RUNNING }),
  stage(
    'pod-succeeded',
    'Pod',
    [alive, inPhase('Running'), { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] }],
    { statusTemplate: POD_SUCCEEDED },
  ),
  stage('pod-deleted', 'Pod', [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }], { delete: true }),
]
