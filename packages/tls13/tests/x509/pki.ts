// Makes certificates, revocation lists and OCSP responses for tests, also such as no authority may issue: everything that is
// signed can be changed first. Keys are fixed by their number, so that equal tests have equal bytes.

import { utf8ToBytes } from "../../src/bytes/text.ts"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import type { EcCurve, PrivateKey, PublicKey } from "../../src/crypto/keys.ts"
import { createBrainpoolSignatures, createEd448, publicKeyOfAny as publicKeyOf } from "../../src/crypto/more/index.ts"
import type { CryptoProvider } from "../../src/crypto/provider.ts"
import { encodeTime } from "../../src/devcert/certificate.ts"
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Extension,
  encodeExtension,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "../../src/devcert/extensions.ts"
import { encodeName, type NameAttributes, toGeneralName } from "../../src/devcert/names.ts"
import { contextConstructed, contextPrimitive } from "../../src/x509/der/der.ts"
import {
  derBitString,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSmall,
  derValue,
} from "../../src/x509/der/der-writer.ts"
import * as Tag from "../../src/x509/der/tags.ts"
import { type Certificate, Oid, parseCertificate } from "../../src/x509/index.ts"
import { sha1Digest } from "../../src/x509/keys/sha1.ts"
import { curveBytes, encodeSpki } from "../../src/x509/keys/spki.ts"

export const provider: CryptoProvider = createHostProvider()
/** The same, and what `crypto/more` signs with. */
export const providerOfMore: CryptoProvider = {
  ...provider,
  signatures: [...provider.signatures, createEd448(), ...createBrainpoolSignatures()],
}
/** 2026-06-01T00:00:00Z, when every certificate of these tests is valid unless it says otherwise. */
export const now: number = Date.UTC(2026, 5, 1)
const day = 86_400_000

export interface Issued {
  readonly certificate: Certificate
  readonly der: Uint8Array
  readonly subject: Uint8Array
  readonly privateKey: PrivateKey
  readonly publicKey: PublicKey
}

export interface Contents {
  readonly subject?: NameAttributes | Uint8Array
  readonly issuerName?: NameAttributes | Uint8Array
  /** Numbers make keys: equal numbers, equal keys. */
  readonly key?: number
  readonly curve?: Kind
  /** DER instead of the key's own SubjectPublicKeyInfo. */
  readonly spki?: Uint8Array
  readonly version?: number
  readonly serial?: Uint8Array
  /** A whole INTEGER, for wrong ones. */
  readonly serialDer?: Uint8Array
  readonly notBefore?: number
  readonly notAfter?: number
  readonly validity?: Uint8Array
  readonly extensions?: readonly Extension[]
  /** Changes the usual extensions. */
  readonly change?: (usual: readonly Extension[]) => readonly Extension[]
  /** The algorithm inside the signed part. */
  readonly innerAlgorithm?: Uint8Array
  readonly after?: readonly Uint8Array[]
  /** The hash of the issuer's ECDSA signature; default: the one of the curve's size. */
  readonly hash?: Hash
}

type Kind = EcCurve | "ed25519" | "ed448"
type Hash = "sha256" | "sha384" | "sha512"

let nextKey = 1000

export function privateKeyOf(number: number, curve: Kind = "P-256"): PrivateKey {
  const isEdwards = curve === "ed25519" || curve === "ed448"
  const length = isEdwards ? (curve === "ed448" ? 57 : 32) : curveBytes(curve)
  const secret = new Uint8Array(length)
  new DataView(secret.buffer).setUint32(length - 4, number + 7)
  secret[length - 8] = 0x5a
  return isEdwards ? { type: curve, seed: secret } : { type: "ec", curve, secret }
}

const algorithms = {
  "P-256": ["1.2.840.10045.4.3.2", "ecdsa_sha256"],
  "P-384": ["1.2.840.10045.4.3.3", "ecdsa_sha384"],
  "P-521": ["1.2.840.10045.4.3.4", "ecdsa_sha512"],
  brainpoolP256r1: ["1.2.840.10045.4.3.2", "ecdsa_brainpool_sha256"],
  brainpoolP384r1: ["1.2.840.10045.4.3.3", "ecdsa_brainpool_sha384"],
  brainpoolP512r1: ["1.2.840.10045.4.3.4", "ecdsa_brainpool_sha512"],
  ed25519: [Oid.ed25519, "ed25519"],
  ed448: [Oid.ed448, "ed448"],
} as const

const ecdsa = { sha256: algorithms["P-256"], sha384: algorithms["P-384"], sha512: algorithms["P-521"] } as const

function kindOf(key: PrivateKey): Kind {
  return key.type === "ec" ? key.curve : key.type === "ed448" ? "ed448" : "ed25519"
}

