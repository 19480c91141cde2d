// A connection seen from outside: the bytes of both directions, and what is known of its secrets, become the same list of steps that a
// run of ours gives. Nobody here refuses anything; what cannot be read is shown as it is.

import { alertName, type CryptoProvider } from "@puremq/tls13"
import {
  ContentType,
  codePointName,
  copyOf,
  decodeClientHello,
  decodeEncryptedExtensions,
  decodeServerHello,
  ExtensionType,
  HandshakeJoiner,
  handshakeMessage,
  type KeyShareEntry,
  NamedGroup,
  nextTrafficSecret,
  RecordProtection,
  trafficKeys,
} from "@puremq/tls13/explore"
import { otherEnd, recordsOf } from "../run/meddling.ts"
import type { SecretName } from "../run/names.ts"
import type { End, Happening, Step, Timeline } from "../run/step.ts"
import { messageHappening } from "../run/traced.ts"
import { DerivedSecrets } from "./derived.ts"
import { messageName } from "./message-name.ts"
import type { KnownSecrets } from "./secrets.ts"
import { StatesSeen } from "./states.ts"

/** What one end has sent, in the order in which it was seen. */
export interface Chunk {
  readonly from: End
  readonly bytes: Uint8Array
}

type Suite = CryptoProvider["cipherSuites"][number]
type Phase = "early" | "handshake" | "application"

const longestMessage = 2 ** 24 - 1
/** Records that are shown: people look at handshakes, and each is several steps. */
const mostRecords = 5_000

/** Bytes that are no TLS records end the list with a step that says so. Never throws for what the bytes are. */
export function observe(chunks: readonly Chunk[], known: KnownSecrets, provider: CryptoProvider): Timeline {
  const observer = new Observer(known, provider)
  for (const { from, bytes } of chunks) observer.see(from, bytes)
  return { steps: observer.steps, costs: [], seenFromOutside: true }
}

class Sender {
  /** Bytes of a record that is not whole yet. */
  pending: Uint8Array = new Uint8Array(0)
  readonly joiner = new HandshakeJoiner(longestMessage)
  protection: RecordProtection | undefined
  phase: Phase | undefined
  /** application_traffic_secret_N. */
  secret: Uint8Array | undefined
  generation = 0
  /** Nothing can be made of what comes. */
  lost = false
}

class Observer {
  readonly steps: Step[] = []
  readonly #known: KnownSecrets
  readonly #provider: CryptoProvider
  readonly #senders: Readonly<Record<End, Sender>> = { client: new Sender(), server: new Sender() }
  readonly #derived: DerivedSecrets
  readonly #states: StatesSeen
  #suite: Suite | undefined
  #clientRandom: Uint8Array = new Uint8Array(32)
  #clientShares: readonly KeyShareEntry[] = []
  #flight = 0
  #lastSender: End | undefined
  #nextId = 0

