// JSON in which a name stands twice: every reader takes another of its values (RFC 8259, section 4), so whoever decides by one refuses it.

/** A name that the outermost object of a text has twice; undefined: there is none. @param text JSON that can be read */
export function repeatedMember(text: string): string | undefined {
  const names = new Set<string>()
  let [depth, last] = [0, ""]
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}:]/g)) {
    if (token === "{" || token === "[") depth++
    else if (token === "}" || token === "]") depth--
    else if (token !== ":") last = token
    else if (depth === 1) {
      const name = String(JSON.parse(last))
      if (names.has(name)) return name
      names.add(name)
    }
  }
  return undefined
}
