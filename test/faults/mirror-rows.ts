import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { EVERYTHING, type Mirror } from '@quarterdeck/mirror'
import type { Frame, ProxiedRequest } from './mirror-proxy.ts'
import { compactStore, putStoreBack, saveStore } from './mirror-store.ts'
import { confused, goneEvent, OLD_SERVER, SPOILED } from './mirror-toxins.ts'
import { inMirrorWorld, type MirrorWorld, startStorm } from './mirror-world.ts'
import type { Row } from './row.ts'
import type { World } from './world.ts'

/** A storm around a fault: it begins, the fault comes, the storm ends, and then both lists are the same. */
async function inStorm(
  { own, live, same }: MirrorWorld,
  { random }: World,
  fault: () => Promise<void>,
): Promise<string> {
  await live()
  const storm = startStorm(own.cluster, random)
  await sleep(random.between(300, 1_000))
  await fault()
  await sleep(random.between(300, 1_000))
  const changes = await storm.stop()
  await same()
  return `${changes} changes`
}

const isWatchOf =
  (...resources: string[]) =>
  ({ watch, resource }: ProxiedRequest) =>
    watch && resources.includes(resource)
const STORMED = ['configmaps', 'pods', 'widgets']

const totalOfPods = (mirror: Mirror) => mirror.list({ resource: 'pods', limit: 1 }, EVERYTHING).total

async function killed(world: World): Promise<string | undefined> {
  return inMirrorWorld(async (mirrored) => {
    const { own, mirror, state, until } = mirrored
    const seconds = world.random.between(3, 12)
    let caughtUp = 0
    const changes = await inStorm(mirrored, world, async () => {
      await until('the storm has made pods', 15, () => totalOfPods(mirror) > 0)
      const back = own.plane.restart('kube-apiserver', { kill: true, pauseSeconds: seconds })
      try {
        await until('pods are stale', 15, () => state('pods').state === 'stale')
        const known = totalOfPods(mirror)
        assert.ok(known > 0, 'what is known stays readable')
        assert.notEqual(state('pods').message, '', 'it is said why')
        await sleep(500)
        if (state('pods').state === 'stale') assert.equal(totalOfPods(mirror), known, 'nothing of it is lost meanwhile')
      } finally {
        await back
      }
      const since = performance.now()
      await until('pods are live', 40, () => state('pods').state === 'live')
      caughtUp = (performance.now() - since) / 1000
    })
    return `${changes}, away for ${seconds} s, live ${caughtUp.toFixed(1)} s after it was ready`
  })
}

async function expired(world: World): Promise<string | undefined> {
  return inMirrorWorld(async (mirrored) => {
    const { proxy, relists, until } = mirrored
    const changes = await inStorm(mirrored, world, async () => {
      const refused = new Set<string>()
      const body = JSON.stringify({
        kind: 'Status',
        status: 'Failure',
        message: 'too old',
        reason: 'Expired',
        code: 410,
      })
      proxy.toxic = (request) => {
        if (!isWatchOf(...STORMED)(request) || refused.has(request.resource)) return undefined
        refused.add(request.resource)
        return { answer: { status: 410, body } }
      }
      proxy.cut()
      await until('three lists are read again', 15, () => relists('expired') >= 3)
      const told = new Set<string>()
      proxy.toxic = (request) => {
        if (!isWatchOf('configmaps', 'widgets')(request)) return undefined
        return {
          frame: ({ bytes, event, number }) => {
            if (number < 5 || told.has(request.resource)) return [bytes]
            told.add(request.resource)
            return [goneEvent(event === undefined), 'end']
          },
        }
      }
      proxy.cut()
      await until('two lists are read again', 20, () => relists('expired') >= 5)
    })
    return changes
  })
}

async function compacted(world: World): Promise<string | undefined> {
  return inMirrorWorld(async (mirrored) => {
    const { own, proxy, relists, until, mirror } = mirrored
    let attempts = 0
    const changes = await inStorm(mirrored, world, async () => {
      proxy.freeze()
      await sleep(500)
      await own.plane.restart('kube-apiserver') // its cache begins anew
      const revision = Number(
        (await own.cluster.list({ apiVersion: 'v1', kind: 'Namespace', limit: 1 })).resourceVersion,
      )
      await compactStore(own, revision)
      proxy.thaw()
      proxy.cut()
      await until('an old revision was refused', 30, () => relists('expired') >= 1)
      const since = proxy.requests.length
      proxy.toxic = (request) => (isWatchOf('configmaps')(request) ? { answer: { status: 200, body: '' } } : undefined)
      proxy.cut()
      await sleep(8_000)
      attempts = proxy.requests.slice(since).filter(isWatchOf('configmaps')).length
      assert.ok(attempts <= 9, `${attempts} watches in 8 s`)
      assert.ok(attempts >= 2, 'it is tried again')
      proxy.toxic = () => undefined
      await until('configmaps are live', 40, () => mirrored.state('configmaps').state === 'live')
    })
    return `${changes}, ${attempts} watches in 8 s, relists ${JSON.stringify(mirror.metrics().relists)}`
  })
}

