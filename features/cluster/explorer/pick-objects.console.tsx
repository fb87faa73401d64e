import { Button, type ListRow, useText } from '@quarterdeck/ui'
import { useState } from 'react'
import { actsOf } from './act-kind.rules.ts'
import { ActButtons, useActs } from './act-objects.console.tsx'
import { csvOf } from './csv.rules.ts'
import { DeleteDialog } from './delete-objects.console.tsx'
import { refOf } from './explore.rules.ts'
import { exploreTexts } from './texts.console.tsx'

/** What can be done with the rows that are picked. */
export function BulkBar({
  resource,
  columns,
  rows,
  full,
  clear,
}: {
  resource: string
  columns: readonly string[]
  rows: readonly ListRow[]
  full: boolean
  clear: () => void
}) {
  const t = useText(exploreTexts)
  const [copied, setCopied] = useState(false)
  const [deleting, setDeleting] = useState(false)
  const acts = actsOf(resource)
  const objects = rows.map((row) => ({ ...refOf(resource, columns, row), uid: row.uid }))
  const { choose, dialog } = useActs({ acts, objects, done: clear })
  const copy = async () => {
    const at = columns.indexOf('name')
    await navigator.clipboard.writeText(rows.map((row) => String(row.values[at] ?? '')).join('\n'))
    setCopied(true)
    setTimeout(() => setCopied(false), 1_500)
  }
  const download = () => {
    const url = URL.createObjectURL(new Blob([csvOf(columns, rows)], { type: 'text/csv' }))
    const link = document.createElement('a')
    link.href = url
    link.download = `${resource}.csv`
    link.click()
    URL.revokeObjectURL(url)
  }
  return (
    <div className="bulk" role="toolbar" aria-label={t('pickedOf', { count: rows.length })}>
      <strong className="num" role="status">
        {t('pickedOf', { count: rows.length })}
      </strong>
      {full && <span className="soft small">{t('tooMany')}</span>}
      <Button small icon={copied ? 'check' : 'copy'} onClick={() => void copy()}>
        {copied ? t('copied') : t('copyNames')}
      </Button>
      <Button small icon="download" onClick={download}>
        {t('csv')}
      </Button>
      <ActButtons acts={acts} onAct={choose} />
      <Button small kind="danger" icon="trash" onClick={() => setDeleting(true)}>
        {t('delete')}
      </Button>
      <span className="grow" />
      <Button small kind="plain" icon="cross" onClick={clear}>
        {t('unpick')}
      </Button>
      {dialog}
      {deleting && <DeleteDialog objects={objects} close={() => setDeleting(false)} done={clear} />}
    </div>
  )
}
