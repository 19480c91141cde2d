// A peer on strings. A real connection, the actor, makes the messages, so that transcripts, signatures and MACs are right;
// the puppet takes them apart and writes the records itself, under whatever keys the connection under test reads with at
// that moment, which its trace tells. So a test can send any bytes in any state, rightly protected.

import { ContentType, type HandshakeTypeName } from "../../src/bytes/code-points.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { copyOf } from "../../src/bytes/copy.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import type { Connection } from "../../src/connection/connection.ts"
import type { ConnectionEvent, Outcome } from "../../src/connection/events.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import type { ClientOptions, MessageRewriter, ServerOptions } from "../../src/handshake/options.ts"
import { maxContentLength, RecordProtection } from "../../src/record/protection.ts"
import type { SecretName, TraceEvent } from "../../src/trace/events.ts"

export type MessageName = HandshakeTypeName | "hello_retry_request"

/** Something that the actor has sent and the connection under test has not got. */
export interface Part {
  readonly name: MessageName | "application_data" | "alert"
  readonly contentType: number
  readonly content: Uint8Array
}

export interface Scene {
  readonly client: ClientOptions
  readonly server: ServerOptions
  /** Changes the actor's messages before it takes them into its own transcript; nothing in place of one leaves it out. */
  readonly rewrite?: MessageRewriter
  /** The same for the messages of the connection under test. */
  readonly rewriteSubject?: MessageRewriter
  /** Milliseconds since 1970. */
  readonly now: number
}

export class Puppet {
  readonly subject: ClientConnection | ServerConnection
  readonly actor: ClientConnection | ServerConnection
  /** What the subject's calls gave, in order. */
  readonly events: ConnectionEvent[] = []
  /** Alerts that the subject sent. */
  readonly alerts: { readonly level: number; readonly description: string; readonly protected: boolean }[] = []
  /** Messages that the subject sent. */
  readonly sent: { readonly name: MessageName; readonly message: Uint8Array }[] = []
  /** Bytes that the subject sent. */
  output = 0
  /** The actor's parts that are still to come. */
  readonly parts: Part[] = []
  /** The state that the subject is in. */
  state: string
  /** The steps that the subject has taken: what it received, where that led. */
  readonly walked: Extract<TraceEvent, { type: "state" }>[] = []
  /** What the last call on the subject gave. */
  outcome: Outcome | undefined
  now: number
  /** Of what the subject reads; undefined: in the clear. */
  #protection: RecordProtection | undefined
  readonly #secrets = new Map<SecretName, Uint8Array>()
  readonly #suites: ClientOptions["provider"]["cipherSuites"]
  #isSendingProtected = false

  private constructor(role: "client" | "server", scene: Scene) {
    this.now = scene.now
    this.state = role === "client" ? "WAIT_SH" : "START"
    const isClient = role === "client"
    this.#suites = (isClient ? scene.server : scene.client).provider.cipherSuites
    const clientTrace = isClient ? this.#watchSubject : this.#watchActor
    const serverTrace = isClient ? this.#watchActor : this.#watchSubject
    const client = createClientConfig(
      { ...scene.client, trace: clientTrace },
      isClient ? scene.rewriteSubject : scene.rewrite,
    )
    const server = createServerConfig(
      { ...scene.server, trace: serverTrace },
      isClient ? scene.rewrite : scene.rewriteSubject,
    )
    const clientConnection = new ClientConnection(client, scene.now)
    const serverConnection = new ServerConnection(server, scene.now)
    this.subject = isClient ? clientConnection : serverConnection
    this.actor = isClient ? serverConnection : clientConnection
  }

  /** A client under test, its ClientHello sent. */
  static ofClient(scene: Scene): Puppet {
    const puppet = new Puppet("client", scene)
    if (puppet.subject instanceof ClientConnection) puppet.take(puppet.subject.start())
    return puppet
  }

  /** A server under test, the actor's ClientHello ready to be delivered. */
  static ofServer(scene: Scene): Puppet {
    const puppet = new Puppet("server", scene)
    if (puppet.actor instanceof ClientConnection) puppet.actor.start()
    return puppet
  }

  /* ------------------------------------------------------------ what the actor made */

  /** Delivers the actor's next part in a record of its own. */
  deliver(): Part {
    const part = this.parts.shift()
    if (part === undefined) throw new Error(`the actor has sent all that it had; the subject is in ${this.state}`)
    this.send(part.contentType, part.content)
    return part
  }

  /** Delivers the actor's parts up to the first of that name, which comes next. */
  deliverUntil(name: Part["name"]): this {
    while (this.parts[0]?.name !== name) this.deliver()
    return this
  }

  /** Delivers until the subject is in a state. */
  deliverUntilState(state: string): this {
    while (this.state !== state) this.deliver()
    return this
  }

