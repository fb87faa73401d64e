import { isProblem } from '@quarterdeck/kernel'
import { Read, useText } from '@quarterdeck/ui'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { unknownKind } from '../object/object.contract.ts'
import { nodeTexts } from './texts.console.tsx'

/** As Read; that no cluster serves nodes or pods only means that none has been read yet. */
export function ReadMirror<T>({
  query,
  lines,
  children,
}: {
  query: UseQueryResult<T, Error>
  lines?: number
  children: (value: T) => ReactNode
}) {
  const t = useText(nodeTexts)
  if (query.data === undefined && isProblem(query.error, unknownKind)) {
    return (
      <p className="soft pad" role="status">
        {t('reading')}
      </p>
    )
  }
  return (
    <Read query={query} {...(lines === undefined ? {} : { lines })}>
      {children}
    </Read>
  )
}
