/** Every word must be found: `state:failed` in that member, a plain word in any of them. */
export function matches(filter: string, members: Record<string, string | number | undefined>): boolean {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .every((word) => {
      const at = word.indexOf(':')
      const member = at > 0 ? members[word.slice(0, at)] : undefined
      if (member !== undefined)
        return String(member)
          .toLowerCase()
          .includes(word.slice(at + 1))
      return Object.values(members).some((value) =>
        String(value ?? '')
          .toLowerCase()
          .includes(word),
      )
    })
}
