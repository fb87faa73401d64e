/**
 * What went wrong on this machine, in words a person can act on.
 * `reason` is a stable CamelCase word for programs; `message` says what happened; `cure` says what to do about it.
 */
export class LocalClusterError extends Error {
  readonly reason: LocalClusterReason
  readonly cure: string

  constructor(reason: LocalClusterReason, message: string, cure: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LocalClusterError'
    this.reason = reason
    this.cure = cure
  }
}

/** Every `reason` a LocalClusterError can have. */
export type LocalClusterReason =
  | 'ArchiveInvalid'
  | 'BinariesUnavailable'
  | 'BuildFailed'
  | 'ChecksumMismatch'
  | 'ComponentExited'
  | 'ComponentNotReady'
  | 'DiskFull'
  | 'DownloadFailed'
  | 'GoTooOld'
  | 'HostPackagesMissing'
  | 'InstallFailed'
  | 'NotSupported'
  | 'PortInUse'
  | 'RegistryRefused'
  | 'SubnetsExhausted'

/** Turns "no space left" from any file operation into DiskFull; other errors pass unchanged. */
export const explained = (error: unknown, folder: string): unknown =>
  (error as NodeJS.ErrnoException)?.code === 'ENOSPC'
    ? new LocalClusterError(
        'DiskFull',
        `The disk that holds ${folder} is full.`,
        `Free space on the disk of ${folder}, or choose another folder with QUARTERDECK_HOME or QUARTERDECK_CACHE.`,
        { cause: error },
      )
    : error