  constructor(known: KnownSecrets, provider: CryptoProvider) {
    this.#known = known
    this.#provider = provider
    this.#derived = new DerivedSecrets(known.inputs, usualSuite(provider), (name, secret, generation) =>
      this.#tellSecret(name, secret, generation),
    )
    this.#states = new StatesSeen((end, from, message, to) => this.#add(end, { type: "state", from, message, to }))
  }

  see(from: End, bytes: Uint8Array): void {
    const sender = this.#senders[from]
    if (sender.lost) return
    if (this.#lastSender !== undefined && this.#lastSender !== from) this.#flight++
    this.#lastSender = from
    const all = new Uint8Array(sender.pending.length + bytes.length)
    all.set(sender.pending)
    all.set(bytes, sender.pending.length)
    const whole = wholeRecords(all)
    if (whole === undefined) {
      sender.lost = true
      this.#add(undefined, { type: "event", text: `the ${from} sends what is no TLS record` })
      return
    }
    sender.pending = copyOf(all.subarray(whole))
    for (const record of recordsOf(all.subarray(0, whole))) {
      if (this.#nextId >= mostRecords) {
        sender.lost = true
        this.#add(undefined, {
          type: "event",
          text: `the ${from} sends more than ${mostRecords} records: the rest is not shown`,
        })
        return
      }
      this.#record(from, record)
    }
  }

  /* ------------------------------------------------------------ records */

  #record(from: End, record: Uint8Array): void {
    const contentType = record[0]!
    const isProtected = contentType === ContentType.application_data
    const inner = isProtected ? this.#opened(from, record) : undefined
    const wire = this.#nextId++
    const travels = () =>
      this.#add(undefined, { type: "wire", record: { id: wire, from, sent: record, arrives: record, fate: "carried" } })
    if (isProtected && inner === undefined) {
      travels()
      this.#add(undefined, { type: "event", text: "this record cannot be read: no secret that opens it is known" })
      return
    }
    let end = (inner?.length ?? 0) - 1
    while (end > 0 && inner![end] === 0) end--
    const innerType = inner === undefined ? contentType : (inner[end] ?? 0)
    const content = copyOf(inner === undefined ? record.subarray(5) : inner.subarray(0, Math.max(end, 0)))
    // As it is at the two ends: messages are made, then their record; a record is opened, then its messages are read.
    const messages = innerType === ContentType.handshake ? this.#joined(from, content) : []
    for (const message of messages) this.#tellMessage(from, "sent", message)
    const told = { type: "record", contentType, innerType, record, content, protected: isProtected, wire } as const
    this.#add(from, { ...told, direction: "sent" })
    travels()
    this.#add(otherEnd(from), { ...told, direction: "received" })
    for (const message of messages) this.#message(from, message)
    this.#otherContent(from, innerType, content)
  }

  /** With the key in use, or with one that comes after it: that of 0-RTT data which the server refused is never followed by EndOfEarlyData. */
  #opened(from: End, record: Uint8Array): Uint8Array | undefined {
    const sender = this.#senders[from]
    const header = record.subarray(0, 5)
    const body = record.subarray(5)
    const attempt = (protection: RecordProtection) => {
      const out = new Uint8Array(body.length)
      const length = protection.open(header, body, out, 0)
      return length < 0 ? undefined : out.subarray(0, length)
    }
    const now = sender.protection && attempt(sender.protection)
    if (now !== undefined) return now
    for (const phase of nextPhases(from, sender.phase)) {
      const protection = this.#protectionOf(from, phase)
      const inner = protection && attempt(protection)
      if (inner === undefined) continue
      this.#take(from, phase, protection!)
      return inner
    }
    return undefined
  }

  #protectionOf(from: End, phase: Phase): RecordProtection | undefined {
    const suite = this.#suite ?? usualSuite(this.#provider)
    const secret = suite && this.#secretOf(from, phase)
    if (secret?.length !== suite?.hash.length) return undefined
    return suite && secret && new RecordProtection(suite, secret)
  }

  #secretOf(from: End, phase: Phase): Uint8Array | undefined {
    const name = secretNames[from][phase]
    if (name === undefined) return undefined
    return this.#derived.secret(name) ?? this.#known.logged(name, this.#clientRandom)
  }

  #take(from: End, phase: Phase, protection: RecordProtection): void {
    const sender = this.#senders[from]
    sender.protection = protection
    sender.phase = phase
    const secret = this.#secretOf(from, phase)
    const name = secretNames[from][phase]!
    if (secret === undefined) return
    if (phase === "application") sender.secret = secret
    if (this.#derived.secret(name) === undefined) this.#tellSecret(name, secret, 0)
    this.#tellKeys(from, name, secret)
  }

  #tellKeys(from: End, secretName: SecretName, secret: Uint8Array): void {
    const { key, iv } = trafficKeys(this.#suite ?? usualSuite(this.#provider), secret)
    for (const direction of ["sent", "received"] as const) {
      this.#add(direction === "sent" ? from : otherEnd(from), { type: "keys", direction, secretName, key, iv })
    }
  }

  /* ------------------------------------------------------------ contents */

  #joined(from: End, content: Uint8Array): Uint8Array[] {
    const { joiner } = this.#senders[from]
    joiner.push(content)
    const messages: Uint8Array[] = []
    for (let message = joiner.next(); message !== undefined; message = joiner.next()) messages.push(copyOf(message))
    return messages
  }

  #otherContent(from: End, type: number, content: Uint8Array): void {
    const to = otherEnd(from)
    if (type === ContentType.application_data) {
      this.#add(to, { type: "data", data: content, early: this.#senders[from].phase === "early" })
    } else if (type === ContentType.alert && content.length === 2) {
      for (const [end, direction] of [
        [from, "sent"],
        [to, "received"],
      ] as const) {
        this.#add(end, { type: "alert", direction, level: content[0]!, description: alertName(content[1]!) })
      }
    }
  }

  #tellMessage(from: End, direction: "sent" | "received", message: Uint8Array): void {
    const end = direction === "sent" ? from : otherEnd(from)
    this.#add(end, messageHappening({ type: "message", direction, name: messageName(message), message }))
  }

  /** A message has arrived. */
  #message(from: End, message: Uint8Array): void {
    const parsed = handshakeMessage(message)
    const name = messageName(message)
    this.#tellMessage(from, "received", message)
    try {
      this.#understand(from, name, parsed)
    } catch {
      // A message that cannot be read says so in its words; nothing follows from it.
    }
    this.#derived.add(from, name, message, this.#suite)
    if (name === "client_hello") this.#tellLogged("early_exporter_secret")
    else if (name === "finished" && from === "server") this.#tellLogged("exporter_secret")
    this.#states.saw(from, name, message)
    if (name === "key_update") this.#update(from)
  }

  /** What later records need of a message. */
  #understand(from: End, name: string, message: ReturnType<typeof handshakeMessage>): void {
    if (name === "client_hello") {
      const hello = decodeClientHello(message)
      this.#clientRandom = copyOf(hello.random)
      this.#clientShares = (hello.extensions.key_share ?? []).map(({ group, keyExchange }) => ({
        ...{ group, keyExchange: copyOf(keyExchange) },
      }))
    } else if (name === "server_hello" || name === "hello_retry_request") {
      const hello = decodeServerHello(message)
      if (hello.kind === "legacy") return
      this.#suite = this.#provider.cipherSuites.find(({ code }) => code === hello.cipherSuite)
      if (hello.kind === "hello_retry_request") return
      this.#states.pskSelected = hello.extensionTypes.includes(ExtensionType.pre_shared_key)
      if (hello.extensions.key_share !== undefined) this.#tellExchange(hello.extensions.key_share)
    } else if (name === "encrypted_extensions") {
      this.#states.earlyDataAccepted = decodeEncryptedExtensions(message).types.includes(ExtensionType.early_data)
    } else if (from === "client" && name === "end_of_early_data") this.#senders.client.protection = undefined
  }

  #update(from: End): void {
    const sender = this.#senders[from]
    if (sender.secret === undefined || this.#suite === undefined) return
    sender.secret = nextTrafficSecret(this.#suite.hash, sender.secret)
    sender.protection = new RecordProtection(this.#suite, sender.secret)
    sender.generation++
    this.#tellSecret(secretNames[from].application!, sender.secret, sender.generation)
    this.#tellKeys(from, secretNames[from].application!, sender.secret)
  }

  /* ------------------------------------------------------------ telling */

  /** Where the secret is printed beside the bytes: no share gives it away, and no key log has it. */
  #tellExchange(servers: KeyShareEntry): void {
    const secret = this.#known.inputs?.sharedSecret
    const clients = this.#clientShares.find(({ group }) => group === servers.group)
    if (secret === undefined || clients === undefined) return
    const group = codePointName(NamedGroup, servers.group)
    for (const [end, { keyExchange }] of [
      ["server", clients],
      ["client", servers],
    ] as const) {
      this.#add(end, { type: "exchange", group, peersShare: copyOf(keyExchange), secret: copyOf(secret) })
    }
  }

  /** A secret that protects no record, as soon as both can have it. */
  #tellLogged(name: SecretName): void {
    const secret = this.#derived.secret(name) === undefined && this.#known.logged(name, this.#clientRandom)
    if (secret) this.#tellSecret(name, secret, 0)
  }

  #tellSecret(name: SecretName, secret: Uint8Array, generation: number): void {
    const clientRandom = this.#clientRandom
    for (const end of ["client", "server"] as const) {
      this.#add(end, { type: "secret", name, secret: copyOf(secret), clientRandom, generation })
    }
  }

  #add(end: End | undefined, happening: Happening): void {
    this.steps.push({ index: this.steps.length, connection: 0, end, happening, flight: this.#flight })
  }
}

