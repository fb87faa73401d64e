import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { programPath } from './host.ts'
import { installHostPackages } from './host-packages.ts'
import type { ProgressEvent } from './progress.ts'

const root = process.platform === 'linux' && process.getuid?.() === 0 && programPath('apt-get') !== undefined

test.skipIf(!root)(
  'each package is told with its reason before anything is installed',
  { timeout: 300_000 },
  async () => {
    const events: ProgressEvent[] = []
    await installHostPackages([{ name: 'mount', reason: 'unmounts what containers leave' }], (event) =>
      events.push(event),
    )
    expect(events[0]).toMatchObject({
      stage: 'host',
      component: 'mount',
      state: 'waiting',
      detail: expect.stringContaining('unmounts'),
    })
    expect(events[1]).toMatchObject({ component: 'debian-packages', state: 'running', detail: 'apt-get install mount' })
    expect(events.at(-1)).toMatchObject({ component: 'debian-packages', state: 'done' })
  },
)

test.skipIf(!root)('a user who may not install is told what to install and how', () => {
  const script = `
    const { installHostPackages } = await import(${JSON.stringify(join(import.meta.dirname, 'host-packages.ts'))})
    await installHostPackages([{ name: 'nftables', reason: 'Services are nftables rules' }]).catch((error) =>
      console.log(JSON.stringify({ ...error, message: error.message })))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    uid: 65_534,
    gid: 65_534,
    encoding: 'utf8',
  })
  expect(JSON.parse(stdout)).toMatchObject({
    reason: 'HostPackagesMissing',
    message: expect.stringContaining('nftables (Services are nftables rules)'),
    cure: expect.stringContaining('apt-get install nftables'),
  })
})
