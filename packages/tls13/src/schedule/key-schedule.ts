// RFC 9846 section 7.1: the key schedule. Its diagram, from top to bottom:
//
//          PSK > EarlyStage      binder_key, client_early_traffic_secret, early_exporter_secret
//                    |
//  (EC)DHE > HandshakeStage      client_ and server_handshake_traffic_secret
//                    |
//            0 > MainStage       client_ and server_application_traffic_secret_0, exporter_secret, resumption_secret
//
// A stage is used until it moves on or is wiped; its secret is erased then ("SHOULD be erased", end of section 7.1).
// The secrets that a stage gives are fresh arrays which belong to the caller. An observer sees each of them, and the
// secrets down the left side too.
// RFC 9258 (PSK importer): the "imp binder" label.

import { Misuse } from "../bytes/errors.ts"
import type { Hash, HmacKey } from "../crypto/provider.ts"
import type { SecretName } from "../trace/events.ts"
import { emptyHash, expandLabel, hkdfExtract } from "./labels.ts"

/**
 * Told of every secret as it is derived, with its RFC name. `secret` is a view, valid during the call.
 * `generation` is N of *_application_traffic_secret_N, 0 otherwise.
 */
export type SecretObserver = (name: SecretName, secret: Uint8Array, generation: number) => void

/** Where a PSK came from: provisioned outside of TLS, a ticket of an earlier connection, or an RFC 9258 import. */
export type PskKind = "external" | "resumption" | "imported"

const binderLabels: Readonly<Record<PskKind, string>> = {
  external: "ext binder",
  resumption: "res binder",
  imported: "imp binder",
}

export class EarlyStage {
  readonly #secret: StageSecret

  private constructor(secret: StageSecret) {
    this.#secret = secret
  }

  /** Early Secret = HKDF-Extract(0, PSK). @param psk undefined when no PSK is in use: a string of zeros stands for it */
  static start(hash: Hash, psk: Uint8Array | undefined, observer?: SecretObserver): EarlyStage {
    const zeros = new Uint8Array(hash.length)
    return new EarlyStage(new StageSecret(hash, "early_secret", zeros, psk ?? zeros, observer))
  }

  /** binder_key: the base key of the PSK binder (section 4.3.11.2). */
  binderKey(kind: PskKind): Uint8Array {
    return this.#secret.derive(binderLabels[kind], undefined, "binder_key")
  }

  /** @param transcriptHash of ClientHello */
  clientEarlyTrafficSecret(transcriptHash: Uint8Array): Uint8Array {
    return this.#secret.derive("c e traffic", transcriptHash, "client_early_traffic_secret")
  }

  /** @param transcriptHash of ClientHello */
  earlyExporterSecret(transcriptHash: Uint8Array): Uint8Array {
    return this.#secret.derive("e exp master", transcriptHash, "early_exporter_secret")
  }

  /**
   * Moves on and erases the Early Secret.
   * @param sharedSecret of the key exchange, left to the caller to erase; undefined for psk_ke: a string of zeros
   */
  toHandshake(sharedSecret: Uint8Array | undefined): HandshakeStage {
    return new HandshakeStage(this.#secret.next("handshake_secret", sharedSecret))
  }

  /** Erases the Early Secret: for a PSK that the server did not choose. */
  wipe(): void {
    this.#secret.wipe()
  }
}

export class HandshakeStage {
  readonly #secret: StageSecret

  /** Made by `EarlyStage.toHandshake`. */
  constructor(secret: StageSecret) {
    this.#secret = secret
  }

  /** @param transcriptHash of ClientHello...ServerHello */
  clientHandshakeTrafficSecret(transcriptHash: Uint8Array): Uint8Array {
    return this.#secret.derive("c hs traffic", transcriptHash, "client_handshake_traffic_secret")
  }

  /** @param transcriptHash of ClientHello...ServerHello */
  serverHandshakeTrafficSecret(transcriptHash: Uint8Array): Uint8Array {
    return this.#secret.derive("s hs traffic", transcriptHash, "server_handshake_traffic_secret")
  }

