import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isProblem, notFound } from '@quarterdeck/kernel'
import { createTestAuthority } from '@quarterdeck/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import {
  connectCluster,
  createClusters,
  findKeyFile,
  invalidKubeconfig,
  openKeyFile,
  parseKubeconfig,
  readKubeconfigFile,
} from './index.ts'

const authority = createTestAuthority()
const client = authority.issue({ commonName: 'admin', days: 200 })
const base64 = (text: string) => Buffer.from(text).toString('base64')

interface Parts {
  cluster?: object
  user?: object
  file?: object
}
const kubeconfig = ({ cluster = {}, user = { token: 't' }, file = {} }: Parts = {}) =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://api.example.com:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
      { name: 'two', context: { cluster: 'c', user: 'gone' } },
    ],
    'current-context': 'one',
    ...file,
  })

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-kubeconfig-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('a kubeconfig with everything inside is read, warnings included', () => {
  const user = { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) }
  const cluster = { 'certificate-authority-data': base64(authority.certificate), 'tls-server-name': 'api' }
  expect(parseKubeconfig(kubeconfig({ user, cluster }))).toEqual({
    contextName: 'one',
    server: 'https://api.example.com:6443',
    namespace: 'shop',
    tlsServerName: 'api',
    skipTlsVerify: false,
    ca: authority.certificate,
    certificate: client.certificate,
    key: client.key,
    warnings: [],
  })
  const careless = parseKubeconfig(kubeconfig({ cluster: { 'insecure-skip-tls-verify': true } }))
  expect(careless.warnings).toEqual([expect.stringMatching(/insecure-skip-tls-verify.*certificate-authority-data/)])
  const soon = new Date(Date.now() + 190 * 24 * 3600 * 1000)
  expect(parseKubeconfig(kubeconfig({ user }), { now: soon }).warnings[0]).toMatch(/client certificate expires on/)
})

const later = new Date(Date.now() + 400 * 24 * 3600 * 1000)
const pair = { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) }
test.each<[string, string, RegExp, Date?]>([
  ['tabs instead of blanks', 'clusters:\n\t- a', /^the file: is not YAML/],
  ['a list', '- a\n- b', /^the file: is not a kubeconfig/],
  ['nothing', '', /^the file: is not a kubeconfig/],
  ['clusters that are no list', kubeconfig({ file: { clusters: 'c' } }), /^clusters: /],
  ['another kind', kubeconfig({ file: { kind: 'Pod' } }), /^kind: /],
  [
    'no user of that name',
    kubeconfig({ file: { 'current-context': 'two' } }),
    /^users: has no entry named gone, which contexts\[1\]/,
  ],
  ['no current context', kubeconfig({ file: { 'current-context': '' } }), /^current-context: is not set.*one, two/],
  [
    'a server that is no address',
    kubeconfig({ cluster: { server: 'api' } }),
    /^clusters\[0\]\.cluster\.server: is not an address/,
  ],
  ['a server of another protocol', kubeconfig({ cluster: { server: 'file:///etc' } }), /server: begins with file:/],
  [
    'a path to its authority',
    kubeconfig({ cluster: { 'certificate-authority': 'ca.crt' } }),
    /certificate-authority: is a path \(ca\.crt\)/,
  ],
  [
    'an authority that is not base64',
    kubeconfig({ cluster: { 'certificate-authority-data': '%%' } }),
    /is not base64 of a PEM/,
  ],
  [
    'PEM where base64 belongs',
    kubeconfig({ cluster: { 'certificate-authority-data': authority.certificate } }),
    /is PEM, not base64/,
  ],
  ['a proxy', kubeconfig({ cluster: { 'proxy-url': 'http://proxy' } }), /proxy-url: is not supported/],
  ['a password', kubeconfig({ user: { username: 'a', password: 'b' } }), /username: is basic authentication/],
  ['a token file', kubeconfig({ user: { tokenFile: '/etc/shadow' } }), /tokenFile: is a path/],
  ['an identity to pretend', kubeconfig({ user: { token: 't', as: 'root' } }), /as: impersonates/],
  ['an expired certificate', kubeconfig({ user: pair }), /client-certificate-data: expired on 20\d\d-.*Renew/, later],
])('%s is refused with field and cure', (_what, text, sentence, now) => {
  const parse = () => parseKubeconfig(text, now ? { now } : {})
  expect(parse).toThrow(sentence)
  expect(parse).toThrow(expect.toSatisfy((error) => isProblem(error, invalidKubeconfig)))
})

