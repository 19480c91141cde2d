// A delegated credential of our own: made, and loaded to be shown (RFC 9345 sections 3 and 4).

import type { SignatureSchemeName } from "../../bytes/code-points.ts"
import { copyOf } from "../../bytes/copy.ts"
import { InvalidMessage } from "../../bytes/errors.ts"
import { afterwards, atOnce, type Pause } from "../../bytes/pause.ts"
import type { PrivateKey, PublicKey } from "../../crypto/keys.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import {
  type SignatureSchemeInfo,
  schemeFitsKey,
  signatureScheme,
  signatureSchemes,
} from "../../crypto/signature-schemes.ts"
import { type Certificate, parseCertificates, subjectText } from "../certificate/certificate.ts"
import {
  algorithmOf,
  belongs,
  checkLengths,
  checkUsage,
  keyName,
  keySigner,
  publicKeyOf,
  within,
} from "../certificate/credential.ts"
import { parsePem, toPem } from "../der/pem.ts"
import { malformed, X509Error } from "../errors.ts"
import type { Credential, OwnDelegation, Signer } from "../interfaces.ts"
import { parsePrivateKey } from "../keys/private-key.ts"
import {
  credentialProblem,
  type DelegatedCredential,
  type DelegationRole,
  decodeDelegatedCredential,
  delegableScheme,
  delegationProblem,
  encodeCredential,
  encodeDelegatedCredential,
  isDelegable,
  longestValidity,
  signedContent,
  validUntil,
} from "./credential.ts"

export interface DelegationOptions {
  /** PEM or DER; of a PEM chain the leaf, whose key delegates. It has to have DelegationUsage and digitalSignature. */
  readonly cert: string | Uint8Array
  /** The private key of the certificate: PEM or DER. */
  readonly key?: string | Uint8Array
  /** In the place of `key`: an HSM, a key service or another process. */
  readonly signer?: Signer
  /** Whose credential it will be; default `server`. */
  readonly role?: DelegationRole
  /** The key that is delegated to. */
  readonly publicKey: PublicKey
  /** In which that key will sign; default: the usual one for it. */
  readonly scheme?: SignatureSchemeName
  /** In which the certificate's key signs now; default: the usual one for it. */
  readonly algorithm?: SignatureSchemeName
  /** Milliseconds since 1970. */
  readonly now: number
  /** Hours from `now`, at most 168; default 24. A peer whose clock is behind refuses one of the full 168. */
  readonly hours?: number
  readonly provider: CryptoProvider
}

/**
 * Makes a DelegatedCredential, at once or when the signer has answered.
 * @throws X509Error with one line that says what is wrong with the certificate or the key, RangeError for `hours`
 */
export function createDelegatedCredential(options: DelegationOptions): Uint8Array | Pause<Uint8Array> {
  const { publicKey, now, provider, role = "server", hours = 24 } = options
  const leaf = within("the certificate", () => parseCertificates(options.cert))[0]!
  const problem = delegationProblem(leaf)
  if (problem !== undefined) throw new X509Error("key_usage", `${problem}; the authority has to issue one that may`)
  if (!(hours > 0 && hours * 3_600_000 <= longestValidity))
    throw new RangeError(`a delegated credential is valid for up to 168 hours, not for ${hours}`)
  const scheme = named(options.scheme, publicKey, isDelegable) ?? delegableScheme(publicKey)
  const algorithm = named(options.algorithm, publicKeyOf(leaf)) ?? usualScheme(publicKeyOf(leaf), provider)
  // Whole seconds after notBefore; a second less than the certificate at most.
  const expiry = Math.min(now + hours * 3_600_000, leaf.notAfter - 1000)
  const validTime = Math.floor((expiry - leaf.notBefore) / 1000)
  if (expiry <= now || now < leaf.notBefore || validTime > 0xffff_ffff)
    throw new X509Error("expired", `the certificate of ${subjectText(leaf)} is not valid now, or not long enough`)
  const signed = encodeCredential(validTime, scheme.code, publicKey, algorithm.code)
  const signature = signerOf(options, leaf).sign(algorithm, signedContent(role, leaf.der, signed), provider)
  return afterwards(signature, (bytes) => encodeDelegatedCredential(signed, bytes))
}

function named(
  name: SignatureSchemeName | undefined,
  key: PublicKey,
  mayBe: (scheme: SignatureSchemeInfo) => boolean = () => true,
): SignatureSchemeInfo | undefined {
  if (name === undefined) return undefined
  const found = signatureSchemes.find((scheme) => scheme.name === name && mayBe(scheme) && schemeFitsKey(scheme, key))
  if (found !== undefined) return found
  throw new X509Error("unsupported_key", `the key (${keyName(key)}) does not sign in ${name}, or may not here`)
}

function usualScheme(key: PublicKey, { signatures }: CryptoProvider): SignatureSchemeInfo {
  const has = ({ algorithm }: SignatureSchemeInfo) => signatures.some(({ name }) => name === algorithm)
  const found = signatureSchemes.find((scheme) => schemeFitsKey(scheme, key) && has(scheme))
  if (found !== undefined) return found
  throw new X509Error(
    "unsupported_key",
    `the crypto provider has no signatures by a key like the certificate's (${keyName(key)})`,
  )
}

function signerOf({ key, signer, provider }: DelegationOptions, leaf: Certificate): Signer {
  if (signer !== undefined) return signer
  if (key === undefined) throw malformed("neither `key` nor `signer` of the certificate is given")
  const { privateKey, publicKey } = within("the private key", () => parsePrivateKey(key))
  const certified = publicKeyOf(leaf)
  const own: PrivateKey =
    privateKey.type === "rsa" && certified.type === "rsa-pss" ? { ...privateKey, type: "rsa-pss" } : privateKey
  if (belongs(own, publicKey, certified, provider)) return keySigner(own)
  throw new X509Error("unsupported_key", `the private key does not belong to the certificate of ${subjectText(leaf)}`)
}

