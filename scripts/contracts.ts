import { globSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyEndpoint } from '@quarterdeck/kernel'
import { root } from './stage.ts'

/** An endpoint with the name and the file that it is exported from. */
export interface Declared {
  endpoint: AnyEndpoint
  name: string
  file: string
}

/** Every endpoint that a contract exports, in the order of files and names. */
export async function declaredEndpoints(): Promise<Declared[]> {
  const found: Declared[] = []
  for (const file of globSync('features/*/*/*.contract.ts', { cwd: root }).sort()) {
    const exported: Record<string, unknown> = await import(pathToFileURL(join(root, file)).href)
    for (const [name, value] of Object.entries(exported)) {
      if (isEndpoint(value)) found.push({ endpoint: value, name, file })
    }
  }
  return found
}

const isEndpoint = (value: unknown): value is AnyEndpoint =>
  typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'permission' in value
