import type { KubeObject, ManagedFields } from '@quarterdeck/kernel'
import type { ObjectDetail } from './object.contract.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** An object as a person is shown it: without managed fields, and of a Secret only how large each value is. */
export function shownObject(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  const shown: KubeObject = { ...object, metadata }
  if (object.apiVersion !== 'v1' || object.kind !== 'Secret') return shown
  const { [LAST_APPLIED]: applied, ...annotations } = metadata.annotations ?? {}
  return {
    ...shown,
    // kubectl apply leaves a copy of the values there.
    ...(applied === undefined ? {} : { metadata: { ...metadata, annotations } }),
    ...(object.data ? { data: sizes(object.data, base64Bytes) } : {}),
    ...(object.stringData ? { stringData: sizes(object.stringData, (text) => text.length) } : {}),
  }
}

const sizes = (values: Record<string, unknown>, sizeOf: (text: string) => number) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, sizeText(sizeOf(String(value)))]))
const sizeText = (bytes: number) => `(${bytes} ${bytes === 1 ? 'byte' : 'bytes'}, not shown)`
const base64Bytes = (text: string) => {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return (text.length / 4) * 3 - padding
}

/** Who wrote to the object, the last first. */
export function managersOf({ metadata }: KubeObject): ObjectDetail['managers'] {
  return (metadata.managedFields ?? [])
    .map(({ manager = '', operation, time = '', subresource, fieldsV1 }: ManagedFields) => ({
      manager,
      operation: operation ?? '',
      time,
      ...(subresource ? { subresource } : {}),
      fields: leaves(fieldsV1),
    }))
    .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
}

/** Fields in the API server's notation that hold no others; `.` stands for the object itself. */
function leaves(fields: Record<string, unknown> | undefined): number {
  const inner = Object.entries(fields ?? {}).filter(([key]) => key !== '.')
  return inner.reduce((sum, [, value]) => {
    const below = value as Record<string, unknown>
    return sum + (Object.keys(below).some((key) => key !== '.') ? leaves(below) : 1)
  }, 0)
}

/** `Pod/web-1`, as the mirror names owners and what events are about. */
export const kindAndName = (kind: string, name: string): string => `${kind}/${name}`
