import type { CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { applicationCommands } from '../../../features/application/application/application.cli.ts'
import { manifestCommands } from '../../../features/application/manifest/manifest.cli.ts'
import { clusterCommands } from '../../../features/cluster/cluster/cluster.cli.ts'
import { identityCommands } from '../../../features/cluster/identity/identity.cli.ts'
import { nativeCommands } from '../../../features/cluster/native/native.cli.ts'
import { actCommands } from '../../../features/cluster/object/act.cli.ts'
import { objectCommands } from '../../../features/cluster/object/object.cli.ts'
import { relatedCommands } from '../../../features/cluster/object/related.cli.ts'
import { versionSettingCommands } from '../../../features/cluster/version/setting.cli.ts'
import { versionCommands } from '../../../features/cluster/version/version.cli.ts'
import { logCommands } from '../../../features/container/log/log.cli.ts'
import { terminalCommands } from '../../../features/container/terminal/terminal.cli.ts'
import {
  changeQuery,
  finishChange,
  operationCommands,
  withChangeOptions,
} from '../../../features/delivery/operation/operation.cli.ts'
import { imageCommands } from '../../../features/image/image/image.cli.ts'
import { auditCommands } from '../../../features/tenancy/audit/audit.cli.ts'
import { environmentCommands } from '../../../features/tenancy/environment/environment.cli.ts'
import { grantCommands } from '../../../features/tenancy/grant/grant.cli.ts'
import { groupCommands } from '../../../features/tenancy/group/group.cli.ts'
import { oneTimeCommands } from '../../../features/tenancy/onetime/onetime.cli.ts'
import { projectCommands } from '../../../features/tenancy/project/project.cli.ts'
import { providerCommands } from '../../../features/tenancy/provider/provider.cli.ts'
import { requestCommands } from '../../../features/tenancy/request/request.cli.ts'
import { roleCommands } from '../../../features/tenancy/role/role.cli.ts'
import { sessionCommands } from '../../../features/tenancy/session/session.cli.ts'
import { tokenCommands } from '../../../features/tenancy/session/token.cli.ts'
import { tenantCommands } from '../../../features/tenancy/tenant/tenant.cli.ts'
import { userCommands } from '../../../features/tenancy/user/user.cli.ts'

/** What every command that changes a cluster shares. */
const changes = { withOptions: withChangeOptions, query: changeQuery, finish: finishChange }

/** One line a feature. */
export const commands: ((program: Command, context: CliContext) => void)[] = [
  sessionCommands,
  tokenCommands,
  oneTimeCommands,
  providerCommands,
  userCommands,
  groupCommands,
  roleCommands,
  grantCommands,
  requestCommands,
  clusterCommands,
  identityCommands,
  (program, context) => objectCommands(program, context, changes),
  (program, context) => actCommands(program, context, changes),
  relatedCommands,
  nativeCommands,
  versionCommands,
  versionSettingCommands,
  logCommands,
  terminalCommands,
  imageCommands,
  operationCommands,
  auditCommands,
  (program, context) => applicationCommands(program, context, changes),
  (program, context) => manifestCommands(program, context, changes),
  tenantCommands,
  projectCommands,
  (program, context) => environmentCommands(program, context, changes),
]
