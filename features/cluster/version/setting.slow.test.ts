import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { AuditEntry } from '@quarterdeck/kernel'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { getVersionSettings, setVersionSettings, type VersionSettings } from './setting.contract.ts'
import { followVersionSettings, versionSettingRoutes } from './setting.routes.ts'
import { countVersions } from './setting.store.ts'
import { type Change, prune, record } from './version.store.ts'

let platform: Platform
const recorded: AuditEntry[] = []
const applied: VersionSettings[] = []
let unfollow: () => void = () => undefined
const initial = { unrecorded: ['pods', 'events'], keepDays: 90 }
const DAY = 86_400_000
const now = Date.parse('2026-11-21T12:00:00Z')

beforeAll(async () => {
  platform = await startPlatform({
    migrations: [import.meta.dirname],
    cluster: false,
    routes: (server, { db, store }) => {
      versionSettingRoutes(server, {
        db,
        initial,
        clusters: async () => ['one'],
        served: () => ['pods', 'events', 'configmaps', 'leases.coordination.k8s.io'],
        record: async (_, entry) => recorded.push(entry),
        now: () => now,
      })
      const apply = (settings: VersionSettings) => void applied.push(settings)
      const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as never
      unfollow = followVersionSettings({ db, initial, listen: store.listen, apply, log })
    },
  })
  const change = (resource: string, name: string, day: number, rest: Partial<Change> = {}) =>
    record(platform.db, { cluster: 'one', resource, kind: resource }, [
      {
        ...{ change: 'changed', namespace: 'shop', name, uid: name, generation: day, revision: `${name} ${day}` },
        ...{ time: now - day * DAY, manager: 'helm', managedTime: '', content: JSON.stringify({ day }) },
        ...rest,
      } as Change,
    ])
  for (const day of [80, 50, 10, 5]) await change('configmaps', 'palette', day)
  for (const day of [70, 60]) await change('deployments.apps', 'web', day)
  await change('deployments.apps', 'gone', 65)
  await change('deployments.apps', 'gone', 64, { change: 'deleted', content: '' })
})
afterAll(async () => {
  unfollow()
  await platform?.close()
})

const set = (body: object, query: object = {}) =>
  platform.client(setVersionSettings, { body: body as VersionSettings, query })

test('until somebody sets them, the settings are those the server was started with, with what is kept of each kind', async () => {
  const settings = await platform.client(getVersionSettings)
  expect(settings).toMatchObject(initial)
  expect(settings.updateTime).toBeUndefined()
  const figures = settings.kinds.map(({ resource, objects, versions }) => [resource, objects, versions])
  expect(figures.sort()).toEqual([
    ['configmaps', 1, 4],
    ['deployments.apps', 2, 4],
  ])
  expect(settings.kinds.every(({ bytes }) => bytes > 0)).toBe(true)
})

test('a shorter time says before it is saved what it will forget, and that is what is forgotten', async () => {
  const shorter = { unrecorded: ['pods'], keepDays: 30 }
  const plan = await set(shorter, { dryRun: true })
  expect(plan).toMatchObject({ saved: false, begins: ['events'], ends: [] })
  expect((await platform.client(getVersionSettings)).keepDays).toBe(90)
  expect(recorded).toEqual([])
  const before = await countVersions(platform.db)
  expect((await set(shorter)).forgets).toEqual(plan.forgets)
  while (await prune(platform.db, new Date(now - 30 * DAY).toISOString(), ['one']));
  const after = await countVersions(platform.db)
  for (const { resource, versions } of before) {
    const left = after.find((one) => one.resource === resource)?.versions ?? 0
    const forgotten = plan.forgets.find((one) => one.resource === resource)?.versions ?? 0
    expect([resource, left]).toEqual([resource, versions - forgotten])
  }
  expect(plan.forgets.map(({ resource, objects, versions }) => [resource, objects, versions]).sort()).toEqual([
    ['configmaps', 1, 2],
    ['deployments.apps', 2, 3],
  ])
})

