import { codeRequired, type Problem, permissionMissing } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { fetchWithCode } from './code-fetch.ts'

function server(problems: Problem[]) {
  const asked: (RequestInit | undefined)[] = []
  const fetch: typeof globalThis.fetch = async (_, init) => {
    asked.push(init)
    const body = problems.shift()?.body
    return body
      ? new Response(JSON.stringify(body), {
          status: body.status,
          headers: { 'content-type': 'application/problem+json' },
        })
      : new Response('{"done":true}')
  }
  return { asked, fetch }
}
const code = () => codeRequired({ detail: 'Give a code', enrolled: true })

test('[TEN-03] a request that needs a code is sent again, as it was, once the code was given', async () => {
  const { asked, fetch } = server([code()])
  const given: string[] = []
  const ask = fetchWithCode(fetch, async ({ body }, method) => {
    given.push(`${method} ${body.enrolled}`)
    return true
  })
  const answer = await ask('http://x', { method: 'POST', body: '{"a":1}' })
  expect(await answer.json()).toEqual({ done: true })
  expect(given).toEqual(['POST true'])
  expect(asked).toEqual([
    { method: 'POST', body: '{"a":1}' },
    { method: 'POST', body: '{"a":1}' },
  ])
})

test('whoever gives none gets the problem, readable; other refusals are nobody asked about; it is asked once', async () => {
  const refused = fetchWithCode(server([code()]).fetch, async () => false)
  expect(await (await refused('http://x')).json()).toMatchObject({ type: '/problems/code-required' })
  let asked = 0
  const give = async () => {
    asked++
    return true
  }
  expect((await fetchWithCode(server([permissionMissing({ detail: 'no' })]).fetch, give)('http://x')).status).toBe(403)
  expect(asked).toBe(0)
  expect((await fetchWithCode(server([code(), code()]).fetch, give)('http://x')).status).toBe(403)
  expect(asked).toBe(1)
})
