import type { RandomSource } from "../../provider.ts"

/**
 * What ECDH and ECDSA on a curve are made of. Numbers are big-endian, of 32 bytes for P-256 and 48 for P-384; points are
 * coordinates, X before Y, without the 4 of SEC 1. Results are copies.
 */
export interface CurveKernel {
  readonly language: "WebAssembly" | "TypeScript"
  /** Whether the coordinates are below p and a point of the curve. */
  isPoint(coordinates: Uint8Array): boolean
  /** The multiple of the base point by a scalar from 1 to n - 1. */
  multiplyBase(scalar: Uint8Array): Uint8Array
  /** The x coordinate of a point's multiple by a scalar from 1 to n - 1; undefined when it is not a point. */
  multiply(scalar: Uint8Array, coordinates: Uint8Array): Uint8Array | undefined
  /**
   * r and s of FIPS 186-5 section 6.4.1, from a nonce and a private key from 1 to n - 1, and a hash; undefined when one of
   * them would be 0.
   * @param random for a kernel that hides its numbers from itself
   */
  sign(nonce: Uint8Array, secret: Uint8Array, hash: Uint8Array, random: RandomSource): Uint8Array | undefined
  /** FIPS 186-5 section 6.4.2 for r and s, which may be any numbers; false when the key is not a point. */
  verify(numbers: Uint8Array, hash: Uint8Array, coordinates: Uint8Array): boolean
}
