import type { NamedGroupName } from "../bytes/code-points.ts"
import type { Pause } from "../bytes/pause.ts"
import type { PrivateKey, PublicKey } from "./keys.ts"

/**
 * The cryptography that a connection uses: plain data, passed in with the configuration, never global.
 * The lists are in order of preference. What a device leaves out of them it does not carry.
 *
 * Bytes have one owner. What an operation is given it reads during the call, and neither writes, erases nor keeps it; it may
 * be a Buffer or a part of one. What it returns is new, and the caller's. `out` of an AEAD is the one thing it writes.
 */
export interface CryptoProvider {
  readonly name: string
  readonly cipherSuites: readonly CipherSuiteAlgorithms[]
  readonly keyExchanges: readonly KeyExchange[]
  readonly signatures: readonly SignatureAlgorithm[]
  /** `length` fresh bytes of a cryptographically secure generator. */
  readonly random: RandomSource
}

/** What it returns is copied (`draw`), so a source may be `(length) => randomBytes(length)` and may keep its arrays. */
export type RandomSource = (length: number) => Uint8Array

/** What a cipher suite stands for (RFC 9846 appendix B.4): an AEAD and the hash of HKDF. */
export interface CipherSuiteAlgorithms {
  /** IANA number, such as 0x1301. */
  readonly code: number
  readonly name: string
  readonly aead: Aead
  readonly hash: Hash
}

/* ---------------------------------------------------------------- hashes */

export interface Hash {
  readonly name: "sha256" | "sha384" | "sha512"
  /** Hash.length of RFC 9846: 32, 48 or 64 bytes. */
  readonly length: number
  digest(message: Uint8Array): Uint8Array
  /** A running hash: the transcript (RFC 9846 section 4.1) is read many times as it grows. */
  start(): HashState
  /** HMAC (RFC 2104) with the two padded key blocks hashed once; keep it as long as the key. */
  hmac(key: Uint8Array): HmacKey
}

export interface HashState {
  update(bytes: Uint8Array): void
  /** The digest so far; the state can be updated further. */
  digest(): Uint8Array
  clone(): HashState
}

export interface HmacKey {
  /** The MAC of the concatenation of `parts`. */
  mac(...parts: readonly Uint8Array[]): Uint8Array
  /** Overwrites the key state; the object is not used afterwards. */
  wipe(): void
}

/* ---------------------------------------------------------------- AEAD */

export interface Aead {
  readonly name: string
  /** Bytes. */
  readonly keyLength: number
  /** iv_length of RFC 9846 section 5.3: 12 bytes for every suite here. */
  readonly nonceLength: number
  /** Bytes: 16, or 8 for CCM_8. */
  readonly tagLength: number
  /**
   * Records that one key may seal (RFC 9846 section 5.5: 2^24.5 full-size records for AES-GCM); the sequence number's
   * own limit for ChaCha20-Poly1305. A key update is made before it.
   */
  readonly confidentialityLimit: number
  /** The expanded key. `key` is copied, so the caller may wipe it. */
  key(key: Uint8Array): AeadKey
}

/** One key that seals or opens many records straight into the caller's buffers. */
export interface AeadKey {
  /**
   * Encrypts `plaintext` and appends the tag: writes `plaintext.length + tagLength` bytes to `out` from `at` on.
   * `plaintext` may be the same memory as its place in `out` (in place), and may not overlap it otherwise.
   */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void
  /**
   * Checks the tag at the end of `ciphertext` and decrypts the rest to `out` from `at` on; in place is allowed.
   * Returns the plaintext's length, or -1 when the tag is wrong: then `out` holds no plaintext.
   * A `ciphertext` shorter than the tag gives -1.
   */
  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number
  /** Overwrites the expanded key; the object is not used afterwards. */
  wipe(): void
}

/* ---------------------------------------------------------------- key exchange */

