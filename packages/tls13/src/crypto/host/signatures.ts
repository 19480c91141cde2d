import { constants, type KeyObject, sign, verify } from "node:crypto"
import { isWellFormed } from "../ed25519-rules.ts"
import type { PrivateKey, PublicKey } from "../keys.ts"
import type { Hash, SignatureAlgorithm, SignatureAlgorithmName } from "../provider.ts"
import { pssKeyAllows } from "../rsa/primitives.ts"
import { sha256, sha384, sha512 } from "./hash.ts"
import { privateKeyObject, publicKeyObject } from "./key-objects.ts"

// ECDSA, Ed25519, RSA and, where it is, ML-DSA of node:crypto. The host draws nonces, salts and blinding itself: `random` is not
// asked.

type Key<K extends PublicKey | PrivateKey> = K["type"]

interface Scheme {
  readonly name: SignatureAlgorithmName
  /** node:crypto's digest; undefined for Ed25519, which hashes by itself. */
  readonly digest: string | undefined
  readonly takes: (type: Key<PublicKey>) => boolean
  readonly allows?: (key: PublicKey, signature: Uint8Array) => boolean
  readonly options: object
}

function algorithm({ name, digest, takes, allows, options }: Scheme): SignatureAlgorithm {
  return {
    name,
    verify(key, message, signature) {
      if (!takes(key.type) || (allows && !allows(key, signature))) return false
      const object = publicKeyObject(key)
      if (!object) return false
      try {
        return verify(digest, message, withOptions(object, options), signature)
      } catch {
        return false
      }
    },
    sign(key, message) {
      if (!takes(key.type)) throw new RangeError(`${name} cannot sign with a key of type ${key.type}`)
      return new Uint8Array(sign(digest, message, withOptions(privateKeyObject(key), options)))
    },
  }
}

function withOptions(key: KeyObject, options: object): { readonly key: KeyObject } {
  return { key, ...options }
}

function ecdsa(hash: Hash): SignatureAlgorithm {
  return algorithm({
    name: `ecdsa_${hash.name}`,
    digest: hash.name,
    takes: (type) => type === "ec",
    options: { dsaEncoding: "der" },
  })
}

function rsaPss(hash: Hash): SignatureAlgorithm {
  return algorithm({
    name: `rsa_pss_${hash.name}`,
    digest: hash.name,
    takes: (type) => type === "rsa" || type === "rsa-pss",
    allows: (key) => pssKeyAllows(key, hash.name, hash.length),
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: hash.length },
  })
}

function rsaPkcs1(hash: Hash): SignatureAlgorithm {
  return algorithm({
    name: `rsa_pkcs1_${hash.name}`,
    digest: hash.name,
    takes: (type) => type === "rsa",
    options: { padding: constants.RSA_PKCS1_PADDING },
  })
}

export const ecdsaSha256: SignatureAlgorithm = /* @__PURE__ */ ecdsa(sha256)
export const ecdsaSha384: SignatureAlgorithm = /* @__PURE__ */ ecdsa(sha384)
export const ecdsaSha512: SignatureAlgorithm = /* @__PURE__ */ ecdsa(sha512)
export const ed25519: SignatureAlgorithm = /* @__PURE__ */ algorithm({
  name: "ed25519",
  digest: undefined,
  takes: (type) => type === "ed25519",
  // OpenSSL takes keys of small order, and such as are not canonical.
  allows: (key, signature) => key.type === "ed25519" && isWellFormed(key.bytes, signature),
  options: {},
})
/** Of node:crypto with OpenSSL 3.5 and from Node 24.7 on; hedged, with an empty context. */
export const mlDsaSignatures: readonly SignatureAlgorithm[] = /* @__PURE__ */ [44, 65, 87].map((size) =>
  algorithm({
    name: `mldsa${size}` as SignatureAlgorithmName,
    digest: undefined,
    takes: (type) => type === `ml-dsa-${size}`,
    options: {},
  }),
)

/** Whether this host has ML-DSA. */
export function hasMlDsa(): boolean {
  try {
    privateKeyObject({ type: "ml-dsa-44", seed: new Uint8Array(32) })
    return true
  } catch {
    return false
  }
}

export const rsaPssSha256: SignatureAlgorithm = /* @__PURE__ */ rsaPss(sha256)
export const rsaPssSha384: SignatureAlgorithm = /* @__PURE__ */ rsaPss(sha384)
export const rsaPssSha512: SignatureAlgorithm = /* @__PURE__ */ rsaPss(sha512)
export const rsaPkcs1Sha256: SignatureAlgorithm = /* @__PURE__ */ rsaPkcs1(sha256)
export const rsaPkcs1Sha384: SignatureAlgorithm = /* @__PURE__ */ rsaPkcs1(sha384)
export const rsaPkcs1Sha512: SignatureAlgorithm = /* @__PURE__ */ rsaPkcs1(sha512)
