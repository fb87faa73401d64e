import { z } from 'zod'

/** Any named entry. */
export const Named = z.looseObject({ name: z.string().min(1) })
const Text = z.string().min(1).optional()

/** A command that prints credentials, as a kubeconfig's `user.exec` names it. */
export const CredentialPlugin = z.looseObject({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().optional(),
})
export type CredentialPlugin = z.infer<typeof CredentialPlugin>

/** `clusters[]`. */
export const ClusterEntry = Named.extend({
  cluster: z.looseObject({
    server: z.string().min(1),
    'certificate-authority': Text,
    'certificate-authority-data': Text,
    'insecure-skip-tls-verify': z.boolean().optional(),
    'tls-server-name': Text,
    'proxy-url': Text,
  }),
})
/** `users[].user`. */
export const UserFields = z.looseObject({
  'client-certificate': Text,
  'client-certificate-data': Text,
  'client-key': Text,
  'client-key-data': Text,
  token: Text,
  tokenFile: Text,
  username: Text,
  password: Text,
  as: Text,
  exec: CredentialPlugin.optional(),
  'auth-provider': z.unknown().optional(),
})
export type UserFields = z.infer<typeof UserFields>
/** `users[]`. */
export const UserEntry = Named.extend({ user: UserFields.nullish() })
/** `contexts[]`. */
export const ContextEntry = Named.extend({
  context: z.looseObject({ cluster: z.string().min(1), user: z.string().optional(), namespace: z.string().optional() }),
})
/** The whole file; entries that the chosen context does not use are not looked at. */
export const KubeconfigFile = z.looseObject({
  kind: z.literal('Config').optional(),
  clusters: z.array(z.unknown()).nullish(),
  users: z.array(z.unknown()).nullish(),
  contexts: z.array(z.unknown()).nullish(),
  'current-context': z.string().nullish(),
})
export type KubeconfigFile = z.infer<typeof KubeconfigFile>
