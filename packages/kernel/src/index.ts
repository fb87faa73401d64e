export { type AuditEntry, done } from './audit.ts'
export { Condition, setCondition } from './condition.ts'
export {
  type AnyEndpoint,
  type Endpoint,
  endpoint,
  type Input,
  type Method,
  type Output,
  type Reach,
  scopeOf,
  type Transport,
} from './endpoint.ts'
export { formatImageReference, type ImageReference, ImageText, parseImageReference } from './image-reference.ts'
export { jsonLine } from './json-line.ts'
export {
  inverseMergePatch,
  type MergePatch,
  mergePatchOf,
  sameJson,
  thenMergePatch,
  withMergePatch,
} from './merge-patch.ts'
export { Name, nameFrom, ObjectName, Time } from './name.ts'
export {
  type Json,
  type KubeObject,
  KubeRef,
  type ManagedFields,
  type ObjectMeta,
  type OwnerReference,
  refOf,
  refText,
} from './object.ts'
export { PageQuery, pageOf } from './page.ts'
export { type Authority, CREDENTIALS_ALONE, type Permission, permits, Scope, Subject } from './permission.ts'
export {
  clusterConflict,
  clusterForbidden,
  clusterUnreachable,
  codeRequired,
  commonProblems,
  conflict,
  invalidInput,
  isProblem,
  notFound,
  Problem,
  ProblemBody,
  type ProblemOccurrence,
  type ProblemType,
  permissionMissing,
  problemType,
  rejectedByCluster,
  signInRequired,
  storeUnavailable,
  tooLarge,
  tooManyRequests,
} from './problem.ts'
export { formatBytes, formatCores, Quantity, quantityValue } from './quantity.ts'
export { writtenPart } from './written-part.ts'
