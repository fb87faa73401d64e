/** JSON values of a text that comes in pieces, one a line. Empty lines are heartbeats. */
export async function* lineValues(pieces: AsyncIterable<string>): AsyncGenerator<unknown, void, undefined> {
  let rest = ''
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line)
  }
  if (rest.trim() !== '') yield JSON.parse(rest)
}
