/**
 * Every place between acceptance and result at which a process may die, in order. `npm run faults` kills at each
 * (QUARTERDECK_FAILPOINT=name:kill) and looks whether the operation still ends exactly once.
 */
export const operationFailpoints = [
  'operation.accept.before-commit',
  'operation.accept.after-commit',
  'operation.start.before-write',
  'operation.start.after-write',
  'operation.apply.before',
  'operation.apply.after',
  'operation.applied.after-write',
  'operation.remove.before',
  'operation.remove.after',
  'operation.end.before-write',
  'operation.end.before-commit',
  'operation.end.after-commit',
] as const
export type OperationFailpoint = (typeof operationFailpoints)[number]
