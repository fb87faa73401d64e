import assert from 'node:assert/strict'
import type { Client } from '@quarterdeck/client'
import { isProblem } from '@quarterdeck/kernel'
import { deleteGrant, listGrants } from '../../features/tenancy/grant/grant.contract.ts'
import { approveRequest, createRequest } from '../../features/tenancy/request/request.contract.ts'
import { person } from '../platform/people.ts'
import type { Row } from './row.ts'
import type { Target } from './target.ts'

const statusOf = (answer: Promise<unknown>): Promise<number | undefined> =>
  answer.then(
    () => undefined,
    (error: unknown) => {
      if (isProblem(error)) return error.body.status
      throw error
    },
  )

/** Everything that could make a yes out of a request without somebody else's right to say it. */
async function falseApprovals({ admin }: Target): Promise<string> {
  const owner = await person(admin, 'iris', [{ role: 'project-owner', environment: 'dev' }])
  const second = await person(admin, 'ivo', [{ role: 'project-owner', environment: 'dev' }])
  const asker = await person(admin, 'inga', [{ role: 'viewer', environment: 'dev' }])
  const ask = async (client: Client, role: string) =>
    (await client(createRequest, { body: { role, environment: 'dev', reason: 'attack' } })).id
  const approve = (client: Client, request: string) =>
    statusOf(client(approveRequest, { params: { request }, body: {} }))
  const own = await ask(owner, 'tenant-owner')
  const asked = await ask(asker, 'tester')
  const beyond = await ask(asker, 'tenant-owner')
  assert.equal(await approve(owner, own), 403, 'their own request')
  assert.equal(await approve(second, own), 404, 'what the approver does not have')
  assert.equal(await approve(asker, asked), 403, 'their own request, without any right to grant')
  assert.equal(await approve(owner, beyond), 404, 'more than the approver has')
  const both = await Promise.all([approve(owner, asked), approve(second, asked)])
  assert.equal(both.filter((status) => status === undefined).length, 1, `two approvals at once: ${both}`)
  assert.equal(await approve(second, asked), 409, 'a second time')
  const late = await ask(asker, 'developer')
  const { items } = await admin(listGrants, { query: { user: 'ivo' } })
  for (const { id } of items) await admin(deleteGrant, { params: { grant: id } })
  assert.equal(await approve(second, late), 404, 'an approver whose right was taken')
  return '6 ways'
}

export const requestRows: Row[] = [
  {
    id: 'A19',
    what: 'nobody approves their own request, twice, or without the right to grant it',
    run: falseApprovals,
  },
]
