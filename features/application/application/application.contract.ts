import {
  Condition,
  endpoint,
  ImageText,
  KubeRef,
  Name,
  ObjectName,
  pageOf,
  problemType,
  Quantity,
  Time,
} from '@quarterdeck/kernel'
import { z } from 'zod'
import { changeEndpoint } from '../../delivery/operation/operation.contract.ts'

const Port = z.int().min(1).max(65_535)

/** One port of the container and, where it is exposed, of the Service. */
export const ApplicationPort = z.strictObject({
  name: z
    .string()
    .max(15)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'Lower-case letters, digits and hyphens, at most 15')
    .describe('IANA service name'),
  containerPort: Port,
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
  servicePort: Port.optional().describe('Port of the Service; absent: the same as the container port'),
  nodePort: z.int().min(30_000).max(32_767).optional().describe('Port on every node; absent: the cluster chooses one'),
})
export type ApplicationPort = z.infer<typeof ApplicationPort>

/** How the platform asks the container whether it is well. */
export const Probe = z.strictObject({
  kind: z.enum(['http', 'tcp', 'exec']),
  path: z.string().max(500).optional().describe('For http: begins with /'),
  port: Port.optional(),
  command: z.array(z.string().max(4_000)).max(50).optional().describe('For exec'),
  initialDelaySeconds: z.int().min(0).max(3_600).default(0),
  periodSeconds: z.int().min(1).max(3_600).default(5),
})
export type Probe = z.infer<typeof Probe>

export const EnvironmentVariable = z.strictObject({
  name: z
    .string()
    .max(250)
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'Letters, digits, _ . and -, not beginning with a digit'),
  value: z.string().max(32_000),
})

/** What the user asks for. Only `image` is needed; all else is proposed from the image's own configuration. */
export const ApplicationSpec = z.strictObject({
  image: ImageText,
  replicas: z.int().min(0).max(1_000).default(1),
  ports: z.array(ApplicationPort).max(50).optional().describe('Absent: as the image exposes them'),
  exposure: z
    .enum(['none', 'cluster', 'node'])
    .default('node')
    .describe('Service: none, inside the cluster, or a port on every node'),
  command: z.array(z.string().max(4_000)).max(50).optional().describe("Absent: the image's own"),
  args: z.array(z.string().max(32_000)).max(200).optional(),
  variables: z.array(EnvironmentVariable).max(500).default([]),
  cpuRequest: Quantity.optional(),
  cpuLimit: Quantity.optional(),
  memoryRequest: Quantity.optional(),
  memoryLimit: Quantity.optional(),
  readinessProbe: Probe.nullable().optional().describe('Absent: proposed; null: none'),
  livenessProbe: Probe.nullable().optional().describe('Absent: none'),
  runAsUser: z.int().min(0).max(2_147_483_647).optional().describe("Absent: the image's own"),
})
export type ApplicationSpec = z.infer<typeof ApplicationSpec>

/** Where it can be reached. `answers` is what a connection from here said last. */
export const Address = z.object({
  url: z.string(),
  kind: z.enum(['node', 'cluster']),
  answers: z.boolean().nullable().describe('null: not tried, an address inside the cluster'),
})

export const ApplicationState = z.enum([
  'Healthy',
  'Progressing',
  'Degraded',
  'Failed',
  'Stopped',
  'Unknown',
  'Deleting',
])
export type ApplicationState = z.infer<typeof ApplicationState>

export const ApplicationSummary = z.object({
  name: Name,
  environment: Name,
  image: z.string(),
  state: ApplicationState,
  message: z.string().describe('One sentence when it is not Healthy: what is wrong and what to do'),
  readyReplicas: z.int(),
  replicas: z.int(),
  restarts: z.int(),
  address: Address.optional(),
  changeTime: Time.describe('When it was last changed'),
  lastOperation: z.uuid().optional(),
})
export type ApplicationSummary = z.infer<typeof ApplicationSummary>