test('a text that would grow without end by aliases is refused', () => {
  const lines = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (let index = 0; index < 9; index++) {
    const [from, to] = ['abcdefghij'[index], 'abcdefghij'[index + 1]]
    lines.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(',')}]`)
  }
  expect(() => parseKubeconfig(lines.join('\n'))).toThrow(/aliases/)
})

test('a file of this machine is read with the files it names, so that it can be sent', async () => {
  await writeFile(join(folder, 'ca.crt'), authority.certificate)
  await writeFile(join(folder, 'token'), 'secret\n')
  const path = join(folder, 'config')
  const cluster = { 'certificate-authority': 'ca.crt' }
  await writeFile(path, kubeconfig({ cluster, user: { tokenFile: join(folder, 'token') } }))
  expect(parseKubeconfig(await readKubeconfigFile(path))).toMatchObject({ ca: authority.certificate, token: 'secret' })
  await expect(readKubeconfigFile(join(folder, 'gone'))).rejects.toThrow(/gone: cannot be read \(ENOENT\)/)
})

test('a credential plugin runs only where the operator allows it, and what it prints is used', async () => {
  const plugin = join(folder, 'plugin')
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'made' },
  }
  const print = `test -n "$KUBERNETES_EXEC_INFO" && echo '${JSON.stringify(credential)}'`
  await writeFile(plugin, `#!/bin/sh\nenv > ${join(folder, 'seen')}\n${print}\n`)
  await chmod(plugin, 0o755)
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './plugin',
    env: [{ name: 'REGION', value: 'north' }],
  }
  const path = join(folder, 'config')
  await writeFile(path, kubeconfig({ user: { exec }, cluster: { server: 'http://127.0.0.1:1' } }))
  const text = await readKubeconfigFile(path)
  expect(() => parseKubeconfig(text)).toThrow(/exec: runs the command .*plugin on this server.* --kubeconfig FILE/)
  const clusters = createClusters({ load: async (name) => ({ kubeconfig: text, allowPlugin: name === 'own' }) })
  await expect(clusters.get('other')).rejects.toSatisfy((error) => isProblem(error, invalidKubeconfig))
  Object.assign(process.env, { DATABASE_URL: 'postgres://secret', AWS_PROFILE: 'shop' })
  await expect((await clusters.get('own')).version()).rejects.toThrow(/nothing listens/)
  const seen = await readFile(join(folder, 'seen'), 'utf8')
  for (const passed of ['REGION=north', 'AWS_PROFILE=shop', 'PATH=']) expect(seen).toContain(passed)
  expect(seen).not.toContain('postgres://secret')
  const missing = text.replaceAll(plugin, 'no-such-plugin')
  const broken = connectCluster({ name: 'cloud', kubeconfig: missing, allowPlugin: true })
  await expect(broken.version()).rejects.toThrow(
    /plugin no-such-plugin of cluster cloud is not installed on this server/,
  )
  await clusters.close()
})

test('a connection is kept until it is invalidated; an unknown name is not found and asked for again', async () => {
  const known = new Map([['a', { kubeconfig: kubeconfig() }]])
  const clusters = createClusters({ load: async (name) => known.get(name) })
  const first = await clusters.get('a')
  expect(await clusters.get('a')).toBe(first)
  await clusters.invalidate('a')
  expect(await clusters.get('a')).not.toBe(first)
  await expect(clusters.get('b')).rejects.toSatisfy((error) => isProblem(error, notFound))
  known.set('b', { kubeconfig: kubeconfig() })
  expect((await clusters.get('b')).server).toBe('https://api.example.com:6443')
  await clusters.close()
})

test('a connection that was opened from another revision of the registration is not used any longer', async () => {
  let revision = 'one'
  const clusters = createClusters({ load: async () => ({ kubeconfig: kubeconfig(), revision }) })
  const first = await clusters.get('a')
  await clusters.refresh('a', 'one')
  expect(await clusters.get('a')).toBe(first)
  revision = 'two'
  await clusters.refresh('a', 'two')
  expect(await clusters.get('a')).not.toBe(first)
  await clusters.close()
})

test('the key file is made once for its owner alone, and seals for one owner', async () => {
  const path = join(folder, 'keys', 'key')
  const [key, again] = await Promise.all([openKeyFile(path, { sealedRows: 0 }), openKeyFile(path, { sealedRows: 0 })])
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const sealed = key.seal('secret', 'cluster/a')
  expect(sealed).not.toContain('secret')
  expect(key.seal('secret', 'cluster/a')).not.toBe(sealed)
  expect(again.open(sealed, 'cluster/a')).toBe('secret')
  expect(() => key.open(sealed, 'cluster/b')).toThrow(/not sealed with the key/)
  expect(() => key.open(`${sealed.slice(0, -6)}AAAAA=`, 'cluster/a')).toThrow(/not sealed with the key/)
})

test('a key file that is missing, open to others or broken stops the start, and no new key is made', async () => {
  const path = join(folder, 'key')
  await expect(openKeyFile(path, { sealedRows: 2 })).rejects.toThrow(/key is missing, but 2 stored secrets/)
  await expect(stat(path)).rejects.toThrow(/ENOENT/)
  expect(await findKeyFile(path)).toBeUndefined()
  await openKeyFile(path, { sealedRows: 0 })
  expect((await findKeyFile(path))?.derive('one')).toEqual((await openKeyFile(path, { sealedRows: 0 })).derive('one'))
  await chmod(path, 0o644)
  await expect(openKeyFile(path, { sealedRows: 0 })).rejects.toThrow(/chmod 600/)
  await writeFile(path, 'short', { mode: 0o600 })
  await expect(openKeyFile(path, { sealedRows: 0 })).rejects.toThrow(/does not hold a key/)
})
