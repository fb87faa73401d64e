import { endpoint, ImageText, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { ApplicationSpec } from '../../application/application/application.contract.ts'

/** A registry that the platform knows. The local cluster's own is always among them. */
export const Registry = z.object({ host: z.string(), title: z.string(), answers: z.boolean(), message: z.string() })
export type Registry = z.infer<typeof Registry>

export const Repository = z.object({ registry: z.string(), repository: z.string() })
export type Repository = z.infer<typeof Repository>

/** One tag and what it stands for now; time and size are absent where the registry does not tell them. */
export const ImageTag = z.object({
  image: z.string().describe('registry/repository:tag'),
  tag: z.string(),
  digest: z.string(),
  createTime: Time.optional(),
  sizeBytes: z.number().optional(),
})
export type ImageTag = z.infer<typeof ImageTag>

/** What the image says of itself in the registry. */
export const ImageConfig = z.object({
  image: z.string(),
  digest: z.string(),
  createTime: Time.optional(),
  architecture: z.string(),
  os: z.string(),
  sizeBytes: z.number(),
  ports: z.array(z.object({ port: z.int(), protocol: z.enum(['TCP', 'UDP', 'SCTP']) })),
  user: z.string(),
  volumes: z.array(z.string()),
  entrypoint: z.array(z.string()),
  command: z.array(z.string()),
  environment: z.array(z.object({ name: z.string(), value: z.string() })),
  labels: z.record(z.string(), z.string()),
  healthcheck: z.array(z.string()).optional(),
})
export type ImageConfig = z.infer<typeof ImageConfig>

/** An image and what the platform proposes for it; every part can be edited before deploying. */
export const ImageProposal = z.object({
  image: ImageConfig,
  name: z.string(),
  spec: ApplicationSpec,
  notes: z.array(z.string()).describe('Why something is proposed, or what the image does not say'),
})
export type ImageProposal = z.infer<typeof ImageProposal>

export const imageAbsent = problemType('image-absent', 404, 'The registry has no such image')
export const registryUnknown = problemType('registry-unknown', 422, 'The platform does not know this registry')
export const registryUnreachable = problemType('registry-unreachable', 504, 'The registry does not answer')
export const registryRefuses = problemType('registry-refuses', 502, 'The registry does not allow this')
export const registryUnsound = problemType('registry-unsound', 502, 'What the registry answers cannot be trusted')

const problems = [imageAbsent, registryUnknown, registryUnreachable, registryRefuses, registryUnsound]

export const listRegistries = endpoint({
  id: 'registry.list',
  method: 'GET',
  path: '/registries',
  permission: 'image.list',
  reach: 'anywhere',
  summary: 'Registries that the platform knows',
  response: z.object({ items: z.array(Registry) }),
})
export const listRepositories = endpoint({
  id: 'image.list',
  method: 'GET',
  path: '/images',
  permission: 'image.list',
  reach: 'anywhere',
  summary: 'Repositories of the known registries',
  query: z.object({
    search: z.string().max(200).optional(),
    system: z.stringbool().default(false).describe("true: also the platform's own images, quarterdeck/…"),
  }),
  response: z.object({ items: z.array(Repository), problems: z.array(z.string()) }),
})
export const listTags = endpoint({
  id: 'image.tags',
  method: 'GET',
  path: '/images/tags',
  permission: 'image.list',
  reach: 'anywhere',
  summary: 'Tags of a repository, newest first',
  query: z.object({ repository: ImageText.describe('registry/repository') }),
  response: z.object({
    items: z.array(ImageTag),
    total: z.int().describe('How many tags there are; items holds the 200 with the highest names when there are more'),
  }),
  problems,
})
export const inspectImage = endpoint({
  id: 'image.inspect',
  method: 'GET',
  path: '/images/inspect',
  permission: 'image.list',
  reach: 'anywhere',
  summary: "What an image's own configuration says, and the application proposed for it",
  query: z.object({ image: ImageText }),
  response: ImageProposal,
  problems,
})
