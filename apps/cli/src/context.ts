import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import {
  type CliContext,
  type Client,
  createClient,
  fetchWithCode,
  type OutputFormat,
  UsageError,
} from '@quarterdeck/client'
import type { Command } from 'commander'
import { verifySession } from '../../../features/tenancy/onetime/onetime.contract.ts'
import { editText } from './edit-text.ts'
import { formatted } from './print.ts'
import { readSettings, type Settings, writeSettings } from './settings.ts'
import { askYesNo, localTerminal, readCode, readSecret, writeOut } from './terminal.ts'

const DEFAULT_SERVER = 'http://127.0.0.1:7070'

function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.username === '') return url.href.replace(/\/+$/, '')
  throw new UsageError(`${text} is not the address of a server; write it as http://host:7070 or https://host`)
}

/** The context of one run. Reads options when an action asks, not before they are parsed. */
export function createContext(program: Command, env: NodeJS.ProcessEnv, signal: AbortSignal): CliContext {
  let settings: Settings | undefined
  let client: Client | undefined
  const kept = () => {
    settings ??= readSettings(env)
    return settings
  }
  const keep = (next: Settings) => {
    settings = next
    writeSettings(env, next)
  }
  const server = () => {
    const { server: asked } = program.opts<{ server?: string }>()
    return serverUrl(asked ?? env.QUARTERDECK_SERVER ?? kept().server ?? DEFAULT_SERVER)
  }
  // A token goes to the server that gave it and to no other.
  const signedIn = () => {
    const { server: at, user, token } = kept()
    return at !== undefined && user !== undefined && token !== undefined && serverUrl(at) === server()
      ? { server: at, user, token }
      : undefined
  }
  const token = () => env.QUARTERDECK_TOKEN || signedIn()?.token
  const format = () => program.opts<{ output?: OutputFormat }>().output ?? 'table'
  return {
    get client() {
      const secret = token()
      const options = { baseUrl: server(), ...(secret ? { token: secret } : {}) }
      const fetch = fetchWithCode(globalThis.fetch, async ({ body }) => {
        const code = body.enrolled === true ? await readCode() : undefined
        if (code === undefined) return false
        await createClient(options)(verifySession, { body: { code } })
        return true
      })
      client ??= createClient({ ...options, fetch })
      return client
    },
    get output() {
      return format()
    },
    get server() {
      return server()
    },
    get signedIn() {
      return signedIn()
    },
    signal,
    machine: hostname(),
    terminal: localTerminal(),
    print(value: unknown, columns?: Parameters<typeof formatted>[2]) {
      const text = formatted(value, format(), columns)
      process.stdout.write(text)
      if (text === '') process.stderr.write('There are none.\n')
    },
    write: writeOut,
    progress(text) {
      if (format() === 'table') process.stderr.write(`${text}\n`)
    },
    confirm: async (question) => program.opts<{ yes?: boolean }>().yes === true || askYesNo(question),
    environment(given) {
      const name = given ?? (env.QUARTERDECK_ENVIRONMENT || kept().environment)
      if (name) return name
      throw new UsageError('Which environment? Give --env NAME, or set QUARTERDECK_ENVIRONMENT')
    },
    useEnvironment: (environment) => keep({ ...kept(), environment }),
    readFile: (path) =>
      readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        const why = error.code === 'ENOENT' ? 'there is no such file' : error.message
        throw new UsageError(`${path} cannot be read: ${why}`)
      }),
    editText: (text, fileName) => editText(text, fileName, env),
    secret: readSecret,
    code: readCode,
    remember: (next) => keep({ ...kept(), ...next }),
    forget() {
      const { environment, server: at } = kept()
      keep({ ...(at ? { server: at } : {}), ...(environment ? { environment } : {}) })
    },
    connect(url) {
      const secret = token()
      // Node's WebSocket takes headers, which the browser's type does not know.
      const options = { headers: secret ? { authorization: `Bearer ${secret}` } : {} } as unknown as string[]
      return new WebSocket(url, options)
    },
    exitStatus(status) {
      process.exitCode = status
    },
  } satisfies CliContext as CliContext
}
