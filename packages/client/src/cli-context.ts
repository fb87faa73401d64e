import type { Client } from './client.ts'

/** How `-o` asks for results. */
export type OutputFormat = 'table' | 'json' | 'yaml'

/** Heading → what to show of an item. null, undefined and '' are shown as `-`. */
export type Columns<Item> = Record<string, (item: Item) => string | number | boolean | null | undefined>

/** What `qd login` keeps in the user's own file. */
export interface SignedIn {
  server: string
  user: string
  token: string
}

/** A terminal for `qd exec`: bytes both ways. */
export interface LocalTerminal {
  readonly columns: number
  readonly rows: number
  /** Whether input and output are a terminal; otherwise they are pipes and stay as they are. */
  readonly interactive: boolean
  /** Passes keys on one by one, Ctrl+C included, until the returned function is called. */
  raw(): () => void
  onInput(listener: (bytes: Uint8Array) => void): void
  /** Input has ended; only with pipes. */
  onEnd(listener: () => void): void
  onResize(listener: () => void): void
  write(bytes: Uint8Array | string): void
  /** To stderr. */
  writeError(bytes: Uint8Array | string): void
}

/** What a feature's `noun.cli.ts` gets: `xCommands(program: Command, context: CliContext): void`. */
export interface CliContext {
  /** Signed in as configured; made at first use. */
  readonly client: Client
  /** Aborted by Ctrl+C. Pass it to what follows or waits. */
  readonly signal: AbortSignal
  /** Asked for with -o. Read it inside an action. */
  readonly output: OutputFormat
  /** Name of this machine, for naming tokens. */
  readonly machine: string
  /** What login has kept, for this server; undefined when there is nothing. */
  readonly signedIn: SignedIn | undefined
  /** The server from --server, QUARTERDECK_SERVER, or login; http://127.0.0.1:7070 otherwise. */
  readonly server: string
  readonly terminal: LocalTerminal
  /** A page: table of its items with these columns (all scalar members when absent), or the whole as JSON or YAML. */
  print<Item>(page: { items: readonly Item[] }, columns?: Columns<Item>): void
  print<Item>(items: readonly Item[], columns?: Columns<Item>): void
  /** One thing: a line a member, or one row where columns are given. */
  print<Item>(value: Item, columns?: Columns<Item>): void
  /** Text as it is, to stdout: logs, YAML. Resolves when more can be taken. */
  write(text: string | Uint8Array): Promise<void>
  /** What is going on, to stderr, for people; silent with -o json or yaml. */
  progress(text: string): void
  /** Asks yes or no. True with --yes; throws UsageError where nobody can answer. */
  confirm(question: string): Promise<boolean>
  /** `given`, else QUARTERDECK_ENVIRONMENT, else what `qd env use` keeps. Throws UsageError when there is none. */
  environment(given: string | undefined): string
  /** Keeps the environment that is used when none is given. */
  useEnvironment(name: string): void
  /** The text of a file of this machine. Throws UsageError naming it when it cannot be read. */
  readFile(path: string): Promise<string>
  /**
   * What somebody makes of a text in their editor. Throws UsageError where there is no terminal, or the editor fails.
   */
  editText(text: string, fileName: string): Promise<string>
  /** Reads a secret: the first line of stdin, or asked for without echo. */
  secret(question: string, fromStdin: boolean): Promise<string>
  /** A one-time password that somebody types; undefined where nobody can. */
  code(): Promise<string | undefined>
  /** Keeps the sign-in in the user's own file, mode 0600. */
  remember(signedIn: SignedIn): void
  /** Forgets it. */
  forget(): void
  /** Opens a WebSocket (client.socketUrl) with the token of the sign-in. */
  connect(url: string): WebSocket
  /** Exit status to end with, when it is not the one that the outcome gives. */
  exitStatus(status: number): void
}

/** Wrong usage: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `--wait` took longer than it may: exit status 4. What was asked for goes on. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout'
}
