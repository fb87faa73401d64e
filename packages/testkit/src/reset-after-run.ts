import { setTimeout as sleep } from 'node:timers/promises'
import { localCluster } from '@quarterdeck/local-cluster'

// A process of its own: node reset-after-run.ts PID FOLDER. It takes the cluster away when the test run has ended,
// also when that was killed.
const [pid = '', stateFolder = ''] = process.argv.slice(2)

function runs(): boolean {
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

while (runs()) await sleep(1_000)
await localCluster({ stateFolder }).reset()
