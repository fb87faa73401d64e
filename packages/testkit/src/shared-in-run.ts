import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { lockFolder, processIdentity, StoreError } from '@quarterdeck/store'

/** The process that the whole test run lives in: Vitest's own, whether it runs files in processes or in threads. */
export const runPid = process.env.VITEST_POOL_ID !== undefined && isMainThread ? process.ppid : process.pid

/**
 * Starts something once for all files of a test run, in a folder of its own, and gives every caller the text that
 * `start` answers. It ends, and the folder goes, with the run, however the run ends: what has the folder as
 * QUARTERDECK_INSTANCE in its environment is killed, after the module text `end` was run by Node with the folder as its
 * argument. Concurrent callers wait for the first.
 */
export async function sharedInRun(
  name: string,
  start: (folder: string) => Promise<string>,
  end?: string,
): Promise<string> {
  const run = createHash('sha256')
    .update(`${runPid} ${processIdentity(runPid)}`)
    .digest('hex')
    .slice(0, 12)
  const folder = join(tmpdir(), `quarterdeck-${name}-${run}`)
  const valueFile = join(folder, 'value')
  for (;;) {
    if (existsSync(valueFile)) return readFileSync(valueFile, 'utf8')
    try {
      const lock = await lockFolder(folder)
      try {
        if (!existsSync(valueFile)) {
          endWithRun(folder, end)
          publish(valueFile, await start(folder))
        }
      } finally {
        lock.release()
      }
    } catch (error) {
      if (!(error instanceof StoreError && error.reason === 'in-use')) throw error
      await sleep(50)
    }
  }
}

const REAPER = `
while kill -0 "$0" 2>/dev/null; do sleep 1; done
test -z "$3" || "$2" --input-type=module -e "$3" "$1"
for environment in $(grep -lsz "^QUARTERDECK_INSTANCE=$1$" /proc/[0-9]*/environ); do
  pid=\${environment#/proc/}
  kill -KILL "\${pid%/environ}"
done
sleep 0.2
rm -rf --one-file-system "$1"
`

/** Comes first, so that what is half started when the run is interrupted ends too. */
function endWithRun(folder: string, end = ''): void {
  const args = ['-c', REAPER, String(runPid), folder, process.execPath, end]
  spawn('/bin/sh', args, { detached: true, stdio: 'ignore', cwd: '/' }).unref()
}

function publish(valueFile: string, value: string): void {
  writeFileSync(`${valueFile}.half`, value, { mode: 0o600 })
  renameSync(`${valueFile}.half`, valueFile)
}
