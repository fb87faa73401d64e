import { parentPort } from 'node:worker_threads'
import type { ToReader } from '../../batch.ts'

// A thread that dies of `forget`, gives up at `restore`, and ends as it should at `close`.
parentPort?.on('message', (message: ToReader) => {
  if (message.type === 'forget') throw new Error('died of forget')
  if (message.type === 'restore') parentPort?.postMessage({ type: 'failed', message: 'gave up' })
  if (message.type === 'close') parentPort?.close()
})
