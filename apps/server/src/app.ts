import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer, type Readiness, type Server } from '@quarterdeck/http'
import { type ClustersOptions, createClusters, findKeyFile, type KeyFile, openKeyFile } from '@quarterdeck/kube'
import { type Reconcilers, runReconcilers } from '@quarterdeck/reconcile'
import type { RegistryAddress } from '@quarterdeck/registry'
import { type Log, lateStore, lockFolder, type Store, withOrigin } from '@quarterdeck/store'
import { type Access, openAccess } from '../../../features/cluster/access/access.routes.ts'
import { countSealed, findKubeconfig, listClusterRows } from '../../../features/cluster/cluster/cluster.store.ts'
import { currentSettings } from '../../../features/cluster/version/setting.routes.ts'
import { openAuthority } from '../../../features/tenancy/grant/authority.routes.ts'
import { grantAdministrator } from '../../../features/tenancy/grant/authority.store.ts'
import { countSealedSecrets } from '../../../features/tenancy/onetime/onetime.store.ts'
import { openCodes } from '../../../features/tenancy/onetime/step-up.routes.ts'
import { countSealedProviders } from '../../../features/tenancy/provider/provider.store.ts'
import { openSignIns } from '../../../features/tenancy/session/authenticate.routes.ts'
import { endCredentials } from '../../../features/tenancy/session/token.store.ts'
import {
  administratorState,
  firstRunLink,
  setAdministratorPassword,
} from '../../../features/tenancy/user/administrator.routes.ts'
import { roleRemark } from './audit-trail.ts'
import { BringUp } from './bring-up.ts'
import type { Config } from './config.ts'
import { bindFeatures, type Features, recorder } from './features.ts'
import { lateKeyFile } from './late-key-file.ts'
import { type LateMirror, lateMirror } from './late-mirror.ts'
import { logFile } from './log-file.ts'
import { clusterOfKubeconfig, clusterOfThisMachine } from './own-cluster.ts'
import { type Parts, recordAct } from './parts.ts'
import { sensitiveReads } from './sensitive-read.ts'
import { SetupProgress } from './setup-progress.ts'
import { BEFORE_A_CODE } from './sign-in.ts'
import { listenFailure } from './start-error.ts'
import { StoreStep, stepsOf } from './steps.ts'

const root = join(import.meta.dirname, '../../..')

/** The running platform. */
export interface App {
  /** Where it is reached: QUARTERDECK_URL, else where it listens. */
  readonly url: string
  readonly server: Server
  readonly setup: SetupProgress
  /** Finishes requests and reconciles under way, stops the embedded store, gives the folder up. The cluster stays. */
  close(): Promise<void>
}

export interface AppOptions {
  config: Config
  /** Registries that the operator names, beside the cluster's own. */
  registries?: RegistryAddress[]
  /** A sentence for whoever started the server: the address, the one-time link, stages. */
  say(sentence: string): void
}

/**
 * Starts the platform. Resolves as soon as its page is served; database, cluster and first environment come up behind
 * it, and until they are there endpoints answer 503. Throws StartError and StoreError.
 */
