import { globSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Every file below a folder that somebody is writing to, with its bytes; PostgreSQL makes and removes files meanwhile, and
 * one that has gone holds nothing any more.
 */
export function* filesBelow(folder: string): Generator<{ file: string; bytes: Buffer }> {
  for (const name of globSync('**/*', { cwd: folder })) {
    const file = join(folder, name)
    if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) continue
    try {
      yield { file, bytes: readFileSync(file) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}
