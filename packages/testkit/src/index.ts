export { type ControlPlane, controlPlane } from '@quarterdeck/local-cluster'
export { createTestAuthority, type TestAuthority } from './certificate.ts'
export { type TestCluster, type TestClusterOptions, testCluster } from './cluster.ts'
export { type TestDatabase, testDatabase } from './database.ts'
export { directoryPossible, startDirectory, type TestDirectory } from './directory.ts'
export { helmWith, type Kubectl, type KubectlResult, kubectlWith, type RunningKubectl } from './kubectl.ts'
export { type NodeCluster, nodeCluster } from './node-cluster.ts'
export { type OwnCluster, ownCluster } from './own-cluster.ts'
export { type Platform, type PlatformOptions, type PlatformParts, startPlatform } from './platform.ts'
export {
  type ImageContents,
  type PushTarget,
  pushImage,
  pushIndex,
  pushManifest,
  startRegistry,
  type TestRegistry,
} from './registry.ts'
