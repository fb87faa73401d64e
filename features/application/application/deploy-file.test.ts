import type { CliContext } from '@quarterdeck/client'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { applicationCommands } from './application.cli.ts'

/** What `qd app deploy -f` sends for a file that holds this text. */
async function sent(text: string): Promise<unknown> {
  let call: unknown
  const context = {
    environment: () => 'dev',
    readFile: async () => text,
    client: async (_: unknown, input: unknown) => {
      call = input
    },
  } as unknown as CliContext
  const program = new Command().exitOverride()
  applicationCommands(program, context, {
    withOptions: (command) => command,
    query: () => ({ dryRun: false, force: false }),
    finish: async () => {},
  })
  await program.parseAsync(['app', 'deploy', '-f', 'spec', '--name', 'shop'], { from: 'user' })
  return call
}

const spec = { image: 'reg.example/shop:1', replicas: 2, ports: [{ name: 'http', containerPort: 8080 }] }
const yaml = `# what runs
image: reg.example/shop:1
replicas: 2
ports:
  - { name: http, containerPort: 8080 }
`

test.each([
  ['JSON', JSON.stringify(spec)],
  ['YAML', yaml],
])('qd app deploy -f takes the specification as %s', async (_, text) => {
  expect(await sent(text)).toEqual({
    params: { environment: 'dev', application: 'shop' },
    query: { dryRun: false, force: false },
    body: { ...spec, create: false },
  })
})

test.each(['', 'just words', '{"replicas": 2}', 'image: [1', 'a: &a [*a, *a]'])(
  'qd app deploy -f refuses %j by what is missing',
  async (text) => {
    await expect(sent(text)).rejects.toThrow(/-f spec: a specification as YAML or JSON, with at least "image"/)
  },
)