test('settings are in force on every process as soon as they are saved, and in the audit trail with what was before', async () => {
  const next = { unrecorded: ['pods', 'leases.coordination.k8s.io'], keepDays: 7 }
  await set(next)
  await vi.waitUntil(() => applied.at(-1)?.keepDays === 7)
  expect(applied.at(-1)).toEqual(next)
  const settings = await platform.client(getVersionSettings)
  expect(settings).toMatchObject({ ...next, updatedBy: 'tester' })
  expect(recorded.at(-1)).toMatchObject({ act: 'version-setting.update', actor: 'tester', outcome: 'succeeded' })
  expect(recorded.at(-1)?.detail).toBe(
    `${JSON.stringify({ unrecorded: ['pods'], keepDays: 30 })} → ${JSON.stringify(next)}`,
  )
})

test('settings that cannot be are refused at the field and change nothing', async () => {
  const pointer = (body: object) =>
    set(body).then(
      () => 'saved',
      ({ body: problem }) => problem.errors?.[0]?.pointer,
    )
  const before = await platform.client(getVersionSettings)
  expect(await pointer({ unrecorded: [], keepDays: 0 })).toBe('/body/keepDays')
  expect(await pointer({ unrecorded: [], keepDays: 36_501 })).toBe('/body/keepDays')
  expect(await pointer({ unrecorded: [], keepDays: 1.5 })).toBe('/body/keepDays')
  expect(await pointer({ unrecorded: ['Pods'], keepDays: 7 })).toBe('/body/unrecorded/0')
  expect(await pointer({ unrecorded: ['pods', 'pods'], keepDays: 7 })).toBe('/body/unrecorded')
  expect(await pointer({ unrecorded: ['pods', 'leases'], keepDays: 7 })).toBe('/body/unrecorded/1')
  expect(await pointer({ unrecorded: [], keepDays: 7, colour: 'red' })).toBe('/body/colour')
  const suggested = await set({ unrecorded: ['leases'], keepDays: 7 }).catch((error) => error.message)
  expect(suggested).toContain('Did you mean leases.coordination.k8s.io?')
  expect(await platform.client(getVersionSettings)).toEqual(before)
})

test('[TEN-07] whoever may not set the platform up neither sees nor sets what is recorded', async () => {
  const other = platform.as({ name: 'other', permissions: ['object.get', 'object.list'] })
  const refused = { body: { status: 403 } }
  await expect(other(getVersionSettings)).rejects.toMatchObject(refused)
  await expect(other(setVersionSettings, { body: initial, query: {} })).rejects.toMatchObject(refused)
})

test('qd version-settings shows and sets the same, what is not named stays', async () => {
  const url = await platform.server.listen(0)
  const home = mkdtempSync(join(tmpdir(), 'qd-settings-'))
  const given = { PATH: process.env.PATH ?? '', HOME: home, XDG_CONFIG_HOME: home }
  const env = { ...given, QUARTERDECK_SERVER: url, QUARTERDECK_TOKEN: 'tester' }
  const qd = (...args: string[]) =>
    promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, '../../../apps/cli/bin/qd.mjs'), 'version-settings', ...args],
      { env },
    )
  await set({ unrecorded: ['pods'], keepDays: 60 })
  const dry = await qd('set', '--leave-out', 'events', '--dry-run')
  expect(dry.stderr).toContain('Nothing that is kept will be forgotten')
  await qd('set', '--leave-out', 'events', '--record', 'pods')
  expect(await platform.client(getVersionSettings)).toMatchObject({ unrecorded: ['events'], keepDays: 60 })
  const shown = await qd('get')
  expect(shown.stderr).toContain('Kept for 60 days. Not recorded: events')
  expect(shown.stdout).toMatch(/^configmaps +1 +2 /m)
  rmSync(home, { recursive: true })
})
