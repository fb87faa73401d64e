import { spawn } from 'node:child_process'
import { obtain } from '@quarterdeck/local-cluster'
import { usageOf } from '../world/usage.ts'

const LOOK_EVERY_MS = 20

/** `kubectl get pods -A`, its output thrown away. */
export async function kubectlGetPods(kubeconfigFile: string): Promise<Record<string, number>> {
  const kubectl = (await obtain(['kubernetes'])).executable('kubectl')
  const began = performance.now()
  const child = spawn(kubectl, ['--kubeconfig', kubeconfigFile, 'get', 'pods', '-A'], { stdio: 'ignore' })
  let last = { cpuSeconds: 0, peakBytes: 0 }
  const timer = setInterval(() => {
    try {
      const { cpuSeconds, peakBytes } = usageOf(child.pid ?? 0)
      // A process that has ended but was not waited for has no memory any more.
      last = { cpuSeconds: Math.max(last.cpuSeconds, cpuSeconds), peakBytes: Math.max(last.peakBytes, peakBytes) }
    } catch {
      // It has ended since.
    }
  }, LOOK_EVERY_MS)
  const status = await new Promise((resolve) => child.once('exit', resolve))
  clearInterval(timer)
  if (status !== 0) throw new Error(`kubectl has ended with ${status}`)
  return {
    podsMs: Math.round(performance.now() - began),
    cpuSeconds: Math.round(last.cpuSeconds * 100) / 100,
    peakMegabytes: Math.round(last.peakBytes / 1e6),
  }
}
