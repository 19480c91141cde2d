// A payload as text, as JSON, or as bytes.

import { shownLines } from "../../../src/admin/words/sent.ts"

export type Look = "text" | "json" | "hex"

/** Characters of a payload that are shown. */
const longestText = 65_536
const longestHex = 4096

export function textOfPayload(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** How it is looked at best. */
export function usualLook(bytes: Uint8Array): Look {
  const text = textOfPayload(bytes)
  if (text === undefined) return "hex"
  return /^\s*[[{]/.test(text) && jsonOf(text) !== undefined ? "json" : "text"
}

/** Undefined: it cannot be looked at so. */
export function payloadAs(bytes: Uint8Array, look: Look): string | undefined {
  if (look === "hex") return hexOf(bytes)
  const text = textOfPayload(bytes)
  if (text === undefined) return undefined
  if (look === "text") return shownLines(text, longestText)
  const json = jsonOf(text)
  return json === undefined ? undefined : shownLines(json, longestText)
}

/** In one line. */
export function previewOf(bytes: Uint8Array, most: number): string {
  const text = textOfPayload(bytes.subarray(0, most * 4)) ?? textOfPayload(trimmed(bytes.subarray(0, most * 4)))
  if (text === undefined) return [...bytes.subarray(0, 16)].map(hexByte).join(" ")
  const line = shownLines(text.replace(/\s+/g, " "), most)
  return text.length > most ? `${line}…` : line
}

export function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Without the beginning of a character that its end was cut from. */
function trimmed(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  while (end > 0 && bytes.length - end < 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--
  return bytes.subarray(0, Math.max(0, end - 1))
}

function jsonOf(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return undefined
  }
}

function hexOf(bytes: Uint8Array): string {
  const rows: string[] = []
  for (let at = 0; at < Math.min(bytes.length, longestHex); at += 16) {
    const row = bytes.subarray(at, at + 16)
    const hex = [...row].map(hexByte)
    const halves = `${hex.slice(0, 8).join(" ")}  ${hex.slice(8).join(" ")}`
    const letters = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."))
    rows.push(`${at.toString(16).padStart(6, "0")}  ${halves.padEnd(49)} ${letters.join("")}`)
  }
  if (bytes.length > longestHex) rows.push(`… ${bytes.length - longestHex} bytes more`)
  return rows.join("\n")
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0")
}
