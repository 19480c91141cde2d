// What somebody on the way can do to the records between the two ends.

import { copyOf } from "@puremq/tls13/explore"
import type { End } from "./step.ts"

/** `record`: its id, the how many-th that was sent in the run (of both ends, from 0). */
export type Meddling =
  | { readonly kind: "flip"; readonly record: number; readonly bit: number }
  | { readonly kind: "drop"; readonly record: number }
  | { readonly kind: "repeat"; readonly record: number }
  /** It arrives after the record that follows it. */
  | { readonly kind: "delay"; readonly record: number }
  /** Only the first `bytes` of it arrive, and then the stream ends. */
  | { readonly kind: "cut"; readonly record: number; readonly bytes: number }
  /** These bytes arrive ahead of the record. */
  | { readonly kind: "inject"; readonly record: number; readonly bytes: Uint8Array }

/** What arrives in the place of a record, in order; `ends`: nothing comes afterwards. */
export interface Arrival {
  readonly parts: readonly { readonly bytes: Uint8Array; readonly injected: boolean }[]
  readonly ends: boolean
}

export function meddledWith(id: number, record: Uint8Array, meddlings: readonly Meddling[]): Arrival {
  let bytes: Uint8Array | undefined = record
  let times = 1
  let ends = false
  const ahead: Uint8Array[] = []
  for (const meddling of meddlings) {
    if (meddling.record !== id) continue
    if (meddling.kind === "flip") bytes = bytes && flipped(bytes, meddling.bit)
    else if (meddling.kind === "drop") bytes = undefined
    else if (meddling.kind === "repeat") times = 2
    else if (meddling.kind === "cut") {
      bytes = bytes?.subarray(0, meddling.bytes)
      ends = true
    } else if (meddling.kind === "inject") ahead.push(meddling.bytes)
  }
  return {
    parts: [
      ...ahead.map((injected) => ({ bytes: injected, injected: true })),
      ...(bytes === undefined ? [] : Array.from({ length: times }, () => ({ bytes: bytes!, injected: false }))),
    ],
    ends,
  }
}

/** @param bit counted from the most significant of the first byte; beyond the end: nothing is flipped */
function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = copyOf(bytes)
  const at = Math.floor(bit / 8)
  if (at < copy.length) copy[at]! ^= 0x80 >>> (bit % 8)
  return copy
}

/** The records of what an end has sent: each with its 5-byte header. */
export function recordsOf(output: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = []
  for (let at = 0; at < output.length; ) {
    const end = at + 5 + ((output[at + 3]! << 8) | output[at + 4]!)
    records.push(copyOf(output.subarray(at, end)))
    at = end
  }
  return records
}

export function otherEnd(end: End): End {
  return end === "client" ? "server" : "client"
}
