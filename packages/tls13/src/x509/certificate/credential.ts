// Credentials: a certificate chain with its private key, checked to belong together, and the choice among several.

import { copyOf } from "../../bytes/copy.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { Misuse } from "../../bytes/errors.ts"
import { atOnce } from "../../bytes/pause.ts"
import { asciiToBytes } from "../../bytes/text.ts"
import { copyOfPrivateKey, copyOfPublicKey, type PrivateKey, type PublicKey } from "../../crypto/keys.ts"
import type { CryptoProvider, SignatureAlgorithm } from "../../crypto/provider.ts"
import {
  type SignatureSchemeInfo,
  schemeFitsKey,
  schemesTaken,
  signatureScheme,
  signatureSchemes,
} from "../../crypto/signature-schemes.ts"
import { located, malformed, X509Error } from "../errors.ts"
import type {
  Credential,
  CredentialRequest,
  CredentialResolver,
  KeySigner,
  NoCredential,
  Signer,
} from "../interfaces.ts"
import type { SignatureIdentifier } from "../keys/algorithm.ts"
import { octetKey } from "../keys/octet-keys.ts"
import { type LoadedPrivateKey, parsePrivateKey } from "../keys/private-key.ts"
import { encodeSpki, sameKey } from "../keys/spki.ts"
import { matchDnsName } from "../names/name.ts"
import { type Certificate, parseCertificate, parseCertificates, subjectText } from "./certificate.ts"
import { chainSignatures, isAdvertised, isPresentable } from "./chain-signatures.ts"
import * as KeyUsage from "./key-usage.ts"
import { matchesOidFilters } from "./oid-filters.ts"

export interface CredentialSource {
  /** PEM with the leaf first and then its intermediates, or the DER of the leaf. */
  readonly cert: string | Uint8Array
  /** PEM or DER: PKCS#8, SEC 1 or PKCS#1. */
  readonly key: string | Uint8Array
  /** Lets the key be tried against the certificate when the key's file does not carry the public key. */
  readonly provider?: CryptoProvider
  /** A DER OCSPResponse to staple. */
  readonly ocspResponse?: Uint8Array
}

class MemorySigner implements KeySigner {
  readonly privateKey: PrivateKey

  constructor(key: PrivateKey) {
    this.privateKey = copyOfPrivateKey(key)
  }

  sign(scheme: SignatureSchemeInfo, message: Uint8Array, provider: CryptoProvider): Uint8Array {
    return algorithmOf(scheme, provider).sign(this.privateKey, message, provider.random)
  }
}

/** A signer that holds a copy of the private key in memory. */
export function keySigner(key: PrivateKey): KeySigner {
  return new MemorySigner(key)
}

/** Whether it is one that `keySigner` has made, and not one of the application's that has something of that name. */
export function isKeySigner(signer: Signer): signer is KeySigner {
  return signer instanceof MemorySigner
}

/** @throws Misuse when the provider lacks it */
export function algorithmOf(scheme: SignatureSchemeInfo, provider: CryptoProvider): SignatureAlgorithm {
  const algorithm = provider.signatures.find((candidate) => candidate.name === scheme.algorithm)
  if (algorithm === undefined)
    throw new Misuse(`the crypto provider ${provider.name} has no ${scheme.algorithm}, which ${scheme.name} needs`)
  return algorithm
}

/**
 * Loads a certificate chain and its key.
 * @throws X509Error with one line that says which file is wrong and what to do
 */
export function loadCredential(source: CredentialSource): Credential {
  const chain = within("the certificate", () => parseCertificates(source.cert))
  const leaf = chain[0]!
  const publicKey = publicKeyOf(leaf)
  const loaded = within("the private key", () => parsePrivateKey(source.key))
  const privateKey = checkedKey(loaded, publicKey, leaf, chain, source.provider)
  checkUsage(leaf)
  checkLengths(chain, source.ocspResponse)
  return {
    type: "X509",
    chain: chain.map((certificate) => certificate.der),
    publicKey,
    signer: keySigner(privateKey),
    ...(source.ocspResponse === undefined ? {} : { ocspResponse: copyOf(source.ocspResponse) }),
  }
}

/**
 * A certificate chain whose private key is elsewhere: in an HSM, a key service, WebCrypto or another process. Its signer
 * answers at once or with a `Pause`.
 * @throws X509Error with one line that says what is wrong with the certificate
 */
