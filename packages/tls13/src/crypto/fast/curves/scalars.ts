// Numbers of big-endian bytes beside the order n of a curve. Side channels: no branch on a byte.

export interface Scalars {
  /** Bytes of n, and of a coordinate. */
  readonly length: number
  /** n. */
  readonly order: Uint8Array
  /** Whether these are as many bytes of a number from 1 to n - 1. */
  isScalar(bytes: Uint8Array): boolean
  /** The number modulo n: it is below 2n, as all numbers of so many bits are. */
  modOrder(bytes: Uint8Array): Uint8Array
}

/** @param order n, whose highest bit is set */
export function scalarsBelow(order: Uint8Array): Scalars {
  const { length } = order
  return {
    length,
    order,
    isScalar(bytes) {
      if (bytes.length !== length) return false
      let borrow = 0
      let bits = 0
      for (let i = length - 1; i >= 0; i--) {
        borrow = (bytes[i]! - order[i]! + borrow) >> 8
        bits |= bytes[i]!
      }
      return borrow !== 0 && bits !== 0
    },
    modOrder(bytes) {
      const less = new Uint8Array(length)
      let borrow = 0
      for (let i = length - 1; i >= 0; i--) {
        const difference = bytes[i]! - order[i]! + borrow
        less[i] = difference
        borrow = difference >> 8
      }
      // All ones when the number was below n: then it is the result.
      for (let i = 0; i < length; i++) less[i] = less[i]! ^ ((less[i]! ^ bytes[i]!) & borrow)
      return less
    },
  }
}
