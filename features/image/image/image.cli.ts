import { ageText, type CliContext } from '@quarterdeck/client'
import { formatBytes } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import { inspectImage, listRepositories, listTags } from './image.contract.ts'

export function imageCommands(program: Command, context: CliContext): void {
  const image = program.command('image').description('Images of the registries that the platform knows')
  image
    .command('list')
    .description('Repositories')
    .option('--search <text>', 'only those whose name holds this text')
    .option('--system', "also the platform's own images")
    .action(async ({ search, system = false }: { search?: string; system?: boolean }) => {
      const page = await context.client(listRepositories, { query: { search, system } })
      context.print(page, { repository: ({ registry, repository }) => `${registry}/${repository}` })
      for (const problem of page.problems) context.progress(problem)
    })
  image
    .command('tags <repository>')
    .description('Tags of a repository, newest first')
    .action(async (repository: string) => {
      const page = await context.client(listTags, { query: { repository } })
      context.print(page, {
        tag: ({ tag }) => tag,
        age: ({ createTime }) => createTime && ageText(createTime),
        size: ({ sizeBytes }) => (sizeBytes === undefined ? undefined : formatBytes(sizeBytes)),
        digest: ({ digest }) => digest.slice(0, 19),
      })
      const more = page.total - page.items.length
      if (more > 0) context.progress(`${more} more tags are not shown`)
    })
  image
    .command('inspect <image>')
    .description('What an image says of itself, and the application proposed for it')
    .action(async (name: string) => {
      const proposal = await context.client(inspectImage, { query: { image: name } })
      if (context.output !== 'table') return context.print(proposal)
      const { ports, environment, labels: _, entrypoint, command, ...one } = proposal.image
      context.print({
        ...one,
        sizeBytes: formatBytes(one.sizeBytes),
        ports: ports.map(({ port, protocol }) => `${port}/${protocol}`).join(' '),
        command: [...entrypoint, ...command].join(' '),
        variables: environment.map(({ name: variable }) => variable).join(' '),
        proposedName: proposal.name,
      })
      for (const note of proposal.notes) context.progress(note)
    })
}
