import { bind, type Server } from '@quarterdeck/http'
import { type KubeObject, refText, type Subject, withMergePatch, writtenPart } from '@quarterdeck/kernel'
import { stringify } from 'yaml'
import { type ChangeRequest, planBlocked } from '../../delivery/operation/operation.contract.ts'
import {
  type ActOptions,
  type ChosenObject,
  chosenObjects,
  digest,
  noneOfThem,
  requireAct,
  targetOf,
  toPatch,
  wrong,
} from './chosen.routes.ts'
import { type EditableObject, editObject, getEditable, MOST_YAML_CHARACTERS, rebaseEdit } from './edit.contract.ts'
import { applicationOf, editPatch, judgeEdited, keeperWarnings, overlapsOf, writtenTree } from './edit.rules.ts'
import { fieldsOf } from './patch-field.rules.ts'

interface Asked {
  params: { cluster: string; resource: string; name: string }
  namespace: string
  subject: Subject
}

// In JSON a character of the YAML may take two, or six.
const YAML_BODY = { bodyLimitBytes: 3 * MOST_YAML_CHARACTERS }

/** One object as it is written by hand, and bringing it to what somebody has made of it. */
export function editRoutes(server: Server, options: ActOptions): void {
  const { makeChange, clusterAs, clusterOf, readerOf } = options

  /** The object that is asked for. Throws unknownKind, invalidInput, notFound, and planBlocked for Secrets. */
  function placed({ params: { cluster, resource, name }, namespace, subject }: Asked): ChosenObject {
    const objects = [{ resource, name }]
    const [chosen] = chosenObjects(
      options,
      { subject },
      { cluster, namespace, field: 'objects', objects, kindPointer: '/params/resource' },
    )
    if (!chosen || !readerOf(subject).allows('get', chosen.object)) throw noneOfThem(cluster, chosen ? [chosen] : [])
    if (chosen.object.resource === 'secrets') throw planBlocked({ detail: secretText(name, namespace) })
    return chosen
  }
  async function readAs(subject: Subject, { object, ref }: ChosenObject): Promise<KubeObject> {
    const live = await (await clusterAs(subject, object.cluster)).get(ref)
    if (!live) throw noneOfThem(object.cluster, [{ ref }])
    return { ...live, apiVersion: ref.apiVersion, kind: ref.kind }
  }

  bind(server, getEditable, async ({ params, query, subject }) => {
    const chosen = placed({ params, namespace: query.namespace, subject })
    return editable(await readAs(subject, chosen))
  })

  bind(
    server,
    rebaseEdit,
    async ({ params, body, subject }) => {
      const chosen = placed({ params, namespace: body.namespace, subject })
      const live = await readAs(subject, chosen)
      const base = understood(options.readYaml(body.base), live, '/body/base')
      const mine = editPatch(base, understood(options.readYaml(body.yaml), live, '/body/yaml'))
      const theirs = editPatch(base, live)
      const merged = withMergePatch(writtenTree(live), mine) as unknown as KubeObject
      const now = editable(live)
      return {
        ...now,
        base: now.yaml,
        yaml: yamlOf(merged),
        theirs: fieldsOf(writtenTree(base), writtenTree(live)),
        overlaps: overlapsOf(mine, theirs),
      }
    },
    YAML_BODY,
  )

  bind(
    server,
    editObject,
    (context) => {
      const { params, query, body, subject, idempotencyKey } = context
      const { namespace } = body
      const chosen = placed({ params, namespace, subject })
      requireAct(options, context, [chosen], toPatch)
      const { apiVersion, kind, name } = chosen.ref
      const metadata = { name, ...(namespace === '' ? {} : { namespace }) }
      const edited = understood(options.readYaml(body.yaml), { apiVersion, kind, metadata }, '/body/yaml')
      const change = { endpoint: editObject.id, subject, params, query, body, idempotencyKey }
      return makeChange(change, async (): Promise<ChangeRequest> => {
        const found = await (await clusterOf(params.cluster)).get(chosen.ref)
        if (!found) throw noneOfThem(params.cluster, [chosen])
        const live = { ...found, apiVersion, kind }
        const asRead = live.metadata.resourceVersion === body.resourceVersion || digestOf(live) === body.digest
        const patch = editPatch(live, edited)
        const ref = { ...chosen.ref }
        const isEmpty = Object.keys(patch).length === 0
        return {
          type: editObject.id,
          summary: `Edit ${refText(ref)}`,
          target: targetOf(options, { cluster: params.cluster, namespace }, 'edit', [ref]),
          desired: [],
          removed: [],
          before: [],
          patched: asRead && !isEmpty ? [{ ref, uid: live.metadata.uid ?? '', patch, basis: writtenPart(live) }] : [],
          warnings: isEmpty ? [] : keeperWarnings(live),
          blockers: asRead ? [] : [{ pointer: '/resourceVersion', detail: movedOn(live) }],
        }
      })
    },
    YAML_BODY,
  )
}

const yamlOf = (object: KubeObject): string => stringify(object, { lineWidth: 0 })
const digestOf = (object: KubeObject): string => digest(yamlOf(sorted(writtenTree(object)) as KubeObject))

/** With members in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]))
}

function editable(live: KubeObject): EditableObject {
  const application = applicationOf(live)
  return {
    yaml: yamlOf(writtenTree(live) as unknown as KubeObject),
    resourceVersion: live.metadata.resourceVersion ?? '',
    digest: digestOf(live),
    ...(application === undefined ? {} : { application }),
  }
}

/** The one object of a YAML text. Throws invalidInput at `pointer`. */
function understood(
  documents: unknown[],
  live: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>,
  pointer: string,
): KubeObject {
  if (documents.length > 1) throw wrong(pointer, 'There are several documents. Write this one object and no other.')
  const judged = judgeEdited(documents[0], live)
  if ('object' in judged) return judged.object
  throw wrong(pointer, judged.detail)
}

/** Times are in whole seconds, so several may have been the last. */
function movedOn({ metadata: { managedFields = [], name }, kind }: KubeObject): string {
  const writes = managedFields.filter(({ subresource }) => subresource !== 'status')
  const time = writes
    .map((write) => write.time ?? '')
    .toSorted()
    .at(-1)
  const managers = writes.flatMap((write) => (write.time === time && write.manager ? [write.manager] : []))
  const who = time && managers.length > 0 ? `, the last time by ${[...new Set(managers)].join(', ')} at ${time}` : ''
  return `${kind} ${name} was changed since you read it${who}. Bring your edit onto the new state, then look at the plan again.`
}

const secretText = (name: string, namespace: string) =>
  `Secret ${name} cannot be edited here: its values would have to be kept in the plan and for undo. Use kubectl edit secret ${name}${namespace === '' ? '' : ` -n ${namespace}`}.`
