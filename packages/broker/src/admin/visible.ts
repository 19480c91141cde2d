// What clients, brokers and their certificates send, on its way to a terminal or a log: nothing of it may move the cursor,
// turn text around, hide in it or begin a line of its own.

/** Control (C0, C1), format (bidi, zero-width) and line-separating characters, and surrogates that are alone. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** `text` with each character that cannot be seen as `\uXXXX`, the way JSON writes it. @param keep such characters that stay */
export function visible(text: string, keep: string = ""): string {
  return text.replace(unseen, (character) => (keep.includes(character) ? character : escaped(character)))
}

/** In quotes, as JSON. */
export function quoted(text: string): string {
  return visible(JSON.stringify(text))
}

function escaped(character: string): string {
  let text = ""
  for (let i = 0; i < character.length; i++) text += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`
  return text
}
