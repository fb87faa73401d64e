import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { stringify } from 'yaml'
import { fileOf } from './kubeconfig.ts'
import { refuse } from './kubeconfig-text.ts'

const FILES: Record<string, string> = {
  'certificate-authority': 'certificate-authority-data',
  'client-certificate': 'client-certificate-data',
  'client-key': 'client-key-data',
}

/**
 * The kubeconfig file at `path` with every file that it names put inside, so that it can be sent elsewhere and stored.
 * Paths in it are relative to its folder. Throws invalidKubeconfig when it cannot be read.
 */
export async function readKubeconfigFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    refuse(path, `cannot be read (${error.code})`, 'Check the path and the permission.'),
  )
  const file = fileOf(text)
  const folder = dirname(path)
  for (const [list, inner] of [
    ['clusters', 'cluster'],
    ['users', 'user'],
  ] as const) {
    for (const entry of file[list] ?? []) {
      const fields = (entry as Record<string, unknown> | null)?.[inner]
      if (fields && typeof fields === 'object') {
        await embed(fields as Record<string, unknown>, folder)
      }
    }
  }
  return stringify(file)
}

/** A file that cannot be read stays a path: parseKubeconfig refuses it when the chosen context needs it. */
async function embed(fields: Record<string, unknown>, folder: string): Promise<void> {
  const read = async (field: string, target: string, encoding: 'base64' | 'utf8') => {
    const named = fields[field]
    if (typeof named !== 'string' || fields[target] !== undefined) return
    const content = await readFile(isAbsolute(named) ? named : join(folder, named)).catch(() => undefined)
    if (content === undefined) return
    delete fields[field]
    fields[target] = content.toString(encoding).trim()
  }
  for (const [field, target] of Object.entries(FILES)) await read(field, target, 'base64')
  await read('tokenFile', 'token', 'utf8')
  // As client-go: a command with a slash in it lies relative to the file, one without is looked for in PATH.
  const exec = fields.exec as { command?: unknown } | null | undefined
  if (typeof exec?.command === 'string' && exec.command.includes('/') && !isAbsolute(exec.command)) {
    exec.command = join(folder, exec.command)
  }
}
