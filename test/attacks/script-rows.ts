import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Browser, chromium, type Page } from '@playwright/test'
import type { KubeObject } from '@quarterdeck/kernel'
import { listClusters } from '../../features/cluster/cluster/cluster.contract.ts'
import { getEnvironment } from '../../features/tenancy/environment/environment.contract.ts'
import { root } from '../../scripts/stage.ts'
import { NotPossible, type Row } from './row.ts'
import { ADDRESSES, CALLED, MARKED, VECTORS } from './script-vectors.ts'
import type { Target } from './target.ts'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const GROUP = 'a50.example'

/** Gives out the corpus, again from the beginning when it is used up. */
function dealer(): (most?: number) => string {
  const given = { at: 0 }
  return (most = Number.POSITIVE_INFINITY) => {
    for (;;) {
      const vector = VECTORS[given.at++ % VECTORS.length] ?? ''
      if (vector.length <= most) return vector
    }
  }
}

/** Everything that a cluster takes texts for. */
function objectsWith(next: () => string, namespace: string): KubeObject[] {
  const annotations = () => ({ [`${GROUP}/one`]: next(), [`${GROUP}/link`]: ADDRESSES[0] ?? '' })
  const env = Array.from({ length: 20 }, (_, at) => ({ name: `V${at}`, value: next() }))
  const pod = (name: string, image: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, annotations: annotations(), labels: { app: 'a50' } },
    spec: { containers: [{ name: 'main', image, command: [next(), next()], args: [next()], env, workingDir: next() }] },
  })
  const about = { apiVersion: 'v1', kind: 'Pod', name: 'a50-pod', namespace }
  const events = Array.from(
    { length: 40 },
    (_, at): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `a50-${at}`, namespace },
      involvedObject: about,
      reason: next().slice(0, 120),
      message: next(),
      type: 'Warning',
      source: { component: next() },
      lastTimestamp: new Date().toISOString(),
      count: 1,
    }),
  )
  const maps = Array.from(
    { length: 60 },
    (_, at): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `a50-${at}`, namespace, annotations: annotations() },
      data: { text: next(), 'page.html': next() },
    }),
  )
  const ingress: KubeObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'a50',
      namespace,
      annotations: { ...annotations(), 'link.argocd.argoproj.io/x': ADDRESSES[0] ?? '' },
    },
    spec: { defaultBackend: { service: { name: 'a50', port: { number: 80 } } } },
  }
  const gadgets = Array.from(
    { length: 10 },
    (_, at): KubeObject => ({
      apiVersion: `${GROUP}/v1`,
      kind: 'Trinket',
      metadata: { name: `a50-${at}`, namespace },
      spec: { text: next(), link: ADDRESSES[at % ADDRESSES.length] },
    }),
  )
  return [pod('a50-pod', 'web:1'), ...events, ...maps, ingress, ...gadgets]
}

