import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ControlPlane, controlPlane } from '@quarterdeck/local-cluster'
import { seed } from '../generator/etcd.ts'
import { generate } from '../generator/generate.ts'
import { type ClusterShape, shapeOf } from '../generator/shape.ts'

/** A real API server over an etcd that was filled before it started. */
export interface FullCluster {
  readonly shape: ClusterShape
  readonly plane: ControlPlane
  /** YAML, of an administrator. */
  readonly kubeconfig: string
  /** How long it took to fill etcd, and the API server to become ready. */
  readonly seedSeconds: number
  readonly readySeconds: number
  readonly objects: number
  close(): Promise<void>
}

/** Brings up etcd, fills it with a generated cluster, and starts the API server over it. It ends with this process. */
export async function fullCluster(
  pods: number,
  options: { heavy?: boolean; seed?: number } = {},
): Promise<FullCluster> {
  const shape = shapeOf(pods, options)
  let objects = 0
  let seedSeconds = 0
  const began = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-bench-cluster-'))
  // Its processes end with this one, however it ends; what they wrote goes too unless it is killed.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const plane = await controlPlane({
    folder,
    apiServerMemoryLimit: pods > 50_000 ? '7GiB' : '2GiB',
    beforeApiServer: async (etcd) => {
      const start = performance.now()
      objects = await seed(etcd, generate(shape))
      seedSeconds = (performance.now() - start) / 1000
    },
  })
  return {
    shape,
    plane,
    kubeconfig: readFileSync(plane.kubeconfigFile, 'utf8'),
    seedSeconds,
    readySeconds: (performance.now() - began) / 1000 - seedSeconds,
    objects,
    close: () => plane.stop({ remove: true }),
  }
}
