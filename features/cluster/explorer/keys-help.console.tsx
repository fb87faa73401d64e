import { Button, Dialog, isTyping, useText } from '@quarterdeck/ui'
import { useEffect, useState } from 'react'
import { ACT_KEYS } from './act-kind.rules.ts'
import { actTexts } from './act-texts.console.tsx'
import { exploreTexts } from './texts.console.tsx'

/** What keys do on this page; the key ? shows it. */
export function KeysHelp() {
  const t = useText(exploreTexts)
  const a = useText(actTexts)
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== '?' || isTyping(event.target) || document.querySelector('dialog[open]')) return
      event.preventDefault()
      setOpen(true)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
  const keys: [string[], string][] = [
    [['j', 'k', '↓', '↑'], t('keyMove')],
    [['Enter'], t('keyOpen')],
    [['Esc'], t('keyClose')],
    [['x'], t('keyPick')],
    [['⇧', '↓ ↑'], t('keyExtend')],
    [['e'], a('editKey')],
    [Object.values(ACT_KEYS), a('actKeys')],
    [['/'], t('keyFilter')],
    [['⇧'], t('keySort')],
    [[/Mac|iP/.test(navigator.platform) ? '⌘K' : 'Ctrl K'], t('keyFind')],
    [['?'], t('keyHelp')],
  ]
  return (
    <>
      <Button
        kind="plain"
        icon="help"
        aria-label={t('keys')}
        title={`${t('keys')} (?)`}
        onClick={() => setOpen(true)}
      />
      {open && (
        <Dialog narrow title={t('keys')} close={() => setOpen(false)}>
          <dl className="keys">
            {keys.map(([names, what]) => (
              <div key={what}>
                <dt>
                  {names.map((name) => (
                    <kbd key={name}>{name}</kbd>
                  ))}
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </Dialog>
      )}
    </>
  )
}
