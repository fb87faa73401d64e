import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import { notFound } from '@quarterdeck/kernel'
import { type NodeCluster, nodeCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { downloadLogs, type LogFrame, type LogLine, readLogs } from './log.contract.ts'
import { logRoutes } from './log.routes.ts'

const POD = { apiVersion: 'v1', kind: 'Pod' }

interface ContainerStatus {
  state: { running?: object; terminated?: object; waiting?: { reason?: string } }
  restartCount: number
}

describe('logs of a real node', () => {
  let node: NodeCluster
  let namespace: string
  let server: Server
  let url: string
  let client: Client

  beforeAll(async () => {
    node = await nodeCluster()
    namespace = await node.namespace('log')
    server = await createServer({
      authenticate: async ({ token }) => ({ name: 'ann', kind: 'token', permissions: token === 'all' ? ['*'] : [] }),
      logLevel: 'silent',
    })
    logRoutes(server, {
      environment: async (name) => {
        if (name !== 'dev') throw notFound({ detail: `There is no environment ${name}` })
        return { cluster: node.cluster, person: node.cluster, namespace }
      },
    })
    url = await server.listen(0)
    client = createClient({ baseUrl: url, token: 'all' })
  }, 600_000)
  afterAll(async () => {
    await server?.close()
    await node?.close()
  })

  /** A pod of an application whose only container runs a script; resolves when it has started. */
  async function run(application: string, name: string, script: string, restartPolicy = 'Never') {
    const containers = [{ name: 'main', image: `${node.registry}/shell:1`, command: ['sh', '-c', script] }]
    await node.cluster.create({
      ...POD,
      metadata: { name, namespace, labels: { 'app.kubernetes.io/instance': application } },
      spec: { restartPolicy, terminationGracePeriodSeconds: 0, containers },
    })
    await until(name, ({ state, restartCount }) => Boolean(state.running || state.terminated || restartCount))
  }
  async function until(name: string, reached: (status: ContainerStatus) => boolean) {
    for (;;) {
      const pod = await node.cluster.get({ ...POD, namespace, name })
      const [status]: ContainerStatus[] = pod?.status?.containerStatuses ?? []
      if (status && reached(status)) return
      await sleep(100)
    }
  }
  const call = (application: string, query = {}) => ({ params: { environment: 'dev', application }, query })
  const read = async (application: string, query = {}): Promise<LogFrame[]> => {
    const frames: LogFrame[] = []
    for await (const frame of client.lines(readLogs, call(application, query))) frames.push(frame)
    return frames
  }
  const isLine = (frame: LogFrame): frame is LogLine => 'text' in frame
  const texts = (frames: LogFrame[]) => frames.filter(isLine).map(({ text }) => text)

  test('[APP-24] the logs of all pods come merged in the order of time, and of one pod alone', {
    timeout: 180_000,
  }, async () => {
    const script = 'for i in $(seq 1 40); do echo line $i; sleep 0.02; done'
    await Promise.all(['a', 'b', 'c'].map((name) => run('merged', `merged-${name}`, script)))
    for (const name of ['a', 'b', 'c']) await until(`merged-${name}`, ({ state }) => 'terminated' in state)
    const lines = (await read('merged')).filter(isLine)
    expect(lines).toHaveLength(120)
    expect(lines.map(({ time }) => time)).toEqual(lines.map(({ time }) => time).sort())
    expect(new Set(lines.map(({ pod }) => pod)).size).toBe(3)
    expect(lines.findIndex(({ pod }) => pod !== lines[0]?.pod)).toBeLessThan(40)
    expect(await read('merged', { tailLines: 7 })).toEqual(lines.slice(-7))
    const one = (await read('merged', { pod: 'merged-b', tailLines: 2 })).filter(isLine)
    expect(one.map(({ pod, text }) => `${pod} ${text}`)).toEqual(['merged-b line 39', 'merged-b line 40'])
    expect(texts(await read('merged', { search: 'LINE 40' }))).toEqual(['line 40', 'line 40', 'line 40'])
    expect(texts(await read('merged', { search: 'line 4', tailLines: 1 }))).toEqual(['line 40'])
    expect(texts(await read('merged', { search: '.*' }))).toEqual([])
  })

  test('following sees new pods and new runs of a container, and gives no line twice', {
    timeout: 180_000,
  }, async () => {
    await run('followed', 'followed-a', 'for i in $(seq 1 600); do echo a $i; sleep 0.05; done')
    const frames: LogFrame[] = []
    const stop = new AbortController()
    const follow = call('followed', { follow: true, tailLines: 5 })
    const reading = (async () => {
      for await (const frame of client.lines(readLogs, follow, { signal: stop.signal })) frames.push(frame)
    })().catch(() => undefined)
    const seen = async (wanted: (frame: LogFrame) => boolean) => {
      while (!frames.some(wanted)) await sleep(50)
    }
    await seen(isLine)
    await run('followed', 'followed-b', 'echo b runs; sleep 2; exit 3', 'Always')
    await seen((frame) => 'note' in frame && frame.pod === 'followed-b' && frame.note === 'The pod is new')
    await seen((frame) => 'note' in frame && frame.note.includes('restarted once'))
    await seen(
      (frame) =>
        isLine(frame) &&
        frame.text === 'b runs' &&
        frames.filter((other) => isLine(other) && other.text === 'b runs').length > 1,
    )
    await node.cluster.remove({ ...POD, namespace, name: 'followed-b' })
    await seen((frame) => 'note' in frame && frame.note === 'The pod is gone')
    stop.abort()
    await reading
    const numbers = frames
      .filter(isLine)
      .flatMap(({ pod, text }) => (pod === 'followed-a' ? [Number(text.slice(2))] : []))
    const first = numbers[0] ?? 0
    expect(numbers).toEqual(numbers.map((_, index) => first + index))
    expect(numbers.length).toBeGreaterThan(20)
  })

  test('the run before the last restart can be read, and a container that has none says so', {
    timeout: 180_000,
  }, async () => {
    await run('crashed', 'crashed-a', 'echo run $(cut -d. -f1 /proc/uptime); exit 7', 'Always')
    await until('crashed-a', ({ restartCount }) => restartCount >= 1)
    // Between two runs the kubelet may not have it for a moment, and says so.
    let previous: string[] = []
    while (previous.length === 0) previous = texts(await read('crashed', { previous: true }))
    expect(previous).toEqual([expect.stringMatching(/^run \d+$/)])
    expect(await read('merged', { previous: true, pod: 'merged-a' })).toEqual([
      { note: 'main has not been restarted', pod: 'merged-a' },
    ])
  })

  test('bytes that are no text and a line without end are read within bounds', { timeout: 180_000 }, async () => {
    await run('odd', 'odd-a', `printf 'a\\377\\000b\\n'; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after`)
    await until('odd-a', ({ state }) => 'terminated' in state)
    const [binary, long, after] = texts(await read('odd'))
    expect(binary).toBe('a\ufffd\u0000b')
    expect(long?.length).toBeLessThan(70_000)
    expect(long).toContain('(cut at 64 KiB)')
    expect(after).toBe('after')
  })

  test('a reader that does not read costs little memory, and is told what it has missed', {
    timeout: 180_000,
  }, async () => {
    await run('flood', 'flood-a', 'yes "$(head -c 200 /dev/zero | tr "\\0" f)"')
    const headers = { authorization: 'Bearer all' }
    const path = `${url}/api/v1/environments/dev/applications/flood/logs?follow=true&tailLines=10`
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      request(path, { headers }, resolve).on('error', reject).end()
    })
    const before = process.memoryUsage().rss
    const pieces = response[Symbol.asyncIterator]()
    let most = 0
    let told = false
    for (let rounds = 40; !told; rounds *= 2) {
      for (let round = 0; round < rounds; round += 1) {
        await sleep(100)
        most = Math.max(most, process.memoryUsage().rss - before)
      }
      // What lies in the network's own buffers comes first.
      let end = ''
      for (let read = 0; !told && read < 16 * 2 ** 20; ) {
        const { value } = await pieces.next()
        end = end.slice(-200) + value
        read += value.length
        told = end.includes('lines are left out here')
      }
    }
    expect(most).toBeLessThan(150 * 2 ** 20)
    response.destroy()
    await node.cluster.remove({ ...POD, namespace, name: 'flood-a' })
  })

  test('a download is a text file with a safe name', async () => {
    const path = client.url(downloadLogs, call('merged', { tailLines: 2 }))
    const response = await fetch(path, { headers: { authorization: 'Bearer all' } })
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="merged-dev-\d{8}T\d{6}Z\.log"$/)
    expect(response.headers.get('content-type')).toContain('text/plain')
    const lines = (await response.text()).trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^2\d{3}-\S+ merged-[abc]\/main line 40$/)
  })

  test('a container that has not started says why, and an application without pods has none', {
    timeout: 180_000,
  }, async () => {
    const labels = { 'app.kubernetes.io/instance': 'waiting' }
    const containers = [{ name: 'main', image: `${node.registry}/nosuch:1` }]
    await node.cluster.create({ ...POD, metadata: { name: 'waiting-a', namespace, labels }, spec: { containers } })
    await until('waiting-a', ({ state }) => /Image/.test(state.waiting?.reason ?? ''))
    expect(await read('waiting')).toEqual([
      { note: expect.stringMatching(/^main has no log yet: (ErrImagePull|ImagePullBackOff)/), pod: 'waiting-a' },
    ])
    const empty = { 'app.kubernetes.io/instance': 'empty' }
    await node.cluster.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'empty', namespace, labels: empty },
      spec: {
        replicas: 0,
        selector: { matchLabels: empty },
        template: { metadata: { labels: empty }, spec: { containers } },
      },
    })
    expect(await read('empty')).toEqual([{ note: 'There is no pod' }])
  })

  test('an environment, application, pod or container that is not there is named', async () => {
    const absent = (detail: string) => ({ body: { status: 404, detail: expect.stringContaining(detail) } })
    const elsewhere = { params: { environment: 'none', application: 'merged' } }
    await expect(client.lines(readLogs, elsewhere).next()).rejects.toMatchObject(absent('no environment none'))
    await expect(read('none')).rejects.toMatchObject(absent('no application none in dev'))
    await expect(read('merged', { pod: 'merged-z' })).rejects.toMatchObject(absent('It has merged-'))
    await expect(read('merged', { container: 'side' })).rejects.toMatchObject(absent('There is main'))
    for (const query of [
      { pod: '../x' },
      { tailLines: -1 },
      { tailLines: 1e9 },
      { sinceSeconds: 0 },
      { nonsense: 1 },
    ]) {
      await expect(read('merged', query)).rejects.toMatchObject({ body: { status: 400 } })
    }
    const nobody = createClient({ baseUrl: url, token: 'none' })
    const denied = { body: { status: 403, permission: 'container.logs' } }
    await expect(nobody.lines(readLogs, call('merged')).next()).rejects.toMatchObject(denied)
    await expect(nobody.text(downloadLogs, call('merged')).next()).rejects.toMatchObject(denied)
  })
})
