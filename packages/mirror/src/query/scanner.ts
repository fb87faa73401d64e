import { FilterError } from './filter-error.ts'

/** Operators in the order in which they are tried; GitHub's `field:>3` is understood as `field>3`. */
const TEST = /([A-Za-z_][\w.]*)(:~|:>=|:<=|:>|:<|:|~|!=|>=|<=|=|>|<)/y
const SPACE = /\s*/y
const WORD = /[^\s()"][^\s()]*/y
const VALUE = /[^\s(),"][^\s(),]*/y
const LABEL_KEY = /[^\s(),"=!]+/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy

export type Operator = '=' | '!=' | '~' | '<' | '<=' | '>' | '>='

/** Walks through a filter text. `position` is the next character. */
export class Scanner {
  readonly text: string
  position = 0

  constructor(text: string) {
    this.text = text
  }

  get atEnd(): boolean {
    return this.position >= this.text.length
  }

  skipSpace(): void {
    this.#match(SPACE)
  }

  /** Takes the character if it is next. */
  take(character: string): boolean {
    if (!this.text.startsWith(character, this.position)) return false
    this.position += character.length
    return true
  }

  /** Takes the word if it is next and ends there, without regard to case. */
  takeKeyword(word: string): boolean {
    const found = this.text.slice(this.position, this.position + word.length)
    const after = this.text[this.position + word.length]
    if (found.toLowerCase() !== word || (after !== undefined && !/[\s()]/.test(after))) return false
    this.position += word.length
    return true
  }

  /** The beginning of a test: a name and an operator. */
  takeTest(): { name: string; op: Operator } | undefined {
    const match = this.#match(TEST)
    if (!match) return undefined
    const op = match[2] ?? ''
    return { name: match[1] ?? '', op: (op === ':' ? '=' : op.replace(/^:/, '')) as Operator }
  }

  takeWord(): string | undefined {
    return this.#match(WORD)?.[0]
  }

  /** A value, quoted or not. */
  takeValue(): string | undefined {
    return this.takeQuoted() ?? this.#match(VALUE)?.[0]
  }

  takeLabelKey(): string | undefined {
    return this.takeQuoted() ?? this.#match(LABEL_KEY)?.[0]
  }

  /** Text between quotation marks; `\"` and `\\` stand for themselves. Throws when it has no end. */
  takeQuoted(): string | undefined {
    if (this.text[this.position] !== '"') return undefined
    const match = this.#match(QUOTED)
    if (!match) throw new FilterError('The quotation that begins here has no end: write a second "', this.position)
    return unescaped(match[1] ?? '')
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.text)
    if (match) this.position += match[0].length
    return match ?? undefined
  }
}

/** What quoted text stands for. */
export const unescaped = (text: string): string => text.replace(/\\(.)/gs, '$1')

/** As a value of a test: in quotation marks where it would be read as something else. */
export const valueText = (text: string): string => (/^[^\s(),"\\~<>=:][^\s(),"\\]*$/.test(text) ? text : quoted(text))

/** In quotation marks. */
export const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** As a word of free text: in quotation marks where it would be read as something else. */
export function wordText(text: string): string {
  const keyword = /^(?:or|and|not)$/i.test(text)
  TEST.lastIndex = 0
  return !keyword && /^[^\s()"\\-][^\s()"\\]*$/.test(text) && !TEST.test(text) ? text : quoted(text)
}
