import { formatBytes } from '@quarterdeck/kernel'
import {
  Age,
  Button,
  defineTexts,
  Empty,
  Field,
  FilterLine,
  Icon,
  Note,
  Read,
  Table,
  TextInput,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useState } from 'react'
import { inspectImage, listRepositories, listTags } from './image.contract.ts'

const texts = defineTexts(
  'image',
  {
    paste: 'Image reference',
    pasteHint: 'registry/repository:tag, or pick one below',
    go: 'Use this image',
    repositories: 'Repositories',
    filter: 'Find a repository',
    tags: 'Tags of {{repository}}',
    tag: 'Tag',
    digest: 'Digest',
    size: 'Size',
    made: 'Built',
    acts: 'Acts',
    use: 'Use',
    run: 'Run as proposed',
    none: 'No repository is known',
    noneDetail: 'Push an image to the registry of the local cluster, or write a reference above.',
    noTags: 'This repository has no tags.',
    pick: 'Pick a repository to see its tags, newest first.',
    noMatch: 'No repository has this in its name.',
  },
  {
    paste: '镜像地址',
    pasteHint: '格式为 registry/repository:tag，也可以在下面选取',
    go: '使用此镜像',
    repositories: '镜像仓库',
    filter: '查找仓库',
    tags: '{{repository}} 的标签',
    tag: '标签',
    digest: '摘要',
    size: '大小',
    made: '构建时间',
    acts: '操作',
    use: '选用',
    run: '按建议运行',
    none: '还没有可用的仓库',
    noneDetail: '向本地集群的镜像仓库推送镜像，或在上方直接填写镜像地址。',
    noTags: '该仓库没有标签。',
    pick: '选择仓库查看标签，按时间倒序。',
    noMatch: '没有名称匹配的仓库。',
  },
)

/** Picks an image: from the repositories of the known registries, or by writing its reference. */
export function ImagePicker({
  onPick,
  onRun,
}: {
  onPick: (image: string) => void
  /** Straight to the plan of what is proposed. */
  onRun: (image: string) => void
}) {
  const t = useText(texts)
  const [pasted, setPasted] = useState('')
  const [fault, setFault] = useState<string>()
  const [repository, setRepository] = useUrlValue('repository')
  const [search, setSearch] = useUrlValue('search')
  const use = () => {
    const checked = inspectImage.query.safeParse({ image: pasted.trim() })
    if (checked.success) onPick(pasted.trim())
    else setFault(checked.error.issues[0]?.message)
  }
  return (
    <div className="rows">
      <form
        className="cols bottom"
        onSubmit={(event) => {
          event.preventDefault()
          use()
        }}
      >
        <div className="grow">
          <Field label={t('paste')} hint={t('pasteHint')} error={fault}>
            {(control) => (
              <TextInput
                {...control}
                className="mono"
                value={pasted}
                onChange={(text) => {
                  setPasted(text)
                  setFault(undefined)
                }}
              />
            )}
          </Field>
        </div>
        <Button type="submit" kind="primary" disabled={pasted.trim() === ''}>
          {t('go')}
        </Button>
      </form>
      <div className="two even">
        <Repositories chosen={repository} choose={setRepository} search={search} setSearch={setSearch} />
        <section className="card">
          {repository === '' ? (
            <p className="soft pad">{t('pick')}</p>
          ) : (
            <Tags repository={repository} onPick={onPick} onRun={onRun} />
          )}
        </section>
      </div>
    </div>
  )
}

/** Images that the platform runs itself stand at the end. */
const isOwn = (repository: string) => repository.startsWith('quarterdeck/')

function Repositories({
  chosen,
  choose,
  search,
  setSearch,
}: {
  chosen: string
  choose: (repository: string) => void
  search: string
  setSearch: (search: string) => void
}) {
  const t = useText(texts)
  const query = useRead(listRepositories, {})
  return (
    <section className="card" aria-label={t('repositories')}>
      <header>
        <h2>{t('repositories')}</h2>
        <FilterLine value={search} onChange={setSearch} placeholder={t('filter')} />
      </header>
      <Read query={query}>
        {({ items, problems }) => {
          const shown = items
            .filter((one) => `${one.registry}/${one.repository}`.includes(search.toLowerCase()))
            .sort((a, b) => Number(isOwn(a.repository)) - Number(isOwn(b.repository)))
          return (
            <>
              {problems.map((problem) => (
                <Note key={problem} tone="warn">
                  {problem}
                </Note>
              ))}
              {items.length === 0 && <Empty title={t('none')}>{t('noneDetail')}</Empty>}
              {items.length > 0 && shown.length === 0 && <p className="soft pad">{t('noMatch')}</p>}
              <ul className="picks">
                {shown.slice(0, 200).map((one) => {
                  const name = `${one.registry}/${one.repository}`
                  return (
                    <li key={name}>
                      <button type="button" aria-pressed={name === chosen} onClick={() => choose(name)}>
                        <Icon name="image" />
                        <span className="grow clip">
                          <strong>{one.repository}</strong> <span className="soft small">{one.registry}</span>
                        </span>
                        <Icon name="turn" />
                      </button>
                    </li>
                  )
                })}
              </ul>
            </>
          )
        }}
      </Read>
    </section>
  )
}

function Tags({
  repository,
  onPick,
  onRun,
}: {
  repository: string
  onPick: (image: string) => void
  onRun: (image: string) => void
}) {
  const t = useText(texts)
  const query = useRead(listTags, { query: { repository } })
  const title = t('tags', { repository: repository.split('/').slice(1).join('/') })
  return (
    <>
      <header>
        <h2>{title}</h2>
      </header>
      <Read query={query}>
        {({ items }) => (
          <Table
            label={title}
            rows={items}
            rowKey={(tag) => tag.tag}
            empty={<p className="soft pad">{t('noTags')}</p>}
            columns={[
              { title: t('tag'), cell: (tag) => <strong className="mono">{tag.tag}</strong> },
              { title: t('digest'), cell: (tag) => <span className="mono soft">{tag.digest.slice(7, 19)}</span> },
              {
                title: t('size'),
                end: true,
                nowrap: true,
                cell: (tag) => (tag.sizeBytes ? formatBytes(tag.sizeBytes) : '–'),
              },
              { title: t('made'), nowrap: true, cell: (tag) => <Age time={tag.createTime} /> },
              {
                title: t('acts'),
                acts: true,
                cell: (tag) => (
                  <span className="cols">
                    <Button
                      small
                      aria-label={`${t('run')} ${tag.image.split('/').at(-1)}`}
                      onClick={() => onRun(tag.image)}
                    >
                      {t('run')}
                    </Button>
                    <Button
                      small
                      kind="primary"
                      aria-label={`${t('use')} ${tag.image.split('/').at(-1)}`}
                      onClick={() => onPick(tag.image)}
                    >
                      {t('use')}
                    </Button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </Read>
    </>
  )
}
