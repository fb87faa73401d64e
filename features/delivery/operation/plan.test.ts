import { type KubeObject, rejectedByCluster } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { blockerOf, objectChange, planText, RESTART_TIME, unshown } from './plan.rules.ts'
import { quotaBlockers } from './quota.rules.ts'

interface Wish {
  image?: string
  replicas?: number
  cpu?: string | null
  annotation?: string
}
const shop = ({ image = 'hello:1', replicas = 2, cpu = '100m', annotation }: Wish = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', namespace: 'dev' },
  spec: {
    replicas,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      ...(annotation ? { metadata: { annotations: { [RESTART_TIME]: annotation } } } : {}),
      spec: { containers: [{ name: 'shop', image, ...(cpu ? { resources: { requests: { cpu } } } : {}) }] },
    },
  },
})
const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'dev', name: 'shop' }
const change = (live: KubeObject | undefined, after: KubeObject | undefined) =>
  objectChange({ ref, live, after, manifest: after, conflicts: [], warnings: [] }, '')

test('the effect says what it means for the pods', () => {
  expect(change(undefined, shop()).effect).toBe('2 pods start')
  expect(change(shop(), shop({ replicas: 5 })).effect).toBe('2 pods become 5')
  expect(change(shop(), shop({ image: 'hello:2' })).effect).toBe(
    'All pods are replaced, one at a time; an old one ends only when a new one is ready',
  )
  expect(change(shop(), shop({ image: 'hello:2', replicas: 3 })).effect).toMatch(/^2 pods become 3; All pods are/)
  expect(change(shop({ replicas: 1 }), undefined).effect).toBe('Deployment shop and its 1 pod end')
})

test('the same again is unchanged and promises nothing', () => {
  expect(change(shop(), shop())).toMatchObject({ action: 'unchanged', fields: [] })
  expect(change(shop(), shop()).effect).toBeUndefined()
})

test('the hash text is the same for two rehearsals of one restart and another for another image', () => {
  const text = (after: KubeObject) =>
    planText(
      { cluster: 'local', what: 'application/shop' },
      { kind: 'Plan', summary: 's', changes: [change(shop(), after)], warnings: [], blockers: [], laterOperations: [] },
      [],
    )
  expect(text(shop({ annotation: '2026-11-21T10:00:00Z' }))).toBe(text(shop({ annotation: '2026-11-21T10:00:09Z' })))
  expect(text(shop({ image: 'hello:2' }))).not.toBe(text(shop({ image: 'hello:3' })))
})

test('what is accepted with a plan is that very object and those very values, though neither is shown', () => {
  const rehearsal = { ref, conflicts: [], warnings: [] }
  const withUid = (uid: string) => ({ ...shop(), metadata: { ...shop().metadata, uid } })
  expect(unshown({ ...rehearsal, live: withUid('1') })).not.toEqual(unshown({ ...rehearsal, live: withUid('2') }))
  const secret = (data: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { password: data },
  })
  const change = (from: string, to: string) =>
    unshown({ ...rehearsal, live: secret(from), manifest: secret(to), after: secret(to) })
  expect(change('a', 'b')).not.toEqual(change('a', 'c'))
  expect(change('a', 'b')).not.toEqual(change('d', 'b'))
  expect(unshown({ ...rehearsal, live: withUid('1'), manifest: shop() })).toEqual({})
})

test('a refusal of the dry run becomes a blocker that names the field', () => {
  const problem = rejectedByCluster({ detail: 'Cluster local: bad', errors: [{ pointer: '/spec/x', detail: 'bad' }] })
  expect(blockerOf(problem, ref)).toEqual({ pointer: '/spec/x', detail: 'Deployment dev/shop: Cluster local: bad' })
})

const quota = (hard: Record<string, string>, used: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'team', namespace: 'dev' },
  status: { hard, used },
})
const blocked = (q: KubeObject, live: KubeObject | undefined, after: KubeObject, ranges: KubeObject[] = []) =>
  quotaBlockers([q], ranges, [{ live, after }])

test('[APP-22] pods that a quota would refuse are said before anything is made', () => {
  const [blocker] = blocked(quota({ 'requests.cpu': '500m' }, { 'requests.cpu': '400m' }), undefined, shop())
  expect(blocker?.pointer).toBe('/replicas')
  expect(blocker?.detail).toContain('Quota team of namespace dev allows 500 m of requested CPU, 100 m of it free')
  expect(blocker?.detail).toContain('needs 200 m more')
  expect(blocked(quota({ 'requests.cpu': '600m' }, { 'requests.cpu': '400m' }), undefined, shop())).toEqual([])
})

test('scaling counts only the pods that come on top, and scaling down is never refused', () => {
  const q = quota({ pods: '3' }, { pods: '2' })
  expect(blocked(q, shop(), shop({ replicas: 3 }))).toEqual([])
  expect(blocked(q, shop(), shop({ replicas: 4 }))).toHaveLength(1)
  expect(blocked(quota({ pods: '1' }, { pods: '2' }), shop(), shop({ replicas: 1 }))).toEqual([])
})

test('a new image needs room for the one pod more that a rolling update starts', () => {
  expect(blocked(quota({ pods: '2' }, { pods: '2' }), shop(), shop({ image: 'hello:2' }))).toHaveLength(1)
  expect(blocked(quota({ pods: '3' }, { pods: '2' }), shop(), shop({ image: 'hello:2' }))).toEqual([])
})

test('a container that says nothing is refused by a quota that counts it, unless a LimitRange speaks for it', () => {
  const q = quota({ 'requests.cpu': '1' })
  expect(blocked(q, undefined, shop({ cpu: null }))[0]?.pointer).toBe('/cpuRequest')
  const range: KubeObject = {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'r' },
    spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '100m' } }] },
  }
  expect(blocked(q, undefined, shop({ cpu: null }), [range])).toEqual([])
})