/**
 * KEM-shaped, so that (EC)DHE and ML-KEM hybrids look alike (RFC 9846 section 4.3.8). Each step may answer later, by a `Pause`:
 * where the key is in hardware, say, or the host computes with promises. What is thrown, or what the pause's `work` rejects
 * with, is InvalidKeyShare when the peer's share has a wrong length, is not a point of the curve, or gives an all-zero secret.
 */
export interface KeyExchange {
  readonly name: NamedGroupName
  /** IANA number of the NamedGroup, such as 0x001d. */
  readonly code: number
  /** The client: a share to send, and the thing that completes it. */
  start(random: RandomSource): KeyExchangeStarted | Pause<KeyExchangeStarted>
  /** The server: its own share and the secret, from the client's share. @throws InvalidKeyShare */
  respond(clientShare: Uint8Array, random: RandomSource): KeyExchangeAnswer | Pause<KeyExchangeAnswer>
}

export interface KeyExchangeStarted {
  /** KeyShareEntry.key_exchange. */
  readonly share: Uint8Array
  /** The secret. @throws InvalidKeyShare */
  complete(serverShare: Uint8Array): Uint8Array | Pause<Uint8Array>
  /** Overwrites the private value. */
  wipe(): void
}

export interface KeyExchangeAnswer {
  /** KeyShareEntry.key_exchange. */
  readonly share: Uint8Array
  readonly secret: Uint8Array
}

/** One that answers at once, as those of the providers here do. */
export interface ImmediateKeyExchange extends KeyExchange {
  start(random: RandomSource): ImmediateKeyExchangeStarted
  respond(clientShare: Uint8Array, random: RandomSource): KeyExchangeAnswer
}

export interface ImmediateKeyExchangeStarted extends KeyExchangeStarted {
  complete(serverShare: Uint8Array): Uint8Array
}

/** A provider whose key exchanges answer at once. */
export interface ImmediateCryptoProvider extends CryptoProvider {
  readonly keyExchanges: readonly ImmediateKeyExchange[]
}

/** A share that cannot be used: the peer's fault, alert `illegal_parameter` (RFC 9846 sections 4.3.8.2 and 7.4.2). */
export class InvalidKeyShare extends Error {
  override readonly name = "InvalidKeyShare"
}

/* ---------------------------------------------------------------- signatures */

export type SignatureAlgorithmName =
  | "ecdsa_sha256"
  | "ecdsa_sha384"
  | "ecdsa_sha512"
  | "ecdsa_brainpool_sha256"
  | "ecdsa_brainpool_sha384"
  | "ecdsa_brainpool_sha512"
  | "ed25519"
  | "ed448"
  | "mldsa44"
  | "mldsa65"
  | "mldsa87"
  | "rsa_pss_sha256"
  | "rsa_pss_sha384"
  | "rsa_pss_sha512"
  | "rsa_pkcs1_sha256"
  | "rsa_pkcs1_sha384"
  | "rsa_pkcs1_sha512"

/**
 * A signature algorithm without a curve: certificates may sign with any curve and any hash. TLS's SignatureScheme, which
 * ties the curve to the hash, is the table in `signature-schemes.ts`. The curves of RFC 5639 have ECDSA of their own, so that
 * who has them is seen by the name. Salt length of RSASSA-PSS is the hash's length; the context string of ML-DSA is empty (RFC
 * 9881 section 3, draft-ietf-tls-mldsa section 3).
 */
export interface SignatureAlgorithm {
  readonly name: SignatureAlgorithmName
  /** Whether the signature is right; of Ed25519 and Ed448, by the rules of `ed25519-rules.ts`. False, and never an exception, for a malformed key or signature or a key of another type. ECDSA signatures are DER. */
  verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean
  /**
   * The same of a peer's CertificateVerify, where it may be checked elsewhere, in a thread say; undefined: not this time, and
   * `verify` is asked. Signatures of certificates are a verifier's, which may answer later itself.
   */
  verifyLater?(key: PublicKey, message: Uint8Array, signature: Uint8Array): Pause<boolean> | undefined
  /** @throws RangeError when the key is of another type or is malformed */
  sign(key: PrivateKey, message: Uint8Array, random: RandomSource): Uint8Array
}
