// The key schedule of a connection that is only looked at, when what goes into it is known: RFC 9846 section 7.1.

import type { CryptoProvider } from "@puremq/tls13"
import { EarlyStage, equalBytes, finishedMac, Transcript, truncateBinders } from "@puremq/tls13/explore"
import { clientHelloOf } from "../knowledge/flow.ts"
import type { SecretName } from "../run/names.ts"
import type { End } from "../run/step.ts"
import type { KnownSecrets } from "./secrets.ts"

type Suite = CryptoProvider["cipherSuites"][number]
type Told = (name: SecretName, secret: Uint8Array, generation: number) => void

export class DerivedSecrets {
  readonly #inputs: KnownSecrets["inputs"]
  readonly #usual: Suite
  readonly #told: Told
  readonly #secrets = new Map<SecretName, Uint8Array>()
  /** Until the suite is known. */
  #unhashed: { readonly name: string; readonly message: Uint8Array }[] = []
  #transcript: Transcript | undefined
  #handshake: ReturnType<EarlyStage["toHandshake"]> | undefined
  #main: ReturnType<ReturnType<EarlyStage["toHandshake"]>["toMain"]> | undefined

  /** @param usual whose hash the PSK's is taken to be, until a ServerHello says it */
  constructor(inputs: KnownSecrets["inputs"], usual: Suite, told: Told) {
    this.#inputs = inputs
    this.#usual = usual
    this.#told = told
  }

  secret(name: SecretName): Uint8Array | undefined {
    return this.#secrets.get(name)
  }

  /** The next message of the transcript. @param suite undefined: no ServerHello or HelloRetryRequest has named one yet */
  add(from: End, name: string, message: Uint8Array, suite: Suite | undefined): void {
    if (this.#inputs === undefined || afterwards.includes(name)) return
    if (name === "client_hello" && this.#inputs.psk !== undefined && suite === undefined) this.#early(message)
    this.#unhashed.push({ name, message })
    if (suite === undefined) return
    this.#hash(suite)
    const transcript = this.#transcript
    if (transcript === undefined) return
    if (name === "server_hello") this.#toHandshake(suite, transcript)
    else if (name === "finished" && from === "server") this.#toMain(transcript)
    else if (name === "finished" && this.#main)
      this.#keep("resumption_secret", this.#main.resumptionSecret(transcript.hash()))
  }

  /** The secrets of 0-RTT data, which is sent before anybody answers. */
  #early(clientHello: Uint8Array): void {
    const { hash } = this.#usual
    const clientHelloHash = hash.digest(clientHello)
    const early = EarlyStage.start(hash, this.#inputs!.psk, (name, secret) => this.#keep(name, secret))
    this.#binderKey(clientHello)
    early.clientEarlyTrafficSecret(clientHelloHash)
    early.earlyExporterSecret(clientHelloHash)
    early.wipe()
  }

  /** Section 4.3.11.2: of which kind the PSK is shows in the binder, which only the key of that kind makes. */
  #binderKey(clientHello: Uint8Array): void {
    const { hash } = this.#usual
    const hello = clientHelloOf(clientHello)
    const binder = hello?.extensions.pre_shared_key?.binders[0]
    if (hello === undefined || binder === undefined) return
    const truncated = hash.digest(truncateBinders(clientHello, hello.extensions))
    for (const kind of ["resumption", "external", "imported"] as const) {
      const early = EarlyStage.start(hash, this.#inputs!.psk)
      const binderKey = early.binderKey(kind)
      early.wipe()
      if (!equalBytes(finishedMac(hash, binderKey, truncated), binder)) continue
      this.#keep("binder_key", binderKey)
      return
    }
  }

  #hash(suite: Suite): void {
    for (const { name, message } of this.#unhashed) {
      const first = this.#unhashed[0]
      if (name === "hello_retry_request" && first !== undefined && this.#transcript !== undefined) {
        this.#transcript = Transcript.afterHelloRetryRequest(suite.hash, first.message)
      }
      this.#transcript ??= new Transcript(suite.hash)
      this.#transcript.add(message)
    }
    this.#unhashed = []
  }

  #toHandshake(suite: Suite, transcript: Transcript): void {
    const hash = transcript.hash()
    const early = EarlyStage.start(suite.hash, this.#inputs!.psk, (name, secret) => this.#keep(name, secret))
    this.#handshake = early.toHandshake(this.#inputs!.sharedSecret)
    this.#handshake.clientHandshakeTrafficSecret(hash)
    this.#handshake.serverHandshakeTrafficSecret(hash)
  }

  #toMain(transcript: Transcript): void {
    const hash = transcript.hash()
    this.#main = this.#handshake?.toMain()
    this.#handshake = undefined
    this.#main?.clientApplicationTrafficSecret(hash)
    this.#main?.serverApplicationTrafficSecret(hash)
    this.#main?.exporterSecret(hash)
  }

  #keep(name: SecretName, secret: Uint8Array): void {
    if (this.#secrets.has(name)) return
    this.#secrets.set(name, Uint8Array.from(secret))
    this.#told(name, secret, 0)
  }
}

/** What comes after the handshake is not part of its transcript. */
const afterwards: readonly string[] = ["new_session_ticket", "key_update"]