export function remoteCredential(source: {
  /** PEM with the leaf first and then its intermediates, or the DER of the leaf. */
  readonly cert: string | Uint8Array
  readonly signer: Signer
  /** Code points of the schemes that the signer makes; default: all that fit the certificate's key. */
  readonly signatureSchemes?: readonly number[]
}): Credential {
  const chain = within("the certificate", () => parseCertificates(source.cert))
  checkUsage(chain[0]!)
  checkLengths(chain, undefined)
  return {
    type: "X509",
    chain: chain.map((certificate) => certificate.der),
    publicKey: publicKeyOf(chain[0]!),
    signer: source.signer,
    ...(source.signatureSchemes && { signatureSchemes: source.signatureSchemes }),
  }
}

/** A credential of a raw public key (RFC 7250). @throws X509Error when the public key is neither in the file nor given */
export function loadRawPublicKey(source: {
  readonly key: string | Uint8Array
  readonly publicKey?: PublicKey
}): Credential {
  const loaded = within("the private key", () => parsePrivateKey(source.key))
  const given = source.publicKey ?? loaded.publicKey
  if (given === undefined)
    throw malformed("the private key's file does not carry its public key; give it as `publicKey`")
  const publicKey = copyOfPublicKey(given)
  return { type: "RawPublicKey", chain: [encodeSpki(publicKey)], publicKey, signer: keySigner(loaded.privateKey) }
}

/** RFC 9846 4.5.1: the list has up to 2^24-1 bytes, and its message no more; the extensions of an entry 2^16-1. */
export function checkLengths(chain: readonly Certificate[], ocspResponse: Uint8Array | undefined): void {
  // A type, a length, a status type and the response's own length.
  const staple = ocspResponse === undefined ? 0 : 8 + ocspResponse.length
  if (staple > 0xffff) {
    throw new X509Error(
      "limit_exceeded",
      `the OCSP response has ${ocspResponse?.length} bytes; at most 65527 fit beside a certificate`,
    )
  }
  const bytes = chain.reduce((sum, { der }) => sum + 5 + der.length, 4 + staple)
  if (bytes > 0xff_ffff) {
    throw new X509Error(
      "limit_exceeded",
      `the chain takes ${bytes} bytes; at most 16777215 fit into a Certificate message`,
    )
  }
}

/** RFC 9846 4.5.1.2: the certificate is of version 3, and "the digitalSignature bit MUST be set if the Key Usage extension is present". */
export function checkUsage(leaf: Certificate): void {
  if (leaf.version !== 3) {
    throw new X509Error(
      "unsupported_version",
      `the certificate of ${subjectText(leaf)} is of version ${leaf.version}; TLS 1.3 needs version 3: issue it with an extension (subjectAltName, say)`,
    )
  }
  const { keyUsage } = leaf.extensions
  if (keyUsage === undefined || (keyUsage & KeyUsage.digitalSignature) !== 0) return
  throw new X509Error(
    "key_usage",
    `the certificate of ${subjectText(leaf)} cannot be used: its keyUsage does not allow digitalSignature, which TLS 1.3 needs`,
  )
}

/** @throws X509Error */
export function publicKeyOf(leaf: Certificate): PublicKey {
  if (leaf.publicKey !== undefined) return leaf.publicKey
  throw new X509Error(
    "unsupported_key",
    `the certificate of ${subjectText(leaf)} cannot be used: ${leaf.keyProblem?.message}`,
  )
}

export function within<T>(what: string, work: () => T): T {
  return located(work, (message) => `${what} cannot be read: ${message}`)
}

/** The private key, as the kind of key that the certificate says, once it is known to belong to it. */
function checkedKey(
  loaded: LoadedPrivateKey,
  publicKey: PublicKey,
  leaf: Certificate,
  chain: readonly Certificate[],
  provider: CryptoProvider | undefined,
): PrivateKey {
  // A PKCS#1 or rsaEncryption key may well be that of an RSASSA-PSS certificate.
  const privateKey: PrivateKey =
    loaded.privateKey.type === "rsa" && publicKey.type === "rsa-pss"
      ? { ...loaded.privateKey, type: "rsa-pss" }
      : loaded.privateKey
  if (!belongs(privateKey, loaded.publicKey, publicKey, provider)) {
    const other = chain.findIndex(
      (each, i) => i > 0 && each.publicKey && belongs(loaded.privateKey, loaded.publicKey, each.publicKey, provider),
    )
    throw new X509Error(
      "unsupported_key",
      other > 0
        ? `the private key belongs to certificate ${other + 1} of the file, ${subjectText(chain[other]!)}; the file must begin with the certificate of the key`
        : `the private key (${keyName(privateKey)}) does not belong to the certificate of ${subjectText(leaf)} (${keyName(publicKey)}); give the key that the certificate was made for`,
    )
  }
  return privateKey
}

