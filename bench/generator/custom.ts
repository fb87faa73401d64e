import { namespaceNames, teamOf } from './names.ts'
import type { Random } from './random.ts'
import { before, type ClusterShape, type Generated, type KubernetesObject } from './shape.ts'

interface PrinterColumn {
  name: string
  type: 'string' | 'integer' | 'date'
  jsonPath: string
}

interface CustomKind {
  group: string
  kind: string
  plural: string
  columns: PrinterColumn[]
}

const AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** The kinds that a generated cluster defines itself. */
export const CUSTOM_KINDS: readonly CustomKind[] = [
  {
    group: 'campus.example.edu',
    kind: 'Backup',
    plural: 'backups',
    columns: [
      { name: 'State', type: 'string', jsonPath: '.status.state' },
      { name: 'Size', type: 'integer', jsonPath: '.status.megabytes' },
      { name: 'Finished', type: 'date', jsonPath: '.status.finishTime' },
      AGE,
    ],
  },
  {
    group: 'campus.example.edu',
    kind: 'Course',
    plural: 'courses',
    columns: [
      { name: 'Title', type: 'string', jsonPath: '.spec.title' },
      { name: 'Seats', type: 'integer', jsonPath: '.spec.seats' },
      AGE,
    ],
  },
  {
    group: 'certificates.example.edu',
    kind: 'Certificate',
    plural: 'certificates',
    columns: [
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Secret', type: 'string', jsonPath: '.spec.secretName' },
      AGE,
    ],
  },
]

/** Definitions of the custom kinds, as the API server has them once they are established. */
export function* definitions(random: Random): Generator<Generated> {
  for (const { group, kind, plural, columns } of CUSTOM_KINDS) {
    const name = `${plural}.${group}`
    const singular = kind.toLowerCase()
    const names = { plural, singular, kind, listKind: `${kind}List` }
    const condition = (type: string, reason: string) => ({
      type,
      status: 'True',
      reason,
      message: reason,
      lastTransitionTime: before(900_000),
    })
    const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    yield {
      key: `/registry/apiextensions.k8s.io/customresourcedefinitions/${name}`,
      object: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name, uid: random.uid(), generation: 1, creationTimestamp: before(1_000_000) },
        spec: {
          group,
          names,
          scope: 'Namespaced',
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } },
              additionalPrinterColumns: columns,
            },
          ],
          conversion: { strategy: 'None' },
        },
        status: {
          acceptedNames: names,
          storedVersions: ['v1'],
          conditions: [condition('NamesAccepted', 'NoConflicts'), condition('Established', 'InitialNamesAccepted')],
        },
      },
    }
  }
}

/** One object of a custom kind for every thirty pods. */
export function* customObjects(random: Random, shape: ClusterShape): Generator<Generated> {
  const namespaces = namespaceNames(shape.namespaces)
  for (let n = 0; n < Math.max(6, Math.round(shape.pods / 30)); n++) {
    const { group, kind, plural } = CUSTOM_KINDS[n % CUSTOM_KINDS.length] as CustomKind
    const namespace = random.pick(namespaces)
    const name = `${kind.toLowerCase()}-${n}`
    const object: KubernetesObject = {
      apiVersion: `${group}/v1`,
      kind,
      metadata: {
        name,
        namespace,
        uid: random.uid(),
        generation: 1,
        creationTimestamp: before(random.whole(60, 9_000_000)),
        labels: { team: teamOf(namespace) },
      },
      ...bodyOf(random, kind, n),
    }
    yield { key: `/registry/${group}/${plural}/${namespace}/${name}`, object }
  }
}

function bodyOf(random: Random, kind: string, n: number): object {
  if (kind === 'Backup') {
    const state = random.pick(['Succeeded', 'Succeeded', 'Failed', 'Running'])
    return {
      spec: { schedule: '0 3 * * *', target: `archive-${n % 17}` },
      status: {
        state,
        megabytes: random.whole(1, 90_000),
        ...(state === 'Running' ? {} : { finishTime: before(random.whole(60, 90_000)) }),
      },
    }
  }
  if (kind === 'Course')
    return {
      spec: {
        title: `Course ${n} for ${random.pick(['first', 'second', 'third'])} years`,
        seats: random.whole(8, 400),
      },
    }
  return {
    spec: { secretName: `tls-${random.letters(6)}`, dnsNames: [`service-${n}.example.edu`] },
    status: { conditions: [{ type: 'Ready', status: random.chance(0.95) ? 'True' : 'False' }] },
  }
}
