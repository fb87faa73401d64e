import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { TerminalControl } from './terminal.contract.ts'
import { auditEntryOf, containerNames, defaultContainer, whyNotRunning } from './terminal.rules.ts'

const pod = (parts: Partial<KubeObject>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a' },
  ...parts,
})
const spec = { initContainers: [{ name: 'init' }], containers: [{ name: 'shop' }, { name: 'proxy' }] }

test('without a name the annotated container is meant, else the first', () => {
  expect(defaultContainer(pod({ spec }))).toBe('shop')
  const annotated = (name: string) => ({ name: 'a', annotations: { 'kubectl.kubernetes.io/default-container': name } })
  expect(defaultContainer(pod({ spec, metadata: annotated('proxy') }))).toBe('proxy')
  expect(defaultContainer(pod({ spec, metadata: annotated('gone') }))).toBe('shop')
  expect(defaultContainer(pod({}))).toBeUndefined()
  expect(containerNames(pod({ spec }))).toEqual(['shop', 'proxy', 'init'])
})

test('a container that does not run says why', () => {
  const status = {
    phase: 'Running',
    containerStatuses: [
      { name: 'shop', state: { running: {} } },
      { name: 'proxy', state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ],
    initContainerStatuses: [{ name: 'init', state: { terminated: { reason: 'Completed' } } }],
  }
  expect(whyNotRunning(pod({ status }), 'shop')).toBeUndefined()
  expect(whyNotRunning(pod({ status }), 'proxy')).toBe('CrashLoopBackOff')
  expect(whyNotRunning(pod({ status }), 'init')).toBe('Completed')
  expect(whyNotRunning(pod({}), 'shop')).toBe('the pod is Pending')
})

test('a control frame is a size or the end of input, and nothing else', () => {
  expect(TerminalControl.safeParse({ columns: 80, rows: 24 }).success).toBe(true)
  expect(TerminalControl.safeParse({ closeInput: true }).success).toBe(true)
  for (const wrong of [
    undefined,
    {},
    { columns: 0, rows: 24 },
    { columns: 1e9, rows: 1 },
    { closeInput: false },
    'x',
  ]) {
    expect(TerminalControl.safeParse(wrong).success).toBe(false)
  }
})

test('a line of the audit trail says who entered which container, and how it ended', () => {
  const event = {
    time: '2026-11-21T12:00:00Z',
    subject: 'ann',
    terminal: 't1',
    environment: 'dev',
    cluster: 'local',
    namespace: 'dev-ns',
    pod: 'shop-1',
    container: 'shop',
    program: 'sh',
  }
  const what = 'terminal t1 in container shop of pod shop-1 in dev (namespace dev-ns of cluster local)'
  const line = { actor: 'ann', what, outcome: 'succeeded', environment: 'dev' }
  expect(auditEntryOf({ ...event, kind: 'opened' })).toEqual({ ...line, act: 'terminal.open', detail: 'program sh' })
  const ended = { ...line, act: 'terminal.end' }
  expect(auditEntryOf({ ...event, kind: 'ended', exitCode: 3 })).toEqual({
    ...ended,
    detail: 'program sh, ended with 3',
  })
  expect(auditEntryOf({ ...event, kind: 'ended', exitCode: null })).toEqual({
    ...ended,
    detail: 'program sh, ended from outside',
  })
})
