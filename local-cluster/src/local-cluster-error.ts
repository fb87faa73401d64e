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
  | 'FolderNotWritable'
  | 'GoTooOld'
  | 'HostPackagesMissing'
  | 'InstallFailed'
  | 'NotSupported'
  | 'PortInUse'
  | 'RegistryRefused'
  | 'SubnetsExhausted'

/** Turns "no space left" and "may not write" from any file operation into words; other errors pass unchanged. */
export function explained(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException)?.code ?? ''
  if (code === 'ENOSPC') {
    return new LocalClusterError(
      'DiskFull',
      `The disk that holds ${folder} is full.`,
      `Free space on the disk of ${folder}, or choose another folder with QUARTERDECK_HOME or QUARTERDECK_CACHE.`,
      { cause: error },
    )
  }
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) {
    return new LocalClusterError(
      'FolderNotWritable',
      `This user may not write in ${folder}: ${(error as Error).message}.`,
      'Choose a folder of your own with QUARTERDECK_HOME or QUARTERDECK_CACHE, or start as the user who owns this one.',
      { cause: error },
    )
  }
  return error
}
