// Which Ed25519 signatures are right: RFC 8032 section 5.1.7, with its open ends closed in one way for every provider.
//
// - The equation is the one without the cofactor, [S]B = R + [k]A, which section 5.1.7 calls sufficient. OpenSSL, BoringSSL
//   and Go use it too; a host's verifier could not be made to use the other.
// - A and R are canonical (sections 5.1.2 and 5.1.3): y below p, and no -0 for x. R is compared as bytes, so it has one form.
// - S is below the order L, as sections 5.1.7 and 8.4 want it: otherwise S + L would be a second signature.
// - A is not of small order (1, 2, 4 or 8). RFC 8032 does not refuse such keys, but one signature by them is right for
//   many messages or all. An A with a part of small order beside the rest is a key like another; R may be anything.
//
// These are the rules of K. Chalkias, F. Garillot and V. Nikolaenko, "Taming the many EdDSAs" (2020), algorithm 2, but for
// the cofactor. What is here is everything but the curve: the providers decode A and check the equation.

import { fromHex } from "../bytes/hex.ts"

/** p = 2^255 - 19 and L, little-endian as in encodings. */
const fieldSize: Uint8Array = /* @__PURE__ */ fromHex(
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)
const order: Uint8Array = /* @__PURE__ */ fromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")

/** The y coordinates of the eight points of small order: 1 and -1 have one x each, 0 and these two have two. */
const smallOrders: readonly Uint8Array[] = /* @__PURE__ */ [
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "00".repeat(32),
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
].map(fromHex)

/**
 * Whether a public key and a signature have the right lengths and ranges, and the key is not of small order. All of it is
 * public; whether A is on the curve and the equation holds is left to see.
 */
export function isWellFormed(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  if (smallOrders.some((y) => hasY(publicKey, y))) return false
  return isCanonical(publicKey) && isCanonical(signature) && isBelow(signature, 32, 0xff, order)
}

/** Of the first 32 bytes: the sign of x is the top bit, and the x of 1 and -1, the only one that is 0, has none. */
function isCanonical(point: Uint8Array): boolean {
  if (!isBelow(point, 0, 0x7f, fieldSize)) return false
  const [one, minusOne] = smallOrders
  return point[31]! < 0x80 || !(hasY(point, one!) || hasY(point, minusOne!))
}

function hasY(point: Uint8Array, y: Uint8Array): boolean {
  for (let i = 0; i < 31; i++) if (point[i] !== y[i]) return false
  return (point[31]! & 0x7f) === y[31]
}

/** Whether 32 little-endian bytes from `at` on, the last one under `mask`, are below `bound`. */
function isBelow(bytes: Uint8Array, at: number, mask: number, bound: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const byte = i === 31 ? bytes[at + i]! & mask : bytes[at + i]!
    if (byte !== bound[i]) return byte < bound[i]!
  }
  return false
}
