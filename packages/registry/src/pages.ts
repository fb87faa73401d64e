import { z } from 'zod'
import type { Answer } from './exchange.ts'
import { parseBody } from './manifest.ts'

const PAGE = 1_000
// A registry that hands out endless or empty pages is left at some point.
const PAGES = 50

const Names = z
  .array(z.string().max(255))
  .nullish()
  .transform((names) => names ?? [])

/**
 * Reads a list page by page along its Link headers (RFC 8288, rel="next"), up to `limit` items. A link may change the
 * query only, never the path or the host, so a registry cannot lead the reader elsewhere.
 */
export async function readPages(
  path: string,
  member: 'tags' | 'repositories',
  limit: number,
  ask: (path: string) => Promise<Answer>,
): Promise<{ items: string[]; complete: boolean }> {
  const items: string[] = []
  let next: string | undefined = `${path}?n=${Math.min(PAGE, limit)}`
  for (let page = 0; next !== undefined && page < PAGES && items.length < limit; page += 1) {
    const answer: Answer = await ask(next)
    const body = parseBody(z.object({ [member]: Names }), answer.body, answer.url.host, `a list of ${member}`)
    items.push(...(body[member] as string[]))
    const query = nextQuery(answer.headers.link)
    next = query === undefined ? undefined : `${path}?${query}`
  }
  return { items: items.slice(0, limit), complete: next === undefined && items.length <= limit }
}

/** The query of the link to the next page. */
export function nextQuery(header: string | string[] | undefined): string | undefined {
  for (const link of [header ?? []].flat().flatMap((line) => line.split(','))) {
    const open = link.indexOf('<')
    const close = link.indexOf('>', open)
    if (open < 0 || close < 0 || !/;\s{0,8}rel="?next"?/i.test(link.slice(close))) continue
    const target = link.slice(open + 1, close)
    const question = target.indexOf('?')
    if (question >= 0) return target.slice(question + 1)
  }
  return undefined
}
