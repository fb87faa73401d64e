import type { Expression, FieldTest, LabelTest } from '../expression.ts'
import { quoted, valueText, wordText } from './scanner.ts'
import { durationText, numberText } from './units.ts'

/** Nothing is called '', so one lets nothing through, the other everything. */
const NOTHING = 'name:""'
const EVERYTHING = `-${NOTHING}`

/** The text that `parseFilter` reads as this; '' for a filter that lets everything through. */
export function printFilter(expression: Expression | undefined): string {
  if (expression === undefined || ('all' in expression && expression.all.length === 0)) return ''
  return print(expression, 'alone')
}

/** `place`: what stands around it, and so when parentheses are needed. */
function print(expression: Expression, place: 'alone' | 'either' | 'term'): string {
  if ('all' in expression) {
    const [first, ...more] = expression.all
    if (!first) return EVERYTHING
    if (more.length === 0) return print(first, place)
    const text = expression.all.map((one) => print(one, 'term')).join(' ')
    return place === 'term' ? `(${text})` : text
  }
  if ('any' in expression) {
    const [first, ...more] = expression.any
    if (!first) return NOTHING
    if (more.length === 0) return print(first, place)
    const text = expression.any.map((one) => print(one, 'either')).join(' or ')
    return place === 'alone' ? text : `(${text})`
  }
  if ('not' in expression) return `-${print(expression.not, 'term')}`
  if ('text' in expression) return expression.text.trim() === '' ? EVERYTHING : wordText(expression.text)
  if ('age' in expression) return `${expression.age}${expression.op}${durationText(expression.seconds)}`
  return 'label' in expression ? printLabel(expression) : printField(expression)
}

function printLabel({ label, values }: LabelTest): string {
  const key = /^[^\s(),"\\=!]+$/.test(label) ? label : quoted(label)
  if (values?.length === 0) return NOTHING
  return values === undefined ? `label:${key}` : `label:${key}=${values.map(valueText).join(',')}`
}

function printField({ field, op, values }: FieldTest): string {
  if (values.length === 0) return op === '!=' ? EVERYTHING : NOTHING
  const shown = op === '=' || op === '!=' ? values : values.slice(0, 1)
  const texts = shown.map((value) => (typeof value === 'number' ? numberText(value) : valueText(value)))
  return `${field}${op === '=' ? ':' : op}${texts.join(',')}`
}
