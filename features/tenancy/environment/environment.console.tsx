import {
  Age,
  Button,
  ChangeDialog,
  defineTexts,
  Empty,
  Field,
  FilterLine,
  Heading,
  Link,
  Menu,
  matches,
  NoMatch,
  Read,
  Select,
  Stage,
  State,
  Table,
  TextInput,
  type Tone,
  useGo,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useDeferredValue, useState } from 'react'
import { listClusters } from '../../cluster/cluster/cluster.contract.ts'
import { createEnvironment, deleteEnvironment, type Environment, listEnvironments } from './environment.contract.ts'

const texts = defineTexts(
  'environment',
  {
    environments: 'Environments',
    create: 'Create an environment',
    createShort: 'Create',
    name: 'Name',
    nameHint: 'The namespace on the cluster is called so as well',
    cluster: 'Cluster',
    namespace: 'Namespace',
    stage: 'Stage',
    stageHint: 'How near to customers it is. Always shown, never guessed from a name.',
    title: 'Title',
    state: 'State',
    applications: 'Applications',
    age: 'Created',
    acts: 'Acts',
    more: 'More acts',
    delete: 'Delete',
    deleteTitle: 'Delete the environment {{name}}',
    none: 'No environment yet',
    noneDetail: 'An environment is a namespace on a cluster with a stage. Applications are deployed into one.',
    filter: 'shop-dev  stage:prod',
    dev: 'dev: try things out',
    test: 'test: for testers',
    pre: 'pre: like production, before it',
    prod: 'prod: customers are here',
    Creating: 'Being created',
    Ready: 'Ready',
    Deleting: 'Being deleted',
    Failed: 'Failed',
    Unknown: 'Not known',
    fill: 'Choose a name and a cluster to see the plan.',
  },
  {
    environments: '环境',
    create: '新建环境',
    createShort: '新建',
    name: '名称',
    nameHint: '集群上的命名空间使用相同名称',
    cluster: '集群',
    namespace: '命名空间',
    stage: '级别',
    stageHint: '表示离客户有多近，始终显示，不会从名称推断。',
    title: '标题',
    state: '状态',
    applications: '应用',
    age: '创建时间',
    acts: '操作',
    more: '更多操作',
    delete: '删除',
    deleteTitle: '删除环境 {{name}}',
    none: '还没有环境',
    noneDetail: '环境是集群上的一个带级别的命名空间，应用部署在环境中。',
    filter: 'shop-dev  stage:prod',
    dev: 'dev：开发',
    test: 'test：测试',
    pre: 'pre：预发布',
    prod: 'prod：生产',
    Creating: '创建中',
    Ready: '正常',
    Deleting: '删除中',
    Failed: '失败',
    Unknown: '未知',
    fill: '填写名称并选择集群后显示计划。',
  },
)
const TONES: Record<Environment['state'], Tone> = {
  Creating: 'busy',
  Ready: 'good',
  Deleting: 'busy',
  Failed: 'bad',
  Unknown: 'mute',
}

