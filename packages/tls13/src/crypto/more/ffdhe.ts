import { NamedGroup } from "../../bytes/code-points.ts"
import { draw } from "../draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare, type RandomSource } from "../provider.ts"
import { bytesToInteger, integerToBytes, powModSecret } from "../rsa/integers.ts"

// Diffie-Hellman over the finite fields of RFC 7919; RFC 9846 sections 4.3.8.1 and 7.4.1. The fixed groups only: there is no
// message of TLS 1.3 in which a peer could send another prime.
//
// Side channels: the engine's BigInt, whose arithmetic has no constant time, with the same squarings and multiplications for
// every exponent of a group, and windows that are read by secret digits. An exponent is used for one handshake, which is what
// stands between a peer that measures and the key; BigInt values cannot be wiped. Where an attacker can run code on the same
// core, use x25519.

export type FfdheName = "ffdhe2048" | "ffdhe3072" | "ffdhe4096" | "ffdhe6144" | "ffdhe8192"

interface Parameters {
  readonly bits: number
  /** X of RFC 7919 appendix A, which makes p a safe prime. */
  readonly x: bigint
  /**
   * Bytes of an exponent. Appendix A wants at least 225, 275, 325, 375 or 400 bits, twice the strength of the group (section
   * 5.2); the first is always 1, so that all exponents take the same time.
   */
  readonly exponentLength: number
}

/** RFC 7919 appendices A.1 to A.5. */
const groups: Readonly<Record<FfdheName, Parameters>> = {
  ffdhe2048: { bits: 2048, x: 560_316n, exponentLength: 29 },
  ffdhe3072: { bits: 3072, x: 2_625_351n, exponentLength: 35 },
  ffdhe4096: { bits: 4096, x: 5_736_041n, exponentLength: 42 },
  ffdhe6144: { bits: 6144, x: 15_705_020n, exponentLength: 48 },
  ffdhe8192: { bits: 8192, x: 10_965_728n, exponentLength: 51 },
}

/** g of every group. */
const generator = 2n

/** One of the groups. Its prime is computed, in about a millisecond, when the group is first used. */
export function ffdhe(name: FfdheName): ImmediateKeyExchange {
  const { bits, x, exponentLength } = groups[name]
  const length = bits / 8
  let made: bigint | undefined
  const prime = (): bigint => {
    made ??= primeOf(bits, x)
    return made
  }

  function privateKey(random: RandomSource): bigint {
    const bytes = draw(random, exponentLength)
    bytes[0]! |= 0x80
    const exponent = bytesToInteger(bytes)
    bytes.fill(0)
    return exponent
  }

  /** RFC 9846 4.3.8.1: in the size of p, "padded to the left with zeros if needed"; 7.4.1 says the same of the secret. */
  function power(base: bigint, exponent: bigint): Uint8Array {
    return integerToBytes(powModSecret(base, exponent, prime()), length)
  }

  function peerValue(share: Uint8Array): bigint {
    if (share.length !== length)
      throw new InvalidKeyShare(`an ${name} key share has ${length} bytes, not ${share.length}`)
    const y = bytesToInteger(share)
    // RFC 9846 4.3.8.1: "Peers MUST validate each other's public key Y by ensuring that 1 < Y < p-1."
    if (y <= 1n || y >= prime() - 1n) throw new InvalidKeyShare(`the ${name} key share is not between 1 and p - 1`)
    return y
  }

  return {
    name,
    code: NamedGroup[name],
    start(random) {
      let exponent: bigint | undefined = privateKey(random)
      return {
        share: power(generator, exponent),
        complete(serverShare) {
          if (exponent === undefined) throw new Error("the private value was wiped")
          return power(peerValue(serverShare), exponent)
        },
        wipe() {
          exponent = undefined
        },
      }
    },
    respond(clientShare, random) {
      const y = peerValue(clientShare)
      const exponent = privateKey(random)
      return { share: power(generator, exponent), secret: power(y, exponent) }
    },
  }
}

/** RFC 7919 appendix A: p = 2^b - 2^(b-64) + {[2^(b-130) e] + X} * 2^64 - 1, with e the base of natural logarithms. */
export function primeOf(bits: number, x: bigint): bigint {
  const b = BigInt(bits)
  return (1n << b) - (1n << (b - 64n)) + ((scaledE(b - 130n) + x) << 64n) - 1n
}

/** [2^bits * e]: the sum of 1/k!, with 64 bits more, so that what is cut off of all terms together stays below them. */
function scaledE(bits: bigint): bigint {
  let sum = 0n
  let term = 1n << (bits + 64n)
  for (let k = 1n; term > 0n; k++) {
    sum += term
    term /= k
  }
  return sum >> 64n
}
