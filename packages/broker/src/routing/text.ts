// Texts that a tree keeps, and what they cost.

/**
 * The same text in memory of its own. Engines make a slice a window into the longer text, which then stays in memory for
 * as long as the slice does.
 */
export function ownText(text: string): string {
  if (text.length < 13) return text.slice() // too short for a window
  const units = new Uint16Array(Math.min(text.length, chunk))
  let result = ""
  for (let at = 0; at < text.length; at += chunk) {
    const count = Math.min(chunk, text.length - at)
    for (let i = 0; i < count; i++) units[i] = text.charCodeAt(at + i)
    result += Reflect.apply(String.fromCharCode, undefined, count === units.length ? units : units.subarray(0, count))
  }
  return result
}

const chunk = 4096

/** Bytes of heap a text takes: one a character, or two when there is one beyond U+00FF. */
export function textCost(text: string): number {
  if (text.length < 2) return 0 // an engine has each of them once
  let width = 1
  for (let i = 0; i < text.length && width === 1; i++) if (text.charCodeAt(i) > 0xff) width = 2
  return 16 + ((text.length * width + 7) & ~7)
}
