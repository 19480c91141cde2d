// DHKEM: RFC 9180 sections 4.1 and 7.1, over the key exchange of a crypto provider. Base mode only: no AuthEncap, no AuthDecap.
//
// A private value that the provider draws is the private key itself: it is given ours where the RFC says "pk(skR)".

import { concatBytes } from "../bytes/concat.ts"
import { copyOf } from "../bytes/copy.ts"
import { nothing } from "../bytes/nothing.ts"
import { Pause } from "../bytes/pause.ts"
import { draw } from "../crypto/draw.ts"
import {
  type Hash,
  InvalidKeyShare,
  type KeyExchange,
  type KeyExchangeStarted,
  type RandomSource,
} from "../crypto/provider.ts"
import { HpkeError } from "./errors.ts"
import { type LabeledKdf, labeledKdf, uint16 } from "./labels.ts"

/** A key pair of a KEM, both halves as the RFC serializes them (section 7.1.1). */
export interface HpkeKeyPair {
  /** skR, 32 bytes: of P-256 big-endian, of X25519 as it is drawn. */
  readonly privateKey: Uint8Array
  /** pkR: an uncompressed point of 65 bytes, or 32 bytes of X25519. */
  readonly publicKey: Uint8Array
}

/** A row of the table of section 7.1, as far as the KEMs here need it. */
export interface KemParameters {
  readonly id: number
  readonly name: string
  /** Bytes of a public key, and of an encapsulated one (Npk, Nenc). */
  readonly publicKeyLength: number
  /** Bytes of a private key (Nsk). */
  readonly privateKeyLength: number
  /** The first byte of a public key, where it says in which form the rest is. */
  readonly form: number | undefined
  /** DeriveKeyPair by rejection: not every number is a private key. */
  readonly hasOrder: boolean
}

export interface Encapsulated {
  readonly sharedSecret: Uint8Array
  readonly enc: Uint8Array
}

export class DhKem {
  readonly #parameters: KemParameters
  readonly #group: KeyExchange
  readonly #kdf: LabeledKdf
  /** Nsecret */
  readonly #length: number

  constructor(parameters: KemParameters, group: KeyExchange, hash: Hash) {
    this.#parameters = parameters
    this.#group = group
    this.#kdf = labeledKdf(hash, concatBytes(Uint8Array.of(0x4b, 0x45, 0x4d), uint16(parameters.id)))
    this.#length = hash.length
  }

