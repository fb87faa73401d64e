import { type CliContext, UsageError } from '@quarterdeck/client'
import { Name } from '@quarterdeck/kernel'
import type { Command } from 'commander'

interface KubeconfigOptions {
  cluster: string
  namespace?: string
}

/** qd kubeconfig. */
export function nativeCommands(program: Command, context: CliContext): void {
  program
    .command('kubeconfig')
    .description('A kubeconfig for kubectl and helm: the cluster through Quarterdeck, with your own token in it')
    .requiredOption('--cluster <name>', 'name of the cluster')
    .option('--namespace <name>', 'namespace that kubectl uses when none is given')
    .action(async (options: KubeconfigOptions) => {
      const { token } = context.client
      if (!token) throw new UsageError('Sign in first: qd login')
      if (!Name.safeParse(options.cluster).success)
        throw new UsageError(`${options.cluster} is not the name of a cluster`)
      await context.write(kubeconfig(context.server, token, options))
      context.progress('It holds your token: keep it to yourself. qd token list and revoke end it.')
      if (context.server.startsWith('http:')) {
        context.progress(
          'Over plain HTTP kubectl exec and port-forward do not work; use qd exec, or a server with HTTPS.',
        )
      }
    })
}

/** kubectl sends no token over plain HTTP, but does send what stands before the host. */
function kubeconfig(server: string, token: string, { cluster, namespace }: KubeconfigOptions): string {
  const url = new URL(`${server}/api/v1/clusters/${cluster}/kubernetes`)
  const secure = url.protocol === 'https:'
  if (!secure) {
    url.username = 'token'
    url.password = token
  }
  const text = JSON.stringify
  return `apiVersion: v1
kind: Config
current-context: ${text(cluster)}
clusters:
  - name: ${text(cluster)}
    cluster:
      server: ${text(url.href)}
users:
  - name: quarterdeck
    user:${secure ? `\n      token: ${text(token)}` : ' {}'}
contexts:
  - name: ${text(cluster)}
    context:
      cluster: ${text(cluster)}
      user: quarterdeck
${namespace ? `      namespace: ${text(namespace)}\n` : ''}`
}
