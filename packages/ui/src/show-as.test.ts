import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { endpoint } from '../../kernel/src/index.ts'
import { asCurl, asQd, asYaml, shellWord } from './show-as.ts'

const deploy = endpoint({
  id: 'application.deploy',
  method: 'PUT',
  path: '/environments/:environment/applications/:application',
  permission: 'application.deploy',
  summary: '',
  response: z.null(),
})
const params = { environment: 'dev', application: 'shop' }
const server = 'http://127.0.0.1:7070'

/** What a real shell makes of a line: the words that the program would get. */
const words = (line: string) =>
  execFileSync('sh', ['-c', `for word in ${line}; do printf '%s\\0' "$word"; done`], {
    env: { QUARTERDECK_TOKEN: 'qd_secret' },
  })
    .toString()
    .split('\0')
    .slice(0, -1)

describe('a word for the shell', () => {
  test.each(["it's", 'a b', '$HOME', '`id`', '"', '\\', 'a\nb', "'; rm -rf / #", '部署', ''])(
    '%j reaches the program as it is',
    (text) => expect(words(shellWord(text))).toEqual([text]),
  )
})

describe('the act as curl', () => {
  test('the shell puts the token in and leaves the body alone', () => {
    const body = { image: "shop:1'8", variables: [{ name: 'A', value: '$(id) "x"' }] }
    const got = words(asCurl(server, deploy, { params, query: { reason: 'a & b', force: true }, body }))
    expect(got).toEqual([
      ...['curl', '-sS', '--fail-with-body', '-X', 'PUT'],
      `${server}/api/v1/environments/dev/applications/shop?reason=a+%26+b&force=true`,
      ...['-H', 'Authorization: Bearer qd_secret', '-H', 'Content-Type: application/json', '-d', JSON.stringify(body)],
    ])
  })

  test('no body and no query leave no trace', () => {
    const text = asCurl(server, deploy, { params, query: { force: false, reason: '' } })
    expect(text).not.toContain('?')
    expect(text).not.toContain('-d')
  })
})

describe('the act as qd', () => {
  test('a deploy that flags can express is one line', () => {
    expect(asQd(deploy, { params, body: { image: 'r/shop:1', replicas: 2 } })).toBe(
      'qd app deploy r/shop:1 --name shop --env dev --replicas 2',
    )
  })

  test('environments, projects and tenants with their quotas are one line', () => {
    const show = (id: string, named: Record<string, string>, body: object) => asQd({ id }, { params: named, body })
    const quota = { cpuRequest: '4', pods: 20 }
    expect(
      show(
        'environment.create',
        { environment: 'dev' },
        { cluster: 'c', stage: 'dev', project: 'shop', quota, limits: { most: { cpu: '2' } }, isolation: 'open' },
      ),
    ).toBe(
      'qd env create dev --cluster c --stage dev --project shop --quota cpuRequest=4,pods=20 --limits most.cpu=2 --isolation open',
    )
    expect(show('environment.update', { environment: 'dev' }, {})).toBe('qd env update dev')
    expect(show('project.update', { project: 'shop' }, { quota: {} })).toBe('qd project update shop --quota none')
    expect(show('tenant.create', {}, { name: 'retail', clusters: ['a', 'b'], overcommit: 1.5 })).toBe(
      'qd tenant create retail --clusters a,b --overcommit 1.5',
    )
  })

  test('a deploy that they cannot express carries its whole specification on standard input', () => {
    const body = { image: 'r/shop:1', replicas: 1, variables: [{ name: 'A', value: "it's\nEOF" }], create: true }
    const text = asQd(deploy, { params, body }) ?? ''
    const seen = execFileSync('sh', ['-c', text.replace(/^qd [^\n]*(?= <<)/, 'cat')]).toString()
    expect(text.split('\n')[0]).toBe("qd app deploy -f - --name shop --env dev --create <<'EOF'")
    expect(JSON.parse(seen)).toEqual({ image: 'r/shop:1', replicas: 1, variables: body.variables })
  })

  test.each([
    ['application.scale', { replicas: 0 }, 'qd app scale shop --replicas 0 --env dev'],
    ['application.set-image', { image: 'r/shop:2' }, 'qd app set-image shop r/shop:2 --env dev'],
    ['application.restart', undefined, 'qd app restart shop --env dev'],
    ['pod.restart', undefined, 'qd app restart shop --pod shop-1 --env dev'],
    ['application.delete', undefined, 'qd app delete shop --env dev --yes'],
  ])('%s', (id, body, text) => expect(asQd({ id }, { params: { ...params, pod: 'shop-1' }, body })).toBe(text))

  test('nodes and pods that are moved are one line', () => {
    const at = { params: { cluster: 'local' } }
    const nodes = [{ name: 'n1', uid: 'u' }, { name: 'n2' }]
    expect(asQd({ id: 'node.drain' }, { ...at, body: { nodes, lost: true } })).toBe(
      'qd drain n1 n2 --cluster local --lost --yes',
    )
    expect(asQd({ id: 'node.cordon' }, { ...at, body: { nodes } })).toBe('qd cordon n1 n2 --cluster local')
    expect(
      asQd({ id: 'pod.evict' }, { ...at, body: { namespace: 'shop', pods: [{ name: 'web-1' }], lost: false } }),
    ).toBe('qd evict web-1 --namespace shop --cluster local --yes')
  })

  test('the reason and taking over are part of it', () => {
    const query = { reason: "it's late", force: true }
    expect(asQd({ id: 'operation.undo' }, { params: { operation: 'x' }, query })).toBe(
      "qd operation undo x --reason 'it'\\''s late' --force",
    )
  })

  test('an act that the command line does not have shows nothing', () => {
    expect(asQd({ id: 'password.update' }, { params: {} })).toBeUndefined()
  })

  test('YAML goes in as it is', () => {
    const yaml = 'kind: Service\n---\nkind: "$HOME"\n'
    const text = asQd({ id: 'manifest.apply' }, { params, body: { yaml } }) ?? ''
    expect(text.split('\n')[0]).toBe("qd app apply -f - --name shop --env dev <<'EOF'")
    expect(execFileSync('sh', ['-c', text.replace(/^qd [^\n]*(?= <<)/, 'cat')]).toString()).toBe(yaml)
  })

  test('a kubeconfig goes in as it is, even one that holds the word that would end it', () => {
    const kubeconfig = 'kind: Config\nEOF\nusers: []\n'
    const text = asQd(
      { id: 'cluster.register' },
      { params: { cluster: 'east' }, body: { kubeconfig, title: 'East 1' } },
    )
    expect(text?.split('\n')[0]).toBe("qd cluster add east --title 'East 1' <<'EOF_'")
    expect(execFileSync('sh', ['-c', (text ?? '').replace(/^qd [^\n]*(?= <<)/, 'cat')]).toString()).toBe(kubeconfig)
  })
})

test('the YAML of a plan is one stream without what is deleted', () => {
  const changes = [
    { action: 'create', yaml: 'kind: A\n' },
    { action: 'delete', yaml: 'kind: B\n' },
    { action: 'unchanged', yaml: 'kind: C\n' },
  ]
  expect(asYaml(changes)).toBe('kind: A\n---\nkind: C')
})
