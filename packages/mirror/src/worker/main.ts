import { parentPort, workerData } from 'node:worker_threads'
import type { FromReader, ToReader } from '../batch.ts'
import { kindOf } from '../rows/kinds/kind-of.ts'
import { openTables } from '../rows/tables.ts'
import { pace } from './pace.ts'
import { openReader } from './reader.ts'
import type { ReaderOptions } from './reader-options.ts'

// The reading thread: it owns the connections to all clusters and hands over rows.
const port = parentPort
if (!port) throw new Error('this file is the entry of a worker thread')
const { searchedAnnotations, unrecorded, digestKey, timings } = workerData as ReaderOptions
let unrecordedOnes = unrecorded && new Set(unrecorded)
const post = (message: FromReader, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

const tables = openTables({
  post,
  searchedAnnotations,
  recordsVersions: (resource) => unrecordedOnes?.has(resource) === false,
  digestKey: digestKey ?? new Uint8Array(32),
  readAnew: (resource, clusters) => reader.readAnew(resource, clusters),
})
const reader = openReader({
  tables: {
    standing: (cluster, resource) => tables.standing(cluster, resource),
    drop: (cluster, resource) => tables.drop(cluster, resource),
    table: (resource) => tables.table(resource),
    flush: () => tables.flush(),
    sink: (cluster, { printerColumns, ...discovered }) => tables.sink(cluster, kindOf(discovered, printerColumns)),
    state: (cluster, resource, { expected, ...standing }) =>
      tables.state(cluster, resource, { ...standing, ...(expected === undefined ? {} : { expected }) }),
  },
  post,
  timings,
})

// From here on this thread sleeps a little in a storm.
pace.begin(() => tables.due())

function take(message: ToReader): void {
  if (message.type === 'watch') reader.watch(message)
  else if (message.type === 'forget') reader.forget(message.cluster)
  else if (message.type === 'unrecorded') {
    unrecordedOnes = new Set(message.resources)
    tables.recordAnew()
  } else if (message.type === 'restore') {
    tables.restore(message)
    reader.restored(message)
  } else {
    reader.close()
    tables.close()
    port?.close()
  }
}

port.on('message', (message: ToReader) => {
  try {
    take(message)
  } catch (error) {
    fail(error)
  }
})
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

/** What nobody expected: the serving thread starts another reader. */
function fail(error: unknown): void {
  post({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  port?.close()
}
