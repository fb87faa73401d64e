import { z } from 'zod'

/** A Kubernetes label name (RFC 1123 label): what applications, environments and clusters are called. */
export const Name = z
  .string()
  .min(1, 'Give a name')
  .max(63, 'A name has at most 63 characters')
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'Lower-case letters, digits and hyphens, beginning and ending with a letter or digit',
  )
  .describe('RFC 1123 label')

/** A Kubernetes object name (RFC 1123 subdomain): pods, ReplicaSets, nodes. */
export const ObjectName = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    'Lower-case letters, digits, hyphens and dots, beginning and ending with a letter or digit',
  )
  .describe('RFC 1123 subdomain')

/** The nearest legal name to any text, or undefined when nothing is left of it. */
export function nameFrom(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
  return name === '' ? undefined : name
}

/** An instant, RFC 3339 in UTC. */
export const Time = z.iso.datetime().describe('RFC 3339, UTC')
