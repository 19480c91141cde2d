// The core has no TextEncoder (a QuickJS-class engine may not either), so the two encodings that TLS needs are spelled out.

/** Bytes of an ASCII text. @throws RangeError at the first character outside U+0000..U+007F. */
export function asciiToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) throw new RangeError(`character ${i + 1} of ${JSON.stringify(text)} is not ASCII`)
    bytes[i] = code
  }
  return bytes
}

/** Text of ASCII bytes, or undefined when one is above 0x7f. */
export function bytesToAscii(bytes: Uint8Array): string | undefined {
  let text = ""
  for (const byte of bytes) {
    if (byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

/** Each byte as the character of the same number (ISO 8859-1); loses nothing, for ALPN names that may be any octets. */
export function bytesToLatin1(bytes: Uint8Array): string {
  // In pieces, not byte by byte: engines keep a text that grew by single characters as a tree, of 32 bytes a character.
  let text = ""
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096))
  return text
}

/** UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function utf8ToBytes(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    let code = character.codePointAt(0)!
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f))
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
    else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
    }
  }
  return new Uint8Array(bytes)
}

/** Text of UTF-8 bytes, or undefined when they are not well-formed (overlong, surrogate, beyond U+10FFFF, cut short). */
export function bytesToUtf8(bytes: Uint8Array): string | undefined {
  let text = ""
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i++]!
    if (lead < 0x80) {
      text += String.fromCharCode(lead)
      continue
    }
    const following = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1
    if (lead < 0xc2 || lead > 0xf4 || i + following > bytes.length) return undefined
    let code = lead & (0x3f >> following)
    for (let k = 0; k < following; k++) {
      const next = bytes[i++]!
      if ((next & 0xc0) !== 0x80) return undefined
      code = (code << 6) | (next & 0x3f)
    }
    const least = following === 3 ? 0x10000 : following === 2 ? 0x800 : 0x80
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined
    text += String.fromCodePoint(code)
  }
  return text
}

/** Control (C0, C1), format (bidi, zero-width) and line-separating characters, and surrogates that are alone. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/**
 * What a peer sent, for a terminal or a log: nothing of it may move the cursor, turn text around, hide or begin a line. Each
 * character that cannot be seen becomes what `shown` gives for it. @param keep such characters that stay
 */
export function visibleText(text: string, keep: string = "", shown: (character: string) => string = asInJson): string {
  return text.replace(unseen, (character) => (keep.includes(character) ? character : shown(character)))
}

/** In quotes, as JSON. */
export function quotedText(text: string): string {
  return visibleText(JSON.stringify(text))
}

/** `\uXXXX` for each UTF-16 unit. */
function asInJson(character: string): string {
  let text = ""
  for (let i = 0; i < character.length; i++) text += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`
  return text
}
