import { parseDocument } from 'yaml'
import { invalidKubeconfig } from './problems.ts'

/** What to do about a path in a kubeconfig that was sent. */
export const FLATTEN =
  'Embed it: kubectl config view --raw --flatten --minify prints a kubeconfig with everything inside.'

/** Throws invalidKubeconfig for one field: what is wrong with it and what to do. */
export function refuse(field: string, wrong: string, cure: string): never {
  const detail = `${field}: ${wrong}. ${cure}`.replaceAll('..', '.')
  throw invalidKubeconfig({ detail, errors: [{ pointer: '/kubeconfig', detail }] })
}

/** The YAML (or JSON) value of a kubeconfig text. No custom tags, few aliases, so a small text stays small. */
export function readYaml(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true, merge: false, customTags: [] })
  const error = document.errors[0]
  if (error) {
    refuse('the file', `is not YAML: ${error.message.split('\n')[0]?.replace(/:$/, '')}`, 'Send the file unchanged.')
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 20 })
  } catch (error) {
    refuse('the file', `cannot be read as YAML: ${error instanceof Error ? error.message : ''}`, 'Do not use aliases.')
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    refuse('the file', 'is not a kubeconfig', 'It should hold clusters, users and contexts, as ~/.kube/config does.')
  }
  return value
}
