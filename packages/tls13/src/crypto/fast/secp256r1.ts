import { p256 as noble } from "@noble/curves/nist.js"
import { NamedGroup } from "../../bytes/code-points.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { ecdsaSha256, ecdsaSha384, ecdsaSha512, sha256, sha384, sha512 } from "../noble/index.ts"
import {
  type Hash,
  InvalidKeyShare,
  type KeyExchange,
  type RandomSource,
  type SignatureAlgorithm,
} from "../provider.ts"
import { bytesToInteger, integerToBytes, invertMod } from "../rsa/integers.ts"
import { P256, type Point } from "./p256.ts"

// ECDH on P-256 (RFC 9846 sections 4.3.8.2 and 7.4.2) and the verification of ECDSA signatures by its keys (FIPS 186-5
// section 6.4.2), over the kernel of p256.ts. Signing, and the other curves, are noble's.

const LENGTH = 32
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

export interface P256Algorithms {
  readonly secp256r1: KeyExchange
  readonly ecdsaSha256: SignatureAlgorithm
  readonly ecdsaSha384: SignatureAlgorithm
  readonly ecdsaSha512: SignatureAlgorithm
}

/** The algorithms share one curve and its tables, which are made at their first use. */
export function createP256Algorithms(): P256Algorithms {
  let curve: P256 | undefined
  const lazily = (): P256 => {
    curve ??= new P256()
    return curve
  }
  return {
    secp256r1: ecdh(lazily),
    ecdsaSha256: ecdsa(lazily, ecdsaSha256, sha256),
    ecdsaSha384: ecdsa(lazily, ecdsaSha384, sha384),
    ecdsaSha512: ecdsa(lazily, ecdsaSha512, sha512),
  }
}

function ecdh(curve: () => P256): KeyExchange {
  function peerPoint(share: Uint8Array): Point {
    if (share.length !== 1 + 2 * LENGTH || share[0] !== 4) {
      throw new InvalidKeyShare("a secp256r1 key share is an uncompressed point of 65 bytes")
    }
    // RFC 9846 4.3.8.2: peers MUST validate that the point is on the curve.
    const point = curve().decode(share)
    if (!point) throw new InvalidKeyShare("the secp256r1 key share is not a point of the curve")
    return point
  }

  /** The group's order is prime: neither result can be infinity. */
  function publicValue(secret: Uint8Array): Uint8Array {
    return curve().encode(curve().multiplyBase(secret), "uncompressed")!
  }

  function sharedSecret(secret: Uint8Array, point: Point): Uint8Array {
    return curve().encode(curve().multiply(secret, point), "x")!
  }

  return {
    name: "secp256r1",
    code: NamedGroup.secp256r1,
    start(random) {
      const secret = privateKey(random)
      return {
        share: publicValue(secret),
        complete: (serverShare) => sharedSecret(secret, peerPoint(serverShare)),
        wipe: () => void secret.fill(0),
      }
    },
    respond(clientShare, random) {
      const point = peerPoint(clientShare)
      const secret = privateKey(random)
      try {
        return { share: publicValue(secret), secret: sharedSecret(secret, point) }
      } finally {
        secret.fill(0)
      }
    },
  }
}

/** Uniform in 1..n-1 by rejection (FIPS 186-5 appendix A.4.2), so that the bytes drawn are the key itself. */
function privateKey(random: RandomSource): Uint8Array {
  for (;;) {
    const candidate = random(LENGTH)
    if (noble.utils.isValidSecretKey(candidate)) return candidate
  }
}

function ecdsa(curve: () => P256, others: SignatureAlgorithm, hash: Hash): SignatureAlgorithm {
  return {
    name: others.name,
    verify(key, message, signature) {
      if (key.type !== "ec" || key.curve !== "P-256") return others.verify(key, message, signature)
      const numbers = signatureNumbers(signature)
      const point = curve().decode(key.point)
      if (!numbers || !point) return false
      const { r, s } = numbers
      const w = invertMod(s, ORDER)!
      // The hash's leftmost 256 bits.
      const e = bytesToInteger(hash.digest(message).subarray(0, LENGTH))
      const [u1, u2] = [(e * w) % ORDER, (r * w) % ORDER]
      const sum = curve().multiplyPublic(integerToBytes(u1, LENGTH), integerToBytes(u2, LENGTH), point)
      const x = curve().encode(sum, "x")
      return x !== undefined && equalBytes(integerToBytes(bytesToInteger(x) % ORDER, LENGTH), integerToBytes(r, LENGTH))
    },
    sign: (key, message, random) => others.sign(key, message, random),
  }
}

/** Strict DER, and both numbers in 1..n-1; otherwise undefined. */
function signatureNumbers(signature: Uint8Array): { readonly r: bigint; readonly s: bigint } | undefined {
  try {
    return noble.Signature.fromBytes(signature, "der")
  } catch {
    return undefined
  }
}
