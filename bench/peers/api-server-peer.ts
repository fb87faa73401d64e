import type { Endpoint } from '@quarterdeck/local-cluster'
import { percentile } from '../measure.ts'
import { apiRequest } from '../world/api-request.ts'

const REQUESTS = 20
const SECONDS = 10

/** The API server's own first page of 50 pods that run: it cannot sort, jump or count. */
export async function limitedLists(endpoint: Endpoint): Promise<Record<string, number>> {
  const times: number[] = []
  const until = performance.now() + SECONDS * 1000
  for (let n = 0; n < REQUESTS && (n === 0 || performance.now() < until); n++) {
    const began = performance.now()
    await apiRequest(endpoint, '/api/v1/pods?limit=50&fieldSelector=status.phase%3DRunning')
    times.push(performance.now() - began)
  }
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), requests: times.length }
}
