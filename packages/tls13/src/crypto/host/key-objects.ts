import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto"
import { concatBytes } from "../../bytes/concat.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { fromHex } from "../../bytes/hex.ts"
import {
  copyOfPrivateKey,
  copyOfPublicKey,
  type MlDsaPrivateKey,
  type NistCurve,
  type PrivateKey,
  type PublicKey,
} from "../keys.ts"
import { bytesToInteger } from "../rsa/integers.ts"
import { publicNumbers } from "../rsa/primitives.ts"

// The plain keys of keys.ts as KeyObjects of node:crypto. One import for each key, however often it is used.

export interface HostCurve {
  readonly name: string
  /** Bytes of a coordinate and of a private key. */
  readonly length: number
  readonly order: Uint8Array
}

/** SEC 2 version 2: sections 2.4.2, 2.5.1 and 2.6.1. */
export const hostCurves: Readonly<Record<NistCurve, HostCurve>> = {
  "P-256": {
    name: "prime256v1",
    length: 32,
    order: fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
  },
  "P-384": {
    name: "secp384r1",
    length: 48,
    order: fromHex("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
  },
  "P-521": {
    name: "secp521r1",
    length: 66,
    order: fromHex(
      "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
  },
}

/** Whether 1 <= secret < n. Reads all bytes, whatever they are. */
export function isEcPrivateKey(secret: Uint8Array, curve: HostCurve): boolean {
  if (secret.length !== curve.length) return false
  let borrow = 0
  let bits = 0
  for (let i = secret.length - 1; i >= 0; i--) {
    borrow = secret[i]! - curve.order[i]! - borrow < 0 ? 1 : 0
    bits |= secret[i]!
  }
  return borrow === 1 && bits !== 0
}

function isHostCurve(curve: string): curve is NistCurve {
  return curve in hostCurves
}

interface Imported<Key> {
  /** The bytes that the object was made of: the caller may have put others into its arrays since. */
  readonly key: Key
  readonly object: KeyObject
}

const publicKeys = new WeakMap<PublicKey, Imported<PublicKey>>()
const privateKeys = new WeakMap<PrivateKey, Imported<PrivateKey>>()

/** undefined when the key is malformed or off its curve. */
export function publicKeyObject(key: PublicKey): KeyObject | undefined {
  const known = publicKeys.get(key)
  if (known && sameBytes(known.key, key)) return known.object
  const object = importPublicKey(key)
  if (object) publicKeys.set(key, { key: copyOfPublicKey(key), object })
  return object
}

/** @throws RangeError when the key is malformed */
export function privateKeyObject(key: PrivateKey): KeyObject {
  const known = privateKeys.get(key)
  if (known && sameBytes(known.key, key)) return known.object
  const object = importPrivateKey(key)
  privateKeys.set(key, { key: copyOfPrivateKey(key), object })
  return object
}

function sameBytes(a: PublicKey | PrivateKey, b: PublicKey | PrivateKey): boolean {
  const [mine, yours] = [bytesOf(a), bytesOf(b)]
  return a.type === b.type && mine.length === yours.length && mine.every((bytes, i) => equalBytes(bytes, yours[i]!))
}

/** Of keys of one type: as many arrays, in one order. */
function bytesOf(key: PublicKey | PrivateKey): readonly Uint8Array[] {
  return Object.values(key).filter((value) => value instanceof Uint8Array)
}

function importPublicKey(key: PublicKey): KeyObject | undefined {
  try {
    if (key.type === "ed25519") {
      if (key.bytes.length !== 32) return undefined
      return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: base64url(key.bytes) }, format: "jwk" })
    }
    if (key.type === "ec") {
      if (!isHostCurve(key.curve)) return undefined
      const { length } = hostCurves[key.curve]
      if (key.point[0] !== 4 || key.point.length !== 1 + 2 * length) return undefined
      return createPublicKey({ key: ecJwk(key.curve, key.point), format: "jwk" })
    }
    if (key.type === "ed448") return undefined
    if ("bytes" in key) {
      const { oid, publicLength } = mlDsaHost[key.type]
      if (key.bytes.length !== publicLength) return undefined
      const info = der(0x30, der(0x30, der(0x06, fromHex(oid))), der(0x03, new Uint8Array(1), key.bytes))
      return createPublicKey({ key: Buffer.from(info), format: "der", type: "spki" })
    }
    if (!publicNumbers(key)) return undefined
    return createPublicKey({
      key: { kty: "RSA", n: base64url(key.modulus), e: base64url(key.exponent) },
      format: "jwk",
    })
  } catch {
    return undefined
  }
}

