// A cipher suite of HPKE in base mode: RFC 9180 sections 5.1 (SetupBaseS, SetupBaseR, KeySchedule) and 7 (the numbers).
// What is left out: the modes psk, auth and auth_psk, the export-only AEAD, and the single-shot functions of section 6.

import { concatBytes } from "../bytes/concat.ts"
import { copyOf } from "../bytes/copy.ts"
import { nothing } from "../bytes/nothing.ts"
import { asciiToBytes } from "../bytes/text.ts"
import type { Aead, CryptoProvider, RandomSource } from "../crypto/provider.ts"
import { type ContextSecrets, HpkeRecipient, HpkeSender } from "./context.ts"
import { DhKem, type HpkeKeyPair, type KemParameters } from "./kem.ts"
import { type LabeledKdf, labeledKdf, uint16 } from "./labels.ts"

/** Section 7.1, the registry "HPKE KEM Identifiers". */
export const HpkeKem = { "DHKEM(P-256, HKDF-SHA256)": 0x0010, "DHKEM(X25519, HKDF-SHA256)": 0x0020 } as const
/** Section 7.2, the registry "HPKE KDF Identifiers". */
export const HpkeKdf = { "HKDF-SHA256": 0x0001 } as const
/** Section 7.3, the registry "HPKE AEAD Identifiers". */
export const HpkeAead = { "AES-128-GCM": 0x0001, "AES-256-GCM": 0x0002, ChaCha20Poly1305: 0x0003 } as const

/** Three numbers of the registries. */
export interface HpkeSuiteIds {
  readonly kem: number
  readonly kdf: number
  readonly aead: number
}

/** The group of a crypto provider that a KEM is made of, and what it is there. */
const kems: readonly (KemParameters & { readonly group: string })[] = [
  {
    id: HpkeKem["DHKEM(X25519, HKDF-SHA256)"],
    name: "DHKEM(X25519, HKDF-SHA256)",
    group: "x25519",
    publicKeyLength: 32,
    privateKeyLength: 32,
    form: undefined,
    hasOrder: false,
  },
  {
    id: HpkeKem["DHKEM(P-256, HKDF-SHA256)"],
    name: "DHKEM(P-256, HKDF-SHA256)",
    group: "secp256r1",
    publicKeyLength: 65,
    privateKeyLength: 32,
    form: 4,
    hasOrder: true,
  },
]

/** The cipher suite of TLS that has the AEAD. */
const aeads: readonly { readonly id: number; readonly cipherSuite: number }[] = [
  { id: HpkeAead["AES-128-GCM"], cipherSuite: 0x1301 },
  { id: HpkeAead["AES-256-GCM"], cipherSuite: 0x1302 },
  { id: HpkeAead.ChaCha20Poly1305, cipherSuite: 0x1303 },
]

/** What HPKE takes of a crypto provider: its key exchange has to answer at once. */
export type HpkeProvider = Pick<CryptoProvider, "cipherSuites" | "keyExchanges" | "random">

/** HPKE in base mode under one suite. */
export class HpkeSuite {
  readonly ids: HpkeSuiteIds
  readonly #kem: DhKem
  readonly #kdf: LabeledKdf
  readonly #aead: Aead
  readonly #random: RandomSource

  private constructor(ids: HpkeSuiteIds, kem: DhKem, kdf: LabeledKdf, aead: Aead, random: RandomSource) {
    this.ids = ids
    this.#kem = kem
    this.#kdf = kdf
    this.#aead = aead
    this.#random = random
  }

  /** undefined when the provider, or HPKE here, has not all of it. */
  static of(provider: HpkeProvider, ids: HpkeSuiteIds): HpkeSuite | undefined {
    const parameters = kems.find(({ id }) => id === ids.kem)
    const group = provider.keyExchanges.find(({ name }) => name === parameters?.group)
    const hash = provider.cipherSuites.find((suite) => suite.hash.name === "sha256")?.hash
    const code = aeads.find(({ id }) => id === ids.aead)?.cipherSuite
    const aead = provider.cipherSuites.find((suite) => suite.code === code)?.aead
    if (parameters === undefined || group === undefined || hash === undefined || aead === undefined) return undefined
    if (ids.kdf !== HpkeKdf["HKDF-SHA256"]) return undefined
    const suiteId = concatBytes(asciiToBytes("HPKE"), uint16(ids.kem), uint16(ids.kdf), uint16(ids.aead))
    const kem = new DhKem(parameters, group, hash)
    return new HpkeSuite({ ...ids }, kem, labeledKdf(hash, suiteId), aead, provider.random)
  }

  /** Bytes that a ciphertext has more than its plaintext (Nt): 16. */
  get tagLength(): number {
    return this.#aead.tagLength
  }

  /** GenerateKeyPair(), of the provider's random source unless another is given. */
  generateKeyPair(random: RandomSource = this.#random): HpkeKeyPair {
    return this.#kem.generateKeyPair(random)
  }

  /** DeriveKeyPair(ikm): the same input gives the same keys. @param ikm secret, with at least 256 bits of entropy */
  deriveKeyPair(ikm: Uint8Array): HpkeKeyPair {
    return this.#kem.deriveKeyPair(ikm)
  }

  /** The key pair of a private key. @throws RangeError when it is none of this KEM */
  keyPairOf(privateKey: Uint8Array): HpkeKeyPair {
    return { privateKey: copyOf(privateKey), publicKey: this.#kem.publicKeyOf(privateKey) }
  }

  /**
   * SetupBaseS(pkR, info).
   * @param info what both know and is bound to the keys
   * @returns `enc`, which goes to the recipient, and the context to seal with
   * @throws HpkeError DeserializeError, ValidationError
   */
  setupBaseS(
    publicKey: Uint8Array,
    info: Uint8Array,
    random: RandomSource = this.#random,
  ): { readonly enc: Uint8Array; readonly context: HpkeSender } {
    const { enc, sharedSecret } = this.#kem.encap(publicKey, random)
    return { enc, context: new HpkeSender(this.#aead, this.#kdf, this.#keySchedule(sharedSecret, info)) }
  }

  /** SetupBaseR(enc, skR, info). @throws HpkeError DeserializeError, ValidationError */
  setupBaseR(enc: Uint8Array, keyPair: HpkeKeyPair, info: Uint8Array): HpkeRecipient {
    const sharedSecret = this.#kem.decap(enc, keyPair)
    return new HpkeRecipient(this.#aead, this.#kdf, this.#keySchedule(sharedSecret, info))
  }

  /** KeySchedule<ROLE>(mode_base, shared_secret, info, "", ""). Erases the shared secret. */
  #keySchedule(sharedSecret: Uint8Array, info: Uint8Array): ContextSecrets {
    const kdf = this.#kdf
    const pskIdHash = kdf.extract(nothing, "psk_id_hash", nothing)
    const infoHash = kdf.extract(nothing, "info_hash", info)
    const modeBase = Uint8Array.of(0)
    const keyScheduleContext = concatBytes(modeBase, pskIdHash, infoHash)
    const secret = kdf.extract(sharedSecret, "secret", nothing)
    sharedSecret.fill(0)
    const secrets = {
      key: kdf.expand(secret, "key", keyScheduleContext, this.#aead.keyLength),
      baseNonce: kdf.expand(secret, "base_nonce", keyScheduleContext, this.#aead.nonceLength),
      exporterSecret: kdf.expand(secret, "exp", keyScheduleContext, secret.length),
    }
    secret.fill(0)
    return secrets
  }
}
