import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installHostPackages } from '@quarterdeck/local-cluster'
import { createTestAuthority } from './certificate.ts'

const SLAPD = '/usr/sbin/slapd'
const PACKAGES = [
  { name: 'slapd', reason: 'a real LDAP directory for tests', file: SLAPD },
  { name: 'ldap-utils', reason: 'ldapmodify, to fill it', file: '/usr/bin/ldapmodify' },
]

/** Whether a directory can be had here: Debian's slapd is there, or may be installed. */
export const directoryPossible = (): boolean =>
  PACKAGES.every(({ file }) => existsSync(file)) || (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get'))

/** OpenLDAP on loopback ports, with an empty tree `dc=example,dc=com` of its own. */
export interface TestDirectory {
  /** `ldap://127.0.0.1:port`; can be raised to TLS. */
  readonly url: string
  /** `ldaps://127.0.0.1:port`. */
  readonly tlsUrl: string
  /** PEM of who signed its certificate. */
  readonly authority: string
  readonly rootDn: string
  readonly rootPassword: string
  /** Adds, changes or deletes entries, as LDIF says; done when it answers. */
  ldif(text: string): void
  /** Ends it; what is in it stays until `close`. */
  stop(): Promise<void>
  /** Starts it again at the same ports. */
  start(): Promise<void>
  close(): Promise<void>
}

const ROOT = 'cn=root,dc=example,dc=com'
const PASSWORD = 'root-of-the-tests'

const CONFIGURATION = (folder: string, tls: boolean) => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
${tls ? `TLSCertificateFile ${folder}/server.pem\nTLSCertificateKeyFile ${folder}/server.key\nTLSCACertificateFile ${folder}/authority.pem` : ''}
database mdb
suffix dc=example,dc=com
directory ${folder}/data
rootdn ${ROOT}
rootpw ${PASSWORD}
`

/** Starts slapd, after installing it when it is missing. `tls` false: it takes no TLS at all. */
export async function startDirectory({ tls = true }: { tls?: boolean } = {}): Promise<TestDirectory> {
  await installHostPackages(PACKAGES.filter((one) => !existsSync(one.file)))
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-directory-'))
  mkdirSync(join(folder, 'data'))
  const authority = createTestAuthority()
  const { certificate, key } = authority.issue({ commonName: 'directory', names: ['127.0.0.1', 'localhost'] })
  for (const [name, text] of Object.entries({
    'server.pem': certificate,
    'server.key': key,
    'authority.pem': authority.certificate,
    'slapd.conf': CONFIGURATION(folder, tls),
  })) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  }
  const [port, tlsPort] = [await freePort(), await freePort()]
  const url = `ldap://127.0.0.1:${port}`
  const tlsUrl = `ldaps://127.0.0.1:${tlsPort}`
  const addresses = tls ? `${url} ${tlsUrl}` : url
  const start = async () => {
    // On Linux it ends with us even when we are killed.
    const program = [
      'setpriv',
      '--pdeathsig',
      'KILL',
      SLAPD,
      '-f',
      join(folder, 'slapd.conf'),
      '-h',
      addresses,
      '-d',
      '0',
    ]
    const child = spawn(program[0] as string, program.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (piece) => {
      said += piece
    })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    for (const began = Date.now(); !(await listens(port)); await sleep(30)) {
      if (child.exitCode !== null || Date.now() - began > 10_000) throw new Error(`slapd does not start: ${said}`)
    }
    return { child, ended }
  }
  let running = await start()
  const directory: TestDirectory = {
    url,
    tlsUrl,
    authority: authority.certificate,
    rootDn: ROOT,
    rootPassword: PASSWORD,
    ldif(text) {
      const done = spawnSync('ldapmodify', ['-x', '-H', url, '-D', ROOT, '-w', PASSWORD], {
        input: text,
        encoding: 'utf8',
      })
      if (done.status !== 0) throw new Error(`ldapmodify: ${done.stderr || done.error?.message}`)
    },
    async stop() {
      running.child.kill('SIGKILL')
      await running.ended
    },
    async start() {
      running = await start()
    },
    async close() {
      await directory.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return directory
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
