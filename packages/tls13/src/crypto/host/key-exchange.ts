import { createECDH, createPrivateKey, createPublicKey, diffieHellman, type ECDH, type KeyObject } from "node:crypto"
import { KnownNamedGroup, type KnownNamedGroupName } from "../../bytes/code-points.ts"
import { isAllZero } from "../../bytes/equal.ts"
import { draw } from "../draw.ts"
import type { NistCurve } from "../keys.ts"
import { type ImmediateKeyExchange, InvalidKeyShare, type RandomSource } from "../provider.ts"
import { base64url, hostCurves, isEcPrivateKey, pkcs8PrivateKey } from "./key-objects.ts"

// X25519 and ECDH of node:crypto; RFC 9846 sections 4.3.8.2 and 7.4.2. Only uncompressed points are taken.

/* ---------------------------------------------------------------- X25519 */

export const x25519: ImmediateKeyExchange = {
  name: "x25519",
  code: KnownNamedGroup.x25519,
  start(random) {
    let secret: KeyObject | undefined = x25519PrivateKey(random)
    return {
      share: x25519Share(secret),
      complete(serverShare) {
        if (!secret) throw new Error("the private value was wiped")
        return x25519Secret(secret, serverShare)
      },
      wipe() {
        secret = undefined
      },
    }
  },
  respond(clientShare, random) {
    checkX25519Share(clientShare)
    const secret = x25519PrivateKey(random)
    return { secret: x25519Secret(secret, clientShare), share: x25519Share(secret) }
  },
}

/** Of 32 zero bytes. */
const noShare = "A".repeat(43)

/**
 * As a JSON Web Key (RFC 8037), where the runtime takes one whose public part it does not look at: OpenSSL 3.0 needs ten times as
 * long for PKCS #8.
 */
const x25519PrivateKey: (random: RandomSource) => KeyObject = /* @__PURE__ */ (() => {
  let takesJwk = true
  const fromJwk = (bytes: Uint8Array): KeyObject | undefined => {
    try {
      const key = createPrivateKey({ key: { ...okp, d: base64url(bytes), x: noShare }, format: "jwk" })
      if (createPublicKey(key).export({ format: "jwk" }).x !== noShare) return key
    } catch {
      // Newer ones do look.
    }
    takesJwk = false
    return undefined
  }
  return (random: RandomSource) => {
    const bytes = draw(random, 32)
    const key = (takesJwk && fromJwk(bytes)) || pkcs8PrivateKey("302e020100300506032b656e04220420", bytes)
    bytes.fill(0)
    return key
  }
})()

const okp = { kty: "OKP", crv: "X25519" }

function x25519Share(secret: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(createPublicKey(secret).export({ format: "jwk" }).x!, "base64url"))
}

function x25519Secret(secret: KeyObject, share: Uint8Array): Uint8Array {
  checkX25519Share(share)
  let shared: Uint8Array
  try {
    const publicKey = createPublicKey({ key: { ...okp, x: base64url(share) }, format: "jwk" })
    shared = new Uint8Array(diffieHellman({ privateKey: secret, publicKey }))
  } catch {
    throw new InvalidKeyShare("the x25519 key share is a point of small order")
  }
  // RFC 9846 7.4.2: MUST check for the all-zero value and abort.
  if (isAllZero(shared)) throw new InvalidKeyShare("the x25519 key share is a point of small order")
  return shared
}

function checkX25519Share(share: Uint8Array): void {
  if (share.length !== 32) throw new InvalidKeyShare(`an x25519 key share has 32 bytes, not ${share.length}`)
}

/* ---------------------------------------------------------------- NIST curves */

function ecdh(name: KnownNamedGroupName, curveName: NistCurve, topByteMask: number): ImmediateKeyExchange {
  const curve = hostCurves[curveName]
  const { length } = curve

  /** Uniform in 1..n-1 by rejection (FIPS 186-5 appendix A.4.2), so that the bytes drawn are the key itself. */
  function privateKey(random: RandomSource): ECDH {
    for (;;) {
      const candidate = draw(random, length)
      candidate[0]! &= topByteMask
      if (!isEcPrivateKey(candidate, curve)) continue
      const key = createECDH(curve.name)
      // Not wiped: Deno keeps the array that it is given.
      key.setPrivateKey(candidate)
      return key
    }
  }

  function checkShare(share: Uint8Array): void {
    if (share.length !== 1 + 2 * length || share[0] !== 4) {
      throw new InvalidKeyShare(`a ${name} key share is an uncompressed point of ${1 + 2 * length} bytes`)
    }
  }

  function sharedSecret(key: ECDH, share: Uint8Array): Uint8Array {
    checkShare(share)
    try {
      // RFC 9846 4.3.8.2: peers MUST validate that the point is on the curve; computeSecret does.
      return new Uint8Array(key.computeSecret(share))
    } catch {
      throw new InvalidKeyShare(`the ${name} key share is not a point of the curve`)
    }
  }

  return {
    name,
    code: KnownNamedGroup[name],
    start(random) {
      let key: ECDH | undefined = privateKey(random)
      return {
        share: new Uint8Array(key.getPublicKey()),
        complete(serverShare) {
          if (!key) throw new Error("the private value was wiped")
          return sharedSecret(key, serverShare)
        },
        wipe() {
          key = undefined
        },
      }
    },
    respond(clientShare, random) {
      checkShare(clientShare)
      const key = privateKey(random)
      return { secret: sharedSecret(key, clientShare), share: new Uint8Array(key.getPublicKey()) }
    },
  }
}

export const secp256r1: ImmediateKeyExchange = /* @__PURE__ */ ecdh("secp256r1", "P-256", 0xff)
export const secp384r1: ImmediateKeyExchange = /* @__PURE__ */ ecdh("secp384r1", "P-384", 0xff)
export const secp521r1: ImmediateKeyExchange = /* @__PURE__ */ ecdh("secp521r1", "P-521", 0x01)
