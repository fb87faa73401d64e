import { expect, test } from 'vitest'
import type { ImageConfig } from '../../image/image/image.contract.ts'
import { ApplicationSpec } from './application.contract.ts'
import { inconsistencies, manifestsOf } from './manifest.rules.ts'
import { completed, nameOf, proposeApplication } from './proposal.rules.ts'

const image = (more: Partial<ImageConfig> = {}): ImageConfig => ({
  image: 'registry.example.com/team/Shop:1'.toLowerCase(),
  digest: `sha256:${'a'.repeat(64)}`,
  architecture: 'amd64',
  os: 'linux',
  sizeBytes: 1,
  ports: [{ port: 8080, protocol: 'TCP' }],
  user: '',
  volumes: [],
  entrypoint: [],
  command: [],
  environment: [],
  labels: {},
  ...more,
})
const place = { name: 'shop', namespace: 'dev', environment: 'dev' }
const spec = (more: object = {}) => ApplicationSpec.parse({ image: 'hello:1', ...more })
const container = (of: ApplicationSpec, facts?: { digest: string; user: string; volumes: string[] }) =>
  manifestsOf(of, { ...place, image: facts }).find(({ kind }) => kind === 'Deployment')?.spec.template.spec
    .containers[0]

test('[APP-37] image, CPU, memory and exposure are all that has to be said', () => {
  const { spec: filled } = completed(spec({ cpuRequest: '200m', memoryRequest: '64Mi', exposure: 'cluster' }), image())
  const [service, deployment] = manifestsOf(filled, place)
  expect(service).toMatchObject({
    kind: 'Service',
    spec: { type: 'ClusterIP', ports: [{ port: 8080, targetPort: 'http' }] },
  })
  expect(deployment?.spec.template.spec.containers[0].resources).toEqual({ requests: { cpu: '200m', memory: '64Mi' } })
})

test('a proposal takes name, port and readiness from the image and says why', () => {
  const { name, spec: proposed, notes } = proposeApplication(image())
  expect(name).toBe('shop')
  expect(proposed).toMatchObject({
    ports: [{ name: 'http', containerPort: 8080 }],
    exposure: 'node',
    readinessProbe: { kind: 'tcp', port: 8080 },
    memoryLimit: '256Mi',
  })
  expect(notes.join(' ')).toMatch(/port 8080 takes connections.*/)
  expect(notes.join(' ')).toMatch(/256 MiB/)
  expect(notes.join(' ')).toMatch(/runs as root/)
})

test('a proposal can be deployed as it is', () => {
  expect(ApplicationSpec.safeParse(proposeApplication(image()).spec).success).toBe(true)
  expect(
    inconsistencies(
      proposeApplication(
        image({ ports: [80, 8080, 53].map((port) => ({ port, protocol: port === 53 ? 'UDP' : 'TCP' })) }),
      ).spec,
    ),
  ).toEqual([])
})

test('a label or a HEALTHCHECK of the image is asked before the bare port', () => {
  const probe = (more: Partial<ImageConfig>) => proposeApplication(image(more)).spec.readinessProbe
  expect(probe({ labels: { 'quarterdeck.dev/health-path': '/healthz' } })).toMatchObject({
    kind: 'http',
    path: '/healthz',
    port: 8080,
  })
  expect(probe({ healthcheck: ['CMD-SHELL', 'curl -f http://localhost:9000/live || exit 1'] })).toMatchObject({
    kind: 'http',
    path: '/live',
    port: 9000,
  })
  expect(probe({ healthcheck: ['CMD', '/bin/check'] })).toMatchObject({ kind: 'exec', command: ['/bin/check'] })
  expect(probe({ ports: [] })).toBeUndefined()
})

test('an image that exposes nothing gets no Service, and that is said', () => {
  const { spec: proposed, notes } = proposeApplication(image({ ports: [] }))
  expect(proposed.exposure).toBe('none')
  expect(manifestsOf(proposed, place).map(({ kind }) => kind)).toEqual(['Deployment'])
  expect(notes.join(' ')).toContain('exposes no port')
})

test('what the user gave is never replaced by a proposal', () => {
  const given = spec({ ports: [], readinessProbe: null, cpuLimit: '1' })
  expect(completed(given, image()).spec).toMatchObject({ ports: [], readinessProbe: null, cpuLimit: '1' })
  expect(completed(given, image()).spec.memoryLimit).toBeUndefined()
})

test('a numeric user that is not root is held to it; root and names are not', () => {
  expect(container(spec(), { digest: 'd', user: '1000:1000', volumes: [] })?.securityContext).toMatchObject({
    runAsNonRoot: true,
  })
  expect(container(spec(), { digest: 'd', user: 'node', volumes: [] })?.securityContext.runAsNonRoot).toBeUndefined()
  expect(container(spec(), { digest: 'd', user: '0', volumes: [] })?.securityContext.runAsNonRoot).toBeUndefined()
  expect(container(spec({ runAsUser: 33 }))?.securityContext).toMatchObject({ runAsUser: 33, runAsNonRoot: true })
})

test('volumes of the image become empty ones, the digest and the restart are on the pods', () => {
  const facts = { digest: 'sha256:d', user: '', volumes: ['/data'] }
  const [deployment] = manifestsOf(spec(), { ...place, image: facts, restartTime: '2026-11-21T10:00:00Z' })
  expect(deployment?.spec.template.spec.volumes).toEqual([{ name: 'scratch-0', emptyDir: {} }])
  expect(deployment?.spec.template.metadata.annotations).toEqual({
    'quarterdeck.dev/image-digest': 'sha256:d',
    'quarterdeck.dev/restart-time': '2026-11-21T10:00:00Z',
  })
})

test('no pod is missing while an update goes on', () => {
  expect(manifestsOf(spec(), place)[0]?.spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 })
})

test('[TRF-05] the Service finds the pods by the labels that the Deployment gives them', () => {
  const [service, deployment] = manifestsOf(spec({ ports: [{ name: 'http', containerPort: 80 }] }), place)
  expect(deployment?.spec.template.metadata.labels).toMatchObject(service?.spec.selector)
  expect(deployment?.spec.selector.matchLabels).toEqual(service?.spec.selector)
})

test('fields that do not go together are named', () => {
  const pointers = (more: object) => inconsistencies(spec(more)).map(({ pointer }) => pointer)
  const http = { name: 'http', containerPort: 80 }
  expect(pointers({ ports: [http, { ...http, containerPort: 81 }] })).toEqual(['/ports/1/name'])
  expect(pointers({ ports: [http, { name: 'web', containerPort: 81, servicePort: 80 }] })).toEqual([
    '/ports/1/servicePort',
  ])
  expect(pointers({ readinessProbe: { kind: 'http', path: 'x' } })).toEqual([
    '/readinessProbe/port',
    '/readinessProbe/path',
  ])
  expect(pointers({ livenessProbe: { kind: 'exec' } })).toEqual(['/livenessProbe/command'])
})

test.each([
  ['registry.example.com/team/shop:1.2', 'shop'],
  ['nginx', 'nginx'],
  ['localhost:5000/my_app@sha256:'.concat('a'.repeat(64)), 'my-app'],
])('%s is called %s', (text, name) => {
  expect(nameOf(text)).toBe(name)
})