function signed(tbs: Uint8Array, key: PrivateKey, outer: Uint8Array, hash?: Hash): Uint8Array {
  const [, name] = hash ? ecdsa[hash] : algorithms[kindOf(key)]
  const algorithm = providerOfMore.signatures.find((each) => each.name === name)!
  return derSequence(tbs, outer, derBitString(algorithm.sign(key, tbs, provider.random)))
}

export function algorithmOf(key: PrivateKey, hash?: Hash): Uint8Array {
  return derSequence(derOid((hash ? ecdsa[hash] : algorithms[kindOf(key)])[0]))
}

function name(of: NameAttributes | Uint8Array): Uint8Array {
  return of instanceof Uint8Array ? of : encodeName(of)
}

function identifier(key: PublicKey): Uint8Array {
  return sha1Digest(encodeSpki(key))
}

function issue(
  issuer: Issued | undefined,
  usual: readonly Extension[],
  contents: Contents,
  commonName: string,
): Issued {
  const privateKey = privateKeyOf(contents.key ?? nextKey++, contents.curve)
  const publicKey = publicKeyOf(privateKey)
  const subject = name(contents.subject ?? { commonName })
  const extensions = contents.extensions ?? [
    ...usual,
    subjectKeyIdentifier(identifier(publicKey)),
    authorityKeyIdentifier(identifier(issuer?.publicKey ?? publicKey)),
  ]
  const chosen = contents.change?.(extensions) ?? extensions
  const signer = issuer?.privateKey ?? privateKey
  const version = contents.version ?? 3
  const tbs = derSequence(
    ...(version === 1 ? [] : [derValue(contextConstructed(0), derSmall(version - 1))]),
    contents.serialDer ?? derInteger(contents.serial ?? Uint8Array.of(1, nextKey >> 8, nextKey & 0xff)),
    contents.innerAlgorithm ?? algorithmOf(signer, contents.hash),
    contents.issuerName ? name(contents.issuerName) : (issuer?.subject ?? subject),
    contents.validity ??
      derSequence(encodeTime(contents.notBefore ?? now - 30 * day), encodeTime(contents.notAfter ?? now + 60 * day)),
    subject,
    contents.spki ?? encodeSpki(publicKey),
    ...(chosen.length === 0 ? [] : [derValue(contextConstructed(3), derSequence(...chosen.map(encodeExtension)))]),
    ...(contents.after ?? []),
  )
  const der = signed(tbs, signer, algorithmOf(signer, contents.hash), contents.hash)
  return {
    der,
    subject,
    privateKey,
    publicKey,
    get certificate() {
      return parseCertificate(der)
    },
  }
}

/** A self-signed authority. */
export function makeRoot(contents: Contents & { readonly pathLength?: number } = {}): Issued {
  return issue(
    undefined,
    [basicConstraints(true, contents.pathLength), keyUsage("keyCertSign", "cRLSign")],
    contents,
    "Test Root",
  )
}

export function makeIntermediate(issuer: Issued, contents: Contents & { readonly pathLength?: number } = {}): Issued {
  const usual = [basicConstraints(true, contents.pathLength), keyUsage("keyCertSign", "cRLSign")]
  return issue(issuer, usual, contents, `Test Intermediate ${nextKey}`)
}

export function makeLeaf(
  issuer: Issued,
  contents: Contents & { readonly names?: readonly string[]; readonly usage?: readonly string[] } = {},
): Issued {
  const names = contents.names ?? ["example.com"]
  const usual = [
    basicConstraints(false),
    keyUsage("digitalSignature"),
    extendedKeyUsage(...(contents.usage ?? [Oid.serverAuth])),
    ...(names.length > 0 ? [subjectAltName(names.map(toGeneralName))] : []),
  ]
  return issue(issuer, usual, contents, "example.com")
}

/** The list without the extension of this identifier. */
export function without(oid: string): (usual: readonly Extension[]) => readonly Extension[] {
  return (usual) => usual.filter((each) => each.oid !== oid)
}

/** The list with this extension instead of the one of the same identifier, or added. */
export function withExtension(extension: Extension): (usual: readonly Extension[]) => readonly Extension[] {
  return (usual) => [...usual.filter((each) => each.oid !== extension.oid), extension]
}

export function extension(oid: string, critical: boolean, value: Uint8Array): Extension {
  return { oid, critical, value }
}

/* ---------------------------------------------------------------- revocation */

export interface CrlContents {
  readonly revoked?: readonly {
    readonly serial: Uint8Array
    readonly reason?: number
    readonly extensions?: readonly Extension[]
  }[]
  readonly thisUpdate?: number
  readonly nextUpdate?: number | undefined
  readonly version?: 1 | 2
  readonly extensions?: readonly Extension[]
  readonly issuerName?: Uint8Array
  readonly key?: PrivateKey
}

