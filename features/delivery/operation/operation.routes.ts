import { bind, type Server } from '@quarterdeck/http'
import { invalidInput, notFound } from '@quarterdeck/kernel'
import { type Db, type Store, transaction } from '@quarterdeck/store'
import type { UndoChange } from './change.routes.ts'
import {
  type DefinitionOwner,
  getOperation,
  listOperations,
  notUndoable,
  type Operation,
  undoOperation,
  watchOperation,
} from './operation.contract.ts'
import { hasEnded, type OperationRow, toOperation, toSummary, whyNotUndoable } from './operation.rules.ts'
import { find, list, listLater, operationChannel } from './operation.store.ts'
import { laterSentences, undoRequest } from './undo.rules.ts'

export interface OperationRoutesOptions {
  db: Db
  /** The store's: tells of changed operations. */
  listen: Store['listen']
  /** `undo` of what changeMaker returns. */
  undo: UndoChange
  definitions: Record<string, DefinitionOwner<Db>>
}

/** List, look, watch, undo. */
export function operationRoutes(server: Server, options: OperationRoutesOptions): void {
  const { db } = options
  bind(server, listOperations, async ({ query }) => {
    const { limit, continue: token, ...filter } = query
    const rows = await list(db, { ...filter, before: sequenceOf(token), limit: limit + 1 })
    const items = rows.slice(0, limit).map(toSummary)
    const last = rows[limit - 1]
    return rows.length > limit && last ? { items, continue: String(last.sequence) } : { items }
  })
  bind(server, getOperation, async ({ params }) => toOperation(await get(db, params.operation)))
  bind(server, watchOperation, ({ params, signal }) => watch(options, params.operation, signal))
  bind(server, undoOperation, async ({ params, query, body, subject, idempotencyKey }) =>
    options.undo({ endpoint: undoOperation.id, subject, params, query, body, idempotencyKey }, () =>
      requestOf(options, params.operation),
    ),
  )
}

function sequenceOf(token: string | undefined): number | undefined {
  if (token === undefined) return undefined
  if (/^\d{1,15}$/.test(token)) return Number(token)
  throw invalidInput({
    detail: '/query/continue: not a value that an earlier page gave; begin with the first page',
    errors: [{ pointer: '/query/continue', detail: 'Not a value that an earlier page gave' }],
  })
}

async function get(db: Db, id: string): Promise<OperationRow> {
  const row = await find(db, id)
  if (!row) throw notFound({ detail: `There is no operation ${id}` })
  return row
}

async function requestOf({ db, definitions }: OperationRoutesOptions, id: string) {
  return transaction(
    db,
    async (tx) => {
      const row = await get(tx, id)
      const reason = whyNotUndoable(row)
      if (reason) throw notUndoable({ detail: `${row.summary}: ${reason}` })
      const later = await listLater(tx, row)
      const definition = [row, ...later].find(({ intent }) => intent.definition)?.intent.definition
      const held = definition && (await definitions[definition.owner]?.find(tx, definition.key))
      const request = undoRequest(row, later, held && { before: held.value, basis: held.basis })
      return { ...request, undoes: id, laterOperations: laterSentences(later) }
    },
    { isolation: 'repeatable read' },
  )
}

/** The operation now and at each change, until it ends. */
async function* watch(
  { db, listen }: OperationRoutesOptions,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Operation> {
  let changed = true
  let wake = () => {}
  const stop = listen(operationChannel, (payload) => {
    if (payload !== undefined && payload !== id) return
    changed = true
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  try {
    let told = ''
    while (!signal.aborted) {
      while (changed) {
        changed = false
        const operation = toOperation(await get(db, id))
        const text = JSON.stringify(operation)
        if (text !== told) yield operation
        told = text
        if (hasEnded(operation.state)) return
      }
      await new Promise<void>((resolve) => {
        wake = resolve
        if (changed || signal.aborted) resolve()
      })
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    stop()
  }
}