  /** Moves on and erases the Handshake Secret. */
  toMain(): MainStage {
    return new MainStage(this.#secret.next("main_secret", undefined))
  }

  wipe(): void {
    this.#secret.wipe()
  }
}

export class MainStage {
  readonly #secret: StageSecret

  /** Made by `HandshakeStage.toMain`. */
  constructor(secret: StageSecret) {
    this.#secret = secret
  }

  /** client_application_traffic_secret_0. @param transcriptHash of ClientHello...server Finished */
  clientApplicationTrafficSecret(transcriptHash: Uint8Array): Uint8Array {
    return this.#secret.derive("c ap traffic", transcriptHash, "client_application_traffic_secret")
  }

  /** server_application_traffic_secret_0. @param transcriptHash of ClientHello...server Finished */
  serverApplicationTrafficSecret(transcriptHash: Uint8Array): Uint8Array {
    return this.#secret.derive("s ap traffic", transcriptHash, "server_application_traffic_secret")
  }

  /** @param transcriptHash of ClientHello...server Finished */
  exporterSecret(transcriptHash: Uint8Array): Uint8Array {
    return this.#secret.derive("exp master", transcriptHash, "exporter_secret")
  }

  /** @param transcriptHash of ClientHello...client Finished */
  resumptionSecret(transcriptHash: Uint8Array): Uint8Array {
    return this.#secret.derive("res master", transcriptHash, "resumption_secret")
  }

  /** Erases the Main Secret: everything that is derived from it has been. */
  wipe(): void {
    this.#secret.wipe()
  }
}

/** A secret down the left side of the diagram. Only its HMAC key state is kept, which every derivation starts from. */
class StageSecret {
  readonly #hash: Hash
  readonly #name: SecretName
  readonly #observer: SecretObserver | undefined
  #key: HmacKey | undefined

  constructor(hash: Hash, name: SecretName, salt: Uint8Array, ikm: Uint8Array, observer: SecretObserver | undefined) {
    this.#hash = hash
    this.#name = name
    this.#observer = observer
    const secret = hkdfExtract(hash, salt, ikm)
    try {
      observer?.(name, secret, 0)
      this.#key = hash.hmac(secret)
    } finally {
      secret.fill(0)
    }
  }

  /** Derive-Secret(., label, Messages); `transcriptHash` undefined stands for "". */
  derive(label: string, transcriptHash: Uint8Array | undefined, name: SecretName): Uint8Array {
    const secret = this.#derive(label, transcriptHash ?? emptyHash(this.#hash))
    try {
      this.#observer?.(name, secret, 0)
    } catch (error) {
      secret.fill(0) // nobody has it who would erase it
      throw error
    }
    return secret
  }

  /** HKDF-Extract(Derive-Secret(., "derived", ""), ikm); `ikm` undefined stands for "0". */
  next(name: SecretName, ikm: Uint8Array | undefined): StageSecret {
    const salt = this.#derive("derived", emptyHash(this.#hash))
    try {
      return new StageSecret(this.#hash, name, salt, ikm ?? new Uint8Array(this.#hash.length), this.#observer)
    } finally {
      salt.fill(0)
      this.wipe()
    }
  }

  wipe(): void {
    this.#key?.wipe()
    this.#key = undefined
  }

  #derive(label: string, transcriptHash: Uint8Array): Uint8Array {
    if (!this.#key) throw new Misuse(`${this.#name} was erased: the key schedule has moved on from it`)
    // Every Messages argument is a transcript hash of this suite; another length is a hash of another suite.
    if (transcriptHash.length !== this.#hash.length) {
      throw new Misuse(`"${label}" wants a transcript hash of ${this.#hash.length} bytes, not ${transcriptHash.length}`)
    }
    return expandLabel(this.#hash, this.#key, label, transcriptHash, this.#hash.length)
  }
}
