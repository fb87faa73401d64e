import { fork } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeEnvironment, nodeFlags } from '../../scripts/node-options.mjs'
import { root } from '../../scripts/stage.ts'
import { complete, type Door, doorOf } from './door.ts'

export interface ReaderDoorRequest {
  stateFolder: string
  featuresFolder: string
  kubeconfig: string
  namespaces: string[]
}

export interface ReaderDoorOptions {
  kubeconfig: string
  /** What the reader may see. */
  namespaces: string[]
  /** Pods in these namespaces. */
  pods: number
  /** Folder for a CPU profile of each thread, written when the door is closed. */
  profileFolder?: string
}

/** A door whose reader sees some namespaces only, with every pod of them there. */
export async function openReaderDoor(options: ReaderDoorOptions): Promise<Door> {
  const { kubeconfig, namespaces, pods, profileFolder } = options
  const stateFolder = mkdtempSync(join(tmpdir(), 'quarterdeck-bench-door-'))
  chmodSync(stateFolder, 0o755) // PostgreSQL may run as another user
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
  const child = fork(join(import.meta.dirname, 'reader-door.process.ts'), {
    execArgv: [...nodeFlags, ...profile],
    env: { ...nodeEnvironment(root), ...process.env },
  })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  child.once('message', ({ url }: { url: string }) => resolve(url))
  child.once('exit', (status) => reject(new Error(`The door has ended with ${status}`)))
  child.send({
    stateFolder,
    featuresFolder: join(root, 'features'),
    kubeconfig,
    namespaces,
  } satisfies ReaderDoorRequest)
  const end = async () => {
    child.disconnect()
    await ended
    rmSync(stateFolder, { recursive: true, force: true, maxRetries: 5 })
  }
  const door = await doorOf(await promise, () => child.pid ?? 0, end)
  await complete(door, pods)
  return door
}
