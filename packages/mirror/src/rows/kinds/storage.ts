import type { JsonObject } from '../../worker/object-sink.ts'
import { at, each, firstOf, flagAt, type ReadColumn, textAt, unlessDeleted } from './reading.ts'

const annotationOf =
  (key: string) =>
  (object: JsonObject): unknown =>
    (object.metadata?.annotations as Record<string, unknown> | undefined)?.[key]

// The API before `storageClassName`; kubectl reads it first, too.
const storageClass = firstOf(annotationOf('volume.beta.kubernetes.io/storage-class'), at('spec.storageClassName'))

/** What backs a volume: the one field of its spec that is none of the settings. */
const SETTINGS = [
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
]

function volumeSource(object: JsonObject): string | undefined {
  const spec = at('spec')(object)
  if (typeof spec !== 'object' || spec === null) return undefined
  const source = Object.keys(spec).find((key) => !SETTINGS.includes(key))
  return source === 'csi' ? textAt(object, 'spec.csi.driver') || source : source
}

const modes: ReadColumn = { name: 'accessModes', title: 'Access modes', type: 'set', read: at('spec.accessModes') }
const volumeMode: ReadColumn = {
  name: 'volumeMode',
  title: 'Volume mode',
  type: 'text',
  wide: true,
  read: at('spec.volumeMode'),
}

/** Columns of the kinds that keep files, by resource. */
export const STORAGE: Record<string, ReadColumn[]> = {
  persistentvolumeclaims: [
    { name: 'status', title: 'Status', type: 'text', read: unlessDeleted(at('status.phase')) },
    { name: 'volume', title: 'Volume', type: 'split', searched: true, read: at('spec.volumeName') },
    { name: 'capacity', title: 'Capacity', type: 'number', unit: 'bytes', read: at('status.capacity.storage') },
    {
      name: 'requested',
      title: 'Requested',
      type: 'number',
      unit: 'bytes',
      read: at('spec.resources.requests.storage'),
    },
    { ...modes, read: firstOf(at('status.accessModes'), at('spec.accessModes')) },
    { name: 'storageClass', title: 'Storage class', type: 'text', read: storageClass },
    volumeMode,
  ],
  persistentvolumes: [
    { name: 'status', title: 'Status', type: 'text', read: unlessDeleted(at('status.phase')) },
    { name: 'capacity', title: 'Capacity', type: 'number', unit: 'bytes', read: at('spec.capacity.storage') },
    modes,
    { name: 'reclaimPolicy', title: 'Reclaim policy', type: 'text', read: at('spec.persistentVolumeReclaimPolicy') },
    {
      name: 'claim',
      title: 'Claim',
      type: 'split',
      searched: true,
      description: 'Namespace/name',
      read: (object) =>
        at('spec.claimRef')(object) === undefined
          ? undefined
          : `${textAt(object, 'spec.claimRef.namespace')}/${textAt(object, 'spec.claimRef.name')}`,
    },
    { name: 'storageClass', title: 'Storage class', type: 'text', read: storageClass },
    { name: 'source', title: 'Kept by', type: 'text', read: volumeSource },
    { name: 'reason', title: 'Reason', type: 'text', wide: true, read: at('status.reason') },
    volumeMode,
  ],
  'storageclasses.storage.k8s.io': [
    { name: 'provisioner', title: 'Provisioner', type: 'text', read: at('provisioner') },
    {
      name: 'reclaimPolicy',
      title: 'Reclaim policy',
      type: 'text',
      read: firstOf(at('reclaimPolicy'), () => 'Delete'),
    },
    {
      name: 'bindingMode',
      title: 'Binding mode',
      type: 'text',
      read: firstOf(at('volumeBindingMode'), () => 'Immediate'),
    },
    {
      name: 'expandable',
      title: 'Expandable',
      type: 'text',
      read: (object) => at('allowVolumeExpansion')(object) === true,
    },
    {
      name: 'default',
      title: 'Default',
      type: 'text',
      read: (object) => annotationOf('storageclass.kubernetes.io/is-default-class')(object) === 'true',
    },
  ],
  'volumeattachments.storage.k8s.io': [
    { name: 'attached', title: 'Attached', type: 'text', read: flagAt('status.attached') },
    { name: 'attacher', title: 'Attacher', type: 'text', read: at('spec.attacher') },
    { name: 'volume', title: 'Volume', type: 'split', searched: true, read: at('spec.source.persistentVolumeName') },
    { name: 'node', title: 'Node', type: 'text', searched: true, read: at('spec.nodeName') },
  ],
  'csinodes.storage.k8s.io': [
    { name: 'drivers', title: 'Drivers', type: 'set', searched: true, read: each('spec.drivers', 'name') },
  ],
  'csidrivers.storage.k8s.io': [
    { name: 'attachRequired', title: 'Attached to nodes', type: 'text', read: at('spec.attachRequired') },
    { name: 'podInfoOnMount', title: 'Told of the pod', type: 'text', wide: true, read: at('spec.podInfoOnMount') },
    { name: 'storageCapacity', title: 'Reports capacity', type: 'text', wide: true, read: at('spec.storageCapacity') },
    { name: 'modes', title: 'Modes', type: 'set', read: at('spec.volumeLifecycleModes') },
  ],
  'csistoragecapacities.storage.k8s.io': [
    { name: 'storageClass', title: 'Storage class', type: 'text', read: at('storageClassName') },
    { name: 'capacity', title: 'Capacity', type: 'number', unit: 'bytes', read: at('capacity') },
  ],
}
