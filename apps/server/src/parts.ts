import type { AuditEntry } from '@quarterdeck/kernel'
import type { Clusters, KeyFile } from '@quarterdeck/kube'
import type { Db, Log, Store } from '@quarterdeck/store'
import type { Access } from '../../../features/cluster/access/access.routes.ts'
import type { Setup } from '../../../features/cluster/setup/setup.contract.ts'
import type { VersionSettings } from '../../../features/cluster/version/setting.contract.ts'
import { audit } from '../../../features/delivery/operation/operation.store.ts'
import type { KnownRegistry } from '../../../features/image/image/image.routes.ts'
import type { OpenAuthority } from '../../../features/tenancy/grant/authority.routes.ts'
import type { Codes } from '../../../features/tenancy/onetime/step-up.routes.ts'
import type { SignIns } from '../../../features/tenancy/session/authenticate.routes.ts'
import type { LateMirror } from './late-mirror.ts'

/** What features are given. All of it can be handed out before the store is open. */
export interface Parts {
  store: Store
  db: Db
  clusters: Clusters
  keyFile: KeyFile
  log: Log
  signIns: SignIns
  authority: OpenAuthority
  codes: Codes
  access: Access
  mirror: Pick<LateMirror, 'opened' | 'current'>
  /** What is recorded of objects and for how long, until somebody sets something else. */
  versionSettings: VersionSettings
  setup: { read(): Promise<Setup>; retry(): void }
  /** How users reach the server, without a slash at the end. */
  url(): string
  /** Where images may come from. */
  registries(): Promise<KnownRegistry[]>
}

/** Adds to the audit trail what is no operation. */
export const recordAct = (db: Db, entry: AuditEntry): Promise<unknown> => audit(db, { ...entry, operation: null })
