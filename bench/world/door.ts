import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { PASSWORD, signIn } from '../../test/platform/platform.ts'
import { type ServerProcess, serverProcess } from '../../test/platform/server-process.ts'
import { usageOf } from './usage.ts'

/** The server as users start it, with a session: every request goes through the real HTTP door. */
export interface Door {
  readonly url: string
  /** Process id of the server now. */
  pid(): number
  /** As a browser sends it. */
  readonly cookie: string
  /** The answer's body, parsed. Throws when it is no success. */
  get<T>(path: string): Promise<T>
  /** The bare answer, unparsed; over a connection that is kept. */
  bytes(path: string): Promise<Buffer>
  cpuSeconds(): number
  close(): Promise<void>
}

/** The door of the whole server. */
export interface ServerDoor extends Door {
  readonly server: ServerProcess
}

export interface DoorOptions {
  kubeconfigFile: string
  /** Pods that the server must have before it is called ready. */
  pods: number
  environment?: Record<string, string>
}

/** Starts the server on a cluster, signs in and waits until it has every pod. */
export async function openDoor({ kubeconfigFile, pods, environment = {} }: DoorOptions): Promise<ServerDoor> {
  const server = await serverProcess({
    environment: {
      QUARTERDECK_ADMIN_PASSWORD: PASSWORD,
      QUARTERDECK_KUBECONFIG: kubeconfigFile,
      QUARTERDECK_REGISTRIES: '',
      ...environment,
    },
  })
  server.start()
  await server.ready()
  const door = await doorOf(server.url, () => server.pid() ?? 0, server.dispose)
  await complete(door, pods)
  return { ...door, server }
}

/** Signs in to a server that runs. */
export async function doorOf(url: string, pid: () => number, end: () => Promise<void>): Promise<Door> {
  const cookie = await signIn(url)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const bytes = (path: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const outgoing = request(`${url}/api/v1${path}`, { agent, headers: { cookie } }, (incoming) => {
      incoming.toArray().then((chunks) => {
        const body = Buffer.concat(chunks)
        if (incoming.statusCode === 200) resolve(body)
        else reject(new Error(`${path} answers ${incoming.statusCode}: ${body.toString('utf8').slice(0, 300)}`))
      }, reject)
    })
    outgoing.on('error', reject)
    outgoing.end()
    return promise
  }
  const get = async <T>(path: string) => JSON.parse((await bytes(path)).toString('utf8')) as T
  return {
    url,
    pid,
    cookie,
    get,
    bytes,
    cpuSeconds: () => usageOf(pid()).cpuSeconds,
    async close() {
      agent.destroy()
      await end()
    },
  }
}

interface Page {
  total: number
  freshness: { state: string }[]
}

/** Waits until so many pods are listed and the list is live. */
export async function complete(door: Door, pods: number, limitSeconds = 300): Promise<void> {
  const until = performance.now() + limitSeconds * 1000
  for (;;) {
    const page = await door.get<Page>('/objects/pods?limit=1').catch(() => undefined)
    if (page && page.total >= pods && page.freshness.every(({ state }) => state === 'live')) return
    if (performance.now() > until)
      throw new Error(`The server has ${page?.total ?? 'no'} pods of ${pods} after ${limitSeconds} s`)
    await sleep(20)
  }
}

/** Every pod as the server lists it: uid and revision by `namespace/name`. */
export async function allPods(door: Door): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let offset = 0; ; offset += 1_000) {
    const page = await door.get<{ total: number; rows: { uid: string; revision: string; values: string[] }[] }>(
      `/objects/pods?columns=namespace,name&limit=1000&offset=${offset}`,
    )
    for (const { uid, revision, values } of page.rows) found.set(`${values[0]}/${values[1]}`, `${uid} ${revision}`)
    if (offset + 1_000 >= page.total) return found
  }
}
