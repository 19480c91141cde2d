// The ChaCha20 block function and its key stream: RFC 8439 sections 2.1 to 2.4.
//
// Written from the RFC; the quarter rounds are unrolled onto sixteen local integers, which engines keep in registers.
// Side channels: additions, exclusive ors and rotations of 32-bit integers, no table, no branch on a secret.

import { bulk } from "./bulk.ts"
import type { Poly1305 } from "./poly1305.ts"

/** The words of an input block: "expand 32-byte k", the key, the counter (word 12) and the nonce (words 13 to 15). */
export function chachaInput(key: Uint8Array): Int32Array {
  const input = new Int32Array(16)
  input.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574])
  for (let i = 0; i < 8; i++) {
    input[4 + i] = key[4 * i]! | (key[4 * i + 1]! << 8) | (key[4 * i + 2]! << 16) | (key[4 * i + 3]! << 24)
  }
  return input
}

/** Exclusive-ors the key stream from the counter of `input` on with `length` bytes; `from` and `to` may be the same place. */
export function chachaXor(
  input: Int32Array,
  mac: Poly1305,
  block: Int32Array,
  from: DataView,
  fromAt: number,
  to: DataView,
  toAt: number,
  length: number,
): void {
  let at = 0
  for (; at + 64 <= length; at += 64) {
    chachaBlock(input, mac, block)
    for (let i = 0; i < 16; i++) {
      const offset = at + 4 * i
      to.setInt32(toAt + offset, from.getInt32(fromAt + offset, true) ^ block[i]!, true)
    }
  }
  if (at === length) return
  chachaBlock(input, mac, block)
  for (let i = 0; at < length; at++, i++) {
    to.setUint8(toAt + at, from.getUint8(fromAt + at) ^ (block[i >> 2]! >>> (8 * (i & 3))))
  }
}

/** One block of key stream, RFC 8439 section 2.3; the counter of `input` is then that of the next one. */
export function chachaBlock(input: Int32Array, mac: Poly1305, output: Int32Array): void {
  output.fill(0)
  bulk(input, mac, output, 16, false)
}
