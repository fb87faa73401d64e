import { z } from 'zod'

/** Query of a paged list: `limit` 1–500 (default 100) and the `continue` of the page before. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  continue: z.string().max(500).optional(),
})
export type PageQuery = z.infer<typeof PageQuery>

/** One page: `continue` is absent on the last one. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), total: z.int().optional(), continue: z.string().optional() })
