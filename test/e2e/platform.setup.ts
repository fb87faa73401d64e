import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { localCluster } from '@quarterdeck/local-cluster'
import { root } from '../../scripts/stage.ts'
import { serverProcess } from '../platform/server-process.ts'

/** Where set-up leaves what the stories need to know. */
export const platformFile = join(root, '.tmp/e2e-platform.json')

/** What every story may use. */
export interface E2ePlatform {
  url: string
  /** The one-time link for the first administrator. */
  firstLink: string
  /** Registry with hello:1, hello:2 and shell:1. */
  registry: string
  /** False where nodes are simulated and containers do not really run. */
  real: boolean
  kubeconfigFile: string
}

/** Starts the platform as a stranger does, on a state folder and a local cluster of its own; ends both afterwards. */
export default async function startPlatform(): Promise<() => Promise<void>> {
  // Stories against a platform that runs already: its description, as below. Use it with --no-deps.
  if (process.env.E2E_PLATFORM) {
    copyFileSync(process.env.E2E_PLATFORM, platformFile)
    return async () => {}
  }
  const server = await serverProcess()
  // With a password given, single stories can run without the set-up one: playwright test cli --no-deps
  server.start({ QUARTERDECK_ADMIN_PASSWORD: process.env.E2E_ADMIN_PASSWORD ?? '' })
  const cluster = localCluster({ stateFolder: join(server.home, 'cluster') })
  try {
    await server.ready(15 * 60)
    const status = await cluster.status()
    const platform: E2ePlatform = {
      url: server.url,
      firstLink: /https?:\/\/\S+\/first#\S+/.exec(server.log())?.[0] ?? '',
      registry: cluster.registry ?? '',
      real: status.mode === 'node',
      kubeconfigFile: cluster.kubeconfigFile,
    }
    mkdirSync(join(root, '.tmp'), { recursive: true })
    writeFileSync(platformFile, JSON.stringify(platform))
  } catch (error) {
    await server.dispose({ keep: true })
    await cluster.reset()
    throw error
  }
  return async () => {
    await server.end('SIGTERM')
    await cluster.reset()
    await server.dispose()
  }
}
