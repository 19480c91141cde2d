// The encryption context: RFC 9180 sections 5.2 (sealing and opening) and 5.3 (exporting secrets).

import { nothing } from "../bytes/nothing.ts"
import type { Aead, AeadKey } from "../crypto/provider.ts"
import { HpkeError } from "./errors.ts"
import type { LabeledKdf } from "./labels.ts"

/** What KeySchedule gives (section 5.1). */
export interface ContextSecrets {
  readonly key: Uint8Array
  readonly baseNonce: Uint8Array
  readonly exporterSecret: Uint8Array
}

/** What both roles have. The order of messages counts: each takes the next sequence number. */
abstract class HpkeContext {
  protected readonly aead: Aead
  protected readonly key: AeadKey
  readonly #baseNonce: Uint8Array
  readonly #exporterSecret: Uint8Array
  readonly #kdf: LabeledKdf
  #sequence = 0

  /** Made by `HpkeSuite`. @param secrets become its own */
  constructor(aead: Aead, kdf: LabeledKdf, secrets: ContextSecrets) {
    this.aead = aead
    this.#kdf = kdf
    this.#baseNonce = secrets.baseNonce
    this.#exporterSecret = secrets.exporterSecret
    this.key = aead.key(secrets.key)
    secrets.key.fill(0)
  }

  /** Context.Export(exporter_context, L): `length` bytes, 0 to 8160, as a fresh array. @throws RangeError beyond it */
  export(exporterContext: Uint8Array, length: number): Uint8Array {
    return this.#kdf.expand(this.#exporterSecret, "sec", exporterContext, length)
  }

  /** Erases the keys; the context is not used afterwards. */
  wipe(): void {
    this.key.wipe()
    this.#baseNonce.fill(0)
    this.#exporterSecret.fill(0)
  }

  /**
   * ComputeNonce(seq). The RFC's own limit, 2^96 - 1 messages, is out of reach; what one key may seal is the cipher's.
   * @throws HpkeError MessageLimitReachedError
   */
  protected nonce(): Uint8Array {
    if (this.#sequence >= this.aead.confidentialityLimit) {
      throw new HpkeError(
        "MessageLimitReachedError",
        `this context has had ${this.#sequence} messages, as many as one key of ${this.aead.name} may protect`,
      )
    }
    const nonce = new Uint8Array(this.#baseNonce)
    for (let at = nonce.length - 1, left = this.#sequence; left > 0; at--, left = Math.floor(left / 256)) {
      nonce[at]! ^= left % 256
    }
    return nonce
  }

  /** IncrementSeq() */
  protected advance(): void {
    this.#sequence++
  }
}

/** The sender's end. */
export class HpkeSender extends HpkeContext {
  /** ContextS.Seal(aad, pt): the ciphertext with its tag of 16 bytes, as a fresh array. @throws HpkeError MessageLimitReachedError */
  seal(aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + this.aead.tagLength)
    this.key.seal(this.nonce(), aad, plaintext, sealed, 0)
    this.advance()
    return sealed
  }
}

/** The recipient's end. */
export class HpkeRecipient extends HpkeContext {
  /**
   * ContextR.Open(aad, ct): the plaintext as a fresh array. After a failure the context waits for the same message.
   * @throws HpkeError OpenError, MessageLimitReachedError
   */
  open(aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const room = new Uint8Array(Math.max(0, ciphertext.length - this.aead.tagLength))
    const length = this.key.open(this.nonce(), aad, ciphertext, room, 0)
    if (length < 0) throw new HpkeError("OpenError", "the ciphertext is not of this context, or has been changed")
    this.advance()
    return length === 0 ? new Uint8Array(nothing) : room
  }
}