/** Environments with stage and cluster; create and delete end on a plan like every change. */
export function EnvironmentsPage() {
  const t = useText(texts)
  const [filter, setFilter] = useUrlValue('filter')
  const [cluster] = useUrlValue('cluster')
  const [creating, setCreating] = useUrlValue('create')
  const [deleting, setDeleting] = useState<Environment>()
  const query = useRead(listEnvironments, {}, { everySeconds: 2 })
  const shown = (one: Environment) =>
    (!cluster || one.cluster === cluster) &&
    matches(filter, { name: one.name, stage: one.stage, cluster: one.cluster, title: one.title })
  return (
    <div className="page">
      <header className="page-head">
        <Heading className="grow">{t('environments')}</Heading>
        <FilterLine value={filter} onChange={setFilter} placeholder={t('filter')} />
        <Button kind="primary" icon="plus" onClick={() => setCreating('true')}>
          {t('create')}
        </Button>
      </header>
      <section className="card">
        <Read query={query}>
          {({ items }) => (
            <Table
              label={t('environments')}
              rows={items.filter(shown)}
              rowKey={(one) => one.name}
              empty={
                items.length > 0 ? (
                  <NoMatch clear={() => setFilter('')} />
                ) : (
                  <Empty
                    title={t('none')}
                    act={
                      <Button kind="primary" icon="plus" onClick={() => setCreating('true')}>
                        {t('create')}
                      </Button>
                    }
                  >
                    {t('noneDetail')}
                  </Empty>
                )
              }
              columns={[
                {
                  title: t('name'),
                  cell: (one) => <Link to={`/applications?environment=${one.name}`}>{one.name}</Link>,
                },
                { title: t('stage'), nowrap: true, cell: (one) => <Stage stage={one.stage} /> },
                {
                  title: t('state'),
                  cell: (one) => (
                    <>
                      <State tone={TONES[one.state]}>{t(one.state)}</State>
                      {one.message && <div className="soft small wrap">{one.message}</div>}
                    </>
                  ),
                },
                { title: t('cluster'), cell: (one) => <Link to={`/clusters/${one.cluster}`}>{one.cluster}</Link> },
                { title: t('namespace'), cell: (one) => <span className="mono">{one.namespace}</span> },
                { title: t('applications'), end: true, cell: (one) => one.applications },
                { title: t('age'), nowrap: true, cell: (one) => <Age time={one.createTime} /> },
                {
                  title: t('acts'),
                  acts: true,
                  cell: (one) => (
                    <Menu
                      small
                      kind="plain"
                      icon="more"
                      label={`${t('more')}: ${one.name}`}
                      items={[{ label: t('delete'), icon: 'trash', danger: true, act: () => setDeleting(one) }]}
                    />
                  ),
                },
              ]}
            />
          )}
        </Read>
      </section>
      {creating === 'true' && <CreateDialog close={() => setCreating('')} />}
      {deleting && <DeleteDialog environment={deleting} close={() => setDeleting(undefined)} />}
    </div>
  )
}

function useAnswers(close: () => void) {
  const go = useGo()
  return {
    onCancel: close,
    onAccepted: ({ id }: { id: string }) => {
      close()
      go(`/operations/${id}`)
    },
  }
}

function CreateDialog({ close }: { close: () => void }) {
  const t = useText(texts)
  const clusters = useRead(listClusters)
  const [form, setForm] = useState({ name: '', cluster: '', stage: 'dev', title: '' })
  const [left, setLeft] = useState(false)
  const names = (clusters.data?.items ?? []).map((one) => one.name)
  const cluster = form.cluster || names[0] || ''
  const wanted = useDeferredValue(form)
  const named = createEnvironment.params.safeParse({ environment: wanted.name })
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part })
  const fields = (
    <>
      <Field
        label={t('name')}
        hint={t('nameHint')}
        error={left && !named.success ? named.error.issues[0]?.message : undefined}
      >
        {(control) => (
          <TextInput
            {...control}
            value={form.name}
            onChange={(name) => set({ name })}
            onBlur={() => setLeft(true)}
            autoFocus
          />
        )}
      </Field>
      <div className="pairs">
        <Field label={t('cluster')}>
          {(control) => (
            <Select
              {...control}
              value={cluster}
              onChange={(next) => set({ cluster: next })}
              options={names.map((name) => ({ value: name, label: name }))}
            />
          )}
        </Field>
        <Field label={t('stage')} hint={t('stageHint')}>
          {(control) => (
            <Select
              {...control}
              value={form.stage}
              onChange={(stage) => set({ stage })}
              options={(['dev', 'test', 'pre', 'prod'] as const).map((stage) => ({ value: stage, label: t(stage) }))}
            />
          )}
        </Field>
      </div>
      <Field label={t('title')}>
        {(control) => <TextInput {...control} value={form.title} onChange={(title) => set({ title })} />}
      </Field>
    </>
  )
  const body = { cluster, stage: wanted.stage, ...(wanted.title ? { title: wanted.title } : {}) }
  return (
    <ChangeDialog
      title={t('create')}
      act={{
        endpoint: createEnvironment,
        params: { environment: wanted.name },
        body,
        label: t('createShort'),
        waiting: named.success && cluster !== '' ? undefined : t('fill'),
      }}
      {...useAnswers(close)}
    >
      {fields}
    </ChangeDialog>
  )
}

function DeleteDialog({ environment, close }: { environment: Environment; close: () => void }) {
  const t = useText(texts)
  const near = environment.stage === 'pre' || environment.stage === 'prod'
  return (
    <ChangeDialog
      title={
        <>
          {t('deleteTitle', { name: environment.name })} <Stage stage={environment.stage} />
        </>
      }
      act={{
        endpoint: deleteEnvironment,
        params: { environment: environment.name },
        label: t('delete'),
        danger: true,
        confirm: near ? { name: environment.name, stage: environment.stage } : undefined,
      }}
      {...useAnswers(close)}
    />
  )
}
