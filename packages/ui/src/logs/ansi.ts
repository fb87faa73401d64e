/** A run of text in one look; `look` is a list of class names. */
export interface AnsiRun {
  text: string
  look: string
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this is about
const SEQUENCE = /\u001b(?:\[([0-9;?]*)([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: what is left of them must not reach the screen
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g

/** A line with terminal colours as runs; every other escape sequence and control character is dropped. */
export function ansiRuns(line: string): AnsiRun[] {
  const runs: AnsiRun[] = []
  let look = { bold: false, colour: '' }
  let from = 0
  const add = (text: string) => {
    const clean = text.replace(CONTROLS, '')
    if (clean === '') return
    runs.push({ text: clean, look: [look.bold ? 'ansi-b' : '', look.colour].filter(Boolean).join(' ') })
  }
  for (const match of line.matchAll(SEQUENCE)) {
    add(line.slice(from, match.index))
    from = match.index + match[0].length
    if (match[2] === 'm') look = lookAfter(look, match[1] ?? '')
  }
  add(line.slice(from))
  return runs
}

function lookAfter(look: { bold: boolean; colour: string }, codes: string) {
  let { bold, colour } = look
  const list = codes.split(';').map(Number)
  for (let index = 0; index < list.length; index += 1) {
    const code = list[index] ?? 0
    if (code === 0) {
      bold = false
      colour = ''
    } else if (code === 1) bold = true
    else if (code === 22) bold = false
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) colour = `ansi-${code % 10}`
    else if (code === 39) colour = ''
    // 256 colours and true colour have arguments of their own; they are read over.
    else if (code === 38 || code === 48) index += list[index + 1] === 2 ? 4 : 2
  }
  return { bold, colour }
}
