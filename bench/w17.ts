import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { testDatabase } from '@quarterdeck/testkit'
import { PASSWORD } from '../test/platform/platform.ts'
import { postgresPid, type ServerProcess, serverProcess } from '../test/platform/server-process.ts'
import { testCluster } from '../test/platform/test-cluster.ts'
import { type BenchOptions, percentile, type Result, result } from './measure.ts'

const STARTS = 7
const IDLE_SECONDS = 20

/** W17: from starting the server to /readyz, and what it costs when nothing happens; with a cluster and its schema there. */
export async function coldStart(_: BenchOptions): Promise<Result> {
  const cluster = await testCluster()
  const environment = { ...cluster.environment, QUARTERDECK_ADMIN_PASSWORD: PASSWORD }
  const database = await testDatabase({ migrations: [] })
  const embedded = await serverProcess({ environment })
  const external = await serverProcess({ environment: { ...environment, DATABASE_URL: database.url } })
  try {
    const withEmbedded = await measureServer(embedded)
    const withExternal = await measureServer(external)
    const measured = {
      readyP50Ms: withEmbedded.readyP50Ms,
      idleResidentMegabytes: withEmbedded.residentMegabytes,
      externalReadyP50Ms: withExternal.readyP50Ms,
      externalIdleResidentMegabytes: withExternal.residentMegabytes,
      idleCpuSecondsPerMinute: withEmbedded.cpuSecondsPerMinute,
      postgresResidentMegabytes: withEmbedded.postgresMegabytes,
      firstReadyMs: withEmbedded.firstMs,
    }
    const target = {
      readyP50Ms: 1_200,
      idleResidentMegabytes: 170,
      externalReadyP50Ms: 400,
      externalIdleResidentMegabytes: 110,
    }
    const remark = `Median of ${STARTS} starts after a first one; memory of the server process ${IDLE_SECONDS} s after the last. "external" has DATABASE_URL, the others the embedded PostgreSQL, whose own memory (proportional set size) is beside it.`
    return result('W17', 0, target, measured, { bareNode: await bareNode() }, remark)
  } finally {
    await embedded.dispose()
    await external.dispose()
    await database.close()
    await cluster.close()
  }
}

async function measureServer(server: ServerProcess) {
  server.start()
  const firstMs = await server.ready()
  const times: number[] = []
  for (let n = 0; n < STARTS; n++) {
    await server.end('SIGTERM')
    server.start()
    times.push(await server.ready())
  }
  const pid = server.pid() ?? 0
  await sleep(3_000)
  const before = cpuSeconds(pid)
  await sleep(IDLE_SECONDS * 1000)
  const postmaster = postgresPid(server.home)
  return {
    firstMs: Math.round(firstMs),
    readyP50Ms: percentile(times, 0.5),
    residentMegabytes: megabytes(pid, 'VmRSS', 'status'),
    cpuSecondsPerMinute: Math.round(((cpuSeconds(pid) - before) / IDLE_SECONDS) * 60 * 100) / 100,
    postgresMegabytes: postmaster
      ? Math.round(familyOf(postmaster).reduce((sum, one) => sum + megabytes(one, 'Pss', 'smaps_rollup'), 0))
      : 0,
  }
}

function megabytes(pid: number, field: string, file: 'status' | 'smaps_rollup'): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))
  return Math.round(Number(found?.[1] ?? 0) / 102.4) / 10
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
  return [pid, ...children]
}

/** The floor: Node answering one request with nothing else in it. */
async function bareNode(): Promise<Record<string, number>> {
  const times: number[] = []
  let resident = 0
  for (let n = 0; n < STARTS; n++) {
    const began = performance.now()
    const child = spawn(process.execPath, [
      '-e',
      "require('node:http').createServer((q, r) => r.end('ok')).listen(0, '127.0.0.1', function () { console.log(this.address().port) })",
    ])
    const port = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk) => resolve(String(chunk).trim())),
    )
    await fetch(`http://127.0.0.1:${port}/`)
    times.push(performance.now() - began)
    resident = megabytes(child.pid ?? 0, 'VmRSS', 'status')
    child.kill('SIGKILL')
  }
  return { readyP50Ms: percentile(times, 0.5), idleResidentMegabytes: resident }
}
