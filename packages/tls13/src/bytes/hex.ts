import { bytesToLatin1 } from "./text.ts"

/** Hexadecimal text of `bytes`, two lower-case digits a byte. */
export function toHex(bytes: Uint8Array): string {
  const text = new Uint8Array(2 * bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    text[2 * i] = digit(bytes[i]! >>> 4)
    text[2 * i + 1] = digit(bytes[i]! & 15)
  }
  return bytesToLatin1(text)
}

/** Bytes of a hexadecimal text; white space is ignored. @throws RangeError when a digit is missing or is not hexadecimal. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "")
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits))
    throw new RangeError("not an even number of hexadecimal digits")
  const bytes = new Uint8Array(digits.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** The character code of a hexadecimal digit. */
function digit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value
}

/** Undefined: something else than pairs of lower-case digits. Quick, for files that are mostly this. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2)
  let isHex = true
  for (let i = 0; i < bytes.length; i++) {
    const high = numberOf(text.charCodeAt(2 * i))
    const low = numberOf(text.charCodeAt(2 * i + 1))
    bytes[i] = (high << 4) | low
    if ((high | low) > 15) isHex = false
  }
  return isHex ? bytes : undefined
}

/** 16: no digit. */
function numberOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : 16
}
