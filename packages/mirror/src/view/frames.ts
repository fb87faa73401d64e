import type { Freshness } from '../mirror.ts'

/** The parts of a whole frame; `rows` are JSON. */
export interface WholeFrame {
  view: number
  number: number
  resource: string
  columns: string[]
  total: number
  offset: number
  rows: string[]
  freshness: Freshness[]
}

/** The parts of a change frame; `rows` are JSON. */
export interface ChangeFrame {
  view: number
  number: number
  total: number
  order: number[] | undefined
  rows: string[]
  freshness: Freshness[] | undefined
}

/** ViewFrame `whole` as JSON. */
export function wholeFrame({
  view,
  number,
  resource,
  columns,
  total,
  offset,
  rows,
  freshness,
}: WholeFrame): Uint8Array {
  const page = `"resource":${JSON.stringify(resource)},"columns":${JSON.stringify(columns)},"total":${total},"offset":${offset}`
  const content = `{${page},"rows":[${rows.join(',')}],"freshness":${JSON.stringify(freshness)}}`
  return Buffer.from(`{"type":"whole","view":${view},"number":${number},"page":${content}}`)
}

/** ViewFrame `change` as JSON. */
export function changeFrame({ view, number, total, order, rows, freshness }: ChangeFrame): Uint8Array {
  const moved = order ? `,"order":[${order.join(',')}]` : ''
  const known = freshness ? `,"freshness":${JSON.stringify(freshness)}` : ''
  return Buffer.from(
    `{"type":"change","view":${view},"number":${number},"total":${total}${moved},"rows":[${rows.join(',')}]${known}}`,
  )
}

/** ViewFrame `gone` as JSON. */
export const goneFrame = (view: number, message: string): Uint8Array =>
  Buffer.from(JSON.stringify({ type: 'gone', view, message }))