/* ---------------------------------------------------------------- to show */

export interface DelegatedSource {
  /** The chain: PEM with the leaf first and then its intermediates, or the DER of the leaf. */
  readonly cert: string | Uint8Array
  /** As `createDelegatedCredential` makes it, or as PEM text with a block DELEGATED CREDENTIAL. */
  readonly delegated: string | Uint8Array
  /** The private key of the credential, not of the certificate: PEM or DER. Default: a block in the PEM text of `delegated`. */
  readonly key?: string | Uint8Array
  /** In the place of `key`. */
  readonly signer?: Signer
  /** Who shows it; default `server`. */
  readonly role?: DelegationRole
  /** Milliseconds since 1970. */
  readonly now: number
  readonly provider: CryptoProvider
  /** A DER OCSPResponse to staple. */
  readonly ocspResponse?: Uint8Array
}

/**
 * A certificate chain with a delegated credential and its key. It is shown to peers that take such ones: whoever has the certificate's
 * own key as well gives both to `sniResolver`, and everybody else is shown that.
 * @throws X509Error with one line that says what is wrong
 */
export function loadDelegatedCredential(source: DelegatedSource): Credential {
  const { now, provider, role = "server", ocspResponse } = source
  const chain = within("the certificate", () => parseCertificates(source.cert))
  const leaf = chain[0]!
  checkUsage(leaf)
  checkLengths(chain, ocspResponse)
  const bytes = within("the delegated credential", () => bytesOf(source.delegated))
  const loaded = ownDelegation(leaf, bytes, source)
  const problem =
    credentialProblem(loaded.credential, leaf, now, longestValidity) ??
    signatureProblem(loaded.credential, leaf, role, provider)
  if (problem !== undefined) throw bad(`${problem}`)
  return {
    type: "X509",
    chain: chain.map(({ der }) => der),
    ...loaded.own,
    ...(ocspResponse && { ocspResponse: copyOf(ocspResponse) }),
  }
}

/** What of a credential a delegation gives, and is checked by it alone. @throws X509Error */
export function ownDelegation(
  leaf: Certificate,
  bytes: Uint8Array,
  { delegated, key = delegated, signer, provider }: Pick<DelegatedSource, "delegated" | "key" | "signer" | "provider">,
): {
  readonly own: Pick<Credential, "publicKey" | "signer"> & { readonly delegated: OwnDelegation }
  readonly credential: DelegatedCredential
} {
  const credential = decoded(copyOf(bytes))
  const { publicKey, scheme: code, algorithm } = credential
  if (publicKey instanceof X509Error) throw bad(`its key cannot be used: ${publicKey.message}`)
  const scheme = signatureScheme(code)
  if (scheme === undefined || !isDelegable(scheme)) throw bad("its signature scheme is none for delegated credentials")
  const delegation = {
    credential: copyOf(bytes),
    scheme: code,
    algorithm,
    validUntil: validUntil(leaf, credential.validTime),
  }
  return {
    credential,
    own: { publicKey, signer: signer ?? signerFor(publicKey, key, provider), delegated: delegation },
  }
}

function signerFor(publicKey: PublicKey, key: string | Uint8Array, provider: CryptoProvider): Signer {
  const loaded = within("the private key of the delegated credential", () => parsePrivateKey(key))
  const own: PrivateKey =
    loaded.privateKey.type === "rsa" && publicKey.type === "rsa-pss"
      ? { ...loaded.privateKey, type: "rsa-pss" }
      : loaded.privateKey
  if (belongs(own, loaded.publicKey, publicKey, provider)) return keySigner(own)
  throw bad("the private key does not belong to it; give the one that it was made for")
}

function signatureProblem(
  { algorithm, signature, signed }: DelegatedCredential,
  leaf: Certificate,
  role: DelegationRole,
  provider: CryptoProvider,
): string | undefined {
  const { verify } = algorithmOf(signatureScheme(algorithm)!, provider)
  const good = (as: DelegationRole): boolean =>
    atOnce("verify of the crypto provider", verify(leaf.publicKey!, signedContent(as, leaf.der, signed), signature))
  if (good(role)) return undefined
  const other = role === "server" ? "client" : "server"
  return good(other)
    ? `it was made for a ${other}, and this is a ${role}`
    : `its signature is not by the key of the certificate of ${subjectText(leaf)}; give the certificate that it was made with`
}

function decoded(bytes: Uint8Array): DelegatedCredential {
  try {
    return decodeDelegatedCredential(bytes)
  } catch (error) {
    if (error instanceof InvalidMessage) throw malformed(`the delegated credential cannot be read: ${error.message}`)
    throw error
  }
}

function bad(problem: string): X509Error {
  return new X509Error("bad_delegated_credential", `the delegated credential cannot be used: ${problem}`)
}

/* ---------------------------------------------------------------- files */

const label = "DELEGATED CREDENTIAL"

/** The PEM text of a DelegatedCredential; its private key may stand beside it. */
export function delegatedCredentialToPem(credential: Uint8Array): string {
  return toPem(label, credential)
}

function bytesOf(source: string | Uint8Array): Uint8Array {
  // It begins with its valid_time, whose first byte is that of a character after decades alone.
  if (typeof source !== "string" && source[0]! < 0x20) return source
  const found = parsePem(source).find((block) => block.label === label)
  if (found === undefined) throw malformed(`there is no block ${label}`)
  return found.der
}
