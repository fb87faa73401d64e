import { EVERYTHING } from '@quarterdeck/mirror'
import { expect, test } from 'vitest'
import { mirror, namespace, platform, withMirror } from '../../../test/platform/mirrored.ts'
import { usageReader } from './usage.routes.ts'

withMirror({ nodes: true })

test('[TEN-17] what is used is read from the mirror while it is live, and is what the API server says', async () => {
  const { cluster } = platform
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'quarterdeck', namespace },
    spec: { hard: { pods: '5', 'requests.cpu': '2', 'limits.memory': '1Gi', 'count/deployments.apps': '3' } },
  })
  const resources = { requests: { cpu: '250m' }, limits: { memory: '64Mi' } }
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', namespace },
    spec: { containers: [{ name: 'one', image: 'registry.example.com/one', resources }] },
  })
  let requests = 0
  const clusterOf = async () => {
    requests++
    return cluster
  }
  const place = { cluster: 'test', namespace }
  const asked = usageReader({ clusterOf })
  const expected = { pods: 1, cpuRequest: 0.25, memoryLimit: 64 * 2 ** 20, deployments: 0 }
  await expect.poll(() => asked(place), { timeout: 20_000 }).toEqual(expected)
  const read = usageReader({ clusterOf, mirrored: () => mirror })
  requests = 0
  await expect.poll(() => read(place), { timeout: 20_000 }).toEqual(expected)
  // An environment without a quota of ours, and one that is not there.
  expect(await read({ cluster: 'test', namespace: 'default' })).toBeUndefined()
  expect(requests).toBe(0)
  // A mirror that is not live is not believed.
  expect(mirror.find({ resource: 'resourcequotas', ...place, name: 'quarterdeck' }, EVERYTHING)).toBeDefined()
  mirror.forget('test')
  expect(await read(place)).toEqual(expected)
  expect(requests).toBe(1)
})
