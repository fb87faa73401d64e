import type { Client } from '@quarterdeck/client'
import { ensureEnvironment, openDatabase, PASSWORD, tokenClient } from '../platform/platform.ts'
import { type ServerProcess, serverProcess } from '../platform/server-process.ts'
import type { TestCluster } from '../platform/test-cluster.ts'
import { type Deploy, type DeployStream, sendAgain, startDeploys } from './deploy-stream.ts'
import { checkInvariants, settle } from './invariants.ts'
import type { Random } from './random.ts'

/** What every row of the catalogue gets. */
export interface World {
  cluster: TestCluster
  random: Random
  seed: number
  /** Ends with the row. */
  servers: ServerProcess[]
}

/** A server with an environment that deploys go to, and everything that was ever sent to it. */
export interface Victim {
  server: ServerProcess
  environment: string
  client: Client
  deploys: Deploy[]
  /** Starts a stream of deploys; what it sends is kept in `deploys`. */
  stream(each?: number): DeployStream
  /** Sends this stream's deploys again under their keys, waits until all have ended, and checks I1–I3 for all. */
  check(stream: DeployStream): Promise<void>
}

const APPLICATIONS = Array.from({ length: 10 }, (_, n) => `app-${n}`)
let victims = 0

/** Starts a server of its own on the shared cluster. */
export async function startVictim(world: World): Promise<Victim> {
  const environment = `fault-${process.pid}-${++victims}`
  const server = await serverProcess({
    environment: { ...world.cluster.environment, QUARTERDECK_ADMIN_PASSWORD: PASSWORD },
  })
  world.servers.push(server)
  server.start()
  await server.ready()
  const client = await tokenClient(server.url)
  await ensureEnvironment(client, environment)
  const deploys: Deploy[] = []
  let streams = 0
  const options = (each: number) => ({
    client,
    environment,
    image: world.cluster.image,
    applications: APPLICATIONS,
    each,
    prefix: `${world.seed}-${++streams}`,
  })
  return {
    server,
    environment,
    client,
    deploys,
    stream(each = 3) {
      const started = startDeploys(options(each))
      return started
    },
    async check(stream) {
      await sendAgain(options(0), stream.sent)
      deploys.push(...stream.sent)
      await settle(client)
      const store = await openDatabase(server)
      try {
        await checkInvariants(store, world.cluster.kube, environment, deploys)
      } finally {
        await store.close()
      }
    },
  }
}