async function silent(world: World): Promise<string | undefined> {
  const timings = { watchSilence: 6_000 }
  return inMirrorWorld(async (mirrored) => {
    const { proxy, relists, state, until } = mirrored
    return inStorm(mirrored, world, async () => {
      proxy.freeze()
      await until('pods are stale while the connection is dead', 15, () => state('pods').state === 'stale')
      proxy.thaw()
      proxy.cut()
      await until('pods are live', 30, () => state('pods').state === 'live')
      // Now only events are swallowed; pings are answered.
      const swallowed = new Set<string>()
      proxy.toxic = (request) => {
        if (!isWatchOf(...STORMED)(request) || swallowed.has(request.resource)) return undefined
        swallowed.add(request.resource)
        return { frame: () => [] }
      }
      const before = relists('silent')
      proxy.cut()
      await until('the watchdog has bitten', 40, () => relists('silent') - before >= STORMED.length)
    })
  }, timings)
}

async function outOfOrder(world: World): Promise<string | undefined> {
  return inMirrorWorld(async (mirrored) => {
    const { proxy } = mirrored
    return inStorm(mirrored, world, async () => {
      proxy.toxic = (request) => (isWatchOf(...STORMED)(request) ? { frame: confused(world.random) } : undefined)
      proxy.cut()
      await sleep(4_000)
      proxy.cut()
      await sleep(1_000)
    })
  })
}

async function unreadable(world: World): Promise<string | undefined> {
  return inMirrorWorld(async (mirrored) => {
    const { own, proxy, relists, log, until } = mirrored
    const changes = await inStorm(mirrored, world, async () => {
      for (const spoil of SPOILED) {
        const spoiled = new Set<string>()
        proxy.toxic = (request) => {
          const { resource } = request
          if (!isWatchOf('configmaps', 'widgets', 'pods')(request)) return undefined
          return {
            frame: ({ bytes, number }) => {
              if (number < 2 || spoiled.has(resource)) return [bytes]
              spoiled.add(resource)
              return spoil(bytes)
            },
          }
        }
        proxy.cut()
        await until('each watch got something unreadable', 20, () => spoiled.size === 3)
      }
      // A long line is no fault: an object of nearly a mebibyte, and twice that as JSON.
      const big = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big', namespace: 'storm' } }
      await own.cluster.create({ ...big, data: { text: '"'.repeat(1_000_000) } })
    })
    assert.ok(relists('unreadable') >= 8, `${relists('unreadable')} lists were read again`)
    assert.ok(
      log.some((line) => line.includes('the list is read again')),
      'the log tells of it',
    )
    return `${changes}, ${relists('unreadable')} lists read again`
  })
}

/** More configmaps than one page holds. */
async function fill({ own }: MirrorWorld, count: number): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) {
      const metadata = { name: `many-${next++}`, namespace: 'storm' }
      await own.cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
    }
  }
  await Promise.all(Array.from({ length: 12 }, lane))
}

async function unfinishedStream(world: World): Promise<string | undefined> {
  return inMirrorWorld(async (mirrored) => {
    const { proxy, relists, until } = mirrored
    await mirrored.live()
    await fill(mirrored, 1_300)
    let streams = 0
    const asOldServer = (refuses: boolean) => (request: ProxiedRequest) => {
      if (request.path === '/version') return { answer: OLD_SERVER }
      if (request.query.get('sendInitialEvents') !== 'true') return undefined
      streams++
      if (refuses)
        return { answer: { status: 422, body: '{"kind":"Status","message":"sendInitialEvents is forbidden"}' } }
      return { frame: ({ bytes, type }: Frame) => (type === 'BOOKMARK' ? [] : [bytes]) }
    }
    const readAgain = async (revision: string) => {
      mirrored.mirror.forget('victim')
      mirrored.mirror.watch({ name: 'victim', kubeconfig: proxy.kubeconfig, revision })
      return inStorm(mirrored, world, async () => {})
    }
    proxy.toxic = asOldServer(false)
    const first = await readAgain('2')
    await until('the stream was given up', 20, () => relists('stream-unfinished') >= 1)
    assert.ok(streams >= 1, 'a streaming list was asked for')
    proxy.toxic = asOldServer(true)
    streams = 0
    await readAgain('3')
    assert.ok(streams >= 1, 'a streaming list was asked for and refused')
    proxy.toxic = (request) => (request.path === '/version' ? { answer: OLD_SERVER } : undefined)
    await readAgain('4')
    return `${first}, then without streaming lists, then with them`
  })
}

