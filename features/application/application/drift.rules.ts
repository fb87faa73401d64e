import { type KubeObject, quantityValue } from '@quarterdeck/kernel'

/** Sentences on what is no longer as it was declared; what was never declared does not count. */
export function driftOf(declared: KubeObject[], live: KubeObject[]): string[] {
  return declared.flatMap((manifest) => {
    const object = live.find(({ kind, metadata }) => kind === manifest.kind && metadata.name === manifest.metadata.name)
    if (!object) return [`${manifest.kind} ${manifest.metadata.name} is gone`]
    return differences(manifest.spec, object.spec, '').map(
      ({ path, want, have }) => `${manifest.kind} ${path} is ${text(have)} instead of ${text(want)}`,
    )
  })
}

interface Difference {
  path: string
  want: unknown
  have: unknown
}

const text = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value).slice(0, 80))

function differences(want: unknown, have: unknown, path: string): Difference[] {
  if (Array.isArray(want) && want.every(isNamed)) {
    const list = Array.isArray(have) ? have.filter(isNamed) : []
    return want.flatMap((item) =>
      differences(
        item,
        list.find(({ name }) => name === item.name),
        `${path}[${item.name}]`,
      ),
    )
  }
  if (isObject(want)) {
    if (!isObject(have)) return [{ path, want, have }]
    return Object.entries(want).flatMap(([key, value]) =>
      differences(value, have[key], path === '' ? key : `${path}.${key}`),
    )
  }
  return equal(want, have) ? [] : [{ path, want, have }]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isNamed = (value: unknown): value is { name: string } => isObject(value) && typeof value.name === 'string'

/** 0.5 and 500m are the same quantity; the API server writes the shorter. */
function equal(want: unknown, have: unknown): boolean {
  if (JSON.stringify(want) === JSON.stringify(have)) return true
  // The API server leaves out false, zero and empty text.
  if (have === undefined) return want === 0 || want === '' || want === false
  if (typeof want !== 'string' || typeof have !== 'string') return false
  const value = quantityValue(want)
  return !Number.isNaN(value) && value === quantityValue(have)
}
