/** Minor versions of Kubernetes 1 that Quarterdeck is made for: those that get patches, and the one before. */
const SUPPORTED = { oldest: 33, newest: 37 }

/** For sentences. */
export const SUPPORTED_TEXT = `stable releases from 1.${SUPPORTED.oldest} to 1.${SUPPORTED.newest} are`

/** Server-side apply, which every change goes through, is in 1.22 and above. */
const LEAST = 22

const minorOf = (gitVersion: string): number => Number(/^v1\.(\d+)\./.exec(gitVersion)?.[1] ?? Number.NaN)

/** `v1.36.3`, also with a vendor's suffix (`-eks-1a2b`, `+k3s1`); no alpha, beta or release candidate. */
export function isSupported(gitVersion: string): boolean {
  const minor = minorOf(gitVersion)
  const early = /-(alpha|beta|rc)\.\d/.test(gitVersion)
  return !early && minor >= SUPPORTED.oldest && minor <= SUPPORTED.newest
}

/** Whether it can be worked with at all; between this and `isSupported` it is at one's own risk. */
export const isUsable = (gitVersion: string): boolean => minorOf(gitVersion) >= LEAST