export const ContainerStatus = z.object({
  name: z.string(),
  image: z.string(),
  kind: z.enum(['init', 'main', 'ephemeral']),
  state: z.string().describe('Running, Waiting: ImagePullBackOff, Terminated: Error (137) …'),
  message: z.string(),
  ready: z.boolean(),
  restarts: z.int(),
  startTime: Time.optional(),
})
export const PodStatus = z.object({
  name: ObjectName,
  phase: z.string(),
  message: z.string(),
  ready: z.boolean(),
  node: z.string().optional(),
  address: z.string().optional(),
  startTime: Time.optional(),
  restarts: z.int(),
  deleting: z.boolean(),
  containers: z.array(ContainerStatus),
})
export const ReplicaSetStatus = z.object({
  name: ObjectName,
  revision: z.int(),
  current: z.boolean(),
  image: z.string(),
  replicas: z.int(),
  readyReplicas: z.int(),
  createTime: Time,
  pods: z.array(PodStatus),
})
export const ObjectEvent = z.object({
  type: z.string(),
  reason: z.string(),
  message: z.string(),
  object: KubeRef,
  count: z.int(),
  firstTime: Time,
  lastTime: Time,
})

/** The whole walk: Deployment → ReplicaSet → Pod → container, with conditions and events. */
export const Application = ApplicationSummary.extend({
  cluster: Name,
  namespace: Name,
  spec: ApplicationSpec,
  addresses: z.array(Address),
  conditions: z.array(Condition),
  replicaSets: z.array(ReplicaSetStatus),
  events: z.array(ObjectEvent),
  objects: z.array(KubeRef).describe('What belongs to it, for the YAML tab'),
})
export type Application = z.infer<typeof Application>

export const applicationExists = problemType('application-exists', 409, 'An application of this name is there already')

const inEnvironment = z.object({ environment: Name })
const one = z.object({ environment: Name, application: Name })
const path = '/environments/:environment/applications/:application'
export const listApplications = endpoint({
  id: 'application.list',
  method: 'GET',
  path: '/environments/:environment/applications',
  permission: 'application.list',
  summary: 'Applications of an environment with their state',
  params: inEnvironment,
  response: pageOf(ApplicationSummary),
})
export const getApplication = endpoint({
  id: 'application.get',
  method: 'GET',
  path,
  permission: 'application.list',
  summary: 'One application: Deployment, ReplicaSets, pods, containers, conditions and events',
  params: one,
  response: Application,
})
export const getApplicationYaml = endpoint({
  id: 'application.yaml',
  method: 'GET',
  path: `${path}/yaml`,
  permission: 'application.list',
  summary: 'The objects of an application as the cluster holds them',
  params: one,
  query: z.object({ managed: z.stringbool().default(false).describe('true: with managedFields') }),
  response: z.object({ yaml: z.string() }),
})
export const deployApplication = changeEndpoint({
  id: 'application.deploy',
  method: 'PUT',
  path,
  permission: 'application.deploy',
  summary: 'Deploy an image as an application, or bring an application to this specification',
  params: one,
  body: ApplicationSpec.extend({ create: z.boolean().default(false).describe('true: refuse when the name is taken') }),
  problems: [applicationExists],
})
export const scaleApplication = changeEndpoint({
  id: 'application.scale',
  method: 'POST',
  path: `${path}/scale`,
  permission: 'application.scale',
  summary: 'Set the number of replicas',
  params: one,
  body: z.strictObject({ replicas: z.int().min(0).max(1_000) }),
})
export const setApplicationImage = changeEndpoint({
  id: 'application.set-image',
  method: 'POST',
  path: `${path}/image`,
  permission: 'application.deploy',
  summary: 'Roll to another image',
  params: one,
  body: z.strictObject({ image: ImageText }),
})
export const restartApplication = changeEndpoint({
  id: 'application.restart',
  method: 'POST',
  path: `${path}/restart`,
  permission: 'application.restart',
  summary: 'Start all pods anew, some at a time',
  params: one,
})
export const deleteApplication = changeEndpoint({
  id: 'application.delete',
  method: 'DELETE',
  path,
  permission: 'application.delete',
  summary: 'Delete an application with everything that was made for it',
  params: one,
})
export const restartPod = changeEndpoint({
  id: 'pod.restart',
  method: 'POST',
  path: '/environments/:environment/pods/:pod/restart',
  permission: 'application.restart',
  summary: 'Delete one pod; its controller starts another',
  params: z.object({ environment: Name, pod: ObjectName }),
})
