import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openApiDocument } from '@quarterdeck/http'
import { declaredEndpoints } from '../contracts.ts'
import { root } from '../stage.ts'

/** The OpenAPI document of every endpoint that a contract declares. */
export async function openApiReport(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const endpoints = (await declaredEndpoints()).map(({ endpoint }) => endpoint)
  return `${JSON.stringify(openApiDocument(endpoints, { version }), undefined, 2)}\n`
}
