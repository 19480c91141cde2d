// Text files that people write or name (users, rules, passwords, configurations, pins), and what editors, exports and
// mistakes make of them. Those of certificates and keys are file-kind.ts's, whose words serve here too.

import { bytesToLatin1, bytesToUtf8 } from "../../bytes/text.ts"
import { foreignKind } from "./file-kind.ts"

/** The text, or in one clause what the file is instead and what to do. */
export type TextFile = { readonly text: string } | { readonly problem: string }

/**
 * The UTF-8 text of a file, without byte order marks (files that were put together have one within, at the begin of a line).
 * A file that is empty, in another encoding or of another kind gives a clause such as
 * `it is a PKCS#12 file; wanted is the password in its first line`.
 * @param wanted what belongs into the file, for the clauses that have no better remedy
 * @param pem whether PEM may stand in it
 */
export function textOfFile(bytes: Uint8Array, wanted: string, pem: boolean = false): TextFile {
  const read = decoded(bytes)
  if (typeof read !== "string") return { problem: read.problem ?? `${kindOfBinary(bytes)}; ${wanted}` }
  if (read.trim() === "") return { problem: `it is empty; ${wanted}` }
  const kind = pem ? undefined : foreignText(read)
  return kind === undefined ? { text: read } : { problem: `${kind}; ${wanted}` }
}

/** `problem`: undefined for what is no text at all. */
function decoded(bytes: Uint8Array): string | { readonly problem: string | undefined } {
  if (isUtf16(bytes)) {
    return {
      problem: "it is text in UTF-16; save it as UTF-8, or convert it with `iconv -f UTF-16 -t UTF-8 FILE > NEW`",
    }
  }
  if (bytes.includes(0)) return { problem: undefined }
  // Before all of a long file that is none is there as text.
  const wrong = firstWrongLine(bytes)
  if (wrong !== undefined) {
    if (bytes.some(isControl)) return { problem: undefined }
    return {
      problem: `line ${wrong} is not UTF-8, so the file is in another encoding, such as Latin-1; save it as UTF-8, or convert it with \`iconv -f ISO-8859-1 -t UTF-8 FILE > NEW\``,
    }
  }
  const lines: string[] = []
  for (let from = 0; from <= bytes.length; ) {
    const newline = bytes.indexOf(0x0a, from)
    const end = newline < 0 ? bytes.length : newline
    const line = bytes.subarray(startsWith(bytes, from, byteOrderMark) ? from + byteOrderMark.length : from, end)
    const foreign = line.find((byte) => byte >= 0x80)
    lines.push((foreign === undefined ? undefined : bytesToUtf8(line)) ?? bytesToLatin1(line))
    from = end + 1
  }
  return lines.join("\n")
}

/** The number of the first line that is not UTF-8. */
function firstWrongLine(bytes: Uint8Array): number | undefined {
  let [number, from] = [1, 0]
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === 0x0a) {
      number++
      from = i + 1
    }
    if (byte < 0x80) continue
    const newline = bytes.indexOf(0x0a, i)
    const end = newline < 0 ? bytes.length : newline
    if (bytesToUtf8(bytes.subarray(from, end)) === undefined) return number
    i = end - 1
  }
  return undefined
}

const byteOrderMark = [0xef, 0xbb, 0xbf]

function startsWith(bytes: Uint8Array, from: number, mark: readonly number[]): boolean {
  return mark.every((byte, i) => bytes[from + i] === byte)
}

/** With a mark; or without one, where the text is mostly ASCII, so that every other byte is 0. */
function isUtf16(bytes: Uint8Array): boolean {
  if (startsWith(bytes, 0, [0xff, 0xfe]) || startsWith(bytes, 0, [0xfe, 0xff])) return true
  const head = bytes.subarray(0, 256)
  const zeros = [0, 1].map((odd) => head.filter((byte, i) => i % 2 === odd && byte === 0).length)
  const [most = 0, least = 0] = zeros.sort((a, b) => b - a)
  return head.length >= 4 && least === 0 && most >= Math.floor(head.length / 2) * 0.8
}

/** Such as no text has; tabs, line ends, form feeds and escapes may be. */
function isControl(byte: number): boolean {
  return byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b) || byte === 0x7f
}

function kindOfBinary(bytes: Uint8Array): string {
  return shortKind(foreignKind(bytes, "")) ?? "it is a binary file, not text"
}

/** PEM and the keys of other programs. */
function foreignText(text: string): string | undefined {
  const label = /^-----BEGIN ([A-Z0-9 ]+)-----\s*$/m.exec(text)?.[1]
  const kind = shortKind(foreignKind(text, "", label === undefined ? [] : [label]))
  return kind ?? (label === undefined ? undefined : `it is PEM (${label})`)
}

/** Without what makes a certificate or a key of it. */
function shortKind(kind: string | undefined): string | undefined {
  return kind === undefined ? undefined : /^it is [^;,]*/.exec(kind)?.[0]
}
