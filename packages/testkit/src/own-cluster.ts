import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { type ControlPlane, controlPlane } from '@quarterdeck/local-cluster'

/** An API server of one's own, for tests that stop, kill or freeze it. */
export interface OwnCluster {
  readonly cluster: Cluster
  readonly kubeconfig: string
  /** `restart('kube-apiserver', { kill: true })`, `pid('kube-apiserver')` for signals. */
  readonly plane: ControlPlane
  close(): Promise<void>
}

/** Starts etcd, an API server and `controllers` that nobody else uses (about 3 s). They end with the calling process. */
export async function ownCluster({ controllers = false } = {}): Promise<OwnCluster> {
  const plane = await controlPlane({ folder: mkdtempSync(join(tmpdir(), 'quarterdeck-own-')), controllers })
  const kubeconfig = readFileSync(plane.kubeconfigFile, 'utf8')
  const cluster = connectCluster({ name: 'own', kubeconfig })
  return {
    cluster,
    kubeconfig,
    plane,
    async close() {
      await cluster.close()
      await plane.stop({ remove: true })
    },
  }
}
