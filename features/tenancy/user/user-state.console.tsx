import { State, type Tone, useReadAgain, useText } from '@quarterdeck/ui'
import { userTexts } from './texts.console.tsx'
import { getUser, listUsers, type User } from './user.contract.ts'

const TONES: Record<User['state'], Tone> = { active: 'good', invited: 'busy', disabled: 'mute' }

/** Reads users anew after one of them was changed. */
export function useUsersChanged(): () => Promise<void> {
  const readAgain = useReadAgain()
  return async () => {
    await Promise.all([listUsers, getUser].map((one) => readAgain(one)))
  }
}

/** The state of an account as a word. */
export function UserState({ state }: { state: User['state'] }) {
  const t = useText(userTexts)
  return (
    <State tone={TONES[state]} turning={false}>
      {t(state)}
    </State>
  )
}
