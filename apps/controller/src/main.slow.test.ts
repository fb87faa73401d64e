import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKeyFile, parseKubeconfig } from '@quarterdeck/kube'
import { type TestCluster, type TestDatabase, testCluster, testDatabase } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findCluster, saveCluster } from '../../../features/cluster/cluster/cluster.store.ts'

let database: TestDatabase
let cluster: TestCluster
let home: string
const children: ChildProcess[] = []
beforeAll(async () => {
  ;[database, cluster] = await Promise.all([testDatabase(), testCluster()])
  home = mkdtempSync(join(tmpdir(), 'quarterdeck-controller-'))
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await Promise.all([database?.close(), cluster?.close()])
  rmSync(home, { recursive: true, force: true })
})

function start(environment: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH, HOME: home, QUARTERDECK_HOME: home, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  children.push(child)
  return child
}

async function registered(): Promise<void> {
  const keyFile = await openKeyFile(join(home, 'key'), { sealedRows: 0 })
  const { kubeconfig } = cluster
  const { server } = parseKubeconfig(kubeconfig)
  const registration = { name: 'one', title: 'One', origin: 'kubeconfig' as const, simulated: true, server, kubeconfig }
  await saveCluster(database.db, keyFile, registration, { replace: true })
}

const observed = async () => (await findCluster(database.db, 'one'))?.observeTime

test('a controller of its own works off what servers leave in the database, and a second one takes over when it is killed', async () => {
  await registered()
  const first = start({ DATABASE_URL: database.url })
  while (!(await observed())) await sleep(50)
  first.kill('SIGKILL')
  await once(first, 'exit')
  const before = await observed()
  const second = start({ DATABASE_URL: database.url })
  while ((await observed()) === before) await sleep(50)
  second.kill('SIGTERM')
  expect(await once(second, 'exit')).toEqual([0, null])
})

test('without a database the controller says what it needs', async () => {
  const child = start({})
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  expect((await once(child, 'exit'))[0]).toBe(2)
  expect(said).toContain('DATABASE_URL')
})