/** @param derived the public half, when the key's file has it @param provider tries the key, when it has not */
export function belongs(
  privateKey: PrivateKey,
  derived: PublicKey | undefined,
  publicKey: PublicKey,
  provider: CryptoProvider | undefined,
): boolean {
  if (privateKey.type === "rsa" || privateKey.type === "rsa-pss") {
    return (
      publicKey.type === privateKey.type &&
      equalBytes(privateKey.modulus, publicKey.modulus) &&
      equalBytes(privateKey.exponent, publicKey.exponent)
    )
  }
  if (privateKey.type !== publicKey.type) return false
  if (privateKey.type === "ec" && publicKey.type === "ec" && privateKey.curve !== publicKey.curve) return false
  if (derived !== undefined) return sameKey(derived, publicKey)
  return provider === undefined || signsFor(privateKey, publicKey, provider)
}

/** Signs once and verifies: the proof that works for every kind of key. */
function signsFor(privateKey: PrivateKey, publicKey: PublicKey, provider: CryptoProvider): boolean {
  const scheme = signatureSchemes.find(
    (candidate) =>
      schemeFitsKey(candidate, publicKey) && provider.signatures.some((each) => each.name === candidate.algorithm),
  )
  if (scheme === undefined) return true
  const algorithm = algorithmOf(scheme, provider)
  const message = asciiToBytes("does this key belong to this certificate?")
  const signature = atOnce("sign of the crypto provider", algorithm.sign(privateKey, message, provider.random))
  return atOnce("verify of the crypto provider", algorithm.verify(publicKey, message, signature))
}

export function keyName(key: PublicKey | PrivateKey): string {
  if (key.type === "ec") return `EC ${key.curve}`
  return octetKey(key.type)?.label ?? (key.type === "rsa" ? "RSA" : "RSASSA-PSS")
}

/* ---------------------------------------------------------------- choosing */

/** Whether the peer can check what this credential proves itself with (RFC 9846 sections 4.5.1.2 and 4.5.1.3). */
export function credentialFits(credential: Credential, request: CredentialRequest): boolean {
  if (!request.certificateTypes.includes(credential.type)) return false
  if (!matchesFilters(credential, request)) return false
  return isCurrent(credential, request) && schemesOf(credential, request).some((code) => makes(credential, code))
}

/** RFC 9345 section 4.1.3: a delegated credential that has expired is refused, where the certificate's own key still is good. */
function isCurrent({ delegated }: Credential, { now }: CredentialRequest): boolean {
  return delegated === undefined || now === undefined || now <= delegated.validUntil
}

function schemesOf({ delegated }: Credential, request: CredentialRequest): readonly number[] {
  return schemesTaken(delegated, request.signatureSchemes, request.delegatedSchemes)
}

/** A raw public key has no extensions to filter by. */
function matchesFilters({ type, chain }: Credential, { oidFilters = [] }: CredentialRequest): boolean {
  return type !== "X509" || matchesOidFilters(chain[0]!, oidFilters)
}

function makes({ signatureSchemes: own, publicKey }: Credential, code: number): boolean {
  if (own?.includes(code) === false) return false
  const scheme = signatureScheme(code)
  return scheme !== undefined && schemeFitsKey(scheme, publicKey)
}

/** Offers one credential to everybody who can check its signature, whatever name they ask for. */
export function singleCredential(credential: Credential): CredentialResolver {
  const signatures = chainSignatures(credential)
  return {
    resolve: (request) =>
      credentialFits(credential, request) && isPresentable(signatures, request.signatureSchemesCert)
        ? credential
        : whyNone([credential], request),
  }
}

/** Why none of these fits. */
function whyNone(credentials: readonly Credential[], request: CredentialRequest): NoCredential {
  if (credentials.length === 0) return { none: "handshake_failure", message: "there is no certificate" }
  const ofType = credentials.filter(({ type }) => request.certificateTypes.includes(type))
  if (ofType.length === 0) {
    const types = [...new Set(credentials.map(({ type }) => type))].join(" or ")
    return { none: "unsupported_certificate", message: `peer does not take the certificate type ${types}` }
  }
  if (!ofType.some((each) => matchesFilters(each, request))) {
    return { none: "handshake_failure", message: "no certificate of ours has what the oid_filters ask for" }
  }
  if (ofType.every(({ delegated }) => delegated !== undefined)) {
    const message = ofType.some((each) => isCurrent(each, request))
      ? "peer takes no delegated credential like ours, and we have nothing else"
      : "our delegated credentials have expired, and we have nothing else; make new ones"
    return { none: "handshake_failure", message }
  }
  const keys = [...new Set(ofType.map(({ publicKey }) => keyName(publicKey)))].join(", ")
  const signable = ofType.some((each) => schemesOf(each, request).some((code) => makes(each, code)))
  return {
    none: "handshake_failure",
    message: signable
      ? "peer accepts no signature scheme that our certificates are signed with"
      : `peer accepts no signature scheme that our keys (${keys}) can sign with`,
  }
}

