/**
 * Numbers of the protobuf fields that are read of a pod; all others are skipped by their length. From
 * k8s.io/api/core/v1/generated.proto, k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto and
 * k8s.io/apimachinery/pkg/api/resource/generated.proto of v0.36.3. Kubernetes never gives a number another meaning.
 */
export const POD = { metadata: 1, spec: 2, status: 3 } as const

export const OBJECT_META = {
  name: 1,
  namespace: 3,
  uid: 5,
  resourceVersion: 6,
  generation: 7,
  creationTimestamp: 8,
  deletionTimestamp: 9,
  labels: 11,
  annotations: 12,
  ownerReferences: 13,
} as const

export const OWNER_REFERENCE = { kind: 1, name: 3, controller: 6 } as const

export const TIME = { seconds: 1 } as const

/** Of each entry of a map. */
export const ENTRY = { key: 1, value: 2 } as const

export const QUANTITY = { string: 1 } as const

export const POD_SPEC = {
  containers: 2,
  serviceAccountName: 8,
  nodeName: 10,
  initContainers: 20,
  priorityClassName: 24,
  overhead: 32,
  resources: 40,
} as const

export const CONTAINER = { name: 1, image: 2, resources: 8, restartPolicy: 24 } as const

export const RESOURCES = { limits: 1, requests: 2 } as const

export const POD_STATUS = {
  phase: 1,
  conditions: 2,
  reason: 4,
  hostIP: 5,
  podIP: 6,
  containerStatuses: 8,
  qosClass: 9,
  initContainerStatuses: 10,
  podIPs: 12,
} as const

export const POD_CONDITION = { type: 1, status: 2, reason: 5 } as const

export const POD_IP = { ip: 1 } as const

export const CONTAINER_STATUS = { name: 1, state: 2, lastState: 3, ready: 4, restartCount: 5, started: 9 } as const

export const CONTAINER_STATE = { waiting: 1, running: 2, terminated: 3 } as const

export const WAITING = { reason: 1 } as const

export const TERMINATED = { exitCode: 1, signal: 2, reason: 3, finishedAt: 6 } as const
