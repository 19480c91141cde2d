// CONNECTED: what both roles share. RFC 9846 sections 4.7.3 (KeyUpdate), 7.2 (traffic secrets) and 7.5 (exporters).

import type { HandshakeTypeName } from "../bytes/code-points.ts"
import { Misuse } from "../bytes/errors.ts"
import { decodeKeyUpdate, encodeKeyUpdate, type KeyUpdateRequest } from "../codec/key-update.ts"
import type { HandshakeMessage } from "../codec/message.ts"
import type { CipherSuiteAlgorithms } from "../crypto/provider.ts"
import { exportKeyingMaterial } from "../schedule/exporter.ts"
import type { MainStage } from "../schedule/key-schedule.ts"
import { nextTrafficSecret } from "../schedule/traffic.ts"
import type { SecretName } from "../trace/events.ts"
import type { Decides } from "./coroutine.ts"
import type { Erasure } from "./erasure.ts"
import type { Link } from "./link.ts"
import type { ClientAuthentication, FinishedVerified, PeerAuthentication } from "./proofs.ts"

/** Section 4.7.3: the number of key updates that a sender may not exceed. */
const mostKeyUpdates = 2 ** 48 - 1

/** What only a handshake that was checked to its end can bring. */
export interface Proofs<Authentication = PeerAuthentication | ClientAuthentication> {
  readonly peer: Authentication
  readonly finished: FinishedVerified
}

export interface ApplicationSecrets {
  readonly client: Uint8Array
  readonly server: Uint8Array
  readonly exporter: Uint8Array
}

/** @param transcriptHash of ClientHello...server Finished */
export function applicationSecretsOf(
  main: MainStage,
  transcriptHash: Uint8Array,
  erasure: Erasure,
): ApplicationSecrets {
  return {
    client: erasure.hold(main.clientApplicationTrafficSecret(transcriptHash)),
    server: erasure.hold(main.serverApplicationTrafficSecret(transcriptHash)),
    exporter: erasure.hold(main.exporterSecret(transcriptHash)),
  }
}

export abstract class Connected<Authentication> {
  abstract readonly accepts: readonly HandshakeTypeName[]
  readonly proofs: Proofs<Authentication>
  protected readonly link: Link
  protected readonly suite: CipherSuiteAlgorithms
  readonly #exporterSecret: Uint8Array
  protected readonly sending: TrafficSecret
  protected readonly receiving: TrafficSecret
  #keyUpdateOwed = false
  #answerAwaited = false

  protected constructor(
    role: "client" | "server",
    link: Link,
    suite: CipherSuiteAlgorithms,
    secrets: ApplicationSecrets,
    proofs: Proofs<Authentication>,
  ) {
    this.link = link
    this.suite = suite
    this.proofs = proofs
    this.#exporterSecret = secrets.exporter
    const client = new TrafficSecret("client_application_traffic_secret", secrets.client)
    const server = new TrafficSecret("server_application_traffic_secret", secrets.server)
    this.sending = role === "client" ? client : server
    this.receiving = role === "client" ? server : client
  }

  /** Takes a message of those that it accepts; it may wait for decisions. */
  abstract receive(message: HandshakeMessage): Decides<void>

  /** Whether the peer is in the middle of messages that nothing may come between (section 4.7.2). */
  get isMidAnswer(): boolean {
    return false
  }

  protected receiveKeyUpdate(message: HandshakeMessage): void {
    const request = decodeKeyUpdate(message)
    const boundary = this.link.atRecordBoundary()
    this.receiving.update(this.suite, this.link)
    this.link.protectReceiving(this.suite, this.receiving.secret, this.receiving.name, boundary)
    this.#answerAwaited = false
    // "the receiver MUST send a KeyUpdate of its own ... prior to sending its next Application Data record"
    if (request === "update_requested") this.#keyUpdateOwed = true
  }

  /**
   * Sends the KeyUpdate that the peer asked for, ahead of data of ours: "an implementation which receives multiple KeyUpdates
   * while it is silent" is "to respond with a single update".
   */
  answerKeyUpdate(): void {
    if (this.#keyUpdateOwed && this.sending.generation < mostKeyUpdates) this.#updateSending("update_not_requested")
    this.#keyUpdateOwed = false
  }

  /** New sending keys now; with `update_requested` the peer renews its own too. */
  updateKeys(request: KeyUpdateRequest): void {
    if (this.sending.generation >= mostKeyUpdates) throw new Misuse("no more key updates: open a new connection")
    // "Until receiving a subsequent KeyUpdate from the peer, the sender MUST NOT send another KeyUpdate with update_requested."
    this.#updateSending(this.#answerAwaited ? "update_not_requested" : request)
    if (request === "update_requested") this.#answerAwaited = true
    this.#keyUpdateOwed = false
  }

  /** Section 7.5. @param length bytes, at most 255 times Hash.length */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    return exportKeyingMaterial(this.suite.hash, this.#exporterSecret, label, context, length)
  }

  wipe(): void {
    this.#exporterSecret.fill(0)
    this.sending.secret.fill(0)
    this.receiving.secret.fill(0)
  }

  #updateSending(request: KeyUpdateRequest): void {
    this.link.send("key_update", encodeKeyUpdate(request))
    this.sending.update(this.suite, this.link)
    this.link.protectSending(this.suite, this.sending.secret, this.sending.name)
  }
}

/** [sender]_application_traffic_secret_N. */
class TrafficSecret {
  readonly name: SecretName
  secret: Uint8Array
  generation = 0

  constructor(name: SecretName, secret: Uint8Array) {
    this.name = name
    this.secret = secret
  }

  update(suite: CipherSuiteAlgorithms, link: Link): void {
    const next = nextTrafficSecret(suite.hash, this.secret)
    this.secret.fill(0)
    this.secret = next
    this.generation++
    link.observeSecret(this.name, next, this.generation)
  }
}
