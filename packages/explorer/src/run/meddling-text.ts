// What somebody does on the way, as it stands in the address: `flip.3.120`, `drop.4`, `cut.7.12`, `inject.5.1603030001`; with commas between.

import { fromHex, toHex } from "@puremq/tls13/explore"
import type { Meddling } from "./meddling.ts"

/** Beyond that an address gets too long to be sent to anybody. */
const mostMeddlings = 16
const mostInjected = 512

export function textOfMeddlings(meddlings: readonly Meddling[]): string {
  return meddlings.map(textOf).join(",")
}

function textOf(meddling: Meddling): string {
  const { kind, record } = meddling
  switch (kind) {
    case "flip":
      return `flip.${record}.${meddling.bit}`
    case "cut":
      return `cut.${record}.${meddling.bytes}`
    case "inject":
      return `inject.${record}.${toHex(meddling.bytes)}`
    default:
      return `${kind}.${record}`
  }
}

/** What makes no sense is passed over: an address is typed by people. */
export function meddlingsOf(text: string): readonly Meddling[] {
  return text
    .split(",")
    .slice(0, mostMeddlings)
    .flatMap((each) => meddlingOf(each) ?? [])
}

function meddlingOf(text: string): Meddling | undefined {
  const [kind, recordText = "", value = ""] = text.split(".")
  const record = wholeNumber(recordText)
  if (record === undefined) return undefined
  const number = wholeNumber(value)
  switch (kind) {
    case "flip":
      return number === undefined ? undefined : { kind, record, bit: number }
    case "cut":
      return number === undefined ? undefined : { kind, record, bytes: number }
    case "inject":
      return /^(?:[0-9a-f]{2})+$/i.test(value) && value.length <= 2 * mostInjected
        ? { kind, record, bytes: fromHex(value) }
        : undefined
    case "drop":
    case "repeat":
    case "delay":
      return value === "" ? { kind, record } : undefined
    default:
      return undefined
  }
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined
}

/** For people: `bit 120 of record 3 is flipped`. Records count from 1 there. */
export function meddlingWords(meddling: Meddling): string {
  const record = `record ${meddling.record + 1}`
  switch (meddling.kind) {
    case "flip":
      // Counted from the most significant one, as the RFCs draw bits: its value in the byte says which end that is.
      return `bit ${meddling.bit % 8} (0x${(0x80 >> (meddling.bit % 8)).toString(16).padStart(2, "0")}) of byte ${Math.floor(meddling.bit / 8)} of ${record} is flipped`
    case "drop":
      return `${record} is dropped`
    case "repeat":
      return `${record} is sent twice`
    case "delay":
      return `${record} comes after the next one`
    case "cut":
      return `${record} is cut after ${meddling.bytes} bytes, and nothing follows`
    case "inject":
      return `${meddling.bytes.length} bytes are slipped in ahead of ${record}`
  }
}
