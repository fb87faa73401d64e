import { type Json, type MergePatch, mergePatchOf } from '@quarterdeck/kernel'
import type { FieldChange } from '../../delivery/operation/operation.contract.ts'
import { pathsOf } from './edit.rules.ts'

type Tree = { [member: string]: Json }
const isTree = (value: Json | undefined): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What differs between two states, field by field; lists whole. */
export function fieldsOf(before: Tree, after: Tree): FieldChange[] {
  return fields(mergePatchOf(before, after), before, after, '')
}

function fields(patch: MergePatch, before: Tree, after: Tree, at: string): FieldChange[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const [old, next] = [before[key], after[key]]
    const [path = ''] = pathsOf({ [key]: null }, at)
    if (isTree(value) && isTree(old) && isTree(next)) return fields(value, old, next, path)
    return [{ path, ...(old === undefined ? {} : { before: old }), ...(next === undefined ? {} : { after: next }) }]
  })
}
