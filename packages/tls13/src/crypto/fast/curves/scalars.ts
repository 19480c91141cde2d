import { fromHex } from "../../../bytes/hex.ts"

// Numbers of 32 big-endian bytes beside the order n of P-256. Side channels: no branch on a byte.

const LENGTH = 32
export const order: Uint8Array = /* @__PURE__ */ fromHex(
  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
)

/** Whether these are 32 bytes of a number from 1 to n - 1. */
export function isScalar(bytes: Uint8Array): boolean {
  if (bytes.length !== LENGTH) return false
  let borrow = 0
  let bits = 0
  for (let i = LENGTH - 1; i >= 0; i--) {
    borrow = (bytes[i]! - order[i]! + borrow) >> 8
    bits |= bytes[i]!
  }
  return borrow !== 0 && bits !== 0
}

/** The number modulo n: it is below 2n, as all numbers of 256 bits are. */
export function modOrder(bytes: Uint8Array): Uint8Array {
  const less = new Uint8Array(LENGTH)
  let borrow = 0
  for (let i = LENGTH - 1; i >= 0; i--) {
    const difference = bytes[i]! - order[i]! + borrow
    less[i] = difference
    borrow = difference >> 8
  }
  // All ones when the number was below n: then it is the result.
  for (let i = 0; i < LENGTH; i++) less[i] = less[i]! ^ ((less[i]! ^ bytes[i]!) & borrow)
  return less
}
