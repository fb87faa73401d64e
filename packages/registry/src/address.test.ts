import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isLocalAddress, parseRegistryAddress } from './address.ts'
import { namedRegistries } from './known-registries.ts'

const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-registries-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('addresses of this machine are known in every notation', () => {
  const local = ['127.0.0.1', '127.9.9.9', '0.0.0.0', '169.254.169.254', '[::1]', '::', 'fe80::1', '::ffff:127.0.0.1']
  for (const address of [...local, 'localhost', 'a.localhost', '[::ffff:7f00:1]']) {
    expect(isLocalAddress(address), address).toBe(true)
  }
  for (const address of [
    '10.0.0.1',
    '192.168.1.1',
    '8.8.8.8',
    '2001:db8::1',
    'registry.example.com',
    'localhost.example',
  ]) {
    expect(isLocalAddress(address), address).toBe(false)
  }
  // The URL parser turns the odd notations into these.
  for (const odd of ['0x7f.1', '2130706433', '0177.0.0.1', '127.1']) {
    expect(isLocalAddress(new URL(`http://${odd}/`).hostname), odd).toBe(true)
  }
})

test('an entry of the list of registries is a host, and http:// means plain HTTP', () => {
  expect(parseRegistryAddress(' registry.example.com ')).toEqual({ host: 'registry.example.com', insecure: false })
  expect(parseRegistryAddress('https://r.example:8443/')).toEqual({ host: 'r.example:8443', insecure: false })
  expect(parseRegistryAddress('http://127.0.0.1:5000')).toEqual({ host: '127.0.0.1:5000', insecure: true })
  for (const wrong of ['', ' ', 'http://', 'a b', 'user:pass@host', 'host/path', 'host?x']) {
    expect(parseRegistryAddress(wrong), wrong).toBeUndefined()
  }
})

test('registries are taken from the environment, with credentials from a file like that of Docker', async () => {
  const file = join(folder, 'config.json')
  const auth = Buffer.from('ann:se:cret').toString('base64')
  const auths = {
    'r.example': { auth },
    'https://index.docker.io/v1/': { username: 'bob', password: 'x' },
    'other.example': {},
  }
  writeFileSync(file, JSON.stringify({ auths, credsStore: 'desktop' }))
  const environment = {
    QUARTERDECK_REGISTRIES: 'r.example, docker.io,http://127.0.0.1:5000,',
    QUARTERDECK_REGISTRY_AUTH: file,
  }
  expect(await namedRegistries(environment)).toEqual([
    { host: 'r.example', insecure: false, credentials: { username: 'ann', password: 'se:cret' } },
    { host: 'docker.io', insecure: false, credentials: { username: 'bob', password: 'x' } },
    { host: '127.0.0.1:5000', insecure: true },
  ])
  expect(await namedRegistries({})).toEqual([])
})

test('a wrong entry or file is named, and no secret is quoted', async () => {
  await expect(namedRegistries({ QUARTERDECK_REGISTRIES: 'a, b/c' })).rejects.toThrow(
    'QUARTERDECK_REGISTRIES: b/c is no',
  )
  const file = join(folder, 'broken.json')
  writeFileSync(file, '{"auths":{"r":{"auth":"c2VjcmV0"')
  const environment = { QUARTERDECK_REGISTRIES: 'r', QUARTERDECK_REGISTRY_AUTH: file }
  await expect(namedRegistries(environment)).rejects.toThrow(file)
  await expect(namedRegistries(environment)).rejects.not.toThrow('c2Vj')
  await expect(namedRegistries({ QUARTERDECK_REGISTRY_AUTH: join(folder, 'none') })).rejects.toThrow('ENOENT')
})
