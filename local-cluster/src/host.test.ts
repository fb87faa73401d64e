import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hasIpVs, hostCapabilities } from './host.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'qd-host-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function modules(file: string, text: string): void {
  mkdirSync(join(root, 'lib/modules/6.1.0'), { recursive: true })
  writeFileSync(join(root, 'lib/modules/6.1.0', file), text)
}

test('ip_vs is found when it is loaded, built in or a module that can be loaded', () => {
  modules('modules.dep', 'kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz\n')
  expect(hasIpVs(root, '6.1.0')).toBe(true)
  rmSync(join(root, 'lib'), { recursive: true })
  modules('modules.builtin', 'kernel/net/netfilter/ipvs/ip_vs.ko\n')
  expect(hasIpVs(root, '6.1.0')).toBe(true)
  rmSync(join(root, 'lib'), { recursive: true })
  mkdirSync(join(root, 'proc/net'), { recursive: true })
  writeFileSync(join(root, 'proc/net/ip_vs'), '')
  expect(hasIpVs(root, '6.1.0')).toBe(true)
})

test('ip_vs is not found where only a scheduler of another name is', () => {
  modules('modules.dep', 'kernel/net/netfilter/nf_conntrack.ko.xz:\n')
  expect(hasIpVs(root, '6.1.0')).toBe(false)
})

test('a kernel without ip_vs and version 1 control groups are said in plain sentences', async () => {
  mkdirSync(join(root, 'sys/fs/cgroup/memory'), { recursive: true })
  const host = await hostCapabilities({ rootFolder: root })
  expect(host.ipVs).toBe(false)
  expect(host.sentences.join(' ')).toContain('no ip_vs')
  expect(host.cgroupVersion).toBe(1)
  expect(host.sentences.join(' ')).toContain('control groups version 1')
})

test('without Go, cache and binary source there is no mode, and it is said why', async () => {
  const host = await hostCapabilities({ go: join(root, 'go'), cacheFolder: root, source: '' })
  expect(host.mode).toBe('none')
  expect(host.goVersion).toBeUndefined()
  expect(host.sentences[0]).toContain('No local cluster can be brought up')
})

const isRoot = process.platform === 'linux' && process.getuid?.() === 0

test.skipIf(!isRoot)('what a real node needs from Debian is named, each with what it is for', async () => {
  const { debianPackages, sentences } = await hostCapabilities({ programFolders: [root], cacheFolder: root })
  const names = debianPackages.map((one) => one.name)
  expect(names).toEqual(expect.arrayContaining(['iproute2', 'nftables', 'catatonit', 'busybox-static']))
  for (const { reason } of debianPackages) expect(reason.length).toBeGreaterThan(10)
  expect(sentences.join(' ')).toContain('nftables')
})
