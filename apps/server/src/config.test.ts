import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, hideSecrets, readConfig, usage } from './config.ts'

test('without any setting the server listens on 127.0.0.1:7070', () => {
  expect(readConfig([], {})).toMatchObject({ port: 7070, host: '127.0.0.1', kubeconfig: undefined })
})

test('an empty variable counts as absent', () => {
  expect(readConfig([], { QUARTERDECK_PORT: '', DATABASE_URL: '', QUARTERDECK_ADMIN_PASSWORD: '' })).toMatchObject({
    port: 7070,
    databaseUrl: undefined,
    adminPassword: undefined,
  })
})

test('the argument names the kubeconfig before the variable does', () => {
  const config = readConfig(['--kubeconfig', import.meta.filename], { QUARTERDECK_KUBECONFIG: '/nowhere' })
  expect(config).toMatchObject({ kubeconfig: import.meta.filename })
})

test.each([
  [{ QUARTERDECK_PORT: 'http' }, /QUARTERDECK_PORT .*port number/],
  [{ QUARTERDECK_PORT: '70700' }, /QUARTERDECK_PORT .*65535/],
  [{ QUARTERDECK_URL: 'quarterdeck.example.com' }, /QUARTERDECK_URL .*https:\/\//],
  [{ DATABASE_URL: 'mysql://root@db/x' }, /DATABASE_URL .*postgres:\/\//],
  [{ QUARTERDECK_ADMIN_PASSWORD: 'short' }, /QUARTERDECK_ADMIN_PASSWORD .*8 to 200/],
  [{ QUARTERDECK_KUBECONFIG: '/nowhere/at/all' }, /QUARTERDECK_KUBECONFIG .*\/nowhere\/at\/all: there is no such file/],
  [{ QUARTERDECK_TRUSTED_PROXIES: 'proxy.example.com' }, /QUARTERDECK_TRUSTED_PROXIES .*10\.0\.0\.5/],
  [{ QUARTERDECK_TRUSTED_PROXIES: '10.0.0.0/0' }, /QUARTERDECK_TRUSTED_PROXIES .*networks/],
  [{ QUARTERDECK_LOG: 'syslog' }, /QUARTERDECK_LOG .*file or stdout/],
  [{ QUARTERDECK_UNRECORDED: 'Pods' }, /QUARTERDECK_UNRECORDED .*RBAC/],
  [{ QUARTERDECK_VERSION_DAYS: '0' }, /QUARTERDECK_VERSION_DAYS .*days/],
])('a setting that cannot be used is refused by its name, with what to write: %j', (environment, message) => {
  expect(() => readConfig([], environment)).toThrow(ConfigError)
  expect(() => readConfig([], environment)).toThrow(message)
})

test('the password is not in the message that refuses it', () => {
  expect(() => readConfig([], { QUARTERDECK_ADMIN_PASSWORD: 'hunter2' })).toThrow(/^(?!.*hunter2)/s)
})

test('an unknown argument is refused with the usage', () => {
  expect(() => readConfig(['--kubconfig', 'x'], {})).toThrow(/--kubconfig[\s\S]*Usage/)
})

test('--help asks for the usage', () => {
  expect(readConfig(['--help'], {})).toBe('help')
})

test('the proxies that are believed are a list of addresses and networks; nobody is when none is named', () => {
  expect(readConfig([], {})).toMatchObject({ trustedProxies: [] })
  const QUARTERDECK_TRUSTED_PROXIES = '10.0.0.5, 192.168.0.0/16,fd00::/8'
  expect(readConfig([], { QUARTERDECK_TRUSTED_PROXIES })).toMatchObject({
    trustedProxies: ['10.0.0.5', '192.168.0.0/16', 'fd00::/8'],
  })
})

test('every variable that is read is in the usage', () => {
  const sources = [
    '../../../packages/registry/src/known-registries.ts',
    '../../../local-cluster/src/obtain.ts',
    'config.ts',
  ]
  const read = sources.flatMap((file) =>
    [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(/\b(QUARTERDECK_[A-Z_]+|DATABASE_URL)\b/g)].map(
      ([name]) => name,
    ),
  )
  expect([...new Set(read)].filter((name) => !usage.includes(name))).toEqual([])
})

test('the secrets that were read are not handed to the programs that the server starts', () => {
  const environment = { PATH: '/bin', QUARTERDECK_ADMIN_PASSWORD: 'ship', DATABASE_URL: 'postgres://u:p@host/db' }
  hideSecrets(environment)
  expect(environment).toEqual({ PATH: '/bin' })
})
