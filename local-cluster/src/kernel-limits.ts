import { readFileSync, writeFileSync } from 'node:fs'

const LIMITS: Record<string, number> = {
  // A kubelet, containerd and CoreDNS hold about 60 together; Linux allows 128 a user, so a third cluster's kubelet ends
  // with "too many open files" (seen 2026-11-21).
  '/proc/sys/fs/inotify/max_user_instances': 1024,
  '/proc/sys/fs/inotify/max_user_watches': 65_536,
}

/** Raises what Linux allows one user to watch, where it is less than several clusters need. Never lowers anything. */
export function raiseKernelLimits(limits: Record<string, number> = LIMITS): void {
  for (const [path, wanted] of Object.entries(limits)) {
    if (Number(readFileSync(path, 'utf8')) < wanted) writeFileSync(path, String(wanted))
  }
}
