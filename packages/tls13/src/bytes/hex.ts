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
