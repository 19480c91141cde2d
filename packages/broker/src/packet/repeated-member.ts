// JSON in which a name stands twice: every reader takes another of its values (RFC 8259, section 4), so whoever decides by one refuses it.

/** A name that the outermost object of a text has twice; undefined: there is none. @param text JSON that can be read */
export function repeatedMember(text: string): string | undefined {
  const names = new Set<string>()
  let [depth, last] = [0, ""]
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === "{" || sign === "[") depth++
    else if (sign === "}" || sign === "]") depth--
    else if (sign === '"') {
      const end = endOfText(text, at)
      last = text.slice(at, end)
      at = end - 1
    } else if (sign === ":" && depth === 1) {
      const name = String(JSON.parse(last))
      if (names.has(name)) return name
      names.add(name)
    }
  }
  return undefined
}

/** Behind the quotation mark that ends the text that begins here. */
function endOfText(text: string, begin: number): number {
  let at = begin + 1
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at + 1
}