export async function createApp({ config, registries = [], say }: AppOptions): Promise<App> {
  const lock = await lockFolder(config.home)
  const logger: Log = {
    info: (fields, message) => server?.fastify.log.info(fields, message),
    warn: (fields, message) => server?.fastify.log.warn(fields, message),
    error: (fields, message) => server?.fastify.log.error(fields, message),
  }
  let server: Server | undefined
  try {
    const platform = assemble({ config, registries, say }, logger)
    server = await createServer(serverOptions(config, platform))
    platform.features = bindFeatures(server, platform.parts)
    const listening = await server.listen(config.port).catch((error: unknown) => {
      throw listenFailure(error, config.host, config.port)
    })
    platform.url = config.publicUrl ?? listening
    say(`Quarterdeck ${version} at ${platform.url}`)
    platform.bringUp.start()
    const bound = server
    return {
      url: platform.url,
      server: bound,
      setup: platform.progress,
      async close() {
        // Requests and reconciles under way still need the store.
        await Promise.all([closeWithin(bound, 10_000), platform.quiesce()])
        await platform.close()
        lock.release()
      },
    }
  } catch (error) {
    await server?.close()
    lock.release()
    throw error
  }
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

async function closeWithin(server: Server, limitMs: number): Promise<void> {
  await Promise.race([server.close(), sleep(limitMs, undefined, { ref: false })])
}

interface Platform {
  readonly parts: Parts
  readonly progress: SetupProgress
  readonly bringUp: BringUp
  /** Set before anything is brought up. */
  features: Features | undefined
  url: string
  /** Lets what runs by itself finish. */
  quiesce(): Promise<void>
  /** Ends connections and the store. */
  close(): Promise<void>
}

function assemble({ config, registries: named = [], say }: AppOptions, logger: Log): Platform {
  const late = lateStore({ stateFolder: config.home, databaseUrl: config.databaseUrl, asServer: true, logger })
  const { store } = late
  const { db } = store
  const { keyFile, set: setKeyFile } = lateKeyFile()
  const keyPath = join(config.home, 'key')
  const load = (name: string) => findKubeconfig(db, keyFile, name)
  const clusters = createClusters({ load })
  const authority = openAuthority({ db, listen: store.listen, log: logger })
  const codes = openCodes({
    db,
    listen: store.listen,
    log: logger,
    onAuthorityChange: authority.onChange,
    exempt: BEFORE_A_CODE,
  })
  const access = openAccess({
    grants: authority,
    clusterOf: clusters.get,
    changed: () => mirror.current?.mirror.readersChanged(),
    log: logger,
  })
  const mirror = mirrorOf(config, { store, keyFile, load, access, log: logger })
  const progress = new SetupProgress({
    version,
    origin: config.kubeconfig ? 'kubeconfig' : 'local',
    administrator: () => administratorState(db),
  })
  const cluster = config.kubeconfig
    ? clusterOfKubeconfig(config.kubeconfig, { db, clusters, keyFile, progress })
    : clusterOfThisMachine(config.home, { db, clusters, keyFile, progress })
  const parts: Parts = {
    store,
    db,
    clusters,
    keyFile,
    log: logger,
    signIns: openSignIns({ db, listen: store.listen, record: (entry) => recordAct(db, entry) }),
    authority,
    codes,
    access,
    mirror,
    versionSettings: versionSettingsOf(config),
    setup: { read: () => progress.read(), retry: () => bringUp.retry() },
    url: () => platform.url.replace(/\/+$/, ''),
    async registries() {
      const host = cluster.registry()
      const own = host === undefined ? [] : [{ host, title: 'This machine', insecure: true }]
      return [...own, ...named.map((address) => ({ ...address, title: address.host }))]
    },
  }
  let running: Reconcilers | undefined
  const opening = new StoreStep(late, progress, {
    async meanwhile() {
      // What is wrong with the file is said when it is opened.
      const early = await findKeyFile(keyPath).catch(() => undefined)
      if (early) await mirror.prepare(snapshotsOf(config, early))
    },
    async opened() {
      sayServerRole(store, progress, say)
      setKeyFile(await openKeyFile(keyPath, { sealedRows: await sealedRows(db) }))
      // What is known from before is shown first of all; what runs by itself comes last.
      void mirror.open().catch((error: unknown) => logger.error({ err: error }, 'the mirror cannot be opened'))
      await codes.open()
      await parts.authority.open()
      await administrator(config, store, platform.url, say)
      running = runReconcilers({ store, reconcilers: platform.features?.reconcilers ?? {}, logger })
    },
  })
  const bringUp = new BringUp({
    steps: stepsOf(opening, cluster, progress, () => platform.features, say),
    progress,
    log: logger,
    say,
  })
  const platform: Platform = {
    parts,
    progress,
    bringUp,
    features: undefined,
    url: '',
    async quiesce() {
      await Promise.all([bringUp.close(), running?.close({ drainMs: 12_000 }), mirror.close()])
      await platform.features?.close()
    },
    async close() {
      parts.signIns.close()
      codes.close()
      parts.authority.close()
      access.close()
      await clusters.close()
      await store.close()
    },
  }
  return platform
}

/** Where the audit trail is not append-only by privilege, whoever starts the server is told. */
function sayServerRole(store: Store, progress: SetupProgress, say: AppOptions['say']): void {
  const remark = roleRemark(store.serverRole())
  if (remark === undefined) return
  progress.remark(remark)
  say(remark)
}

/** Rows that could never be read again without the key file. */
const sealedRows = async (db: Store['db']): Promise<number> =>
  (await countSealed(db)) + (await countSealedSecrets(db)) + (await countSealedProviders(db))

interface MirrorParts {
  store: Store
  keyFile: KeyFile
  load: ClustersOptions['load']
  access: Access
  log: Log
}

const versionSettingsOf = ({ unrecorded, versionDays: keepDays }: Config) => ({ unrecorded, keepDays })
const snapshotsOf = ({ home }: Config, keyFile: KeyFile) => ({
  folder: join(home, 'mirror'),
  key: keyFile.derive('snapshots of the mirror'),
})

function mirrorOf(config: Config, { store, keyFile, load, access, log }: MirrorParts): LateMirror {
  const { db, listen } = store
  const registered = async () => (await listClusterRows(db)).map(({ name }) => name)
  const options = async () => ({
    snapshots: snapshotsOf(config, keyFile),
    versions: {
      except: (await currentSettings(db, versionSettingsOf(config))).unrecorded,
      digestKey: keyFile.derive('digests of secret values'),
      record: recorder(db),
    },
    log,
  })
  return lateMirror(options, { registered, load, listen, log }, access)
}

async function administrator(config: Config, { db }: Store, url: string, say: AppOptions['say']): Promise<void> {
  if (config.adminPassword) {
    const password = config.adminPassword
    return setAdministratorPassword({ db, password, record: recordAct, grantAdministrator, endCredentials })
  }
  const link = await firstRunLink({ db, url })
  if (link) say(`Choose the administrator's password: ${link}`)
}

function serverOptions(config: Config, { parts, progress }: Platform) {
  return {
    authenticate: parts.signIns.authenticate,
    authority: parts.authority,
    stepUp: parts.codes.stepUp,
    within: withOrigin,
    recordRead: sensitiveReads(parts.db),
    readiness: () => readiness(parts.store, progress),
    host: config.host,
    version,
    consoleFolder: config.consoleFolder ?? join(root, 'apps/console/dist'),
    ...(config.publicUrl ? { publicUrl: config.publicUrl } : {}),
    ...(config.trustedProxies.length > 0 ? { trustProxy: config.trustedProxies } : {}),
    ...(config.log === 'file' ? { logTo: logFile(join(config.home, 'logs', 'server.log')) } : {}),
  }
}

async function readiness(store: Store, progress: SetupProgress): Promise<Readiness> {
  const health = await store.health()
  const awaited = progress.failure?.message ?? progress.stages.find(({ state }) => state !== 'done')?.detail ?? ''
  return {
    ready: health.ok && progress.healthy,
    checks: {
      store: { ready: health.ok, ...(health.reason ? { detail: health.reason } : {}) },
      cluster: progress.healthy ? { ready: true } : { ready: false, detail: awaited },
    },
  }
}