  /** Delivers everything. */
  run(): this {
    while (this.parts.length > 0 && this.subject.failure === undefined) this.deliver()
    return this
  }

  /** Takes the actor's next part away. @throws Error when it has another name */
  drop(name: Part["name"]): Uint8Array {
    const part = this.parts.shift()
    if (part?.name !== name) throw new Error(`the actor's next part is ${part?.name ?? "nothing"}, not ${name}`)
    return part.content
  }

  /** Something that the actor does outside of the handshake: sends early data, say. */
  act(call: (actor: Connection) => Outcome): this {
    call(this.actor)
    return this
  }

  /* ------------------------------------------------------------ what the test wants */

  /** The record of a content under the subject's present keys, or in the clear, without delivering it: any content. */
  record(contentType: number, content: Uint8Array): Uint8Array {
    if (this.#protection !== undefined && contentType !== ContentType.change_cipher_spec) {
      return this.innerRecord(concatBytes(content, Uint8Array.of(contentType)))
    }
    return concatBytes(recordHeader(contentType, content.length), content)
  }

  /** A protected record whose TLSInnerPlaintext (content, type, zeros) is `inner`, right or not. */
  innerRecord(inner: Uint8Array): Uint8Array {
    const protection = this.#protection
    if (protection === undefined) throw new Error(`nothing is protected yet in ${this.state}`)
    const header = recordHeader(ContentType.application_data, inner.length + protection.suite.aead.tagLength)
    const record = concatBytes(header, new Uint8Array(inner.length + protection.suite.aead.tagLength))
    protection.seal(header, inner, record, header.length)
    return record
  }

  /** In as many records as it takes. */
  send(contentType: number, content: Uint8Array): Outcome {
    for (let at = 0; at + maxContentLength < content.length; at += maxContentLength) {
      this.receive(this.record(contentType, content.subarray(at, at + maxContentLength)))
    }
    const last = content.length - (content.length % maxContentLength || Math.min(content.length, maxContentLength))
    return this.receive(this.record(contentType, content.subarray(last)))
  }

  /** Handshake messages in one record. */
  message(...messages: readonly Uint8Array[]): Outcome {
    return this.send(ContentType.handshake, concatBytes(...messages))
  }

  /** Bytes as they are. */
  receive(bytes: Uint8Array): Outcome {
    return this.take(this.subject.receive(bytes, this.now))
  }

  /** Notes what a call on the subject gave, and lets the actor read it. */
  take(outcome: Outcome): Outcome {
    this.outcome = outcome
    this.events.push(...outcome.events)
    this.output += outcome.output.length
    if (outcome.output.length > 0) this.actor.receive(outcome.output, this.now)
    return outcome
  }

  /** A secret of the subject's key schedule, the latest of its name. */
  secret(name: SecretName): Uint8Array | undefined {
    return this.#secrets.get(name)
  }

  /* ------------------------------------------------------------ traces */

  readonly #watchSubject = (event: TraceEvent): void => {
    switch (event.type) {
      case "secret":
        this.#secrets.set(event.name, copyOf(event.secret))
        break
      case "keys":
        if (event.direction === "received") this.#follow(event.secretName, event.key.length)
        else this.#isSendingProtected = true
        break
      case "state":
        this.walked.push(event)
        this.state = event.to
        break
      case "message":
        if (event.direction === "sent") this.sent.push({ name: event.name, message: copyOf(event.message) })
        break
      case "alert":
        if (event.direction === "sent") {
          const { level, description } = event
          this.alerts.push({ level, description, protected: this.#isSendingProtected })
        }
    }
  }

  readonly #watchActor = (event: TraceEvent): void => {
    if (event.type === "message" && event.direction === "sent") {
      // One that was left out is not there.
      if (event.message.length === 0) return
      this.parts.push({ name: event.name, contentType: ContentType.handshake, content: copyOf(event.message) })
    } else if (event.type === "record" && event.direction === "sent") {
      const name =
        event.innerType === ContentType.application_data
          ? "application_data"
          : event.innerType === ContentType.alert
            ? "alert"
            : undefined
      if (name) this.parts.push({ name, contentType: event.innerType, content: copyOf(event.content) })
    }
  }

  /** The subject reads with other keys from now on: so the puppet writes with them. */
  #follow(name: SecretName, keyLength: number): void {
    const secret = this.#secrets.get(name)
    // Key and hash lengths tell the suites apart; of two alike the first is it (CCM has to be offered alone).
    const suite = this.#suites.find(({ aead, hash }) => aead.keyLength === keyLength && hash.length === secret?.length)
    if (secret === undefined || suite === undefined) throw new Error(`no keys of ${name} are known`)
    this.#protection = new RecordProtection(suite, secret)
  }
}

function recordHeader(contentType: number, length: number): Uint8Array {
  return Uint8Array.of(contentType, 3, 3, length >> 8, length)
}