function importPrivateKey(key: PrivateKey): KeyObject {
  if (key.type === "ed25519") {
    if (key.seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${key.seed.length}`)
    return pkcs8PrivateKey("302e020100300506032b657004220420", key.seed)
  }
  if (key.type === "ec") {
    const curve = isHostCurve(key.curve) && hostCurves[key.curve]
    if (!curve || !isEcPrivateKey(key.secret, curve)) throw new RangeError(`not a private key of ${key.curve}`)
    const ecdh = createECDH(curve.name)
    ecdh.setPrivateKey(key.secret)
    const jwk = { ...ecJwk(key.curve as NistCurve, ecdh.getPublicKey()), d: base64url(key.secret) }
    return createPrivateKey({ key: jwk, format: "jwk" })
  }
  if (key.type === "ed448") throw new RangeError("not a key of the host")
  if (!("modulus" in key)) return importMlDsaKey(key)
  const numbers = publicNumbers(key)
  if (!numbers || bytesToInteger(key.prime1) * bytesToInteger(key.prime2) !== numbers.n) {
    throw new RangeError("not an RSA private key")
  }
  const jwk = {
    kty: "RSA",
    n: base64url(key.modulus),
    e: base64url(key.exponent),
    d: base64url(key.privateExponent),
    p: base64url(key.prime1),
    q: base64url(key.prime2),
    dp: base64url(key.exponent1),
    dq: base64url(key.exponent2),
    qi: base64url(key.coefficient),
  }
  return createPrivateKey({ key: jwk, format: "jwk" })
}

/** PrivateKeyInfo of RFC 9881 section 6. */
function importMlDsaKey({ type, seed, expanded }: MlDsaPrivateKey): KeyObject {
  const halves = [
    ...(seed ? [{ tag: expanded ? 0x04 : 0x80, bytes: seed, length: 32 }] : []),
    ...(expanded ? [{ tag: 0x04, bytes: expanded, length: mlDsaHost[type].expandedLength }] : []),
  ]
  if (halves.length === 0 || halves.some(({ bytes, length }) => bytes.length !== length))
    throw new RangeError(`not a private key of ${type}`)
  const parts = halves.map(({ tag, bytes }) => der(tag, bytes))
  const form = parts.length === 1 ? parts[0]! : der(0x30, ...parts)
  const algorithm = der(0x30, der(0x06, fromHex(mlDsaHost[type].oid)))
  const key = Buffer.from(der(0x30, fromHex("020100"), algorithm, der(0x04, form)))
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" })
  } catch {
    throw new RangeError(`not a private key of ${type}`)
  } finally {
    key.fill(0)
  }
}

/** The object identifiers of RFC 9881 in DER, and the lengths of FIPS 204 table 2 in bytes. */
const mlDsaHost = {
  "ml-dsa-44": { oid: "608648016503040311", publicLength: 1312, expandedLength: 2560 },
  "ml-dsa-65": { oid: "608648016503040312", publicLength: 1952, expandedLength: 4032 },
  "ml-dsa-87": { oid: "608648016503040313", publicLength: 2592, expandedLength: 4896 },
} as const

/** One DER value of up to 65,535 bytes. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts)
  const { length } = content
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concatBytes(new Uint8Array([tag, ...head]), content)
}

/** PKCS#8 of RFC 8410 section 7 is a fixed head and the 32 bytes. */
export function pkcs8PrivateKey(head: string, secret: Uint8Array): KeyObject {
  const key = Buffer.from(concatBytes(fromHex(head), secret))
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" })
  } finally {
    key.fill(0)
  }
}

function ecJwk(curve: NistCurve, point: Uint8Array): { kty: string; crv: string; x: string; y: string } {
  const { length } = hostCurves[curve]
  return {
    kty: "EC",
    crv: curve,
    x: base64url(point.subarray(1, 1 + length)),
    y: base64url(point.subarray(1 + length)),
  }
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url")
}
