import { nameFrom, parseImageReference } from '@quarterdeck/kernel'
import type { ImageConfig } from '../../image/image/image.contract.ts'
import { type ApplicationPort, ApplicationSpec, type Probe } from './application.contract.ts'

/** Labels of an image that name the path under which it says that it is well. */
const HEALTH_LABELS = ['quarterdeck.dev/health-path', 'org.label-schema.health-path']
const HTTP_PORTS = new Set([80, 3000, 5000, 8000, 8080, 8081, 8888, 9000])
const HTTPS_PORTS = new Set([443, 8443])

/** What is proposed for an image, and why. */
export interface Proposal {
  name: string
  spec: ApplicationSpec
  notes: string[]
}

/** An application for an image that only its configuration is known of. Every part can be changed. */
export function proposeApplication(image: ImageConfig, name?: string): Proposal {
  const { spec, notes, cautions } = completed(ApplicationSpec.parse({ image: image.image }), image)
  return { name: name ?? nameOf(image.image), spec, notes: [...cautions, ...notes] }
}

/** The repository's last part: registry/team/shop:1 → shop. */
export const nameOf = (image: string): string =>
  nameFrom(parseImageReference(image)?.repository.split('/').at(-1) ?? '') ?? 'application'

/**
 * The specification with what the user left out taken from the image. `notes` say why something is proposed, `cautions`
 * what may not be as it is expected.
 */
export function completed(
  spec: ApplicationSpec,
  image: ImageConfig | undefined,
): { spec: ApplicationSpec; notes: string[]; cautions: string[] } {
  const notes: string[] = []
  const cautions: string[] = []
  const ports = spec.ports ?? proposePorts(image, cautions)
  const readinessProbe = spec.readinessProbe === undefined ? proposeProbe(image, ports, notes) : spec.readinessProbe
  const resources = spec.memoryRequest || spec.memoryLimit || spec.cpuRequest || spec.cpuLimit ? {} : RESOURCES
  if (resources === RESOURCES) notes.push(RESOURCES_WHY)
  noteUser(spec, image, cautions)
  for (const path of image?.volumes ?? []) {
    cautions.push(`The image wants a volume at ${path}: it gets an empty one that goes with the pod.`)
  }
  return {
    spec: {
      ...spec,
      ...resources,
      ports,
      ...(readinessProbe === undefined ? {} : { readinessProbe }),
      exposure: ports.length === 0 ? 'none' : spec.exposure,
    },
    notes,
    cautions,
  }
}

const RESOURCES = { cpuRequest: '100m', memoryRequest: '128Mi', memoryLimit: '256Mi' }
const RESOURCES_WHY =
  'A tenth of a core and 128 MiB are reserved for each pod, and it ends when it takes more than 256 MiB: enough to begin with, so that one application cannot starve the others. CPU has no limit, since a limit only slows down.'

function proposePorts(image: ImageConfig | undefined, notes: string[]): ApplicationPort[] {
  if (!image) {
    notes.push('The registry does not say what the image exposes, so it gets no Service. Give its ports to reach it.')
    return []
  }
  if (image.ports.length === 0) {
    notes.push('The image exposes no port, so it gets no Service. Give its ports if it listens on some.')
    return []
  }
  const taken = new Set<string>()
  return image.ports.slice(0, 50).map(({ port, protocol }) => {
    const plain = `${protocol.toLowerCase()}-${port}`
    const wanted = portName(port, protocol)
    const name = taken.has(wanted) ? plain : wanted
    taken.add(name)
    return { name, containerPort: port, protocol }
  })
}

/** What a port is called when nobody says: http, https or the protocol with its number. */
export function portName(port: number, protocol: string): string {
  if (protocol === 'TCP' && HTTP_PORTS.has(port)) return 'http'
  if (protocol === 'TCP' && HTTPS_PORTS.has(port)) return 'https'
  return `${protocol.toLowerCase()}-${port}`
}

// 2 s: the first try comes before most servers listen, and the whole period is then waited (node-1, 2026-11-21).
const TIMES = { initialDelaySeconds: 0, periodSeconds: 2 }

/** Undefined: there is nothing to ask. */
function proposeProbe(image: ImageConfig | undefined, ports: ApplicationPort[], notes: string[]): Probe | undefined {
  const port = ports.find(({ protocol }) => protocol === 'TCP')?.containerPort
  const path = HEALTH_LABELS.map((label) => image?.labels[label]).find((value) => value?.startsWith('/'))
  if (path && port) {
    notes.push(`Ready when ${path} on port ${port} answers: a label of the image names it.`)
    return { kind: 'http', path, port, ...TIMES }
  }
  const byHealthcheck = image?.healthcheck && probeOf(image.healthcheck, port)
  if (byHealthcheck) {
    notes.push("Ready when the image's own HEALTHCHECK says so.")
    return byHealthcheck
  }
  if (port === undefined) return undefined
  notes.push(`Ready when port ${port} takes connections: the image names nothing better to ask.`)
  return { kind: 'tcp', port, ...TIMES }
}

/** A HEALTHCHECK as a probe; one that only fetches from itself is asked from outside, so that no curl is needed. */
function probeOf(healthcheck: string[], port: number | undefined): Probe | undefined {
  const [form, ...words] = healthcheck
  const text = words.join(' ')
  const url = /https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?(\/[^\s"'|;&]*)?/.exec(text)
  const asked = url?.[1] ? Number(url[1]) : port
  if (url && !url[0].startsWith('https') && asked) return { kind: 'http', path: url[2] ?? '/', port: asked, ...TIMES }
  if (form === 'CMD' && words.length > 0) return { kind: 'exec', command: words, ...TIMES }
  if (form === 'CMD-SHELL' && text) return { kind: 'exec', command: ['/bin/sh', '-c', text], ...TIMES }
  return undefined
}

function noteUser(spec: ApplicationSpec, image: ImageConfig | undefined, notes: string[]): void {
  if (spec.runAsUser !== undefined || !image) return
  const user = image.user.split(':')[0] ?? ''
  if (user === '' || user === '0' || user === 'root') {
    notes.push('The image runs as root. Give runAsUser if it can do without.')
  } else if (!/^\d+$/.test(user)) {
    notes.push(`The image runs as user ${user}; whether that is not root, Kubernetes can only check with a number.`)
  }
}
