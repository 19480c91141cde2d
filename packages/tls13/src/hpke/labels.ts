// LabeledExtract and LabeledExpand: RFC 9180 section 4, over HKDF (RFC 5869).

import { concatBytes } from "../bytes/concat.ts"
import { copyOf } from "../bytes/copy.ts"
import { nothing } from "../bytes/nothing.ts"
import { asciiToBytes } from "../bytes/text.ts"
import type { Hash } from "../crypto/provider.ts"

const version = /* @__PURE__ */ asciiToBytes("HPKE-v1")

/** The two functions of a suite or of its KEM. */
export interface LabeledKdf {
  /** LabeledExtract(salt, label, ikm): a fresh array of Nh bytes. */
  extract(salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array
  /** LabeledExpand(prk, label, info, L): a fresh array. @throws RangeError beyond 255 * Nh bytes */
  expand(prk: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array
}

/** @param suiteId "KEM" or "HPKE" with its numbers */
export function labeledKdf(hash: Hash, suiteId: Uint8Array): LabeledKdf {
  return {
    extract(salt, label, ikm) {
      const key = hash.hmac(salt)
      const prk = key.mac(version, suiteId, asciiToBytes(label), ikm)
      key.wipe()
      return prk
    },
    expand(prk, label, info, length) {
      const labeled = concatBytes(uint16(length), version, suiteId, asciiToBytes(label), info)
      return expand(hash, prk, labeled, length)
    },
  }
}

/** HKDF-Expand (RFC 5869 section 2.3). */
function expand(hash: Hash, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (!Number.isInteger(length) || length < 0 || length > 255 * hash.length) {
    throw new RangeError(`HKDF of ${hash.name} gives 0 to ${255 * hash.length} bytes; ${length} were asked for`)
  }
  const key = hash.hmac(prk)
  const expanded = new Uint8Array(length)
  let block = copyOf(nothing)
  for (let at = 0, count = 1; at < length; at += hash.length, count++) {
    const next = key.mac(block, info, Uint8Array.of(count))
    block.fill(0)
    block = copyOf(next)
    next.fill(0)
    expanded.set(block.subarray(0, Math.min(hash.length, length - at)), at)
  }
  block.fill(0)
  key.wipe()
  return expanded
}

/** I2OSP(value, 2) */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value)
}
