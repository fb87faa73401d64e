import { bind, type Context, type Server } from '@quarterdeck/http'
import { type AnyEndpoint, invalidInput, notFound, type Permission, type Subject } from '@quarterdeck/kernel'
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
import { find, findPlaced, list, listLater, operationChannel } from './operation.store.ts'
import { laterSentences, undoRequest } from './undo.rules.ts'

export interface OperationRoutesOptions {
  db: Db
  /** The store's: tells of changed operations. */
  listen: Store['listen']
  /** `undo` of what changeMaker returns. */
  undo: UndoChange
  /** The environments where a permission counts for somebody; undefined: everywhere. */
  environmentsWith(subject: Subject, permission: Permission): ReadonlySet<string> | undefined
  definitions: Record<string, DefinitionOwner<Db>>
}

/** List, look, watch, undo. */
export function operationRoutes(server: Server, options: OperationRoutesOptions): void {
  const { db } = options
  bind(server, listOperations, async ({ query, subject }) => {
    const { limit, continue: token, ...filter } = query
    const environments = options.environmentsWith(subject, listOperations.permission)
    const rows = await list(db, { ...filter, environments, before: sequenceOf(token), limit: limit + 1 })
    const items = rows.slice(0, limit).map(toSummary)
    const last = rows[limit - 1]
    return rows.length > limit && last ? { items, continue: String(last.sequence) } : { items }
  })
  bind(server, getOperation, async (context) => toOperation(await seen(db, context)))
  bind(server, watchOperation, (context) => watch(options, context))
  bind(server, undoOperation, async (context) => {
    const { params, query, body, subject, idempotencyKey } = context
    const row = await seen(db, context)
    context.require(undoOperation.permission, placeOf(row))
    for (const { permission, scope } of neededBesides(options, row)) context.require(permission, scope)
    return options.undo({ endpoint: undoOperation.id, subject, params, query, body, idempotencyKey }, () =>
      requestOf(options, params.operation),
    )
  })
}

/** Whoever may undo does not for that reason make and delete what others keep: environments. */
function neededBesides({ definitions }: OperationRoutesOptions, { intent }: OperationRow) {
  const { definition } = intent
  if (!definition) return []
  const { owner, key, before, after } = definition
  return definitions[owner]?.needs?.({ key, before: after, after: before }) ?? []
}

function sequenceOf(token: string | undefined): number | undefined {
  if (token === undefined) return undefined
  if (/^\d{1,15}$/.test(token)) return Number(token)
  throw invalidInput({
    detail: '/query/continue: not a value that an earlier page gave; begin with the first page',
    errors: [{ pointer: '/query/continue', detail: 'Not a value that an earlier page gave' }],
  })
}

type Asked = Pick<Context<AnyEndpoint>, 'may' | 'signal'> & { params: { operation: string } }

/** Throws the same for an operation that is not there as for one that is not the asker's to see. */
async function seen(db: Db, { params, may }: Omit<Asked, 'signal'>): Promise<Placed> {
  const row = await findPlaced(db, params.operation)
  if (row && may(listOperations.permission, placeOf(row))) return row
  throw noSuchOperation(params.operation)
}

type Placed = OperationRow & { placed: boolean }

/** What belongs to no environment belongs to the platform, and so does what was done in one whose name another has now. */
const placeOf = ({ environment, placed }: Pick<Placed, 'environment' | 'placed'>) =>
  environment === null || !placed ? {} : { environment }

const noSuchOperation = (id: string) => notFound({ detail: `There is no operation ${id}, or you may not see it` })

async function get(db: Db, id: string): Promise<OperationRow> {
  const row = await find(db, id)
  if (!row) throw noSuchOperation(id)
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
async function* watch({ db, listen }: OperationRoutesOptions, asked: Asked): AsyncGenerator<Operation> {
  const { signal } = asked
  const id = asked.params.operation
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
        const operation = toOperation(await seen(db, asked))
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
