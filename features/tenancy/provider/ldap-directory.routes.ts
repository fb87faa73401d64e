import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Client, type Entry, InvalidCredentialsError } from 'ldapts'
import type { LdapSettings } from './provider.contract.ts'
import { everybody, filledFilter, type ProvidedGroup, providedGroups } from './provider.rules.ts'

/** Somebody as a directory has them. */
export interface DirectoryPerson {
  dn: string
  /** Of `keyAttribute`; binary ones in hexadecimal. */
  key: string
  name: string
  title: string
  email: string
}

/** A directory that is connected over TLS and signed in to. Everything rejects with what ldapts and Node say. */
export interface Directory {
  /** Undefined unless exactly one person is found. */
  person(user: string): Promise<DirectoryPerson | undefined>
  /** All people that `userFilter` could find. */
  people(): AsyncGenerator<DirectoryPerson, void, undefined>
  groups(person: DirectoryPerson, user: string): Promise<ProvidedGroup[]>
  /** Signs in as the service account again. */
  rebind(): Promise<void>
  /** True when it is the password of this entry. */
  proves(dn: string, password: string): Promise<boolean>
}

/** A directory as it is registered. */
export interface LdapRegistration {
  name: string
  settings: LdapSettings
  secret: string | undefined
}

/** A sign-in ends within this time, whatever the directory does. */
export const LIMIT_MS = 4_500
const PAGE = 500

function placeOf({ url, authorities }: LdapSettings) {
  const { hostname, port } = new URL(url.replace(/^ldap/, 'http'))
  const host = hostname.replace(/^\[|\]$/g, '')
  const tls = {
    minVersion: 'TLSv1.2' as const,
    rejectUnauthorized: true,
    ...(isIP(host) ? {} : { servername: host }),
    ...(authorities === undefined ? {} : { ca: authorities }),
  }
  return { host, port: port === '' ? 636 : Number(port), tls }
}

/** Connects over TLS and says nothing. Only for ldaps://. */
export async function tryTls(settings: LdapSettings): Promise<void> {
  const { host, port, tls } = placeOf(settings)
  const socket = connectTls({ host, port, ...tls, timeout: LIMIT_MS })
  socket.once('timeout', () => socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })))
  try {
    await once(socket, 'secureConnect')
  } finally {
    socket.destroy()
  }
}

/** Connects, does `fn` and disconnects; after `limitMs` the connection is cut, so that nothing piles up. */
export async function withDirectory<T>(
  registration: LdapRegistration,
  fn: (directory: Directory) => Promise<T>,
  { limitMs = LIMIT_MS, connected = () => undefined }: { limitMs?: number; connected?: () => void } = {},
): Promise<T> {
  const { settings } = registration
  const { host, tls } = placeOf(settings)
  const sockets = new Set<Socket>()
  const kept = <S extends Socket>(socket: S): S => {
    sockets.add(socket)
    return socket
  }
  const client = new Client({
    url: settings.url,
    timeout: limitMs,
    connectTimeout: limitMs,
    strictDN: false,
    // Given with ldap://, these would have it speak TLS without asking.
    ...(settings.url.startsWith('ldaps:') ? { tlsOptions: tls } : {}),
    createConnection: ((...all: Parameters<typeof connectPlain>) => kept(connectPlain(...all))) as typeof connectPlain,
    createSecureConnection: ((...all: Parameters<typeof connectTls>) => kept(connectTls(...all))) as typeof connectTls,
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error(`${host} did not answer within ${limitMs / 1_000} s`), { code: 'ETIMEDOUT' }))
    }, limitMs)
  })
  try {
    return await Promise.race([late, session(client, registration, { ...tls, host }, fn, connected)])
  } finally {
    clearTimeout(timer)
    await Promise.race([client.unbind().catch(() => undefined), new Promise((done) => setTimeout(done, 200))])
    for (const socket of sockets) socket.destroy()
  }
}

