import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { type LocalTerminal, UsageError } from '@quarterdeck/client'

/** This process's terminal, or its pipes. */
export function localTerminal(): LocalTerminal {
  const { stdin, stdout } = process
  return {
    get columns() {
      return stdout.columns ?? 80
    },
    get rows() {
      return stdout.rows ?? 24
    },
    interactive: Boolean(stdin.isTTY && stdout.isTTY),
    raw() {
      if (stdin.isTTY) stdin.setRawMode(true)
      stdin.resume()
      return () => {
        if (stdin.isTTY) stdin.setRawMode(false)
        stdin.pause()
      }
    },
    onInput: (listener) => void stdin.on('data', listener),
    onEnd: (listener) => void stdin.once('end', listener),
    onResize: (listener) => void stdout.on('resize', listener),
    write: (bytes) => void stdout.write(bytes),
    writeError: (bytes) => void process.stderr.write(bytes),
  }
}

/** Writes and waits while the reader is slower than we are. A reader that has gone ends us quietly, as `head` expects. */
export async function writeOut(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

/** yes or no; anything but y and yes is no. */
export async function askYesNo(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError(`${question} Nobody can answer here; add --yes`)
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}

async function firstLine(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const piece of process.stdin) {
    text += piece
    if (text.includes('\n') || text.length > 10_000) break
  }
  return (text.split('\n')[0] ?? '').replace(/\r$/, '')
}

/** The first line of stdin, or what is typed without being shown. */
export async function readSecret(question: string, fromStdin: boolean): Promise<string> {
  if (fromStdin) return firstLine()
  if (!process.stdin.isTTY) throw new UsageError('Nobody can type a password here; give it with --password-stdin')
  const { isCancel, password } = await import('@clack/prompts')
  const answer = await password({ message: question })
  if (isCancel(answer)) throw new DOMException('Interrupted', 'AbortError')
  return answer
}

/** A one-time password that somebody types; undefined where nobody can. */
export async function readCode(): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await lines.question('One-time password: ')).trim()
  } finally {
    lines.close()
  }
}
