import { spawn } from 'node:child_process'
import { clusterForbidden } from '@quarterdeck/kernel'
import { z } from 'zod'
import type { Kubeconfig } from './kubeconfig.ts'
import type { CredentialPlugin } from './kubeconfig-shape.ts'

/** What proves who we are, for one request. */
export interface Credentials {
  token?: string
  certificate?: string
  key?: string
}

/** Where the credentials of a connection come from. */
export interface CredentialSource {
  get(): Promise<Credentials>
  /** The API server has just refused the last ones. */
  refused(): void
}

const PLUGIN_TIMEOUT_MS = 30_000 // cloud plugins call their vendor's API, usually under 3 s
const EARLY_MS = 30_000 // renewed this long before it expires

// client.authentication.k8s.io/v1, kind ExecCredential
const ExecCredential = z.looseObject({
  kind: z.literal('ExecCredential'),
  status: z.looseObject({
    expirationTimestamp: z.string().optional(),
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
  }),
})

/** The credentials of a kubeconfig; those of a plugin are asked for once and again shortly before they expire. */
export function credentialsOf(cluster: string, kubeconfig: Kubeconfig): () => Promise<Credentials> {
  const { plugin } = kubeconfig
  if (!plugin) {
    const { token, certificate, key } = kubeconfig
    const fixed = { ...(token ? { token } : {}), ...(certificate && key ? { certificate, key } : {}) }
    return async () => fixed
  }
  let current: Promise<{ credentials: Credentials; until: number }> | undefined
  return async () => {
    const last = current
    const held = await last?.catch(() => undefined)
    if (held && held.until > Date.now()) return held.credentials
    // Whoever comes first asks; the others wait for the same answer.
    const asked = current !== undefined && current !== last ? current : askPlugin(cluster, plugin, kubeconfig)
    current = asked
    return (await asked).credentials
  }
}

async function askPlugin(cluster: string, plugin: CredentialPlugin, kubeconfig: Kubeconfig) {
  const refuse = (why: string) =>
    clusterForbidden({ detail: `The credential plugin ${plugin.command} of cluster ${cluster} ${why}` })
  const answer = await run(plugin, kubeconfig).catch((error: Error) => {
    throw refuse(error.message)
  })
  let parsed: z.infer<typeof ExecCredential>
  try {
    parsed = ExecCredential.parse(JSON.parse(answer))
  } catch {
    throw refuse('did not print an ExecCredential')
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = parsed.status
  const credentials: Credentials = {
    ...(token ? { token } : {}),
    ...(clientCertificateData && clientKeyData ? { certificate: clientCertificateData, key: clientKeyData } : {}),
  }
  const expires = expirationTimestamp === undefined ? Number.POSITIVE_INFINITY : Date.parse(expirationTimestamp)
  return { credentials, until: expires - EARLY_MS }
}

// What plugins of clouds read. The rest of ours is not theirs: it may hold passwords. Others are named in exec.env.
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_.*|XDG_.*|SSL_CERT_.*|(HTTPS?|ALL|NO)_PROXY|(AWS|AZURE|AAD|MSI|GOOGLE|CLOUDSDK|USE_GKE|OCI|ALIBABA_CLOUD|DIGITALOCEAN)_.*)$/i

const environmentOf = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => PASSED_ON.test(name)))

function run(plugin: CredentialPlugin, kubeconfig: Kubeconfig): Promise<string> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(plugin.provideClusterInfo
        ? {
            cluster: {
              server: kubeconfig.server,
              ...(kubeconfig.ca ? { 'certificate-authority-data': Buffer.from(kubeconfig.ca).toString('base64') } : {}),
            },
          }
        : {}),
    },
  }
  const own = Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value]))
  return new Promise((resolve, reject) => {
    const child = spawn(plugin.command, plugin.args ?? [], {
      env: { ...environmentOf(process.env), ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PLUGIN_TIMEOUT_MS,
    })
    let out = ''
    let complaint = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (out.length < 1_000_000) out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < 2_000) complaint += text
    })
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(error.code === 'ENOENT' ? 'is not installed on this server' : `failed: ${error.message}`)),
    )
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out)
      else reject(new Error(signal ? 'did not answer in 30 s' : `ended with status ${code}: ${complaint.trim()}`))
    })
  })
}
