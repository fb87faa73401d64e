import { expect, test } from 'vitest'
import { type SetupReport, stagesFor, stagesOf, waysOutOf } from './setup.rules.ts'

const report = (component: string, state: SetupReport['state'], more: Partial<SetupReport> = {}): SetupReport => ({
  stage: 'binaries',
  component,
  state,
  detail: '',
  ...more,
})
const binaries = (...reports: SetupReport[]) => stagesOf(['binaries'], reports)[0]

test('a stage nobody has reported about waits', () => {
  expect(binaries()).toEqual({ id: 'binaries', title: 'Programs of Kubernetes', state: 'waiting', detail: '' })
})

test('a stage shows what is being done and how far all of it is', () => {
  const stage = binaries(
    report('etcd', 'done', { percent: 100 }),
    report('kubernetes', 'running', { detail: 'building', percent: 10, elapsedSeconds: 3 }),
    report('kubernetes', 'running', { detail: 'building', percent: 50, elapsedSeconds: 12.5 }),
  )
  expect(stage).toMatchObject({ state: 'running', detail: 'kubernetes: building', percent: 75, elapsedSeconds: 12.5 })
})

test('a stage without a known percentage shows none', () => {
  expect(binaries(report('etcd', 'running'))).not.toHaveProperty('percent')
})

test('one failed component fails the stage, until it is tried again', () => {
  const failed = report('etcd', 'failed', { detail: 'port 2379 is taken' })
  expect(binaries(report('go', 'done'), failed)).toMatchObject({ state: 'failed', detail: 'etcd: port 2379 is taken' })
  expect(binaries(report('go', 'done'), failed, report('etcd', 'running'))).toMatchObject({ state: 'running' })
})

test('between two components a stage still runs', () => {
  expect(binaries(report('a', 'done'), report('b', 'waiting'))).toMatchObject({ state: 'running' })
})

test('with a kubeconfig nothing is obtained or brought up', () => {
  expect(stagesFor('kubeconfig')).toEqual(['store', 'control-plane', 'environment'])
  expect(stagesFor('local')).toContain('binaries')
})

test('where programs cannot be had there are three ways out, two of them with a command', () => {
  const ways = waysOutOf({ reason: 'BinariesUnavailable', message: 'Go is missing', cure: 'apt install golang' })
  expect(ways.map(({ command }) => command)).toEqual([
    'npm start -- --kubeconfig FILE',
    'QUARTERDECK_BINARIES=FOLDER_OR_URL npm start',
    undefined,
  ])
})

test('any other failure says its own cure', () => {
  expect(waysOutOf({ reason: 'disk-full', message: 'The disk is full', cure: 'Free space' })).toEqual([
    { title: 'The disk is full', detail: 'Free space' },
  ])
  expect(waysOutOf(undefined)).toEqual([])
})