async function session<T>(
  client: Client,
  registration: LdapRegistration,
  tls: object,
  fn: (directory: Directory) => Promise<T>,
  connected: () => void,
): Promise<T> {
  const { settings, secret } = registration
  // Nothing is said before TLS is up; a server that refuses it gets nothing.
  if (settings.url.startsWith('ldap:')) await client.startTLS(tls)
  connected()
  const rebind = async () => {
    if (settings.bindDn !== undefined) await client.bind(settings.bindDn, secret ?? '')
    // An anonymous one, which also opens the connection.
    else await client.bind('', '')
  }
  await rebind()
  return fn(directoryOf(client, settings, rebind, registration.name))
}

function directoryOf(client: Client, settings: LdapSettings, rebind: () => Promise<void>, provider: string): Directory {
  const { baseDn, keyAttribute, nameAttribute, titleAttribute, emailAttribute, groupBaseDn, groupNameAttribute } =
    settings
  const attributes = [keyAttribute, nameAttribute, titleAttribute, emailAttribute]
  const options = { scope: 'sub' as const, attributes, explicitBufferAttributes: [keyAttribute] }
  const personOf = (entry: Entry): DirectoryPerson => ({
    dn: entry.dn,
    key: keyText(attributeOf(entry, keyAttribute)),
    name: textOf(attributeOf(entry, nameAttribute)),
    title: textOf(attributeOf(entry, titleAttribute)),
    email: textOf(attributeOf(entry, emailAttribute)),
  })
  return {
    rebind,
    async person(user) {
      const filter = filledFilter(settings.userFilter, { user })
      // References to other servers come beside the entries and are not looked at.
      const { searchEntries } = await client.search(baseDn, { ...options, filter, sizeLimit: 2 })
      const [entry, second] = searchEntries
      return entry && !second ? personOf(entry) : undefined
    },
    async *people() {
      const pages = client.searchPaginated(baseDn, {
        ...options,
        filter: everybody(settings),
        paged: { pageSize: PAGE },
      })
      for await (const { searchEntries } of pages) yield* searchEntries.map(personOf)
    },
    async groups({ dn }, user) {
      if (groupBaseDn === undefined) return []
      const filter = filledFilter(settings.groupFilter, { dn, user })
      const search = { scope: 'sub' as const, filter, attributes: [groupNameAttribute] }
      const { searchEntries } = await client.search(groupBaseDn, search)
      return providedGroups(
        searchEntries.map((entry) => textOf(attributeOf(entry, groupNameAttribute))),
        provider,
      )
    },
    async proves(dn, password) {
      // RFC 4513 §5.1.2: a name with an empty password proves nobody and succeeds all the same.
      if (password === '' || dn === '') return false
      try {
        await client.bind(dn, password)
        return true
      } catch (error) {
        if (error instanceof InvalidCredentialsError) return false
        throw error
      }
    },
  }
}

/** Attributes are called as the server likes, whatever was asked for. */
function attributeOf(entry: Entry, attribute: string): Buffer | string | undefined {
  const name = Object.keys(entry).find((one) => one.toLowerCase() === attribute.toLowerCase())
  const value = name === undefined ? undefined : entry[name]
  return Array.isArray(value) ? value[0] : value
}

const textOf = (value: Buffer | string | undefined): string => (value === undefined ? '' : value.toString())

function keyText(value: Buffer | string | undefined): string {
  if (value === undefined) return ''
  const bytes = Buffer.from(value)
  return bytes.every((byte) => byte > 0x20 && byte < 0x7f) ? bytes.toString('latin1') : bytes.toString('hex')
}

/** An entry that is nobody, to be asked with a password as long as somebody would be. */
export const nobody = (settings: LdapSettings): string =>
  `cn=${createHash('sha256').update(settings.baseDn).digest('hex').slice(0, 16)},${settings.baseDn}`
