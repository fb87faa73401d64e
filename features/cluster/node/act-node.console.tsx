import { Button, ChangeDialog, Check, useGo, useText } from '@quarterdeck/ui'
import { useState } from 'react'
import { cordonNodes, drainNodes, uncordonNodes } from '../object/act.contract.ts'
import { nodeTexts } from './texts.console.tsx'

const ENDPOINTS = { cordon: cordonNodes, uncordon: uncordonNodes, drain: drainNodes }
type NodeAct = keyof typeof ENDPOINTS

/** What can be done with one node: whether it takes pods, and moving those that are on it. */
export function NodeActs({ cluster, node, schedulable }: { cluster: string; node: string; schedulable: boolean }) {
  const t = useText(nodeTexts)
  const go = useGo()
  const [act, setAct] = useState<NodeAct>()
  const [lost, setLost] = useState(false)
  const nodes = [{ name: node }]
  return (
    <div className="cols">
      {schedulable ? (
        <Button small icon="lock" onClick={() => setAct('cordon')}>
          {t('cordon')}
        </Button>
      ) : (
        <Button small icon="check" onClick={() => setAct('uncordon')}>
          {t('uncordon')}
        </Button>
      )}
      <Button small icon="fall" onClick={() => setAct('drain')}>
        {t('drain')}
      </Button>
      {act && (
        <ChangeDialog
          title={t(`${act}Title`, { node })}
          act={{
            endpoint: ENDPOINTS[act],
            params: { cluster },
            body: act === 'drain' ? { nodes, lost } : { nodes },
            label: t(act),
            danger: act === 'drain',
          }}
          onCancel={() => setAct(undefined)}
          onAccepted={({ id }) => {
            setAct(undefined)
            go(`/operations/${id}`)
          }}
        >
          {act === 'drain' && (
            <Check checked={lost} onChange={setLost}>
              {t('lost')}
            </Check>
          )}
        </ChangeDialog>
      )}
    </div>
  )
}
