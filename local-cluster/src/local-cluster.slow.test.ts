import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { networkOf, readInstance, runFolderOf } from './instance.ts'
import { markedProcesses } from './live-process.ts'
import { type LocalCluster, localCluster } from './local-cluster.ts'
import { mountsBelow } from './node-cleanup.ts'
import { obtain } from './obtain.ts'
import { type ProgressEvent, stagesOf } from './progress.ts'
import type { ClusterStatus } from './status.ts'

const root = process.platform === 'linux' && process.getuid?.() === 0
const events: ProgressEvent[] = []
let folder: string
let cluster: LocalCluster
let seen: ClusterStatus
let kubectlFile: string

/** kubectl of the cluster; answers what it prints. */
const kubectl = (...args: string[]) =>
  execFileSync(kubectlFile, ['--kubeconfig', cluster.kubeconfigFile, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })

const pidOf = async (component: string) =>
  (await cluster.status()).components.find((one) => one.component === component)?.pid ?? 0

/** A process of its own that brings the same cluster up. */
function starter(): ChildProcess {
  const script = `
    import { localCluster } from ${JSON.stringify(join(import.meta.dirname, 'local-cluster.ts'))}
    await localCluster({ stateFolder: ${JSON.stringify(join(folder, 'cluster'))}, metrics: false }).up()`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
}

/** Body of an answer, over a connection of its own; undefined when there is none within five seconds. */
function text(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const outgoing = get(url, { agent: false, timeout: 5000, headers: ACCEPT }, (incoming) => {
      incoming.toArray().then(
        (chunks) => resolve(Buffer.concat(chunks).toString('utf8')),
        () => resolve(undefined),
      )
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', () => resolve(undefined))
  })
}

const ACCEPT = { accept: 'application/vnd.oci.image.manifest.v1+json, */*' }

