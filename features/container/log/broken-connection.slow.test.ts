import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { readPodLogs } from '@quarterdeck/podlog'
import { createTerminals, startCommand } from '@quarterdeck/terminal'
import { type NodeCluster, nodeCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LogFrame } from './log.contract.ts'

vi.setConfig({ testTimeout: 180_000 })
let node: NodeCluster
let namespace: string
/** The same cluster, through a line that can be cut. */
let cluster: Cluster
let line: Awaited<ReturnType<typeof cuttable>>

/** A TCP line to the API server. */
async function cuttable(target: URL) {
  const sockets = new Set<Socket>()
  let cut = false
  const server: Server = createServer((near) => {
    if (cut) return void near.destroy()
    const far = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    cut(off: boolean) {
      cut = off
      if (off) for (const socket of sockets) socket.destroy()
    },
    close: () => server.close(),
  }
}

beforeAll(async () => {
  node = await nodeCluster()
  namespace = await node.namespace('broken')
  const target = new URL(node.cluster.server)
  line = await cuttable(target)
  const kubeconfig = node.kubeconfig.replaceAll(target.host, `127.0.0.1:${line.port}`)
  cluster = connectCluster({ name: 'cut', kubeconfig })
  await node.cluster.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'count', namespace, labels: { app: 'count' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: `${node.registry}/shell:1`,
          command: ['sh', '-c', 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.02; done'],
        },
      ],
    },
  })
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'count' }
  while ((await node.cluster.get(pod))?.status?.phase !== 'Running') await sleep(100)
}, 600_000)
afterAll(async () => {
  await cluster?.close()
  line?.close()
  await node?.close()
})

test('a log that is followed goes on after the connection broke, says so, and no line is missing or doubled', async () => {
  const stop = new AbortController()
  const numbers: number[] = []
  const notes: string[] = []
  const request = { namespace, labelSelector: 'app=count', follow: true, tailLines: 10, signal: stop.signal }
  const take = (frame: LogFrame) => {
    if ('note' in frame) notes.push(frame.note)
    else numbers.push(Number(frame.text))
  }
  const reading = (async () => {
    for await (const frame of readPodLogs(cluster, request)) take(frame)
  })().catch(() => undefined)
  for (const round of [1, 2]) {
    const before = numbers.length
    while (numbers.length < before + 50) await sleep(50)
    line.cut(true)
    await sleep(1_500 * round)
    line.cut(false)
  }
  const before = numbers.length
  while (numbers.length < before + 50) await sleep(50)
  stop.abort()
  await reading
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] as number) + index))
  expect(notes.some((note) => note.includes('broke off'))).toBe(true)
  expect(notes).toContain('The cluster answers again')
})

test('logs of a cluster that does not answer are a problem at once, not an empty log', async () => {
  line.cut(true)
  const request = { namespace, labelSelector: 'app=count', signal: new AbortController().signal }
  await expect(readPodLogs(cluster, request).next()).rejects.toMatchObject({
    body: { type: '/problems/cluster-unreachable' },
  })
  line.cut(false)
})

test('a terminal whose connection to the cluster breaks ends and says so', async () => {
  const started = await startCommand(cluster, { namespace, pod: 'count', container: 'main', tty: true }, ['cat'])
  if (!started) throw new Error('cat was not found')
  const { session } = createTerminals<null>().open('ann', null, { tty: true, ...started })
  const attachment = session.attach(0)
  session.write(Buffer.from('hello\r'), () => {})
  expect(String(Buffer.from((await attachment.next())?.bytes ?? []))).toContain('hello')
  line.cut(true)
  while (await attachment.next()) {}
  line.cut(false)
  expect(session.ended).toEqual({ exitCode: null, message: expect.stringContaining('connection to') })
})
