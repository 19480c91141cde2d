import { concatBytes } from "../../../bytes/concat.ts"
import { draw } from "../../draw.ts"
import { sha384, sha512 } from "../../noble/hash.ts"
import type { RandomSource } from "../../provider.ts"
import { bytesToInteger, integerToBytes, invertMod } from "../../rsa/integers.ts"
import type { CurveKernel } from "../curves/kernel.ts"
import { createPlainSha256 } from "../sha256.ts"
import { type P256Algorithms, p256Over } from "./algorithms.ts"
import { P256, type Point, wipe } from "./p256.ts"

// P-256 in TypeScript, over the points of p256.ts.
//
// Side channels: the nonce's point is computed in constant time. The arithmetic modulo the order is BigInt's, which has
// none: it sees the nonce and the private key multiplied by a random factor, fresh for each signature.

const LENGTH = 32
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

class PlainP256 implements CurveKernel {
  readonly language = "TypeScript"
  readonly #curve = new P256()

  isPoint(coordinates: Uint8Array): boolean {
    return this.#curve.decode(coordinates) !== undefined
  }

  multiplyBase(scalar: Uint8Array): Uint8Array {
    return this.#encoded(this.#curve.multiplyBase(scalar), "both")
  }

  multiply(scalar: Uint8Array, coordinates: Uint8Array): Uint8Array | undefined {
    const point = this.#curve.decode(coordinates)
    return point && this.#encoded(this.#curve.multiply(scalar, point), "x")
  }

  sign(nonce: Uint8Array, secret: Uint8Array, hash: Uint8Array, random: RandomSource): Uint8Array | undefined {
    const r = bytesToInteger(this.#encoded(this.#curve.multiplyBase(nonce), "x")) % ORDER
    const e = bytesToInteger(hash)
    const d = bytesToInteger(secret)
    // s = (e + r d) / k, with e, d and k multiplied by the same random factor.
    const factor = randomFactor(random)
    const inverse = invertMod((factor * bytesToInteger(nonce)) % ORDER, ORDER)!
    const s = (inverse * ((factor * e + ((factor * d) % ORDER) * r) % ORDER)) % ORDER
    return r === 0n || s === 0n ? undefined : concatBytes(integerToBytes(r, LENGTH), integerToBytes(s, LENGTH))
  }

  verify(numbers: Uint8Array, hash: Uint8Array, coordinates: Uint8Array): boolean {
    const r = bytesToInteger(numbers.subarray(0, LENGTH))
    const s = bytesToInteger(numbers.subarray(LENGTH))
    if (r === 0n || s === 0n || r >= ORDER || s >= ORDER) return false
    const point = this.#curve.decode(coordinates)
    if (!point) return false
    const w = invertMod(s, ORDER)!
    const u1 = (bytesToInteger(hash) * w) % ORDER
    const u2 = (r * w) % ORDER
    return this.#curve.hasX(integerToBytes(u1, LENGTH), integerToBytes(u2, LENGTH), point, numbers.subarray(0, LENGTH))
  }

  /** The group's order is prime, and scalars are below it: multiples are not infinity. */
  #encoded(point: Point, form: "x" | "both"): Uint8Array {
    const bytes = this.#curve.encode(point, form)!
    wipe(point)
    return bytes
  }
}

/** Makes one kernel, at its first use. */
export function plainP256(): () => CurveKernel {
  let made: CurveKernel | undefined
  return () => {
    made ??= new PlainP256()
    return made
  }
}

export function createPlainP256Algorithms(): P256Algorithms {
  return p256Over(plainP256(), { sha256: createPlainSha256(), sha384, sha512 })
}

function randomFactor(random: RandomSource): bigint {
  for (;;) {
    const factor = bytesToInteger(draw(random, LENGTH + 8)) % ORDER
    if (factor !== 0n) return factor
  }
}
