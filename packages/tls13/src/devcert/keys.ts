// Keys for certificates, and the PKCS#8 text (RFC 5208, RFC 5958) in which programs exchange private ones.

import type { MlDsaPrivateKey, NistCurve, PrivateKey, PublicKey, RsaPrivateKey } from "../crypto/keys.ts"
import { generateEcKey, generateEd25519Key, publicKeyOf } from "../crypto/noble/key-pairs.ts"
import type { RandomSource } from "../crypto/provider.ts"
import { generateRsaKey } from "../crypto/rsa/generate.ts"
import { contextConstructed, contextPrimitive } from "../x509/der/der.ts"
import {
  derBitString,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSmall,
  derValue,
} from "../x509/der/der-writer.ts"
import * as Oid from "../x509/der/oids.ts"
import { toPem } from "../x509/der/pem.ts"
import { octetKey } from "../x509/keys/octet-keys.ts"
import { curveOids } from "../x509/keys/spki.ts"

/** `rsa` and `rsa-pss` have 2048 bits and take about a second to make; `rsa-pss` is id-RSASSA-PSS, without restrictions. */
export type KeyType = "ed25519" | "p256" | "p384" | "p521" | "rsa" | "rsa-pss"

export interface KeyPair {
  readonly privateKey: PrivateKey
  readonly publicKey: PublicKey
}

const curves: Readonly<Partial<Record<KeyType, NistCurve>>> = { p256: "P-256", p384: "P-384", p521: "P-521" }

export function generateKeyPair(type: KeyType, random: RandomSource): KeyPair {
  const privateKey = generatePrivateKey(type, random)
  return { privateKey, publicKey: publicKeyOf(privateKey) }
}

function generatePrivateKey(type: KeyType, random: RandomSource): PrivateKey {
  if (type === "ed25519") return generateEd25519Key(random)
  if (type === "rsa" || type === "rsa-pss") return generateRsaKey(2048, random, type)
  const curve = curves[type]
  if (curve === undefined) throw new RangeError(`unknown key type ${JSON.stringify(type)}`)
  return generateEcKey(curve, random)
}

/** The `PRIVATE KEY` PEM text of a key, unencrypted. */
export function privateKeyToPem(key: PrivateKey): string {
  return toPem("PRIVATE KEY", encodePkcs8(key))
}

/** DER PrivateKeyInfo (RFC 5208 section 5), unencrypted. */
export function encodePkcs8(key: PrivateKey): Uint8Array {
  switch (key.type) {
    case "ed25519":
    case "ed448":
      // RFC 8410 section 7: CurvePrivateKey is an OCTET STRING inside of the OCTET STRING.
      return privateKeyInfo(derSequence(derOid(octetKey(key.type)!.oid)), derOctetString(key.seed))
    case "ec": {
      const algorithm = derSequence(derOid(Oid.ecPublicKey), derOid(curveOids[key.curve]))
      return privateKeyInfo(algorithm, ecPrivateKey(key))
    }
    case "rsa":
      return privateKeyInfo(derSequence(derOid(Oid.rsaEncryption), derNull()), rsaPrivateKey(key))
    case "rsa-pss":
      return privateKeyInfo(derSequence(derOid(Oid.rsassaPss)), rsaPrivateKey(key))
    default:
      return privateKeyInfo(derSequence(derOid(octetKey(key.type)!.oid)), mlDsaPrivateKey(key))
  }
}

function privateKeyInfo(algorithm: Uint8Array, privateKey: Uint8Array): Uint8Array {
  return derSequence(derSmall(0), algorithm, derOctetString(privateKey))
}

/** ECPrivateKey of RFC 5915 section 3, with the public key, where it is at hand, and without the curve, which PrivateKeyInfo names. */
function ecPrivateKey(key: PrivateKey & { readonly type: "ec" }): Uint8Array {
  // RFC 5915 section 3 only recommends it, and curves of `crypto/more` are not carried here for it.
  const publicKey = key.curve.startsWith("brainpool") ? undefined : publicKeyOf(key)
  const point = publicKey?.type === "ec" ? [derValue(contextConstructed(1), derBitString(publicKey.point))] : []
  return derSequence(derSmall(1), derOctetString(key.secret), ...point)
}

/** RFC 9881 section 6: the seed alone where there is one, as is recommended. */
function mlDsaPrivateKey({ type, seed, expanded }: MlDsaPrivateKey): Uint8Array {
  if (seed !== undefined) return derValue(contextPrimitive(0), seed)
  if (expanded === undefined) throw new RangeError(`the ${type} key has neither seed nor expanded key`)
  return derOctetString(expanded)
}

/** RSAPrivateKey of RFC 8017 appendix A.1.2. */
function rsaPrivateKey(key: RsaPrivateKey): Uint8Array {
  const numbers = [
    key.modulus,
    key.exponent,
    key.privateExponent,
    key.prime1,
    key.prime2,
    key.exponent1,
    key.exponent2,
    key.coefficient,
  ]
  return derSequence(derSmall(0), ...numbers.map(derInteger))
}
