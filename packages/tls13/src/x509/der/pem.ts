// PEM (RFC 7468): the text around DER. Text between blocks is ignored, as everybody writes comments there.

import { bytesToLatin1 } from "../../bytes/text.ts"
import { X509Error } from "../errors.ts"

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, `X509 CRL` ... */
  readonly label: string
  readonly der: Uint8Array
  /** An old-style header such as `Proc-Type: 4,ENCRYPTED` stood in the block. */
  readonly encrypted: boolean
  /** Of its BEGIN line, from 1 on. */
  readonly line: number
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
const values: Uint8Array = /* @__PURE__ */ valuesOf(alphabet)

/** By the code of a character; 0xff: it is none of them. */
function valuesOf(characters: string): Uint8Array {
  const values = new Uint8Array(128).fill(0xff)
  for (let i = 0; i < characters.length; i++) values[characters.charCodeAt(i)] = i
  return values
}

/** Whether the bytes are PEM text rather than DER. */
export function isPem(bytes: Uint8Array): boolean {
  // DER of everything in this folder begins with SEQUENCE.
  return bytes[0] !== 0x30
}

/**
 * All blocks of a text, in order.
 * @throws X509Error for a block that has no end, or is not base64
 */
export function parsePem(text: string | Uint8Array): PemBlock[] {
  // A byte order mark, as text or as bytes: some editors put one in front.
  const lines = (typeof text === "string" ? text : bytesToLatin1(text)).replace(/^\xef\xbb\xbf/, "").split(/\r\n|\n|\r/)
  const blocks: PemBlock[] = []
  let label: string | undefined
  let begun = 0
  let body: string[] = []
  let encrypted = false
  for (let number = 1; number <= lines.length; number++) {
    const line = lines[number - 1]!.trim()
    const begin = /^-----BEGIN ([A-Z0-9 ]+)-----$/.exec(line)
    const end = /^-----END ([A-Z0-9 ]+)-----$/.exec(line)
    if (label === undefined) {
      if (end) throw bad(`line ${number} ends a ${end[1]} that no line begins`)
      if (!begin) continue
      label = begin[1]!
      begun = number
      body = []
      encrypted = false
    } else if (begin || (end && end[1] !== label)) {
      throw bad(`the ${label} that begins at line ${begun} has no END line`)
    } else if (end) {
      blocks.push({ label, der: fromBase64(body.join(""), `the ${label} at line ${begun}`), encrypted, line: begun })
      label = undefined
    } else if (line.includes(":")) {
      // RFC 1421 headers, which only old encrypted keys have.
      if (/ENCRYPTED/.test(line)) encrypted = true
    } else body.push(line)
  }
  if (label !== undefined) throw bad(`the ${label} that begins at line ${begun} has no END line`)
  return blocks
}

/** The PEM text of one block. */
export function toPem(label: string, der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`
}

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  let text = ""
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]!
    text += i + 1 < bytes.length ? alphabet[(group >> 6) & 63]! : "="
    text += i + 2 < bytes.length ? alphabet[group & 63]! : "="
  }
  return text
}

function fromBase64(text: string, what: string): Uint8Array {
  const digits = text.replace(/[ \t]/g, "").replace(/={1,2}$/, "")
  if (digits.length % 4 === 1) throw bad(`${what} is cut short`)
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let bits = 0
  let held = 0
  let at = 0
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i)
    const value = code < 128 ? values[code]! : 0xff
    if (value === 0xff) throw bad(`${what} has the character ${JSON.stringify(digits[i])}, which is not base64`)
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = held >> bits
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw bad(`${what} is cut short`)
  return bytes
}

function bad(message: string): X509Error {
  return new X509Error("malformed", `PEM: ${message}`)
}
