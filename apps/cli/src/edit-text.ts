import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '@quarterdeck/client'

/**
 * Opens a text in VISUAL, EDITOR or vi, and answers what has become of it. The file is readable by this user alone and
 * goes afterwards. Throws UsageError where there is no terminal, or when the editor fails.
 */
export async function editText(text: string, name: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new UsageError('There is no terminal to edit in. Give the edited text with -f FILE, or -f - from stdin')
  }
  const editor = env.VISUAL || env.EDITOR || 'vi'
  const folder = await mkdtemp(join(tmpdir(), 'qd-edit-'))
  const file = join(folder, name)
  try {
    await writeFile(file, text, { mode: 0o600 })
    // The editor may be a command with arguments, as git and kubectl take it.
    const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    const status = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    )
    if (status !== 0) throw new UsageError(`${editor} ended with status ${status}; nothing was changed`)
    return await readFile(file, 'utf8')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
