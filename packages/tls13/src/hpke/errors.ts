/** What went wrong, by the names of RFC 9180 section 1 ff.; `OpenError` and the first two are what a peer can cause. */
export type HpkeErrorKind =
  /** Bytes that are no public key of the KEM (section 7.1.1): a wrong length, or another form than the uncompressed. */
  | "DeserializeError"
  /** A public key that is not on its curve, or that gives an all-zero secret (section 7.1.4). */
  | "ValidationError"
  /** A ciphertext that was not made by this context for this place (section 5.2). */
  | "OpenError"
  /** As many messages as one context may seal or open (section 5.2). */
  | "MessageLimitReachedError"
  /** No key comes of this input (section 7.1.3), which has a chance of 2^-8160. */
  | "DeriveKeyPairError"

/** An error of HPKE. */
export class HpkeError extends Error {
  override readonly name = "HpkeError"
  readonly kind: HpkeErrorKind

  constructor(kind: HpkeErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}
