import {
  Button,
  ButtonLink,
  ChangePanel,
  Field,
  Heading,
  Note,
  Read,
  Select,
  Stage,
  useGo,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useState } from 'react'
import { deployApplication } from '../../../features/application/application/application.contract.ts'
import {
  faultsOf,
  type Proposal,
  ProposalForm,
} from '../../../features/application/application/propose-application.console.tsx'
import { ImageFacts } from '../../../features/image/image/describe-image.console.tsx'
import { ImagePicker } from '../../../features/image/image/image.console.tsx'
import { type ImageProposal, inspectImage } from '../../../features/image/image/image.contract.ts'
import { useEnvironment } from './environment.ts'
import { frameTexts } from './texts.ts'

/** Deploy in three steps: the image, what is proposed for it, and the plan. */
export function DeployPage() {
  const t = useText(frameTexts)
  const [image, setImage] = useUrlValue('image')
  const [planning, setPlanning] = useUrlValue('plan')
  const [edited, setEdited] = useState<Proposal>()
  const { current } = useEnvironment()
  const go = useGo()
  const step = image === '' ? 1 : planning === 'proposal' || (planning === 'true' && edited) ? 3 : 2
  const steps = [t('step1'), t('step2'), t('step3')]
  return (
    <div className="page">
      <header className="page-head">
        <Heading className="grow">
          {t('deployTitle')}{' '}
          {current && (
            <span className="soft in">
              {t('into')} {current.name} <Stage stage={current.stage} />
            </span>
          )}
        </Heading>
        {step === 1 && (
          <ButtonLink small to={current ? `/deploy/yaml?environment=${current.name}` : '/deploy/yaml'}>
            {t('fromYaml')}
          </ButtonLink>
        )}
        <ol className="wizard">
          {steps.map((title, index) => (
            <li key={title} {...(index + 1 === step ? { 'aria-current': 'step' as const } : {})}>
              <b>{index + 1}</b> {title}
            </li>
          ))}
        </ol>
      </header>
      {step === 1 && (
        <ImagePicker
          onPick={(picked) => {
            setEdited(undefined)
            setImage(picked)
          }}
          onRun={(picked) => {
            setEdited(undefined)
            go(
              `/deploy?${new URLSearchParams({ ...(current ? { environment: current.name } : {}), image: picked, plan: 'proposal' })}`,
            )
          }}
        />
      )}
      {step > 1 && (
        <Settings
          image={image}
          edited={edited}
          setEdited={setEdited}
          planning={step === 3}
          setPlanning={(on) => setPlanning(on ? 'true' : '')}
          otherImage={() => {
            setImage('')
          }}
        />
      )}
    </div>
  )
}

function Settings({
  image,
  edited,
  setEdited,
  planning,
  setPlanning,
  otherImage,
}: {
  image: string
  edited: Proposal | undefined
  setEdited: (proposal: Proposal) => void
  planning: boolean
  setPlanning: (on: boolean) => void
  otherImage: () => void
}) {
  const t = useText(frameTexts)
  const go = useGo()
  const { current, all } = useEnvironment()
  const query = useRead(inspectImage, { query: { image } })
  const startOf = (proposal: ImageProposal): Proposal => edited ?? { name: proposal.name, spec: proposal.spec }
  return (
    <Read query={query}>
      {(proposal) => {
        const value = startOf(proposal)
        if (planning && current) {
          return (
            <ChangePanel
              act={{
                endpoint: deployApplication,
                params: { environment: current.name, application: value.name },
                body: { ...value.spec, create: true },
                label: t('deploy'),
              }}
              cancelLabel={t('back')}
              onCancel={() => setPlanning(false)}
              onAccepted={({ id }) => go(`/operations/${id}`)}
            />
          )
        }
        const ready = Object.keys(faultsOf(value)).length === 0 && current !== undefined
        return (
          <form
            className="rows"
            onSubmit={(event) => {
              event.preventDefault()
              setEdited(value)
              setPlanning(true)
            }}
          >
            <div className="two">
              <section className="card">
                <header>
                  <h2 className="mono wrap">{proposal.image.image}</h2>
                  <Button small onClick={otherImage}>
                    {t('otherImage')}
                  </Button>
                </header>
                <div className="body rows">
                  {!current && <Note tone="warn">{t('chooseEnvironment')}</Note>}
                  <div className="form">
                    <Field label={t('environment')}>
                      {(control) => (
                        <Select
                          {...control}
                          value={current?.name ?? ''}
                          onChange={(name) => {
                            setEdited(value)
                            go(`/deploy?environment=${name}&image=${encodeURIComponent(image)}`, { replace: true })
                          }}
                          options={[
                            ...(current ? [] : [{ value: '', label: t('chooseEnvironment') }]),
                            ...all.map((one) => ({
                              value: one.name,
                              label: `${one.name} · ${one.stage.toUpperCase()}`,
                            })),
                          ]}
                        />
                      )}
                    </Field>
                  </div>
                  <ProposalForm value={value} onChange={setEdited} />
                </div>
              </section>
              <ImageFacts proposal={proposal} />
            </div>
            <div className="cols page-acts">
              <Button onClick={otherImage}>{t('back')}</Button>
              <Button type="submit" kind="primary" disabled={!ready}>
                {t('toPlan')}
              </Button>
            </div>
          </form>
        )
      }}
    </Read>
  )
}
