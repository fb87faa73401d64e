import type { z } from 'zod'
import { checkCredentials } from './kubeconfig-credentials.ts'
import {
  ClusterEntry,
  ContextEntry,
  type CredentialPlugin,
  KubeconfigFile,
  Named,
  UserEntry,
} from './kubeconfig-shape.ts'
import { FLATTEN, readYaml, refuse } from './kubeconfig-text.ts'
import { isLinkLocal } from './link-local.ts'

/** What a kubeconfig says about one context, checked. PEM texts, not base64. */
export interface Kubeconfig {
  readonly contextName: string
  /** Without a trailing slash; may have a path. */
  readonly server: string
  readonly namespace?: string
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
  readonly token?: string
  readonly plugin?: CredentialPlugin
  /** The name to ask for and to check in the server's certificate instead of the host in `server`. */
  readonly tlsServerName?: string
  readonly skipTlsVerify: boolean
  /** What works but should be known: sentences for people. */
  readonly warnings: readonly string[]
}

/** How far a kubeconfig is trusted. */
export interface KubeconfigOptions {
  /** Absent: the file's current context, or its only one. */
  context?: string
  /** True: the chosen user's credential plugin may be run on this machine. Only for the operator's own file. */
  allowPlugin?: boolean
  /** The present time; certificates are checked against it. */
  now?: Date
}

/**
 * Reads a kubeconfig that came as text, so nothing on this machine's disk is read and no command is run.
 * Throws invalidKubeconfig naming the field and the cure.
 */
export function parseKubeconfig(text: string, options: KubeconfigOptions = {}): Kubeconfig {
  const file = fileOf(text)
  const { contextName, context, contextIndex } = chooseContext(file, options.context)
  const cluster = entryOf(file.clusters ?? [], ClusterEntry, 'clusters', context.cluster, `contexts[${contextIndex}]`)
  const user =
    context.user === undefined || context.user === ''
      ? undefined
      : entryOf(file.users ?? [], UserEntry, 'users', context.user, `contexts[${contextIndex}]`)
  const at = `clusters[${cluster.index}].cluster`
  const fields = cluster.entry.cluster
  const server = serverOf(fields.server, at)
  if (fields['certificate-authority'] && !fields['certificate-authority-data']) {
    refuse(
      `${at}.certificate-authority`,
      `is a path (${fields['certificate-authority']}) that this server does not read`,
      FLATTEN,
    )
  }
  if (fields['proxy-url']) {
    refuse(`${at}.proxy-url`, 'is not supported', 'Give a server address that can be reached without a proxy.')
  }
  const warnings: string[] = []
  if (server.startsWith('http:')) warnings.push('The connection is not encrypted: server begins with http.')
  const skipTlsVerify = fields['insecure-skip-tls-verify'] === true
  if (skipTlsVerify) {
    warnings.push(
      'insecure-skip-tls-verify is set: anybody between here and the cluster can read and change everything. Put the authority into certificate-authority-data instead.',
    )
  }
  const credentials = checkCredentials({
    ca: fields['certificate-authority-data'],
    caField: `${at}.certificate-authority-data`,
    user: user?.entry.user ?? undefined,
    userField: `users[${user?.index ?? 0}].user`,
    now: options.now ?? new Date(),
    allowPlugin: options.allowPlugin ?? false,
  })
  return {
    contextName,
    server,
    skipTlsVerify,
    ...(context.namespace ? { namespace: context.namespace } : {}),
    ...(fields['tls-server-name'] ? { tlsServerName: fields['tls-server-name'] } : {}),
    ...credentials.values,
    warnings: [...warnings, ...credentials.warnings],
  }
}

/** The text as a kubeconfig file, or invalidKubeconfig. */
export function fileOf(text: string): KubeconfigFile {
  const value = readYaml(text)
  const parsed = KubeconfigFile.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') || 'the file'
  return refuse(field, issue?.message ?? 'has a wrong shape', 'Send a file with kind: Config, as ~/.kube/config is.')
}

function chooseContext(file: KubeconfigFile, wanted: string | undefined) {
  const contexts = file.contexts ?? []
  const names = contexts.map((entry) => Named.safeParse(entry).data?.name ?? '')
  if (contexts.length === 0) {
    refuse('contexts', 'is empty', 'Send the whole file: kubectl config view --raw --flatten --minify.')
  }
  const name = wanted ?? (file['current-context'] || (names.length === 1 ? names[0] : undefined))
  if (name === undefined) {
    return refuse('current-context', 'is not set', `Set it, or name one of the contexts: ${names.join(', ')}.`)
  }
  const index = names.indexOf(name)
  if (index < 0) {
    const field = wanted === undefined ? 'current-context' : 'context'
    refuse(field, `names ${name}, which is not among the contexts`, `The contexts are: ${names.join(', ')}.`)
  }
  const parsed = ContextEntry.safeParse(contexts[index])
  if (!parsed.success) {
    return refuse(`contexts[${index}]`, 'does not name a cluster', 'It needs context.cluster and context.user.')
  }
  return { contextName: name, context: parsed.data.context, contextIndex: index }
}

function entryOf<Entry extends z.ZodType>(list: unknown[], schema: Entry, field: string, name: string, from: string) {
  const index = list.findIndex((entry) => Named.safeParse(entry).data?.name === name)
  if (list.length === 0) return refuse(field, 'is empty', `${from} needs the entry ${name} there.`)
  if (index < 0)
    return refuse(field, `has no entry named ${name}, which ${from} refers to`, 'Add it or correct the name.')
  const parsed = schema.safeParse(list[index])
  if (parsed.success) return { entry: parsed.data, index }
  const issue = parsed.error.issues[0]
  const at = `${field}[${index}].${issue?.path.join('.') ?? ''}`
  return refuse(at, issue?.message ?? 'has a wrong shape', 'See kubectl config view for how it should look.')
}

function serverOf(text: string, at: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return refuse(`${at}.server`, `is not an address: ${text}`, 'Write it as https://host:6443.')
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    refuse(`${at}.server`, `begins with ${url.protocol}`, 'Write it as https://host:6443.')
  }
  if (isLinkLocal(url.hostname)) {
    refuse(`${at}.server`, `is a link-local address (${url.hostname})`, 'Give the address of the API server.')
  }
  if (url.username || url.password) refuse(`${at}.server`, 'carries a user or password', 'Put a token into the user.')
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}
