import { audienceRows } from './audience-rows.ts'
import { authorisationRows } from './authorisation-rows.ts'
import { authorityRows } from './authority-rows.ts'
import { browserRows } from './browser-rows.ts'
import { canaryRows } from './canary-rows.ts'
import { codeRows } from './code-rows.ts'
import { credentialRows } from './credential-rows.ts'
import { decisionRows } from './decision-rows.ts'
import { executorRows } from './executor-rows.ts'
import { guessRows } from './guess-rows.ts'
import { identityRows } from './identity-rows.ts'
import { keyRows } from './key-rows.ts'
import { ldapRows } from './ldap-rows.ts'
import { matrixRows } from './matrix-rows.ts'
import { oracleRows } from './oracle-rows.ts'
import { parserRows } from './parser-rows.ts'
import { placeRows } from './place-rows.ts'
import { providerRows } from './provider-rows.ts'
import { proxyRows } from './proxy-rows.ts'
import { recordRows } from './record-rows.ts'
import { requestRows } from './request-rows.ts'
import type { Row } from './row.ts'
import { scriptRows } from './script-rows.ts'
import { secretRows } from './secret-rows.ts'
import { sideDoorRows } from './side-door-rows.ts'
import { textRows } from './text-rows.ts'

/** Numbers of the catalogue go from A01 to this one. */
export const LAST = 104

/** Every attack that is tried, in the order in which they are. Several may share a number: other ways in. */
export const rows: readonly Row[] = [
  ...authorisationRows,
  ...oracleRows,
  ...decisionRows,
  ...matrixRows,
  ...authorityRows,
  ...sideDoorRows,
  ...canaryRows,
  ...proxyRows,
  ...identityRows,
  ...executorRows,
  ...credentialRows,
  ...codeRows,
  ...requestRows,
  ...secretRows,
  ...keyRows,
  ...providerRows,
  ...audienceRows,
  ...ldapRows,
  ...guessRows,
  ...placeRows,
  ...parserRows,
  ...textRows,
  ...recordRows,
  ...browserRows,
  ...scriptRows,
]