export const crlNumber: Extension = { oid: Oid.cRLNumber, critical: false, value: derSmall(7) }

export function makeCrl(issuer: Issued, contents: CrlContents = {}): Uint8Array {
  const key = contents.key ?? issuer.privateKey
  const entries = (contents.revoked ?? []).map(({ serial, reason, extensions = [] }) => {
    const all = [
      ...(reason === undefined
        ? []
        : [extension(Oid.reasonCode, false, derValue(Tag.enumerated, Uint8Array.of(reason)))]),
      ...extensions,
    ]
    return derSequence(
      derInteger(serial),
      encodeTime(now - 5 * day),
      ...(all.length === 0 ? [] : [derSequence(...all.map(encodeExtension))]),
    )
  })
  const extensions = contents.extensions ?? [crlNumber, authorityKeyIdentifier(identifier(issuer.publicKey))]
  const nextUpdate = "nextUpdate" in contents ? contents.nextUpdate : now + 7 * day
  const tbs = derSequence(
    ...(contents.version === 1 ? [] : [derSmall(1)]),
    algorithmOf(key),
    contents.issuerName ?? issuer.subject,
    encodeTime(contents.thisUpdate ?? now - day),
    ...(nextUpdate === undefined ? [] : [encodeTime(nextUpdate)]),
    ...(entries.length === 0 ? [] : [derSequence(...entries)]),
    ...(extensions.length === 0
      ? []
      : [derValue(contextConstructed(0), derSequence(...extensions.map(encodeExtension)))]),
  )
  return signed(tbs, key, algorithmOf(key))
}

export interface OcspContents {
  readonly status?: "good" | "revoked" | "unknown"
  readonly thisUpdate?: number
  readonly nextUpdate?: number | undefined
  readonly serial?: Uint8Array
  readonly responder?: Issued
  readonly certificates?: readonly Uint8Array[]
  readonly byName?: boolean
  readonly responseStatus?: number
}

/** GeneralizedTime, which OCSP uses for every year. */
function generalizedTime(at: number): Uint8Array {
  const text = `${new Date(at).toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`
  return derValue(Tag.generalizedTime, utf8ToBytes(text))
}

function keyBitsOf(key: PublicKey): Uint8Array {
  if (key.type === "ec") return key.point
  if (key.type === "ed25519") return key.bytes
  throw new RangeError("no RSA here")
}

export function makeOcsp(certificate: Issued, issuer: Issued, contents: OcspContents = {}): Uint8Array {
  const responder = contents.responder ?? issuer
  const status = contents.status ?? "good"
  const nextUpdate = "nextUpdate" in contents ? contents.nextUpdate : now + 3 * day
  const single = derSequence(
    derSequence(
      derSequence(derOid(Oid.sha1)),
      derOctetString(sha1Digest(issuer.subject)),
      derOctetString(sha1Digest(keyBitsOf(issuer.publicKey))),
      contents.serial ? derInteger(contents.serial) : derValue(Tag.integer, certificate.certificate.serialNumber),
    ),
    status === "revoked"
      ? derValue(
          contextConstructed(1),
          generalizedTime(now - 2 * day),
          derValue(contextConstructed(0), derValue(Tag.enumerated, Uint8Array.of(1))),
        )
      : derValue(contextPrimitive(status === "good" ? 0 : 2)),
    generalizedTime(contents.thisUpdate ?? now - day),
    ...(nextUpdate === undefined ? [] : [derValue(contextConstructed(0), generalizedTime(nextUpdate))]),
  )
  const tbs = derSequence(
    contents.byName
      ? derValue(contextConstructed(1), responder.subject)
      : derValue(contextConstructed(2), derOctetString(sha1Digest(keyBitsOf(responder.publicKey)))),
    generalizedTime(now - day),
    derSequence(single),
  )
  const algorithm = provider.signatures.find(
    (each) => each.name === (responder.privateKey.type === "ec" ? "ecdsa_sha256" : "ed25519"),
  )!
  const basic = derSequence(
    tbs,
    algorithmOf(responder.privateKey),
    derBitString(algorithm.sign(responder.privateKey, tbs, provider.random)),
    ...(contents.certificates ? [derValue(contextConstructed(0), derSequence(...contents.certificates))] : []),
  )
  if (contents.responseStatus) return derSequence(derValue(Tag.enumerated, Uint8Array.of(contents.responseStatus)))
  return derSequence(
    derValue(Tag.enumerated, Uint8Array.of(0)),
    derValue(contextConstructed(0), derSequence(derOid(Oid.ocspBasic), derOctetString(basic))),
  )
}
