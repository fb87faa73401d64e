import type { ContainerLog } from './containers.ts'
import type { TimedLine } from './line-scanner.ts'
import type { LogFrame } from './request.ts'

/** Plain text, upper and lower case alike; undefined lets everything through. */
export function matcher(search: string | undefined): ((line: TimedLine) => boolean) | undefined {
  if (!search) return undefined
  const needle = search.toLowerCase()
  return ({ text }) => text.toLowerCase().includes(needle)
}

/** A line without a time was not written by the container: it is what the kubelet has to say. */
export const frameOf = ({ pod, container }: ContainerLog, { time, text }: TimedLine): LogFrame =>
  time === '' ? { note: text, pod } : { time, pod, container, text }
