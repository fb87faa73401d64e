import i18next, { type TOptions } from 'i18next'
import { initReactI18next, useTranslation } from 'react-i18next'

export type Language = 'en' | 'zh'
const STORED = 'quarterdeck.language'

/** Keys without i18next's plural endings: `pods_one` and `pods_other` are asked for as `pods`. */
type Key<K extends string> = K extends `${infer Stem}_one` ? Stem : K extends `${infer Stem}_other` ? Stem : K

/** The texts of one feature in every language; made by `defineTexts`, read by `useText`. */
export interface Texts<K extends string> {
  readonly namespace: string
  /** Only for the type checker. */
  readonly keys?: K
}

const stored = localStorage.getItem(STORED)
const first: Language =
  stored === 'en' || stored === 'zh' ? stored : navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'

i18next.use(initReactI18next).init({
  lng: first,
  fallbackLng: 'en',
  ns: [],
  resources: {},
  initAsync: false,
  interpolation: { escapeValue: false },
})
document.documentElement.lang = first === 'zh' ? 'zh-CN' : 'en'

/**
 * Declares the texts of one feature. Both languages must have every key, or it does not compile; Chinese has no
 * singular, so `_one` is left out there.
 */
export function defineTexts<const En extends Record<string, string>>(
  namespace: string,
  en: En,
  zh: { [K in keyof En as K extends `${string}_one` ? never : K]: string },
): Texts<Key<keyof En & string>> {
  i18next.addResourceBundle('en', namespace, en, true, true)
  i18next.addResourceBundle('zh', namespace, zh, true, true)
  return { namespace }
}

/** Looks a text up; `{{name}}` in it is replaced by the option of that name. */
export type Say<K extends string> = (key: K, options?: TOptions) => string

/** The texts in the language of the moment; the component renders again when it changes. */
export function useText<K extends string>(texts: Texts<K>): Say<K> {
  const { t } = useTranslation(texts.namespace)
  return t as unknown as Say<K>
}

/** The language now and how to change it; kept in this browser. */
export function useLanguage(): [Language, (language: Language) => void] {
  const { i18n } = useTranslation()
  const change = (language: Language) => {
    localStorage.setItem(STORED, language)
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    void i18n.changeLanguage(language)
  }
  return [i18n.language === 'zh' ? 'zh' : 'en', change]
}