/** What 0-RTT data is most likely sent under: the suite is that of the ticket, which nobody sees. */
function usualSuite(provider: CryptoProvider): Suite {
  const { cipherSuites } = provider
  return cipherSuites.find(({ name }) => name === "TLS_AES_128_GCM_SHA256") ?? cipherSuites[0]!
}

const secretNames: Readonly<Record<End, Readonly<Partial<Record<Phase, SecretName>>>>> = {
  client: {
    early: "client_early_traffic_secret",
    handshake: "client_handshake_traffic_secret",
    application: "client_application_traffic_secret",
  },
  server: { handshake: "server_handshake_traffic_secret", application: "server_application_traffic_secret" },
}

function nextPhases(from: End, phase: Phase | undefined): readonly Phase[] {
  const order: readonly Phase[] =
    from === "client" ? ["early", "handshake", "application"] : ["handshake", "application"]
  return phase === undefined ? order : order.filter((_, at) => at > order.indexOf(phase))
}

/** Bytes of the whole records at the beginning; undefined when they are no records at all. */
function wholeRecords(bytes: Uint8Array): number | undefined {
  let at = 0
  while (at + 5 <= bytes.length) {
    if (bytes[at]! < 20 || bytes[at]! > 23 || bytes[at + 1] !== 3) return undefined
    const end = at + 5 + ((bytes[at + 3]! << 8) | bytes[at + 4]!)
    if (end > bytes.length) break
    at = end
  }
  return at
}