interface NamedCredential {
  readonly credential: Credential
  readonly names: readonly string[]
  /** DER names of the issuers in its chain. */
  readonly issuers: readonly Uint8Array[]
  readonly signatures: readonly SignatureIdentifier[]
}

/**
 * Chooses by server_name: an exact name first, then a wildcard, then the first credential that fits when the client named
 * no host, or one that no certificate has and `fallback` is not false. Among equals a delegated credential goes before a
 * certificate's own key, and then the peer's order of signature schemes decides.
 */
export function sniResolver(
  credentials: readonly Credential[],
  options: { readonly fallback?: boolean } = {},
): CredentialResolver {
  const named: NamedCredential[] = credentials.map((credential) => ({
    credential,
    names: dnsNames(credential),
    issuers: issuerNames(credential),
    signatures: chainSignatures(credential),
  }))
  return {
    resolve(request) {
      const fitting = ofAuthorities(
        named.filter(
          (each) =>
            credentialFits(each.credential, request) && isPresentable(each.signatures, request.signatureSchemesCert),
        ),
        request.authorities,
      )
      if (fitting.length === 0) return whyNone(credentials, request)
      const host = request.serverName
      if (host === undefined) return preferred(fitting, request)
      const lower = host.toLowerCase()
      const exact = fitting.filter((each) => each.names.includes(lower))
      if (exact.length > 0) return preferred(exact, request)
      const wildcard = fitting.filter((each) => each.names.some((name) => matchDnsName(name, lower)))
      if (wildcard.length > 0) return preferred(wildcard, request)
      if (options.fallback !== false) return delegatedFirst(checkable(fitting, request))[0]?.credential
      return { none: "unrecognized_name", message: `no certificate for ${host}` }
    },
  }
}

/** RFC 9846 4.3.4: those of the authorities that the peer names, when there are any; it may take others as well. */
function ofAuthorities(
  candidates: readonly NamedCredential[],
  authorities: readonly Uint8Array[],
): readonly NamedCredential[] {
  if (authorities.length === 0) return candidates
  const wanted = candidates.filter((each) =>
    each.issuers.some((issuer) => authorities.some((name) => equalBytes(name, issuer))),
  )
  return wanted.length > 0 ? wanted : candidates
}

function issuerNames(credential: Credential): Uint8Array[] {
  return credential.type === "X509" ? credential.chain.map((der) => parseCertificate(der).issuer.der) : []
}

/**
 * RFC 9846 4.5.1.2: "All certificates provided by the sender MUST be signed by a signature algorithm advertised by the peer, if
 * it is able to provide such a chain."
 */
function checkable(candidates: readonly NamedCredential[], request: CredentialRequest): readonly NamedCredential[] {
  const advertised = candidates.filter((each) => isAdvertised(each.signatures, request.signatureSchemesCert))
  return advertised.length > 0 ? advertised : candidates
}

function preferred(all: readonly NamedCredential[], request: CredentialRequest): Credential | undefined {
  const candidates = delegatedFirst(checkable(all, request))
  const { delegatedSchemes = [], signatureSchemes } = request
  for (const code of candidates[0]?.credential.delegated ? delegatedSchemes : signatureSchemes) {
    const scheme = signatureScheme(code)
    const found = scheme && candidates.find((each) => schemeFitsKey(scheme, each.credential.publicKey))
    if (found) return found.credential
  }
  return candidates[0]?.credential
}

/** Those with delegated credentials alone, if there are any: whoever has one wants it used. */
function delegatedFirst(candidates: readonly NamedCredential[]): readonly NamedCredential[] {
  const delegated = candidates.filter(({ credential }) => credential.delegated !== undefined)
  return delegated.length > 0 ? delegated : candidates
}

function dnsNames(credential: Credential): string[] {
  if (credential.type !== "X509") return []
  const names = parseCertificate(credential.chain[0]!).extensions.subjectAltName ?? []
  return names.flatMap((name) => (name.kind === "dns" ? [name.value.toLowerCase()] : []))
}

/** Tells the certificates that a resolver would answer with apart from those it never can: for start-up messages. */
export function credentialNames(credential: Credential): readonly string[] {
  return dnsNames(credential)
}
