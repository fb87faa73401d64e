import { problemType } from '@quarterdeck/kernel'

/** A kubeconfig that cannot be used; `detail` begins with the field, as `users[0].user.token: …`, and ends with the cure. */
export const invalidKubeconfig = problemType('invalid-kubeconfig', 422, 'This kubeconfig cannot be used')

/** The API server no longer knows the resourceVersion a watch or a list continues from: list again from the start. */
export const watchExpired = problemType('watch-expired', 410, 'The cluster no longer knows where this went on from')

/** A PodDisruptionBudget lets no pod of its own go now; it may in a while. */
export const heldBack = problemType('held-back', 422, 'A PodDisruptionBudget holds this pod back')
