import {
  amountOf,
  amountText,
  QUOTA_RESOURCES,
  type Quota,
  type QuotaResource,
  type QuotaUse,
  quotaResources,
} from './quota.contract.ts'
import { quotaExceeded } from './tenant.contract.ts'

/** A tenant with everything in it, as far as quotas go. */
export interface TenantTree {
  name: string
  quota: Quota
  /** By how much the parts may together exceed the whole; 1: not. */
  overcommit: number
  projects: ProjectPart[]
}
export interface ProjectPart {
  name: string
  quota: Quota
  environments: EnvironmentPart[]
}
export interface EnvironmentPart {
  name: string
  quota: Quota
}

/** A place that holds less than was promised in it, or has parts that say nothing. */
export interface Violation {
  resource: QuotaResource
  detail: string
  /** Where and of what; the same before and after a change. */
  key: string
  excess: number
}

interface Part {
  name: string
  amount: number | undefined
}

// Sums of decimal fractions do not come out even.
const SLACK = 1 + 1e-9

/** What a project takes of its tenant: its own quota, or what its environments have where it has none. */
export function reservedBy(project: ProjectPart, resource: QuotaResource): number {
  return amountOf(project.quota, resource) ?? reservedIn(project, resource)
}

/** What the environments of a project have been given. */
export const reservedIn = ({ environments }: ProjectPart, resource: QuotaResource): number =>
  environments.reduce((sum, { quota }) => sum + (amountOf(quota, resource) ?? 0), 0)

/** What the projects of a tenant have been given. */
export const reservedOf = ({ projects }: TenantTree, resource: QuotaResource): number =>
  projects.reduce((sum, project) => sum + reservedBy(project, resource), 0)

/** What is wrong in a tenant after a change that was not, or not as much, before it. */
export function newViolations(before: TenantTree | undefined, after: TenantTree): Violation[] {
  const known = new Map((before ? violations(before) : []).map(({ key, excess }) => [key, excess]))
  return violations(after).filter(({ key, excess }) => excess > (known.get(key) ?? 0))
}

/** Everything that does not add up in a tenant. */
export function violations(tree: TenantTree): Violation[] {
  return quotaResources.flatMap((resource) => [
    ...tree.projects.flatMap((project) => inProject(project, resource, tree.overcommit)),
    ...inTenant(tree, resource),
  ])
}

function inProject(project: ProjectPart, resource: QuotaResource, factor: number): Violation[] {
  const whole = amountOf(project.quota, resource)
  if (whole === undefined) return []
  const parts = project.environments.map(({ name, quota }) => ({ name, amount: amountOf(quota, resource) }))
  return [
    ...unsaid(`project ${project.name}`, resource, parts),
    ...over(`project ${project.name}`, resource, { whole, factor, parts, what: 'environments' }),
  ]
}

function inTenant(tree: TenantTree, resource: QuotaResource): Violation[] {
  const whole = amountOf(tree.quota, resource)
  if (whole === undefined) return []
  const open = tree.projects.filter(({ quota }) => quota[resource] === undefined)
  const parts = tree.projects.map((project) => ({ name: project.name, amount: reservedBy(project, resource) }))
  const environments = open.flatMap((project) =>
    project.environments.map(({ name, quota }) => ({ name, amount: amountOf(quota, resource) })),
  )
  return [
    ...unsaid(`tenant ${tree.name}`, resource, environments),
    ...over(`tenant ${tree.name}`, resource, { whole, factor: tree.overcommit, parts, what: 'projects' }),
  ]
}

const unsaid = (place: string, resource: QuotaResource, parts: Part[]): Violation[] =>
  parts
    .filter(({ amount }) => amount === undefined)
    .map(({ name }) => ({
      resource,
      key: `${name} ${resource}`,
      excess: Number.POSITIVE_INFINITY,
      detail: `${capital(place)} is limited in ${QUOTA_RESOURCES[resource].words}, so environment ${name} has to say how much of it it takes: give it a quota of ${resource}.`,
    }))

const MOST = 5

function over(
  place: string,
  resource: QuotaResource,
  { whole, factor, parts, what }: { whole: number; factor: number; parts: Part[]; what: string },
): Violation[] {
  const given = parts.reduce((sum, { amount = 0 }) => sum + amount, 0)
  if (given <= whole * factor * SLACK) return []
  const text = (value: number) => amountText(resource, value)
  const allowed = factor === 1 ? text(whole) : `${text(whole)} × ${factor} = ${text(whole * factor)}`
  const taking = parts
    .filter(({ amount = 0 }) => amount > 0)
    .toSorted((one, other) => (other.amount ?? 0) - (one.amount ?? 0))
  const named = taking.slice(0, MOST).map(({ name, amount = 0 }) => `${name} ${text(amount)}`)
  const more = taking.length - named.length
  return [
    {
      resource,
      key: `${place} ${resource}`,
      excess: given - whole * factor,
      detail:
        `${capital(place)} has ${allowed} of ${QUOTA_RESOURCES[resource].words}; its ${what} would hold ${text(given)} ` +
        `(${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}), ${text(given - whole * factor)} too much. ` +
        `Give them less, or have the quota of ${place} raised.`,
    },
  ]
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** The same tenant with an environment as it shall be, wherever it was before; one that is new comes in. */
export const withEnvironment = <Tree extends TenantTree>(
  tree: Tree,
  { project, ...environment }: EnvironmentPart & { project: string },
): Tree => ({
  ...tree,
  projects: tree.projects.map((one) => {
    const others = one.environments.filter(({ name }) => name !== environment.name)
    return { ...one, environments: one.name === project ? [...others, environment] : others }
  }),
})

/** What is asked for of each resource by what is there; undefined where no cluster said it. */
export type Used = Partial<Record<QuotaResource, number>> | undefined

/** The lines of a place: what is limited in it, and what has been given away. `used`: of each environment in it. */
export function quotaUse(
  { quota, factor, used }: { quota: Quota; factor: number; used: Used[] },
  reserved: (resource: QuotaResource) => number,
): QuotaUse[] {
  return quotaResources.flatMap((resource) => {
    const [allowed, given] = [amountOf(quota, resource), reserved(resource)]
    if (allowed === undefined && given === 0) return []
    const counts = used.flatMap((one) => one?.[resource] ?? [])
    return [
      {
        resource,
        reserved: given,
        ...(allowed === undefined ? {} : { allowed, free: Math.max(0, allowed * factor - given) }),
        ...(counts.length > 0 ? { used: counts.reduce((sum, count) => sum + count, 0) } : {}),
      },
    ]
  })
}

/** Throws quotaExceeded with every sentence of them, if there is one. */
export function throwViolations(violations: Violation[]): void {
  const [first] = violations
  if (!first) return
  throw quotaExceeded({
    detail: first.detail,
    errors: violations.map(({ resource, detail }) => ({ pointer: `/quota/${resource}`, detail })),
  })
}
