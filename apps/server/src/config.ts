import { accessSync, constants } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'

/** Everything that is decided before the start. */
export interface Config {
  port: number
  /** Address to listen on. */
  host: string
  /** The platform's own folder, absolute. */
  home: string
  databaseUrl: string | undefined
  /** Absolute path of the kubeconfig of the cluster to use; absent: one of our own on this machine. */
  kubeconfig: string | undefined
  adminPassword: string | undefined
  /** How users reach the server, without a slash at the end. */
  publicUrl: string | undefined
  /** Addresses and networks of the proxies whose X-Forwarded-For and -Proto are believed; none when empty. */
  trustedProxies: string[]
  /** Folder of a built console, served as it is; absent: our own, built anew when its sources have changed. */
  consoleFolder: string | undefined
  /** Resources whose versions are not recorded. */
  unrecorded: string[]
  /** How long versions of objects are kept. */
  versionDays: number
  /** Where log lines go: `stdout`, or a file below the home folder. */
  log: 'file' | 'stdout'
}

/** A setting that cannot be used: which one, what is wrong, what to write instead. Exit status 2. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

export const usage = `Usage: npm start [-- --kubeconfig FILE]

  --kubeconfig FILE          manage this cluster instead of bringing one up (or QUARTERDECK_KUBECONFIG)
  --help                     show this

  QUARTERDECK_PORT           port to listen on (7070)
  QUARTERDECK_HOST           address to listen on (127.0.0.1)
  QUARTERDECK_HOME           folder for everything (/var/lib/quarterdeck for root, else ~/.quarterdeck)
  QUARTERDECK_URL            how users reach the server, behind a proxy or under another name
  QUARTERDECK_TRUSTED_PROXIES addresses or networks of proxies in front, separated by commas, such as 10.0.0.0/8:
                             only theirs tell who asks; without it all users behind a proxy share one limit of attempts
  QUARTERDECK_ADMIN_PASSWORD password of the user admin; absent: a one-time link is printed
  QUARTERDECK_BINARIES       folder, archive or URL with the programs of Kubernetes
  QUARTERDECK_CACHE          folder for what is built of them (/var/cache/quarterdeck for root, else ~/.cache/quarterdeck)
  QUARTERDECK_REGISTRIES     registries that images may come from: host[:port], separated by commas
  QUARTERDECK_REGISTRY_AUTH  file in the format of Docker's config.json with their credentials
  QUARTERDECK_CONSOLE        folder of a built console, served as it is instead of our own
  QUARTERDECK_UNRECORDED     kinds whose changes are not recorded, as RBAC calls them, separated by commas
                             (pods,events,endpoints,leases.coordination.k8s.io,endpointslices.discovery.k8s.io)
  QUARTERDECK_VERSION_DAYS   how long recorded versions of objects are kept (90)
  QUARTERDECK_LOG            file (logs/server.log in the home folder) or stdout
  DATABASE_URL               postgres://user:password@host:port/database instead of the embedded PostgreSQL`

const defaultHome = () => (process.getuid?.() === 0 ? '/var/lib/quarterdeck' : join(homedir(), '.quarterdeck'))

const url = (protocols: readonly string[], example: string) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), `Write it as ${example}`)

/** An address, or a network as address/bits. */
function isNetwork(entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/')
  const longest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
  if (bits === undefined || longest < 0) return longest > 0
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= longest
}

