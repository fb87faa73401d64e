import { expect, test } from 'vitest'
import { NewPassword } from './password.contract.ts'
import { passwordRefusal } from './password.rules.ts'

const isLongEnough = (password: string) => NewPassword.safeParse(password).success

test('a password has 8 to 200 characters of any kind, and nothing else is asked of it', () => {
  for (const password of [
    'a ship in harbour',
    '一艘停在港口里的船',
    'aaaaaaab',
    '🚢⚓🌊🧭🗺️🐟🌬️⛵',
    ' leading and trailing ',
  ])
    expect([password, isLongEnough(password)]).toEqual([password, true])
  for (const password of ['', '1234567', '一艘停在港', '🚢⚓🌊', 'x'.repeat(201)])
    expect([password, isLongEnough(password)]).toEqual([password, false])
})

test('a password that is tried first is refused, however it is written', () => {
  for (const password of ['Password1', 'ＰＡＳＳＷＯＲＤ', 'aaaaaaaaaa', 'ababababab', 'QuarterDeck'])
    expect([password, passwordRefusal(password, 'li')]).toEqual([password, expect.any(String)])
  expect(passwordRefusal('a ship in harbour', 'li')).toBeUndefined()
})

test('a password that is the user name with ornaments is refused, and a name without letters refuses none', () => {
  expect(passwordRefusal('li.wei!2026', 'li.wei')).toContain('user name')
  expect(passwordRefusal('li.wei.li.wei', 'li.wei')).toBeUndefined()
  expect(passwordRefusal('20261121', '20261121')).toContain('user name')
  expect(passwordRefusal('483-275-901', '12345678')).toBeUndefined()
})
