import { expect, test } from 'vitest'
import { LAST, rows } from './catalogue.ts'
import { waitingRows } from './waiting-rows.ts'

const numbers = Array.from({ length: LAST }, (_, at) => `A${String(at + 1).padStart(2, '0')}`)
const tried = new Set(rows.map(({ id }) => id))
const waiting = waitingRows.map(({ id }) => id)

test('every number of the attack catalogue is tried or waits for a feature: none is forgotten, none is both', () => {
  expect([...tried, ...waiting].toSorted()).toEqual(numbers.toSorted())
})

test('what waits says what it is and for which feature', () => {
  for (const { what, waitsFor } of waitingRows) {
    expect(what.length).toBeGreaterThan(10)
    expect(waitsFor).toMatch(/^[a-zA-Z][\p{L} ,’]{8,}$/u)
  }
})

test('no attack is written twice in the same words', () => {
  const said = [...rows, ...waitingRows].map(({ id, what }) => `${id} ${what}`)
  expect(said.filter((one, at) => said.indexOf(one) !== at)).toEqual([])
})

// Identity, places, permissions and audit are built: nothing of theirs may wait, but for SAML, which is not offered.
test('[TEN-06] of the attacks on identity and authority only SAML waits', () => {
  const named = numbers.filter((_, at) => at < 20 || (at >= 28 && at < 50) || at === 52 || at === 74)
  expect(named.filter((id) => !tried.has(id))).toEqual(['A43'])
})