const trinkets = (next: () => string): KubeObject => {
  const column = (name: string, jsonPath: string) => ({ name, type: 'string', jsonPath, description: next() })
  const text = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `trinkets.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: 'trinkets', kind: 'Trinket' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          additionalPrinterColumns: [column(next(), '.spec.text'), column('Link', '.spec.link')],
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: text } } },
        },
      ],
    },
  } as KubeObject
}

/** Says the corpus wherever the platform takes a text of its own; what is refused is not shown. */
async function sayTexts({ admin, send }: Target, next: (most?: number) => string): Promise<number> {
  const headers = { authorization: `Bearer ${admin.token}`, 'user-agent': encodeURI(next(200)) }
  const oidc = { kind: 'oidc', issuer: 'http://127.0.0.1:1', clientId: next(), nameClaim: next() }
  const variables = Array.from({ length: 20 }, (_, at) => ({ name: `V${at}`, value: next() }))
  const said: [string, string, object][] = [
    ...Array.from({ length: 20 }, (_, at): [string, string, object] => [
      'POST',
      '/users',
      { name: `a50-${at}`, title: next(100) },
    ]),
    ['POST', '/tenants', { name: 'a50', title: next(100) }],
    ['POST', '/projects', { name: 'a50', tenant: 'default', title: next(100) }],
    ['POST', '/groups', { name: 'a50', title: next(100) }],
    ['POST', '/roles', { name: 'a50', title: next(100), permissions: ['application.list'] }],
    ['POST', '/sign-in-providers', { name: 'a50', title: next(100), settings: oidc }],
    ['POST', '/grant-requests', { role: 'viewer', environment: 'dev', reason: next(200) }],
    ['POST', '/device-login', { machine: next(60) }],
    ['POST', '/session', { user: next(60), password: 'x' }],
    ['PUT', '/environments/dev/applications/a50', { image: 'web:1', exposure: 'none', variables }],
    ['POST', `/environments/dev/applications/a50/restart?reason=${encodeURIComponent(next(200))}`, {}],
  ]
  let taken = 0
  for (const [method, path, body] of said) {
    const { status } = await send(method, `/api/v1${path}`, { headers, body })
    assert.ok(status < 500, `${path}: ${status}`)
    if (status < 300) taken++
  }
  return taken
}

async function plant(target: Target): Promise<string[]> {
  const { admin, cluster } = target
  const next = dealer()
  const { namespace } = await admin(getEnvironment, { params: { environment: 'dev' } })
  await cluster.kube.apply(trinkets(next))
  for (const object of objectsWith(next, namespace)) {
    for (let tries = 0; ; tries++) {
      try {
        await cluster.kube.apply(object)
        break
      } catch (error) {
        if (tries === 30) throw error
        await sleep(200) // the kind is new to the API server
      }
    }
  }
  const taken = await sayTexts(target, next)
  assert.ok(taken >= 20, `only ${taken} texts were taken`)
  const [registered] = (await admin(listClusters)).items
  const at = `${registered?.name}/${namespace}`
  return [
    ...pagesOf(readFileSync(join(root, 'apps/console/src/routes.tsx'), 'utf8')),
    ...[
      'pods',
      'configmaps',
      'events',
      `trinkets.${GROUP}`,
      'ingresses.networking.k8s.io',
      'customresourcedefinitions.apiextensions.k8s.io',
    ].map((resource) => `/explore/${resource}`),
    `/explore/pods/${at}/a50-pod`,
    `/explore/configmaps/${at}/a50-0`,
    `/explore/trinkets.${GROUP}/${at}/a50-0`,
    `/explore/ingresses.networking.k8s.io/${at}/a50`,
    `/clusters/${registered?.name}`,
    '/environments/dev',
    '/projects/a50',
    '/tenants/a50',
    ...['overview', 'history', 'yaml', 'logs'].map((tab) => `/environments/dev/applications/a50/${tab}`),
    `/explore/pods?filter=${encodeURIComponent(VECTORS[0] ?? '')}`,
    ...ADDRESSES.map((address) => `/sign-in?next=${encodeURIComponent(address)}`),
  ]
}

/** Every page that the console has without an argument. */
const pagesOf = (routes: string): string[] =>
  [...routes.matchAll(/(?:inFrame|alone)\(\s*'([^'$]+)'/g)].map(([, path]) => path ?? '/')

interface Seen {
  marked: number
  called: boolean
  violations: string[]
  links: { href: string; rel: string; target: string }[]
  shows: boolean
  workers: number
}

/** What came of a page, once it has settled. */
async function look(page: Page, url: string): Promise<Seen> {
  await page.goto(url, { waitUntil: 'load' })
  await page.waitForSelector('#root > *', { state: 'attached', timeout: 15_000 })
  await page.waitForTimeout(700)
  return page.evaluate(LOOK)
}

/** Run in the page, so it is text here: what of it Node knows nothing. */
const LOOK = `(async () => ({
  marked: document.querySelectorAll('[${MARKED}]').length,
  called: window.x50ran,
  violations: window.x50violations,
  links: [...document.querySelectorAll('a[href],area[href],form[action]')].map((one) => ({
    href: one.getAttribute('href') ?? one.getAttribute('action'),
    rel: one.getAttribute('rel') ?? '',
    target: one.getAttribute('target') ?? '',
  })),
  shows: (document.body.innerText + [...document.querySelectorAll('[title]')].map(({ title }) => title)).includes('${MARKED}'),
  workers: ((await navigator.serviceWorker?.getRegistrations()) ?? []).length,
}))()` as unknown as () => Promise<Seen>

const WATCH = `
  window.x50ran = false
  window.x50violations = []
  window.${CALLED} = () => { window.x50ran = true }
  document.addEventListener('securitypolicyviolation', (event) => {
    window.x50violations.push(event.violatedDirective + ' ' + event.blockedURI)
  })
`

async function signedIn(browser: Browser, target: Target): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1400 } })
  const cookie = await target.cookie()
  const equals = cookie.indexOf('=')
  await context.addCookies([{ name: cookie.slice(0, equals), value: cookie.slice(equals + 1), url: target.server.url }])
  await context.addInitScript(WATCH)
  return context.newPage()
}

async function stored(target: Target): Promise<string> {
  const paths = await plant(target)
  // A fresh checkout builds its console first.
  for (let tries = 0; (await target.send('GET', '/')).status !== 200; tries++) {
    assert.ok(tries < 600, 'the console is not built within a minute')
    await sleep(100)
  }
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    const page = await signedIn(browser, target)
    const dialogs: string[] = []
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    const asked: string[] = []
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== target.server.url && !request.url().startsWith('data:'))
        asked.push(request.url())
    })
    let shown = 0
    let links = 0
    for (const path of paths) {
      const seen = await look(page, `${target.server.url}${path}`)
      assert.equal(seen.marked, 0, `${path} takes a text for markup`)
      assert.ok(!seen.called, `${path} has run a text`)
      assert.deepEqual(seen.violations, [], `${path} was stopped by the content policy only`)
      assert.equal(seen.workers, 0, `${path} has a service worker`)
      for (const { href, rel, target: opens } of seen.links) {
        assert.match(new URL(href, target.server.url).protocol, /^https?:$/, `${path} links to ${href}`)
        assert.ok(!href.includes('evil.example'), `${path} links to ${href}`)
        if (opens !== '') assert.match(rel, /noopener|noreferrer/, `${path}: ${href} may change the page it came from`)
      }
      links += seen.links.length
      if (seen.shows) shown++
    }
    assert.deepEqual([dialogs, asked], [[], []])
    assert.ok(shown >= 8, `only ${shown} pages show what was planted: the row would prove nothing`)
    return `${VECTORS.length} texts, ${paths.length} pages, ${shown} of them show some, ${links} links`
  } finally {
    await browser.close()
  }
}

/** One walk through the console answers several rows. */
const walks = new WeakMap<Target, Promise<string>>()
async function walked(target: Target): Promise<string> {
  if (!existsSync(CHROMIUM)) throw new NotPossible('it takes Chromium: apt-get install chromium')
  const walk = walks.get(target) ?? stored(target)
  walks.set(target, walk)
  return walk
}

export const scriptRows: Row[] = [
  {
    id: 'A50',
    what: 'two hundred texts that would be script, wherever a text may stand: every page shows them as text',
    run: walked,
  },
  { id: 'A51', what: 'no page links to an address that runs something or leads elsewhere unseen', run: walked },
  {
    id: 'A55',
    what: 'what opens in a window of its own cannot reach back, and no page leaves a service worker',
    run: walked,
  },
]
