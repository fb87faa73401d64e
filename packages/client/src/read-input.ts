import { type CliContext, UsageError } from './cli-context.ts'

const MAX_CHARACTERS = 4_000_000

/** The text of a file, or all of stdin for `-`. Throws UsageError when it cannot be read or is too large. */
export async function readInput(
  { terminal, readFile }: Pick<CliContext, 'terminal' | 'readFile'>,
  file: string,
): Promise<string> {
  if (file !== '-') return readFile(file)
  if (terminal.interactive) throw new UsageError('-f - reads from stdin: send the text there, or name a file')
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder()
    let text = ''
    terminal.onInput((bytes) => {
      text += decoder.decode(bytes, { stream: true })
      if (text.length > MAX_CHARACTERS) reject(new UsageError('What comes from stdin is larger than 4 MB'))
    })
    terminal.onEnd(() => resolve(text))
  })
}
