import { type CliContext, type Columns, serverUnreachable } from '@quarterdeck/client'
import { invalidInput } from '@quarterdeck/kernel'
import { LiveFrame, type LiveRequest, type ObjectRow, watchObjects } from './object.contract.ts'

type Asked = Omit<Extract<LiveRequest, { type: 'open' }>, 'type' | 'id' | 'offset' | 'columns'>

/**
 * The list as it is, then each row that comes or changes; what goes is said on stderr. With -o json or
 * yaml each row by itself. Throws invalidInput when the list is refused, serverUnreachable when the connection ends,
 * and AbortError after Ctrl+C.
 */
export function watchRows(context: CliContext, asked: Asked, columns: Columns<ObjectRow>): Promise<never> {
  const seen = new Map<number, ObjectRow>()
  const show = (rows: ObjectRow[]) => {
    const changed = rows.filter((row) => seen.get(row.id)?.revision !== row.revision)
    for (const row of rows) seen.set(row.id, row)
    if (changed.length === 0) return
    if (context.output === 'table') context.print(changed, columns)
    else for (const row of changed) context.print(row)
  }
  const keep = (ids: readonly number[]) => {
    const staying = new Set(ids)
    for (const [id, row] of seen) {
      if (staying.has(id)) continue
      seen.delete(id)
      context.progress(`- ${columns.name?.(row) ?? id}`)
    }
  }
  return new Promise((_, reject) => {
    const socket = context.connect(context.client.socketUrl(watchObjects, {}))
    const request: LiveRequest = { type: 'open', id: 1, offset: 0, ...asked }
    socket.onopen = () => socket.send(JSON.stringify(request))
    socket.onmessage = ({ data }) => {
      const frame = LiveFrame.parse(JSON.parse(String(data)))
      if (frame.type === 'refused') {
        const errors = frame.pointer === undefined ? {} : { errors: [{ pointer: frame.pointer, detail: frame.detail }] }
        reject(invalidInput({ detail: frame.detail, ...errors }))
        socket.close()
      } else if (frame.type === 'whole') {
        show(frame.page.rows)
        keep(frame.page.rows.map(({ id }) => id))
      } else if (frame.type === 'change') {
        show(frame.rows)
        if (frame.order) keep(frame.order)
      } else if (frame.type === 'gone') {
        reject(invalidInput({ detail: frame.message }))
        socket.close()
      }
    }
    const stop = () => socket.close()
    context.signal.addEventListener('abort', stop, { once: true })
    socket.onclose = ({ reason }) => {
      if (context.signal.aborted) reject(context.signal.reason)
      else
        reject(serverUnreachable({ detail: reason || 'The connection to the server ended; start it again to go on' }))
    }
  })
}
