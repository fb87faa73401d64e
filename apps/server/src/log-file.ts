import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const LIMIT_BYTES = 20 * 1024 * 1024

/**
 * A file that log lines are appended to; past 20 MiB it begins anew and its predecessor is kept as `.1`. A full disk
 * loses lines, never the process.
 */
export function logFile(path: string): { write(line: string): void } {
  let file: number | undefined
  let size = 0
  function open() {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    const opened = openSync(path, 'a', 0o600)
    size = fstatSync(opened).size
    return opened
  }
  return {
    write(line) {
      try {
        file ??= open()
        if (size > LIMIT_BYTES) {
          closeSync(file)
          file = undefined
          renameSync(path, `${path}.1`)
          file = open()
        }
        size += writeSync(file, line)
      } catch {
        // Tried again with the next line.
      }
    },
  }
}
