import { Age, Button, Elapsed, Empty, Link, Read, Table, useRead, useText } from '@quarterdeck/ui'
import { useState } from 'react'
import { OperationState, UndoDialog } from './operation.console.tsx'
import { listOperations, type OperationSummary } from './operation.contract.ts'
import { operationTexts } from './texts.console.tsx'

/** Operations, newest first, of everything or of one environment or application, with the way back on each row. */
export function OperationTable({
  query,
  stageOf,
  limit = 100,
}: {
  query: { environment?: string; application?: string; running?: boolean }
  stageOf?: (environment: string) => string | undefined
  limit?: number
}) {
  const t = useText(operationTexts)
  const [undoing, setUndoing] = useState<OperationSummary>()
  const operations = useRead(listOperations, { query: { ...query, limit } }, { everySeconds: 2 })
  const wide = query.application === undefined
  return (
    <Read query={operations}>
      {({ items }) => (
        <>
          <Table
            label={t('operations')}
            rows={items}
            rowKey={(one) => one.id}
            empty={<Empty title={t('none')}>{t('noneDetail')}</Empty>}
            columns={[
              { title: t('what'), cell: (one) => <Link to={`/operations/${one.id}`}>{one.summary}</Link> },
              { title: t('state'), nowrap: true, cell: (one) => <OperationState state={one.state} /> },
              ...(wide ? [{ title: t('where'), cell: (one: OperationSummary) => one.environment ?? one.cluster }] : []),
              { title: t('who'), cell: (one) => one.actor },
              { title: t('time'), end: true, cell: (one) => <Elapsed from={one.startTime} to={one.endTime} /> },
              { title: t('when'), nowrap: true, cell: (one) => <Age time={one.acceptTime} /> },
              {
                title: t('acts'),
                acts: true,
                cell: (one) =>
                  one.undoneBy ? (
                    <Link to={`/operations/${one.undoneBy}`}>{t('undone')}</Link>
                  ) : (
                    one.undoable && (
                      <Button small icon="undo" onClick={() => setUndoing(one)}>
                        {t('undo')}
                      </Button>
                    )
                  ),
              },
            ]}
          />
          {undoing && (
            <UndoDialog
              operation={undoing}
              stage={undoing.environment && stageOf?.(undoing.environment)}
              close={() => setUndoing(undefined)}
            />
          )}
        </>
      )}
    </Read>
  )
}
