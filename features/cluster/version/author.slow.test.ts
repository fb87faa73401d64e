import { randomUUID } from 'node:crypto'
import { openMirror } from '@quarterdeck/mirror'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { listOf, namespace, platform, withMirror } from '../../../test/platform/mirrored.ts'
import { listAuthorships } from '../../delivery/operation/author.store.ts'
import { type Operation, undoOperation } from '../../delivery/operation/operation.contract.ts'
import { audit } from '../../delivery/operation/operation.store.ts'
import { actText } from '../native/native.rules.ts'
import { deleteObjects } from '../object/object.contract.ts'
import { authorsOf } from './author.rules.ts'
import { findObjects, listVersionRows, record } from './version.store.ts'

withMirror()

let recording: ReturnType<typeof openMirror> | undefined
const silent = { info: () => undefined, warn: () => undefined }
beforeAll(async () => {
  recording = openMirror({
    log: silent,
    versions: {
      except: ['pods', 'events'],
      digestKey: new Uint8Array(32),
      record: async (cluster, { resource, kind }, changes) =>
        void (await record(platform.db, { cluster, resource, kind }, changes)),
    },
  })
  recording.watch({ name: 'test', kubeconfig: platform.kubeconfig, revision: '1' })
  const live = () => recording?.clusters()[0]?.kinds.find(({ resource }) => resource === 'configmaps')?.state === 'live'
  await vi.waitUntil(live, { timeout: 60_000 })
}, 60_000)
afterAll(() => recording?.close())

/** A ConfigMap that was made past Quarterdeck. */
const created = (name: string) =>
  platform.cluster.create(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { colour: 'red' } },
    { fieldManager: 'helm' },
  )

/** Versions of a ConfigMap with who made each, the newest first, once there are so many. */
async function history(name: string, versions: number) {
  const place = { cluster: 'test', resource: 'configmaps', namespace, name }
  const all = async () => {
    const found = await findObjects(platform.db, place)
    return Promise.all(found.map(({ id }) => listVersionRows(platform.db, id, { limit: 10 })))
  }
  await vi.waitUntil(async () => (await all()).flat().length === versions, { timeout: 20_000 })
  const [since, until] = [-60_000, 60_000].map((around) => new Date(Date.now() + around).toISOString())
  const object = { cluster: 'test', kind: 'ConfigMap', plural: 'configmaps', namespace, name }
  const known = await listAuthorships(platform.db, object, { since: since ?? '', until: until ?? '' })
  return (await all()).flatMap((rows) => {
    const authors = authorsOf(rows, known)
    return rows.map(({ number, change }) => ({ change, ...authors.get(number) }))
  })
}

test('what an operation deleted and its undo made anew is of who asked, with the operation', async () => {
  await created('goes')
  await listOf(1, 'configmaps', { filter: 'name:goes' })
  await history('goes', 1)
  const deletion = (await platform.client(deleteObjects, {
    params: { cluster: 'test' },
    query: {},
    body: { namespace, objects: [{ resource: 'configmaps', name: 'goes' }] },
  })) as Operation
  await platform.settle()
  await history('goes', 2)
  const undo = await platform.client(undoOperation, { params: { operation: deletion.id } })
  await platform.settle()
  const made = await history('goes', 3)
  const operation = undo.kind === 'Plan' ? '' : undo.id
  expect(made).toEqual([
    { change: 'added', user: 'tester', operation },
    { change: 'deleted', user: 'tester', operation: deletion.id },
    { change: 'added' },
  ])
})

test("a request through the cluster's own API is of who sent it, as the audit trail tells; one past Quarterdeck is of nobody", async () => {
  const native = async (actor: string, method: 'PATCH' | 'POST', path: string) => {
    const event = { operation: randomUUID(), actor, act: `native.${method.toLowerCase()}`, what: 'test//native' }
    const detail = `${actText(method, path, 'fieldManager=kubectl-edit')}: 200`
    await audit(platform.db, { ...event, outcome: 'succeeded', detail })
  }
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  await created('edited')
  await native('ada', 'PATCH', `${path}/edited-2`)
  expect(await history('edited', 1)).toEqual([{ change: 'added' }])
  const edited = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'edited' }
  await platform.cluster.patch(edited, { data: { colour: 'blue' } }, { fieldManager: 'kubectl-edit' })
  await native('ada', 'PATCH', `${path}/edited`)
  expect(await history('edited', 2)).toEqual([{ change: 'changed', user: 'ada' }, { change: 'added' }])
  await platform.cluster.patch(edited, { data: { colour: 'green' } }, { fieldManager: 'kubectl-edit' })
  await native('lin', 'PATCH', `${path}/edited`)
  // Within the same seconds either may have.
  expect((await history('edited', 3)).map((version) => version.change)).toEqual(['changed', 'changed', 'added'])
  expect((await history('edited', 3))[0]).not.toHaveProperty('user')
})
