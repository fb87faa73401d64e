export { type ArchiveOptions, writeArchive } from './archive.ts'
export { type ControlPlane, type ControlPlaneOptions, controlPlane } from './control-plane.ts'
export {
  type ClusterMode,
  type HostCapabilities,
  type HostOptions,
  hostCapabilities,
  type MissingPackage,
} from './host.ts'
export { installHostPackages } from './host-packages.ts'
export type { Endpoint } from './kube-request.ts'
export { localCommands, stateFolderOf } from './local.cli.ts'
export { defaultStateFolder, type LocalCluster, localCluster, type UpResult } from './local-cluster.ts'
export { LocalClusterError, type LocalClusterReason } from './local-cluster-error.ts'
export { type Binaries, defaultCacheFolder, type ObtainOptions, obtain } from './obtain.ts'
export type { LocalClusterOptions } from './prepare.ts'
export { type OnProgress, type ProgressEvent, STAGES, type Stage, type StageProgress, stagesOf } from './progress.ts'
export type { ClusterStatus, ComponentStatus } from './status.ts'
export { TOOL_NAMES, type ToolName } from './tool.ts'
