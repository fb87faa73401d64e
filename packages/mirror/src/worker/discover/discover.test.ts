import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { RawAnswer } from '../connection/answer.ts'
import { Refused } from '../connection/answer.ts'
import type { Ask } from '../connection/connection.ts'
import { TIMINGS } from '../reader-options.ts'
import { MapSink } from '../testing/map-sink.ts'
import { CustomKinds } from './custom-kinds.ts'
import { discover } from './discover.ts'

const signal = new AbortController().signal
const VERBS = ['get', 'list', 'watch']

/** A server that answers these paths; everything else is refused. */
const serving = (answers: Record<string, object>) => ({
  timings: TIMINGS,
  async ask({ path }: Ask): Promise<RawAnswer> {
    const answer = answers[path]
    if (!answer) throw new Refused('service unavailable', 503, {})
    const body = Readable.from([Buffer.from(JSON.stringify(answer))], { objectMode: false })
    return { status: 200, headers: {}, body, endedWell: () => true }
  },
})
const resource = (name: string, kind: string, scope = 'Namespaced', verbs = VERBS) => ({
  resource: name,
  responseKind: { kind },
  scope,
  verbs,
})
const group = (name: string, ...versions: object[]) => ({ metadata: { name }, versions })
const aggregated = (...items: object[]) => ({ kind: 'APIGroupDiscoveryList', items })

test('each resource is read once, in the preferred version that has it, and only what can be listed and watched', async () => {
  const found = await discover(
    serving({
      '/api': aggregated(
        group('', {
          version: 'v1',
          resources: [
            { ...resource('pods', 'Pod'), shortNames: ['po'] },
            resource('events', 'Event'),
            resource('componentstatuses', 'ComponentStatus', 'Cluster', ['get', 'list']),
            resource('nodes', 'Node', 'Cluster'),
          ],
        }),
      ),
      '/apis': aggregated(
        group('events.k8s.io', { version: 'v1', resources: [resource('events', 'Event')] }),
        group(
          'example.com',
          { version: 'v2', resources: [resource('widgets', 'Widget')] },
          { version: 'v1', resources: [resource('widgets', 'Widget'), resource('gadgets', 'Gadget')] },
        ),
        group('metrics.k8s.io', { version: 'v1beta1', freshness: 'Stale', resources: [] }),
      ),
    }),
    signal,
  )
  const told = found.kinds.map(({ plural, version, custom, namespaced }) => [plural, version, custom, namespaced])
  expect(told).toEqual([
    ['pods', 'v1', false, true],
    ['events', 'v1', false, true],
    ['nodes', 'v1', false, false],
    ['widgets', 'v2', true, true],
    ['gadgets', 'v1', true, true],
  ])
  expect(found.kinds[0]).toMatchObject({ group: '', kind: 'Pod', shortNames: ['po'] })
  expect([...found.silentGroups]).toEqual(['metrics.k8s.io'])
})

test('an old server is asked version by version; a group that does not answer is told, the rest is there', async () => {
  const legacy = (name: string, kind: string) => ({ name, kind, namespaced: true, verbs: VERBS, shortNames: ['x'] })
  const found = await discover(
    serving({
      '/api': { kind: 'APIVersions', versions: ['v1'] },
      '/api/v1': { resources: [legacy('pods', 'Pod'), legacy('pods/log', 'Pod')] },
      '/apis': {
        kind: 'APIGroupList',
        groups: [
          { name: 'apps', preferredVersion: { version: 'v1' }, versions: [{ version: 'v1beta1' }, { version: 'v1' }] },
          { name: 'down.example.com', versions: [{ version: 'v1' }] },
        ],
      },
      '/apis/apps/v1': { resources: [legacy('deployments', 'Deployment')] },
      '/apis/apps/v1beta1': { resources: [legacy('deployments', 'Deployment')] },
    }),
    signal,
  )
  expect(found.kinds.map(({ group: of, plural, version }) => `${of} ${plural} ${version}`)).toEqual([
    ' pods v1',
    'apps deployments v1',
  ])
  expect([...found.silentGroups]).toEqual(['down.example.com'])
})

const definition = (name: string, column: string, more: object = {}) => ({
  metadata: { name, uid: `uid of ${name}`, resourceVersion: '5' },
  spec: {
    group: 'example.com',
    versions: [
      { name: 'v1', served: true, additionalPrinterColumns: [{ name: column, type: 'string', jsonPath: '.a' }] },
    ],
  },
  status: { conditions: [{ type: 'Established', status: 'True' }] },
  ...more,
})

test('definitions give columns; what is served is asked again only when it may have changed', () => {
  let changes = 0
  const custom = new CustomKinds(() => changes++)
  const inner = new MapSink()
  const sink = custom.listening('CustomResourceDefinition', inner)
  const columns = () => custom.columnsOf('widgets.example.com', 'v1').map(({ name }) => name)
  sink.beginList()
  sink.put(definition('widgets.example.com', 'Size'))
  sink.put(definition('gadgets.example.com', 'Size'))
  sink.endList()
  expect([columns(), changes]).toEqual([['Size'], 2])
  sink.put(
    definition('widgets.example.com', 'Size', {
      metadata: { name: 'widgets.example.com', uid: 'uid of widgets.example.com', resourceVersion: '6' },
    }),
  )
  expect(changes).toBe(2)
  sink.put(definition('widgets.example.com', 'Width'))
  expect([columns(), changes]).toEqual([['Width'], 3])
  sink.remove(definition('widgets.example.com', 'Width'))
  expect([columns(), changes]).toEqual([[], 4])
  sink.beginList()
  sink.endList()
  expect([inner.count(), changes]).toEqual([0, 5])
})
