import { COMMON_COLUMNS, type ColumnSpec } from '../../kind.ts'

/** Columns of pods after the common ones. */
export const POD_COLUMNS: readonly ColumnSpec[] = [
  { name: 'status', title: 'Status', type: 'text', description: 'As kubectl prints it: Running, CrashLoopBackOff' },
  { name: 'ready', title: 'Ready', type: 'count', description: 'Containers that are ready' },
  { name: 'containers', title: 'Containers', type: 'count', description: 'Sidecars included' },
  { name: 'restarts', title: 'Restarts', type: 'count' },
  { name: 'restarted', title: 'Last restart', type: 'time' },
  { name: 'node', title: 'Node', type: 'text', searched: true },
  { name: 'ip', title: 'Address', type: 'split', searched: true },
  { name: 'images', title: 'Images', type: 'set', searched: true },
  { name: 'cpuRequest', title: 'CPU requested', type: 'number', unit: 'cores' },
  { name: 'memoryRequest', title: 'Memory requested', type: 'number', unit: 'bytes' },
  { name: 'cpuLimit', title: 'CPU limit', type: 'number', unit: 'cores' },
  { name: 'memoryLimit', title: 'Memory limit', type: 'number', unit: 'bytes' },
  { name: 'qos', title: 'Quality of service', type: 'text' },
  { name: 'priorityClass', title: 'Priority class', type: 'text' },
  { name: 'phase', title: 'Phase', type: 'text', wide: true },
  { name: 'serviceAccount', title: 'Service account', type: 'text', wide: true },
  { name: 'nodeIp', title: "Node's address", type: 'split', wide: true },
]

const first = COMMON_COLUMNS.length
const place = (name: string): number => first + POD_COLUMNS.findIndex((column) => column.name === name)

/** Where each column of a pod stands. */
export const POD = {
  status: place('status'),
  ready: place('ready'),
  containers: place('containers'),
  restarts: place('restarts'),
  restarted: place('restarted'),
  node: place('node'),
  ip: place('ip'),
  images: place('images'),
  cpuRequest: place('cpuRequest'),
  memoryRequest: place('memoryRequest'),
  cpuLimit: place('cpuLimit'),
  memoryLimit: place('memoryLimit'),
  qos: place('qos'),
  priorityClass: place('priorityClass'),
  phase: place('phase'),
  serviceAccount: place('serviceAccount'),
  nodeIp: place('nodeIp'),
}
