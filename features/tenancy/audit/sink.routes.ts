import { bind, type Server } from '@quarterdeck/http'
import { type AuditEntry, done, notFound } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import type { AuditFilter, AuditRecord, AuditRow } from './audit.contract.ts'
import { toRecord } from './record.rules.ts'
import { deleteAuditSink, listAuditSinks, saveAuditSink, sinkUnreachable } from './sink.contract.ts'
import { deleteSink, findSink, listSinks, type SinkRow, saveSink, type Target } from './sink.store.ts'

export interface SinkRoutesOptions {
  db: Db
  list(filter: AuditFilter): Promise<AuditRow[]>
  /** Throws Error with a sentence. */
  send(target: Target, records: readonly AuditRecord[]): Promise<void>
  /** Of one sink's secret. */
  seal(secret: string, sink: string): string
  open(sealed: string, sink: string): string
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** Within the transaction: that a sink is there to be served. */
  hint(tx: Db, sink: string): Promise<unknown>
}

/** Where the trail is sent. */
export function sinkRoutes(server: Server, options: SinkRoutesOptions): void {
  const { db, record } = options
  const newest = async () => (await options.list({ limit: 1 }))[0]
  const shown = (
    { name, kind, settings, sealedSecret, sequence, sentTime, failures, message }: SinkRow,
    last: AuditRow | undefined,
  ) => ({
    name,
    kind,
    url: settings.url,
    ...(settings.authority === undefined ? {} : { authority: settings.authority }),
    secret: sealedSecret !== null,
    sent: sequence,
    waiting: Math.max(0, (last?.sequence ?? 0) - sequence),
    ...(sentTime === null ? {} : { sentTime }),
    failures,
    message,
  })

  bind(server, listAuditSinks, async () => {
    const [sinks, last] = await Promise.all([listSinks(db), newest()])
    return { items: sinks.map((sink) => shown(sink, last)) }
  })
  bind(server, saveAuditSink, async ({ params, body, subject }) => {
    const { kind, url, authority, secret, from } = body
    const name = params.sink
    const settings = { url, ...(authority === undefined ? {} : { authority }) }
    const [there, last] = await Promise.all([findSink(db, name), newest()])
    const kept = there?.sealedSecret == null ? undefined : options.open(there.sealedSecret, name)
    // The newest record goes out as the trial; who gets it twice can tell by its number.
    const trial = last ? [toRecord(last)] : []
    await options
      .send({ kind, settings, secret: secret === undefined ? kept : (secret ?? undefined) }, trial)
      .catch((error: Error) => {
        throw sinkUnreachable({ detail: `${url} does not take a record: ${error.message}. Nothing has been changed.` })
      })
    await transaction(db, async (tx) => {
      const sealedSecret = secret == null ? secret : options.seal(secret, name)
      const sequence = from === 'now' ? (last?.sequence ?? 0) : 0
      await saveSink(tx, { name, kind, settings, sequence, sealedSecret })
      await options.hint(tx, name)
      await record(tx, done(saveAuditSink, subject.name, `audit sink ${name}`, `${kind} ${url}`))
    })
    const row = await findSink(db, name)
    if (!row) throw noSuchSink(name)
    return shown(row, await newest())
  })
  bind(server, deleteAuditSink, async ({ params, subject }) => {
    await transaction(db, async (tx) => {
      if (!(await deleteSink(tx, params.sink))) throw noSuchSink(params.sink)
      await record(tx, done(deleteAuditSink, subject.name, `audit sink ${params.sink}`))
    })
    return null
  })
}

const noSuchSink = (name: string) => notFound({ detail: `The audit trail is not sent to anything named ${name}` })
