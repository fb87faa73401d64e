import assert from 'node:assert/strict'
import { existsSync, globSync, lstatSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PASSWORD } from '../platform/platform.ts'
import type { Row } from './row.ts'
import { filesBelow } from './state-files.ts'
import { refused, send, type Target } from './target.ts'

/** What a kubeconfig holds that nobody may see again. */
function secretsOf(target: Target): string[] {
  const kubeconfig = readFileSync(target.cluster.plane.kubeconfigFile, 'utf8')
  const keys = [...kubeconfig.matchAll(/(?:client-key-data|token):\s*(\S+)/g)].map(([, value]) => value ?? '')
  const pem = keys.map((key) => Buffer.from(key, 'base64').toString('utf8').split('\n')[1] ?? '')
  return [...keys.map((key) => key.slice(40, 120)), ...pem].filter((text) => text.length > 20)
}

const yamlKubeconfig = (server: string, user: string) => `
apiVersion: v1
kind: Config
current-context: it
clusters: [{ name: it, cluster: { server: '${server}' } }]
users: [{ name: it, user: ${user} }]
contexts: [{ name: it, context: { cluster: it, user: it } }]
`

const register = (target: Target, kubeconfig: string) =>
  target.send('PUT', '/api/v1/clusters/trap', {
    headers: { authorization: `Bearer ${target.admin.token}` },
    body: { kubeconfig },
  })