  /** GenerateKeyPair() */
  generateKeyPair(random: RandomSource): HpkeKeyPair {
    for (;;) {
      const privateKey = draw(random, this.#parameters.privateKeyLength)
      const publicKey = this.#publicKeyOf(privateKey)
      if (publicKey !== undefined) return { privateKey, publicKey }
    }
  }

  /** DeriveKeyPair(ikm) of section 7.1.3. @throws HpkeError DeriveKeyPairError */
  deriveKeyPair(ikm: Uint8Array): HpkeKeyPair {
    const { privateKeyLength, hasOrder } = this.#parameters
    const prk = this.#kdf.extract(nothing, "dkp_prk", ikm)
    try {
      for (let counter = 0; counter <= (hasOrder ? 255 : 0); counter++) {
        const privateKey = hasOrder
          ? this.#kdf.expand(prk, "candidate", Uint8Array.of(counter), privateKeyLength)
          : this.#kdf.expand(prk, "sk", nothing, privateKeyLength)
        const publicKey = this.#publicKeyOf(privateKey)
        if (publicKey !== undefined) return { privateKey, publicKey }
      }
    } finally {
      prk.fill(0)
    }
    throw new HpkeError("DeriveKeyPairError", "no private key comes of this input")
  }

  /** pk(sk). @throws RangeError when it is no private key of this KEM: one's own keys are no peer's fault */
  publicKeyOf(privateKey: Uint8Array): Uint8Array {
    const { name, privateKeyLength } = this.#parameters
    if (privateKey.length !== privateKeyLength) {
      throw new RangeError(`a private key of ${name} has ${privateKeyLength} bytes, not ${privateKey.length}`)
    }
    const publicKey = this.#publicKeyOf(privateKey)
    if (publicKey === undefined) throw new RangeError(`these bytes are no private key of ${name}`)
    return publicKey
  }

  /** Encap(pkR). @throws HpkeError DeserializeError, ValidationError */
  encap(publicKey: Uint8Array, random: RandomSource): Encapsulated {
    this.#checkForm(publicKey, "public key")
    const started = this.#start(random)
    try {
      const enc = copyOf(started.share)
      return { enc, sharedSecret: this.#extractAndExpand(this.#dh(started, publicKey), enc, publicKey) }
    } finally {
      started.wipe()
    }
  }

  /** Decap(enc, skR). @throws HpkeError DeserializeError, ValidationError */
  decap(enc: Uint8Array, { privateKey, publicKey }: HpkeKeyPair): Uint8Array {
    this.#checkForm(enc, "encapsulated key")
    const started = this.#startWith(privateKey)
    if (started === undefined) throw new RangeError(`the private key is none of ${this.#parameters.name}`)
    try {
      return this.#extractAndExpand(this.#dh(started, enc), enc, publicKey)
    } finally {
      started.wipe()
    }
  }

  /** ExtractAndExpand(dh, kem_context). Erases `dh`. */
  #extractAndExpand(dh: Uint8Array, enc: Uint8Array, publicKey: Uint8Array): Uint8Array {
    const prk = this.#kdf.extract(nothing, "eae_prk", dh)
    dh.fill(0)
    const secret = this.#kdf.expand(prk, "shared_secret", concatBytes(enc, publicKey), this.#length)
    prk.fill(0)
    return secret
  }

  /** DH(sk, pk). */
  #dh(started: KeyExchangeStarted, publicKey: Uint8Array): Uint8Array {
    try {
      return atOnce(started.complete(publicKey))
    } catch (error) {
      if (!(error instanceof InvalidKeyShare)) throw error
      throw new HpkeError("ValidationError", `a key of ${this.#parameters.name} cannot be used: ${error.message}`)
    }
  }

  /** DeserializePublicKey, as far as the provider does not do it (section 7.1.1). */
  #checkForm(bytes: Uint8Array, what: string): void {
    const { name, publicKeyLength, form } = this.#parameters
    if (bytes.length !== publicKeyLength) {
      throw new HpkeError(
        "DeserializeError",
        `the ${what} has ${bytes.length} bytes; one of ${name} has ${publicKeyLength}`,
      )
    }
    if (form !== undefined && bytes[0] !== form) {
      throw new HpkeError("DeserializeError", `the ${what} is not an uncompressed point, as ${name} has them`)
    }
  }

  #publicKeyOf(privateKey: Uint8Array): Uint8Array | undefined {
    const started = this.#startWith(privateKey)
    const publicKey = started && copyOf(started.share)
    started?.wipe()
    return publicKey
  }

  /** undefined when it is no private key: the provider then asks for other bytes. */
  #startWith(privateKey: Uint8Array): KeyExchangeStarted | undefined {
    let isAsked = false
    const given: RandomSource = (length) => {
      if (isAsked || length !== privateKey.length) throw new NoPrivateKey()
      isAsked = true
      return privateKey
    }
    try {
      return this.#start(given)
    } catch (error) {
      if (error instanceof NoPrivateKey) return undefined
      throw error
    }
  }

  #start(random: RandomSource): KeyExchangeStarted {
    return atOnce(this.#group.start(random))
  }
}

/** Thrown through the provider, and caught above it. */
class NoPrivateKey extends Error {}

function atOnce<Answer>(answer: Answer | Pause<Answer>): Answer {
  if (answer instanceof Pause) throw new RangeError("HPKE needs a key exchange that answers at once")
  return answer
}
