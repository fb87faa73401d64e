export { failpoint } from './failpoint.ts'
export { hint, hintChannel, hintPayload, parseHint } from './hint.ts'
export type { Outcome, Reconciler } from './reconciler.ts'
export { type ReconcilerMetrics, type Reconcilers, type RunOptions, runReconcilers } from './run-reconcilers.ts'
