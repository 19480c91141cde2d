import { copyOf } from "../../../bytes/copy.ts"
import { sha512 } from "../../noble/hash.ts"
import type { ImmediateKeyExchange, SignatureAlgorithm } from "../../provider.ts"
import { integerToBytes, littleEndianToInteger } from "../../rsa/integers.ts"
import { ed25519Over } from "./ed25519.ts"
import { Edwards25519, wipe } from "./edwards25519.ts"
import { type Curve25519Kernel, x25519Over } from "./kernel.ts"
import { clamped, scalarMultiply } from "./x25519.ts"

// X25519 and Ed25519 in TypeScript.
//
// Side channels: the points are multiplied in constant time; what is left of a signature, r + k * a modulo the order, is one
// BigInt multiplication and reduction, as in the noble packages.

/** The order L of the base point. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** u = 9. */
const basePoint: Uint8Array = /* @__PURE__ */ Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 9 : 0))

class PlainCurve25519 implements Curve25519Kernel {
  readonly language = "TypeScript"
  readonly #curve = new Edwards25519()
  #isUsed = false

  x25519(scalar: Uint8Array, u: Uint8Array): Uint8Array {
    return scalarMultiply(scalar, u)
  }

  /**
   * By the comb of the Edwards curve, which takes four tenths of the ladder's time, from the second time on: its table takes
   * more than one ladder, and a client that connects once has no use for it.
   */
  x25519Base(scalar: Uint8Array): Uint8Array {
    if (!this.#isUsed) {
      this.#isUsed = true
      return scalarMultiply(scalar, basePoint)
    }
    const k = clamped(scalar).reverse()
    const point = this.#curve.multiplyBase(k)
    const result = this.#curve.encodeMontgomery(point)
    wipe(point)
    k.fill(0)
    return result
  }

  ed25519Base(scalar: Uint8Array): Uint8Array {
    const k = copyOf(scalar).reverse()
    const point = this.#curve.multiplyBase(k)
    const result = this.#curve.encode(point)
    wipe(point)
    k.fill(0)
    return result
  }

  ed25519Reduce(number: Uint8Array): Uint8Array {
    return toLittleEndian(littleEndianToInteger(number) % ORDER)
  }

  ed25519Answer(r: Uint8Array, hash: Uint8Array, a: Uint8Array): Uint8Array {
    return toLittleEndian((littleEndianToInteger(r) + littleEndianToInteger(hash) * littleEndianToInteger(a)) % ORDER)
  }

  ed25519Verify(a: Uint8Array, s: Uint8Array, hash: Uint8Array): Uint8Array | undefined {
    const point = this.#curve.decode(a)
    if (!point) return undefined
    const k = integerToBytes(littleEndianToInteger(hash) % ORDER, 32)
    return this.#curve.encode(this.#curve.multiplyPublic(copyOf(s).reverse(), k, point))
  }
}

/** Makes one kernel, at its first use. */
export function plainCurve25519(): () => Curve25519Kernel {
  let made: Curve25519Kernel | undefined
  return () => {
    made ??= new PlainCurve25519()
    return made
  }
}

export function createPlainX25519(): ImmediateKeyExchange {
  return x25519Over(plainCurve25519())
}

export function createPlainEd25519(): SignatureAlgorithm {
  return ed25519Over(plainCurve25519(), sha512)
}

function toLittleEndian(number: bigint): Uint8Array {
  return integerToBytes(number, 32).reverse()
}