describe.skipIf(!root)('a cluster with a real node', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'qd-real-'))
    cluster = localCluster({
      stateFolder: join(folder, 'cluster'),
      name: 'slow-test',
      onProgress: (event) => events.push(event),
    })
    kubectlFile = (await obtain(['kubernetes'])).executable('kubectl')
  }, 1_200_000)

  afterAll(async () => {
    await cluster.reset()
    rmSync(folder, { recursive: true, force: true })
  }, 120_000)

  test('[CLU-26] a start that is killed at any moment is finished by the next one', { timeout: 300_000 }, async () => {
    for (const milliseconds of [120, 350, 700, 1300, 2200, 3500, 5000]) {
      const child = starter()
      // A quick machine is done before the last kill.
      const closed = once(child, 'close')
      await delay(milliseconds)
      child.kill('SIGKILL')
      await closed
    }
    await (await cluster.up()).extras
    seen = await cluster.status()
    expect(seen).toMatchObject({ state: 'Running', mode: 'node', version: expect.stringMatching(/^v1\.36\./) })
    expect(seen.components.every((one) => one.running)).toBe(true)
    const ids = markedProcesses('QUARTERDECK_INSTANCE', join(folder, 'cluster')).map(
      (one) => one.environment.QUARTERDECK_COMPONENT,
    )
    for (const { component } of seen.components) {
      if (component !== 'containerd')
        expect(
          ids.filter((id) => id === component),
          component,
        ).toHaveLength(1)
    }
  })

  test('a second start changes nothing', async () => {
    const before = await cluster.status()
    expect(await cluster.up()).toMatchObject({ started: false })
    const pids = (status: ClusterStatus) => status.components.map((one) => one.pid)
    expect(pids(await cluster.status())).toEqual(pids(before))
    expect(stagesOf(events).map((stage) => [stage.stage, stage.state])).toEqual(
      ['host', 'obtain', 'control-plane', 'node', 'addons', 'images'].map((stage) => [stage, 'done']),
    )
  })

  test('a pod of the sample image runs and answers logs and exec through the kubelet', {
    timeout: 120_000,
  }, async () => {
    kubectl(
      'create',
      'deployment',
      'hello',
      '--image',
      `${cluster.registry}/hello:1`,
      '--replicas',
      '2',
      '--port',
      '8080',
    )
    kubectl('wait', '--for=condition=Available', 'deployment/hello', '--timeout=90s')
    // Without a readiness probe a pod counts as available before its program has said anything.
    await expect
      .poll(() => kubectl('logs', 'deployment/hello'), { timeout: 20_000 })
      .toContain('hello 1 listens on port 8080')
    expect(kubectl('exec', 'deployment/hello', '--', '/bin/sh', '-c', 'id -u; echo $VERSION')).toBe('10001\n1\n')
  })

  test('[CLU-14] the kubelet tells its node’s state and the containers’ metrics through the API server', {
    timeout: 60_000,
  }, async () => {
    const node = JSON.parse(kubectl('get', 'node', 'node-1', '-o', 'json'))
    expect(node.status.nodeInfo.kubeletVersion).toBe(seen.version)
    const types = node.status.conditions.map((one: { type: string }) => one.type)
    expect(types).toEqual(expect.arrayContaining(['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready']))
    // cAdvisor notices a new container within ten seconds.
    const metrics = () => kubectl('get', '--raw', '/api/v1/nodes/node-1/proxy/metrics/cadvisor')
    await expect
      .poll(metrics, { timeout: 40_000, interval: 1000 })
      .toMatch(/container_memory_working_set_bytes\{container="hello"/)
    expect(kubectl('get', '--raw', '/api/v1/nodes/node-1/proxy/healthz')).toBe('ok')
  })

  test('[TRF-05] [TRF-16] a Service’s port answers on the node’s address and on loopback, spread over the pods', async () => {
    kubectl('expose', 'deployment', 'hello', '--type', 'NodePort', '--port', '80', '--target-port', '8080')
    const service = JSON.parse(kubectl('get', 'service', 'hello', '-o', 'json'))
    const { nodePort } = service.spec.ports[0]
    const addresses = [`${seen.nodeAddress}:${nodePort}`, `127.0.0.1:${nodePort}`, `${service.spec.clusterIP}:80`]
    for (const address of addresses) {
      await expect.poll(() => text(`http://${address}/`), { timeout: 10_000 }).toContain('"version":"1"')
      const hosts = new Set<string>()
      for (let tries = 0; tries < 60 && hosts.size < 2; tries++) {
        hosts.add(JSON.parse((await text(`http://${address}/`)) ?? '{}').host)
      }
      expect(hosts.size, address).toBe(2)
    }
    kubectl('scale', 'deployment', 'hello', '--replicas', '1')
    kubectl('wait', '--for=jsonpath={.status.replicas}=1', 'deployment/hello', '--timeout=30s')
    expect(await text(`http://127.0.0.1:${nodePort}/metrics`)).toContain('http_requests_total')
  })

  test('names of Services are found within a pod, and a pod reaches itself through its Service', {
    timeout: 60_000,
  }, () => {
    const script = `fetch('http://hello.default.svc.cluster.local/').then((r) => r.text()).then(console.log)`
    expect(kubectl('exec', 'deployment/hello', '--', '/usr/bin/node', '-e', script)).toContain('"service":"hello"')
  })

  test('metrics-server tells what a node and a pod use', { timeout: 120_000 }, async () => {
    const items = () => {
      const list = JSON.parse(kubectl('get', '--raw', '/apis/metrics.k8s.io/v1beta1/namespaces/kube-system/pods'))
      return list.items.map((one: { metadata: { name: string } }) => one.metadata.name).join(' ')
    }
    await expect.poll(items, { timeout: 90_000, interval: 1000 }).toContain('coredns')
  })

  test('the registry lists the sample images, newest last by creation time, with ports, user and labels', async () => {
    const registry = `http://${cluster.registry}/v2`
    expect(JSON.parse((await text(`${registry}/_catalog`)) ?? '')).toMatchObject({
      repositories: expect.arrayContaining(['hello', 'shell']),
    })
    const configs = []
    for (const tag of ['1', '2']) {
      const manifest = JSON.parse((await text(`${registry}/hello/manifests/${tag}`)) ?? '')
      configs.push(JSON.parse((await text(`${registry}/hello/blobs/${manifest.config.digest}`)) ?? ''))
    }
    const [first, second] = configs
    expect(Date.parse(second.created)).toBeGreaterThan(Date.parse(first.created))
    expect(first.config).toMatchObject({ User: '10001', ExposedPorts: { '8080/tcp': {} }, Labels: expect.any(Object) })
  })

  test('a new image is rolled out while requests go on, and none of them fails', { timeout: 90_000 }, async () => {
    const [{ nodePort }] = JSON.parse(kubectl('get', 'service', 'hello', '-o', 'json')).spec.ports
    kubectl('patch', 'deployment', 'hello', '-p', READINESS)
    kubectl('rollout', 'status', 'deployment/hello', '--timeout=60s')
    const failed: unknown[] = []
    let going = true
    const requests = (async () => {
      for (let last = ''; going || !last.includes('"version":"2"'); await delay(10)) {
        last = (await text(`http://127.0.0.1:${nodePort}/`)) ?? ''
        if (!last.includes('"service":"hello"')) failed.push(last)
      }
    })()
    kubectl('set', 'image', 'deployment/hello', `hello=${cluster.registry}/hello:2`)
    kubectl('rollout', 'status', 'deployment/hello', '--timeout=60s')
    going = false
    await requests
    expect(failed).toEqual([])
  })

  test('a killed component is started again, and the pods are not disturbed', { timeout: 180_000 }, async () => {
    const restarts = () =>
      kubectl('get', 'pods', '-l', 'app=hello', '-o', 'jsonpath={.items[*].status.containerStatuses[*].restartCount}')
    for (const component of ['etcd', 'kube-apiserver', 'containerd', 'kubelet', 'kube-proxy', 'registry']) {
      const before = await pidOf(component)
      process.kill(before, 'SIGKILL')
      await (await cluster.repair()).extras
      expect(await pidOf(component), component).not.toBe(before)
      expect((await cluster.status()).state, component).toBe('Running')
    }
    expect(restarts()).toMatch(/^0( 0)*$/)
  })

  test('fake nodes join, and ordinary pods do not land on them', { timeout: 120_000 }, async () => {
    expect(await cluster.addFakeNodes(4)).toHaveLength(4)
    kubectl('wait', '--for=condition=Ready', 'node', '-l', 'quarterdeck.io/fake=true', '--timeout=60s')
    kubectl('scale', 'deployment', 'hello', '--replicas', '3')
    kubectl('rollout', 'status', 'deployment/hello', '--timeout=60s')
    const nodes = kubectl('get', 'pods', '-l', 'app=hello', '-o', 'jsonpath={.items[*].spec.nodeName}')
    expect(new Set(nodes.split(' '))).toEqual(new Set(['node-1']))
    expect(await cluster.removeFakeNodes()).toBe(4)
    expect(await cluster.addFakeNodes(1)).toEqual(['fake-0'])
  })

  test('a stop leaves no process, mount, control group, route or table behind, and the next start has all again', {
    timeout: 240_000,
  }, async () => {
    const network = networkOf(readInstance(join(folder, 'cluster'))?.index ?? -1)
    const state = join(folder, 'cluster')
    await cluster.down()
    expect(markedProcesses('QUARTERDECK_INSTANCE', state)).toEqual([])
    expect(mountsBelow([state, runFolderOf(state)])).toEqual([])
    expect(existsSync(runFolderOf(state))).toBe(false)
    expect(existsSync(`/run/netns/${network.networkNamespace}`)).toBe(false)
    expect(existsSync(`/sys/class/net/${network.link}`)).toBe(false)
    expect(execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' })).not.toContain(`${network.table}\n`)
    const groups = readdirSync('/sys/fs/cgroup').filter((one) =>
      existsSync(join('/sys/fs/cgroup', one, network.cgroup)),
    )
    expect(groups).toEqual([])
    expect((await cluster.status()).state).toBe('Stopped')

    expect(await cluster.up()).toMatchObject({ started: true })
    kubectl('wait', '--for=condition=Available', 'deployment/hello', '--timeout=60s')
    const [{ nodePort }] = JSON.parse(kubectl('get', 'service', 'hello', '-o', 'json')).spec.ports
    await expect.poll(() => text(`http://127.0.0.1:${nodePort}/`), { timeout: 20_000 }).toContain('"version":"2"')
  })

  test('the kubeconfig is the owner’s alone', () => {
    expect(readFileSync(cluster.kubeconfigFile, 'utf8')).toContain('current-context: slow-test')
    expect(execFileSync('stat', ['-c', '%a', cluster.kubeconfigFile], { encoding: 'utf8' }).trim()).toBe('600')
  })
})

const READINESS = JSON.stringify({
  spec: {
    replicas: 2,
    strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: {
      spec: {
        containers: [{ name: 'hello', readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 } }],
      },
    },
  },
})
