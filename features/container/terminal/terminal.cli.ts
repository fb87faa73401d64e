import { type CliContext, UsageError } from '@quarterdeck/client'
import { isProblem, notFound, Problem } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import { getApplication } from '../../application/application/application.contract.ts'
import { attachTerminal, closeTerminal, listTerminals, openTerminal, type Terminal } from './terminal.contract.ts'
import { CHANNEL } from './terminal.rules.ts'

interface Options {
  env?: string
  container?: string
  stdin?: boolean
  tty?: boolean
}

const RECONNECTS = 8
/** Input that waits for the network; beyond it the pipe is not read on. */
const PENDING_BYTES = 1024 * 1024

export function terminalCommands(program: Command, context: CliContext): void {
  program
    .command('exec <target> [command...]')
    .description('A shell, or a command after --, in a container of an application or a pod')
    .option('--env <name>', 'environment')
    .option('--container <name>', 'container; the first when absent')
    .option('-i, --stdin', 'pass input on (always so for a shell and for a pipe)')
    .option('-t, --tty', 'with a terminal (always so for a shell at a terminal)')
    .action((target: string, command: string[], options: Options) => exec(context, target, command, options))
  const terminal = program.command('terminal').description('Terminals that are open on the server')
  terminal
    .command('list')
    .description('My terminals')
    .action(async () => context.print(await context.client(listTerminals)))
  terminal
    .command('close <id>')
    .description('End a terminal of mine')
    .action(async (id: string) => {
      await context.client(closeTerminal, { params: { terminal: id } })
      context.progress(`Terminal ${id} is ended`)
    })
}

async function exec(context: CliContext, target: string, command: string[], options: Options): Promise<void> {
  const { interactive, columns, rows } = context.terminal
  const shell = command.length === 0
  if (shell && !interactive && !options.stdin) {
    throw new UsageError('A shell needs a terminal. Give a command after --, or -i to pass commands through a pipe')
  }
  if (options.tty && !interactive) context.progress('Input or output is not a terminal, so none is used there either')
  const tty = interactive && (shell || options.tty === true)
  const environment = context.environment(options.env)
  const { signal } = context
  const body = {
    tty,
    ...(tty ? { columns: Math.max(1, columns), rows: Math.max(1, rows) } : {}),
    ...(shell ? {} : { command }),
    ...(options.container ? { container: options.container } : {}),
  }
  const params = { environment, pod: await podOf(context, environment, target) }
  const terminal = await context.client(openTerminal, { params, body }, { signal })
  const input = shell || tty || !interactive || options.stdin === true
  const { exitCode, message } = await run(context, terminal, { tty, input })
  if (exitCode !== null) return context.exitStatus(exitCode)
  throw new Problem({ type: 'about:blank', title: 'The command did not end by itself', status: 502, detail: message })
}

/** A ready pod of the application of that name, else the pod of that name. */
async function podOf(context: CliContext, environment: string, target: string): Promise<string> {
  if (target.includes('.')) return target
  try {
    const params = { environment, application: target }
    const { replicaSets } = await context.client(getApplication, { params }, { signal: context.signal })
    const pods = replicaSets.flatMap(({ pods: some }) => some).filter(({ deleting }) => !deleting)
    const pod = pods.find(({ ready }) => ready) ?? pods.find(({ phase }) => phase === 'Running') ?? pods[0]
    if (pod) return pod.name
    throw notFound({ detail: `Application ${target} has no pod in ${environment}; scale it to 1 or more first` })
  } catch (error) {
    if (isProblem(error, notFound) && !error.message.includes('has no pod')) return target
    throw error
  }
}

interface Ended {
  exitCode: number | null
  message: string
}

/** Connects this process to the terminal until the command has ended; a connection that breaks is made again. */
async function run(
  context: CliContext,
  { id }: Terminal,
  { tty, input }: { tty: boolean; input: boolean },
): Promise<Ended> {
  let socket: WebSocket | undefined
  let offset = 0
  let waiting: (Uint8Array | string)[] = []
  const send = (frame: Uint8Array | string) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(frame as string)
    else waiting.push(frame)
  }
  const size = () => send(JSON.stringify({ columns: context.terminal.columns, rows: context.terminal.rows }))
  const restore = joinInput(context, { tty, input, send, size, pending: () => socket?.bufferedAmount ?? 0 })
  const once = () =>
    new Promise<Ended | undefined>((resolve) => {
      socket = context.connect(
        context.client.socketUrl(attachTerminal, { params: { terminal: id }, query: { offset } }),
      )
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => {
        for (const frame of waiting) send(frame)
        waiting = []
      }
      socket.onmessage = ({ data }) => {
        if (typeof data !== 'string') {
          const bytes = new Uint8Array(data as ArrayBuffer)
          offset += show(context, bytes, tty)
          return
        }
        const frame = JSON.parse(data) as { offset?: number; ended?: Ended }
        if (frame.offset !== undefined && frame.offset > offset) {
          context.progress(`--- ${frame.offset - offset} bytes of output were lost`)
          offset = frame.offset
        }
        if (frame.ended) resolve(frame.ended)
      }
      socket.onclose = ({ code, reason }) =>
        resolve(code > 4_000 && code !== 4_401 ? { exitCode: null, message: reason } : undefined)
    })
  const stop = () => {
    void context.client(closeTerminal, { params: { terminal: id } }).catch(() => undefined)
  }
  context.signal.addEventListener('abort', stop, { once: true })
  try {
    for (let attempt = 0; attempt < RECONNECTS; attempt += 1) {
      const before = offset
      const ended = await once()
      if (ended) return ended
      context.signal.throwIfAborted()
      if (offset > before) attempt = 0
      context.progress('--- the connection broke and is made again')
      await new Promise((resolve) => setTimeout(resolve, Math.min(8_000, 250 * 2 ** attempt)))
    }
    return {
      exitCode: null,
      message: `No connection to the terminal any more; it goes on for 10 minutes: qd terminal list`,
    }
  } finally {
    context.signal.removeEventListener('abort', stop)
    restore()
    socket?.close()
  }
}

interface Outgoing {
  tty: boolean
  input: boolean
  send(frame: Uint8Array | string): void
  size(): void
  /** Bytes that have not left yet. */
  pending(): number
}

/** Sends keys or piped input, no faster than the network takes it; the returned function gives the terminal back. */
function joinInput({ terminal }: CliContext, { tty, input, send, size, pending }: Outgoing): () => void {
  const closeInput = () => send(JSON.stringify({ closeInput: true }))
  if (!input) {
    closeInput()
    return () => undefined
  }
  let restore = () => {}
  let timer: ReturnType<typeof setInterval> | undefined
  terminal.onInput((bytes) => {
    send(bytes)
    if (tty || timer || pending() < PENDING_BYTES) return
    restore()
    timer = setInterval(() => {
      if (pending() > PENDING_BYTES / 4) return
      clearInterval(timer)
      timer = undefined
      restore = terminal.raw()
    }, 20)
  })
  if (tty) terminal.onResize(size)
  else terminal.onEnd(closeInput)
  restore = terminal.raw()
  return () => {
    clearInterval(timer)
    restore()
  }
}

/** How many bytes of output the frame carried. */
function show({ terminal }: CliContext, bytes: Uint8Array, tty: boolean): number {
  if (tty) {
    terminal.write(bytes)
    return bytes.length
  }
  const content = bytes.subarray(1)
  if (bytes[0] === CHANNEL.error) terminal.writeError(content)
  else terminal.write(content)
  return content.length
}
