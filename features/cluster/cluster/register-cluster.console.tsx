import {
  Button,
  ConfirmDialog,
  call,
  Dialog,
  defineTexts,
  Failure,
  Field,
  FileText,
  fieldError,
  Menu,
  Note,
  ShowAs,
  TextInput,
  useGo,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { listClusters, registerCluster, removeCluster } from './cluster.contract.ts'
import { clusterTexts } from './texts.console.tsx'

const texts = defineTexts('register', { cancel: 'Cancel' }, { cancel: '取消' })

/** Registers a cluster by a kubeconfig that is pasted, dropped or chosen. */
export function RegisterDialog({ close }: { close: () => void }) {
  const t = useText(clusterTexts)
  const t2 = useText(texts)
  const go = useGo()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [title, setTitle] = useState('')
  const [context, setContext] = useState('')
  const [kubeconfig, setKubeconfig] = useState('')
  const [left, setLeft] = useState(false)
  const named = registerCluster.params.safeParse({ cluster: name })
  const body = { kubeconfig, ...(context ? { context } : {}), ...(title ? { title } : {}) }
  const register = useMutation({
    mutationFn: () =>
      call(registerCluster, {
        params: { cluster: name },
        body,
      }),
    onSuccess: async () => {
      await queries.invalidateQueries()
      close()
      go(`/clusters/${name}`)
    },
  })
  const atField = ['/cluster', '/kubeconfig', '/context'].some((field) => fieldError(register.error, field))
  return (
    <Dialog
      title={t('register')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t2('cancel')}</Button>
          <Button
            kind="primary"
            busy={register.isPending}
            disabled={!named.success || kubeconfig.trim() === ''}
            onClick={() => register.mutate()}
          >
            {t('register')}
          </Button>
        </>
      }
    >
      <div className="rows form">
        <Field
          label={t('name')}
          error={left && !named.success ? named.error.issues[0]?.message : fieldError(register.error, '/cluster')}
        >
          {(control) => (
            <TextInput {...control} value={name} onChange={setName} onBlur={() => setLeft(true)} autoFocus />
          )}
        </Field>
        <Field label={t('title')}>{(control) => <TextInput {...control} value={title} onChange={setTitle} />}</Field>
        <FileText
          label={t('kubeconfigField')}
          hint={t('registerHint')}
          fileLabel={t('chooseFile')}
          value={kubeconfig}
          onChange={setKubeconfig}
          rows={10}
          error={fieldError(register.error, '/kubeconfig')}
        />
        <Field label={t('context')} hint={t('contextHint')} error={fieldError(register.error, '/context')}>
          {(control) => <TextInput {...control} value={context} onChange={setContext} />}
        </Field>
        {named.success && kubeconfig.trim() !== '' && (
          <ShowAs endpoint={registerCluster} input={{ params: { cluster: name }, body }} />
        )}
        {register.error && !atField && <Failure error={register.error} />}
      </div>
    </Dialog>
  )
}

/** Forgets a cluster, after saying what that means. */
export function RemoveMenu({ cluster }: { cluster: string }) {
  const t = useText(clusterTexts)
  const go = useGo()
  const readAgain = useReadAgain()
  const [asking, setAsking] = useState(false)
  const done = () => {
    go('/clusters')
    return readAgain(listClusters)
  }
  return (
    <>
      <Menu
        label={t('more')}
        icon="more"
        items={[{ label: t('remove'), icon: 'trash', danger: true, act: () => setAsking(true) }]}
      />
      {asking && (
        <ConfirmDialog
          title={t('remove')}
          act={t('remove')}
          endpoint={removeCluster}
          input={{ params: { cluster } }}
          done={done}
          close={() => setAsking(false)}
        >
          <Note tone="warn">{t('removeDetail', { name: cluster })}</Note>
        </ConfirmDialog>
      )}
    </>
  )
}