export const secretRows: Row[] = [
  {
    id: 'A21',
    what: 'credentials of a registered cluster are in no answer, no log and no file of the state folder',
    async run(target) {
      const headers = { authorization: `Bearer ${target.admin.token}` }
      const kubeconfig = readFileSync(target.cluster.plane.kubeconfigFile, 'utf8')
      const body = { kubeconfig }
      const registered = await target.send('PUT', '/api/v1/clusters/canary', { headers, body })
      assert.equal(registered.status, 200, registered.text)
      const answers = [registered.text, (await target.send('PUT', '/api/v1/clusters/canary', { headers, body })).text]
      for (const path of ['/clusters', '/clusters/canary', '/clusters/canary/nodes', '/operations', '/setup']) {
        answers.push((await target.send('GET', `/api/v1${path}`, { headers })).text)
      }
      answers.push((await target.send('GET', '/metrics')).text, target.server.log())
      const secrets = secretsOf(target)
      assert.ok(secrets.length > 0)
      for (const secret of secrets) {
        for (const answer of answers) assert.ok(!answer.includes(secret), 'an answer or the log holds a credential')
      }
      let files = 0
      for (const { file, bytes } of filesBelow(target.server.home)) {
        files++
        for (const secret of secrets) assert.ok(!bytes.includes(secret), `${file} holds a credential in plain text`)
      }
      await target.send('DELETE', '/api/v1/clusters/canary', { headers })
      return `${secrets.length} secrets, ${answers.length} answers, ${files} files`
    },
  },
  {
    id: 'A24',
    what: 'a kubeconfig may not run a program here nor read a file here',
    async run(target) {
      const mark = join(target.server.home, 'ran')
      const exec = `{ exec: { apiVersion: client.authentication.k8s.io/v1, command: touch, args: ['${mark}'], interactiveMode: Never } }`
      const users = [exec, '{ tokenFile: /etc/passwd }', '{ client-certificate: /etc/passwd, client-key: /etc/passwd }']
      for (const user of users) {
        const answer = await register(target, yamlKubeconfig('https://127.0.0.1:1', user))
        refused(answer, user, 400, 422)
        assert.doesNotMatch(answer.text, /root:x:0/)
      }
      assert.ok(!existsSync(mark), 'the program of a kubeconfig has run')
      return `${users.length} kubeconfigs`
    },
  },
  {
    id: 'A25',
    what: 'a cluster that redirects elsewhere gets no credential sent on',
    async run(target) {
      const seen: string[] = []
      const thief = createServer((request, response) => {
        seen.push(`${request.url} ${request.headers.authorization ?? ''}`)
        response.end('{}')
      })
      const lure = createServer((_, response) => {
        response.writeHead(307, { location: `http://127.0.0.1:${(thief.address() as AddressInfo).port}/stolen` }).end()
      })
      await Promise.all(
        [thief, lure].map((one) => new Promise<void>((listening) => one.listen(0, '127.0.0.1', listening))),
      )
      const url = `http://127.0.0.1:${(lure.address() as AddressInfo).port}`
      refused(await register(target, yamlKubeconfig(url, '{ token: canary-token }')), 'redirect', 400, 422, 502, 504)
      thief.close()
      lure.close()
      assert.deepEqual(seen, [])
      return undefined
    },
  },
  {
    id: 'A27',
    what: 'a token in the URL is no credential',
    async run(target) {
      for (const name of ['token', 'access_token', 'authorization', 'session']) {
        const answer = await target.send('GET', `/api/v1/environments?${name}=${target.admin.token}`)
        refused(answer, name, 400, 401)
      }
      return undefined
    },
  },
  {
    id: 'A28',
    what: 'files that hold secrets are readable by their owner only; the password is nowhere in plain text',
    async run(target) {
      const files = globSync('**/*', { cwd: target.server.home }).map((file) => join(target.server.home, file))
      const secret = files.filter((file) => /(key|password|token|secret)/i.test(file.split('/').at(-1) ?? ''))
      const open = secret.filter((file) => lstatSync(file).isFile() && (statSync(file).mode & 0o077) !== 0)
      assert.deepEqual(open, [])
      assert.ok(secret.length > 0)
      for (const { file, bytes } of filesBelow(target.server.home)) {
        assert.ok(!bytes.includes(PASSWORD), `${file} holds the administrator's password`)
      }
      assert.ok(!target.server.log().includes(PASSWORD))
      return `${secret.length} secret files, ${files.length} files`
    },
  },
  {
    id: 'A30',
    what: 'first start: only the one-time link makes an administrator, once; there is no default password',
    async run(target) {
      const fresh = await target.another({ QUARTERDECK_ADMIN_PASSWORD: '' })
      await fresh.ready()
      const post = (path: string, body: unknown) =>
        send(`${fresh.url}/api/v1${path}`, 'POST', { headers: { origin: fresh.url }, body })
      for (const password of ['admin', 'quarterdeck']) {
        refused(await post('/session', { user: 'admin', password }), `password "${password}"`, 400, 401, 429)
      }
      const token = /\/first#([\w-]+)/.exec(fresh.log())?.[1]
      assert.ok(token && token.length >= 22, 'the one-time link is not on the terminal')
      const password = 'another quiet harbour'
      refused(await post('/administrator', { token: `${token.slice(0, -1)}x`, password }), 'a guessed link', 403)
      assert.equal((await post('/administrator', { token, password })).status, 201)
      refused(await post('/administrator', { token, password: 'taken over by me' }), 'the link again', 410)
      refused(await post('/session', { user: 'admin', password: 'taken over by me' }), 'the second password', 401, 429)
      await fresh.dispose()
      return undefined
    },
  },
  {
    id: 'A64',
    what: 'an image of an unknown registry makes the platform ask nobody',
    async run(target) {
      const seen: string[] = []
      const inside = createServer((request, response) => {
        seen.push(request.url ?? '')
        response.end('{}')
      })
      await new Promise<void>((listening) => inside.listen(0, '127.0.0.1', listening))
      const port = (inside.address() as AddressInfo).port
      const headers = { authorization: `Bearer ${target.admin.token}` }
      const hosts = [
        `127.0.0.1:${port}`,
        `localhost:${port}`,
        '169.254.169.254',
        '0x7f000001',
        `[::1]:${port}`,
        '2130706433',
      ]
      for (const host of hosts) {
        const image = encodeURIComponent(`${host}/latest/meta-data:1`)
        refused(await target.send('GET', `/api/v1/images/inspect?image=${image}`, { headers }), host, 400, 422)
        const tags = await target.send('GET', `/api/v1/images/tags?repository=${image}`, { headers })
        refused(tags, host, 400, 422)
      }
      inside.close()
      assert.deepEqual(seen, [])
      return `${hosts.length} hosts`
    },
  },
]
