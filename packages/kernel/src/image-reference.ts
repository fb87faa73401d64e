import { z } from 'zod'

/** An image reference taken apart; the grammar is the OCI distribution specification's, the defaults are Docker's. */
export interface ImageReference {
  registry: string
  repository: string
  tag?: string
  digest?: string
}

const HOST =
  /^(localhost|\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*)(:\d{1,5})?$/
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/

/** Takes a reference apart, or returns undefined when it is malformed. Length is checked first, so it stays linear. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length === 0 || text.length > 500) return undefined
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  let rest = at < 0 ? text : text.slice(0, at)
  if (digest !== undefined && !DIGEST.test(digest)) return undefined
  const colon = rest.lastIndexOf(':')
  let tag: string | undefined
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1)
    rest = rest.slice(0, colon)
    if (!TAG.test(tag)) return undefined
  }
  const slash = rest.indexOf('/')
  const first = slash < 0 ? '' : rest.slice(0, slash)
  const named = first.includes('.') || first.includes(':') || first === 'localhost'
  const registry = named ? first : 'docker.io'
  let repository = named ? rest.slice(slash + 1) : rest
  if (!named && !repository.includes('/')) repository = `library/${repository}`
  if (!HOST.test(registry) || !REPOSITORY.test(repository) || repository.length > 255) return undefined
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}

/** The reference as one text, tag and digest as given; `latest` where neither is. */
export const formatImageReference = ({ registry, repository, tag, digest }: ImageReference): string =>
  `${registry}/${repository}${tag || !digest ? `:${tag ?? 'latest'}` : ''}${digest ? `@${digest}` : ''}`

/** An image reference from outside. */
export const ImageText = z
  .string()
  .trim()
  .refine(
    (text) => parseImageReference(text) !== undefined,
    'An image such as registry.example.com/team/shop:1.2; repository in lower case, then :tag or @sha256:digest',
  )
  .describe('Image reference: [registry/]repository[:tag][@digest]')
