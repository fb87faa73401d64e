import type { AnyEndpoint } from '@quarterdeck/kernel'
import { useState } from 'react'
import { Section } from '../form.tsx'
import { Code } from '../overlay.tsx'
import { type ActInput, asCurl, asQd, asYaml } from '../show-as.ts'
import { useText } from '../text.ts'
import { partTexts } from '../texts.ts'

/** The same act as a `qd` command, as `curl`, and as YAML. */
export function ShowAs({
  endpoint,
  input,
  changes,
}: {
  endpoint: AnyEndpoint
  input: ActInput
  changes?: readonly { action: string; yaml: string }[] | undefined
}) {
  const t = useText(partTexts)
  const [tab, setTab] = useState('qd')
  const shown: Record<string, string | undefined> = {
    qd: asQd(endpoint, input),
    curl: asCurl(location.origin, endpoint, input),
    YAML: changes && asYaml(changes),
  }
  const present = Object.keys(shown).filter((name) => shown[name])
  const current = present.includes(tab) ? tab : (present[0] ?? 'curl')
  return (
    <Section title={t('showAs')} count={present.join(' · ')}>
      <div className="tabs" role="tablist" aria-label={t('showAs')}>
        {present.map((name) => (
          <button key={name} type="button" role="tab" aria-selected={name === current} onClick={() => setTab(name)}>
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" aria-label={current} data-testid={`show-as-${current.toLowerCase()}`}>
        <Code
          text={shown[current] ?? ''}
          label={current}
          {...(current === 'YAML' ? { highlight: 'yaml' as const } : {})}
        />
      </div>
      <p className="soft small">{t('showAsHint')}</p>
    </Section>
  )
}