async function expiredPages(world: World): Promise<string | undefined> {
  return inMirrorWorld(async (mirrored) => {
    const { proxy, mirror, relists, state } = mirrored
    await mirrored.live()
    await fill(mirrored, 2_200)
    let pages = 0
    let refusals = 0
    const body = JSON.stringify({ kind: 'Status', message: 'The provided continue parameter is too old', code: 410 })
    const states: string[] = []
    proxy.toxic = ({ path, query, resource }) => {
      if (path === '/version') return { answer: OLD_SERVER }
      if (query.get('sendInitialEvents')) return { answer: { status: 422, body: '{}' } }
      if (resource !== 'configmaps' || !query.has('continue')) return undefined
      // The second further page of each of the first three lists.
      if (++pages % 2 === 1 || refusals >= 3) return undefined
      refusals++
      states.push(state('configmaps').state)
      return { answer: { status: 410, body } }
    }
    mirror.forget('victim')
    mirror.watch({ name: 'victim', kubeconfig: proxy.kubeconfig, revision: '2' })
    const changes = await inStorm(mirrored, world, async () => {})
    assert.ok(refusals > 0, 'a page was refused')
    assert.ok(relists('expired') >= refusals, 'each refusal begins the list anew')
    assert.ok(
      states.every((one) => one !== 'live'),
      `a list of which a page is missing was called ${states}`,
    )
    return `${changes}, ${refusals} pages refused`
  })
}

async function restored(world: World): Promise<string | undefined> {
  return inMirrorWorld(async (mirrored) => {
    const { own, proxy, relists, until, live, same } = mirrored
    const gap = await inStorm(mirrored, world, () => saveStore(own))
    const before = startStorm(own.cluster, world.random)
    await sleep(2_000)
    const lost = await before.stop()
    await same()
    proxy.freeze() // the mirror does not see how it happens
    await putStoreBack(own)
    proxy.thaw()
    proxy.cut()
    await until('it is noticed', 60, () => relists('backwards') > 0)
    await live()
    const after = startStorm(own.cluster, world.random)
    await sleep(1_000)
    const changes = await after.stop()
    await same()
    return `${gap}, ${lost} lost with the store, ${changes} after; ${relists('backwards')} kinds listed again`
  })
}

/** What the mirror promises when what it reads from goes wrong. Each ends with lists equal to the API server's. */
export const mirrorRows: Row[] = [
  {
    id: 'F30',
    what: 'mirror: kill -9 of the API server in a storm: stale and readable, then the same',
    rounds: 2,
    run: killed,
  },
  {
    id: 'F31',
    what: 'mirror: 410 on resume and ERROR in the middle of a watch: listed again, once each',
    rounds: 2,
    run: expired,
  },
  {
    id: 'F32',
    what: 'mirror: the store was compacted behind us; watches end at once and empty: no busy loop',
    rounds: 1,
    run: compacted,
  },
  {
    id: 'F33',
    what: 'mirror: a dead connection is stale in seconds, a silent watch is begun anew',
    rounds: 1,
    run: silent,
  },
  {
    id: 'F34',
    what: 'mirror: bookmarks out of order, events twice, late and of unknown objects are harmless',
    rounds: 3,
    run: outOfOrder,
  },
  {
    id: 'F35',
    what: 'mirror: events cut, corrupted, not UTF-8, too long: listed again, counted, logged',
    rounds: 2,
    run: unreadable,
  },
  {
    id: 'F36',
    what: 'mirror: a streaming list that never ends, and a server without: a list instead, no row twice',
    rounds: 1,
    run: unfinishedStream,
  },
  {
    id: 'F37',
    what: 'mirror: a page token expires: the list begins anew and is not called whole before it is',
    rounds: 2,
    run: expiredPages,
  },
  {
    id: 'F38',
    what: 'mirror: the store is restored from a backup: noticed, everything listed again',
    rounds: 2,
    run: restored,
  },
]