const Environment = z.object({
  QUARTERDECK_PORT: z.coerce
    .number('Give a port number from 1 to 65535, or 0 for any that is free')
    .int('Give a port number from 1 to 65535, or 0 for any that is free')
    .min(0, 'Give a port number from 1 to 65535, or 0 for any that is free')
    .max(65_535, 'Give a port number from 1 to 65535, or 0 for any that is free')
    .default(7070),
  QUARTERDECK_HOST: z
    .string()
    .regex(/^[0-9a-zA-Z.:-]+$/, 'Give an address of this machine, such as 127.0.0.1 or 0.0.0.0')
    .default('127.0.0.1'),
  QUARTERDECK_HOME: z.string().optional(),
  QUARTERDECK_KUBECONFIG: z.string().optional(),
  QUARTERDECK_URL: url(['http:', 'https:'], 'https://quarterdeck.example.com').optional(),
  QUARTERDECK_TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((entry) => entry.trim() || []))
    .refine((entries) => entries.every(isNetwork), 'Give addresses or networks, such as 10.0.0.5,192.168.0.0/16'),
  QUARTERDECK_ADMIN_PASSWORD: z
    .string()
    .min(8, 'Choose 8 to 200 characters')
    .max(200, 'Choose 8 to 200 characters')
    .optional(),
  QUARTERDECK_CONSOLE: z.string().optional(),
  QUARTERDECK_UNRECORDED: z
    .string()
    .regex(
      /^[a-z0-9.,\s-]*$/,
      'Give resources as RBAC calls them, separated by commas: pods,leases.coordination.k8s.io',
    )
    .default('pods,events,endpoints,leases.coordination.k8s.io,endpointslices.discovery.k8s.io')
    .transform((text) => text.split(',').flatMap((entry) => entry.trim() || [])),
  QUARTERDECK_VERSION_DAYS: z.coerce
    .number('Give a number of days from 1 to 36500')
    .int('Give a number of days from 1 to 36500')
    .min(1, 'Give a number of days from 1 to 36500')
    .max(36_500, 'Give a number of days from 1 to 36500')
    .default(90),
  QUARTERDECK_LOG: z.enum(['file', 'stdout'], 'Choose file or stdout').default('file'),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/database').optional(),
})

/** Takes the secrets out of the environment once they are read: programs that this server starts get none of them. */
export function hideSecrets(environment: Record<string, string | undefined>): void {
  for (const name of ['QUARTERDECK_ADMIN_PASSWORD', 'DATABASE_URL']) delete environment[name]
}

/** Reads arguments and environment; an empty variable counts as absent. Throws ConfigError. `help` asks for the usage. */
export function readConfig(args: readonly string[], environment: Record<string, string | undefined>): Config | 'help' {
  const { kubeconfig: argument, help } = readArguments(args)
  if (help) return 'help'
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = Environment.safeParse(given)
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.')} cannot be used: ${message}`)
    throw new ConfigError(lines.join('\n'))
  }
  const settings = parsed.data
  const kubeconfig = argument ?? settings.QUARTERDECK_KUBECONFIG
  if (kubeconfig !== undefined)
    requireReadable(argument === undefined ? 'QUARTERDECK_KUBECONFIG' : '--kubeconfig', kubeconfig)
  return {
    port: settings.QUARTERDECK_PORT,
    host: settings.QUARTERDECK_HOST,
    home: resolve(settings.QUARTERDECK_HOME ?? defaultHome()),
    databaseUrl: settings.DATABASE_URL,
    kubeconfig: kubeconfig === undefined ? undefined : resolve(kubeconfig),
    adminPassword: settings.QUARTERDECK_ADMIN_PASSWORD,
    publicUrl: settings.QUARTERDECK_URL?.replace(/\/+$/, ''),
    trustedProxies: settings.QUARTERDECK_TRUSTED_PROXIES,
    consoleFolder: settings.QUARTERDECK_CONSOLE && resolve(settings.QUARTERDECK_CONSOLE),
    unrecorded: settings.QUARTERDECK_UNRECORDED,
    versionDays: settings.QUARTERDECK_VERSION_DAYS,
    log: settings.QUARTERDECK_LOG,
  }
}

function readArguments(args: readonly string[]): { kubeconfig?: string | undefined; help?: boolean | undefined } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { kubeconfig: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
    return values
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n\n${usage}`)
  }
}

function requireReadable(name: string, file: string): void {
  try {
    accessSync(file, constants.R_OK)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : 'it cannot be read'
    throw new ConfigError(`${name} cannot be used: ${resolve(file)}: ${why}. Give the path of a kubeconfig file`)
  }
}
