// Both state machines: a real peer's flights, changed at the level of bytes, fields, messages and records, under the right
// keys; and the application's own calls in between. What must hold whatever a peer does:
// - nothing is thrown, and no alert is internal_error: that would be a defect of ours;
// - a connection is established only over the handshake that the peer's own transcript has, to the last byte;
// - after the end nothing is read, told or sent; both ends that are connected agree on everything.

import { AlertDescription, AlertLevel } from "../../src/bytes/alerts.ts"
import { ContentType, HandshakeType } from "../../src/bytes/code-points.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { equalBytes } from "../../src/bytes/equal.ts"
import { Misuse } from "../../src/bytes/errors.ts"
import { Pause } from "../../src/bytes/pause.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { encodeEndOfEarlyData, encodeKeyUpdate } from "../../src/codec/key-update.ts"
import { encodeNewSessionTicket } from "../../src/codec/new-session-ticket.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import type { CertificateCompression, ClientOptions, ServerOptions } from "../../src/handshake/options.ts"
import { MemorySessionStore } from "../../src/session/client-store.ts"
import { MemoryPskStore } from "../../src/session/psk-store.ts"
import type { ClientSession, CookieSealer, ServerSession, Ticketer } from "../../src/session/session.ts"
import { stepName, tableSteps } from "../../tests/steps.ts"
import { always, testCredential, testVerifier } from "../../tests/tools/credentials.ts"
import { type Part, Puppet } from "../../tests/tools/puppet.ts"
import { createToyProvider, toyKey } from "../../tests/tools/toy-provider.ts"
import { mutateBytes, mutateMessage } from "../mutate-messages.ts"
import { type Random, seeded } from "../random.ts"
import { type Outcome, type Target, Violation, wordsOf } from "../target.ts"

const now = 1_800_000_000_000
const serverKey = toyKey(1)
const clientKey = toyKey(2)
const psk = {
  identity: utf8ToBytes("device"),
  key: new Uint8Array(32).fill(3),
  hash: "sha256",
  kind: "external",
} as const

interface Play {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
}

/** A ticketer without cryptography: it remembers. */
function rememberingTicketer(): Ticketer {
  const sessions: ServerSession[] = []
  return {
    seal(session) {
      sessions.push({ ...session, psk: session.psk.slice() })
      return Uint8Array.of(0x74, sessions.length)
    },
    open: (ticket) => (ticket[0] === 0x74 ? sessions[(ticket[1] ?? 0) - 1] : undefined),
  }
}

/** Cookies that only we can have made: because we remember them. */
function rememberingCookies(): CookieSealer {
  const sealed = new Map<number, Uint8Array>()
  return {
    seal(content) {
      const name = sealed.size % 256
      sealed.set(name, content.slice())
      return Uint8Array.of(0x63, name)
    },
    open: (cookie) => (cookie.length === 2 && cookie[0] === 0x63 ? sealed.get(cookie[1]!)?.slice() : undefined),
  }
}

interface Options {
  readonly client: ClientOptions
  readonly server: ServerOptions
}

function optionsOf(play: Play, random: Random): Options {
  const provider = createToyProvider((length) => random.bytes(length))
  return {
    client: { provider, serverName: "server.test", verifier: testVerifier(serverKey.publicKey), ...play.client },
    server: {
      provider,
      credentials: always(testCredential(serverKey.privateKey, serverKey.publicKey)),
      ...play.server,
    },
  }
}

/** A certificate compression that only stores: it has lengths to lie about. */
const storing: CertificateCompression = {
  code: 1,
  name: "zlib",
  compress: (message) => concatBytes(Uint8Array.of(message.length >> 8, message.length), message),
  decompress(compressed, length) {
    const claimed = ((compressed[0] ?? 0) << 8) | (compressed[1] ?? 0)
    return claimed === length && compressed.length === length + 2 ? compressed.slice(2) : undefined
  },
}

/** The plays that the fuzzer changes. */
function plays(): readonly Play[] {
  const ticketer = rememberingTicketer()
  const earlyData = { maxBytes: 500, replayGuard: { take: () => true } }
  const store = new MemorySessionStore()
  Puppet.ofServer({
    ...optionsOf({ client: { sessionStore: store }, server: { ticketer, tickets: 1, earlyData } }, seeded(7)),
    now,
  }).run()
  const session = store.take("server.test", now)
  if (session === undefined) throw new Error("no ticket came")
  const again = { take: (): ClientSession => session, put: () => {} }
  const clientAuthentication = { mode: "require", verifier: testVerifier(clientKey.publicKey) } as const
  const credentials = always(testCredential(clientKey.privateKey, clientKey.publicKey))
  const retry = { client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } }
  const resumes = { client: { sessionStore: again }, server: { ticketer, tickets: 1, earlyData } }
  return [
    {},
    {
      client: { credentials, alpnProtocols: ["mqtt"], recordSizeLimit: 512 },
      server: { clientAuthentication, alpnProtocols: ["mqtt"], recordSizeLimit: 600 },
    },
    retry,
    resumes,
    {
      client: { credentials, postHandshakeAuth: true },
      server: { clientAuthentication: { ...clientAuthentication, mode: "post-handshake" } },
    },
    { ...retry, server: { ...retry.server, statelessRetry: { cookies: rememberingCookies() } } },
    {
      client: { ...retry.client, ...resumes.client, earlyData: true },
      server: {
        ...retry.server,
        ...resumes.server,
        statelessRetry: { cookies: rememberingCookies(), requireCookie: true },
      },
    },
    {
      client: { credentials, grease: true, permuteExtensions: true, certificateCompression: [storing] },
      server: { clientAuthentication, grease: true, certificateCompression: [storing] },
    },
    { ...resumes, client: { ...resumes.client, earlyData: true } },
    { client: { ...retry.client, ...resumes.client, earlyData: true }, server: { ...retry.server, ...resumes.server } },
    {
      client: { externalPsks: [psk], allowPskWithoutKeyExchange: true, groups: ["x25519"] },
      server: { externalPsks: new MemoryPskStore([psk]), allowPskWithoutKeyExchange: true, groups: ["secp256r1"] },
    },
    { client: { externalPsks: [psk], sessionStore: again }, server: { externalPsks: new MemoryPskStore([psk]) } },
    {
      client: {
        certificateTypes: { server: ["RawPublicKey", "X509"] },
        requestOcspResponse: true,
        requestSignedCertificateTimestamps: true,
      },
      server: { clientAuthentication: { ...clientAuthentication, mode: "request" } },
    },
    {
      client: { certificateCompression: [storing] },
      server: { clientAuthentication: { ...clientAuthentication, mode: "request" }, certificateCompression: [storing] },
    },
    {
      client: { credentials, postHandshakeAuth: true, certificateCompression: [storing] },
      server: {
        clientAuthentication: { ...clientAuthentication, mode: "post-handshake" },
        certificateCompression: [storing],
      },
    },
  ]
}

/** Messages that may be put in anywhere. */
const strays: readonly Uint8Array[] = [
  encodeKeyUpdate("update_requested"),
  encodeKeyUpdate("update_not_requested"),
  encodeEndOfEarlyData(),
  encodeNewSessionTicket({
    ticketLifetime: 60,
    ticketAgeAdd: 1,
    ticketNonce: Uint8Array.of(1),
    ticket: Uint8Array.of(1, 2),
    extensions: { early_data: 10 },
  }),
  Uint8Array.of(HandshakeType.certificate, 0, 0, 4, 0, 0, 0, 0),
  Uint8Array.of(HandshakeType.finished, 0, 0, 32, ...new Uint8Array(32)),
  Uint8Array.of(HandshakeType.client_hello, 0, 0, 0),
  Uint8Array.of(HandshakeType.message_hash, 0, 0, 0),
]

export function connection(role: "client" | "server"): Target {
  const all = plays()
  const walked = new Set<string>()
  return {
    name: role,
    run: (random) => new Execution(role, random.pick(all), random, walked).run(),
    steps: { walked, rows: tableSteps(role) },
  }
}

const agreedFields = ["cipherSuite", "group", "resumed", "alpnProtocol", "helloRetryRequest", "earlyData"] as const

class Execution {
  readonly #random: Random
  readonly #puppet: Puppet
  readonly #role: "client" | "server"
  /** Half of the executions change messages that the actor then believes in: its Finished fits them. */
  readonly #inTranscript: boolean
  /** What the application will say to the decisions that it was asked for. */
  readonly #answers = new Map<Pause<unknown>, unknown>()
  /** Handshake bytes that the subject got, and those that the actor sent. */
  readonly #delivered: Uint8Array[] = []
  readonly #meant: Uint8Array[] = []
  #handshakeParts: number | undefined
  readonly #walked: Set<string>

  constructor(role: "client" | "server", play: Play, random: Random, walked: Set<string>) {
    this.#role = role
    this.#walked = walked
    this.#random = random
    const others = [...strays]
    this.#inTranscript = random.oneIn(2)
    const rewrite = (name: string, message: Uint8Array) => {
      others.push(message)
      const changed = this.#inTranscript && random.oneIn(4) ? mutateMessage(message, random, others) : message
      // A ClientHello may still get its binders: in place, so that what is meant has them, too.
      const sent = changed.length > 0 && name !== "finished" ? changed : message
      this.#meant.push(sent)
      // What comes behind Finished is another matter, and may be on its way before a decision is made.
      if (name === "finished") this.#handshakeParts ??= this.#meant.length
      return sent
    }
    const options = optionsOf(play, random)
    const scene = { ...(random.oneIn(3) ? this.#pausing(options) : options), rewrite, now }
    this.#puppet = role === "client" ? Puppet.ofClient(scene) : Puppet.ofServer(scene)
    const { actor } = this.#puppet
    if (actor instanceof ClientConnection && actor.earlyDataWritable > 20) actor.sendEarlyData(utf8ToBytes("early"))
  }

  run(): Outcome {
    const puppet = this.#puppet
    const gentle = this.#random.oneIn(3)
    for (let step = 0; step < 40 && puppet.subject.failure === undefined; step++) {
      if (puppet.parts.length > 0 && (gentle || !this.#random.oneIn(4))) this.#deliver(puppet.parts.shift()!)
      else if (!gentle || puppet.parts.length === 0) this.#disturb()
      if (this.#random.oneIn(2)) this.#answer()
      for (const each of puppet.walked.splice(0)) this.#walked.add(stepName(each))
      this.#check()
    }
    this.#checkEnd()
    const { failure, info } = puppet.subject
    const words = failure ? wordsOf(failure) : info ? "connected" : "waits"
    return { words: `${puppet.state} ${words}`, kept: puppet }
  }

  /** The same options, but the subject's decisions take their time. */
  #pausing({ client, server }: Options): Options {
    const later = <Arguments extends unknown[], Answer>(decide: (...args: Arguments) => Answer | Pause<Answer>) => {
      return (...args: Arguments): Pause<Answer> => {
        const pause = new Pause<Answer>()
        this.#answers.set(pause, decide(...args))
        return pause
      }
    }
    if (this.#role === "client") {
      const { verifier } = client
      return {
        server,
        client: { ...client, ...(verifier && { verifier: { verify: later((each) => verifier.verify(each)) } }) },
      }
    }
    const { credentials, ticketer, ...others } = server
    return {
      client,
      server: {
        ...others,
        ...(credentials && { credentials: { resolve: later((request) => credentials.resolve(request)) } }),
        ...(ticketer && {
          ticketer: { seal: (...args) => ticketer.seal(...args), open: later((...args) => ticketer.open(...args)) },
        }),
      },
    }
  }

  /** Answers the decision that the subject waits for, if it does; seldom it cannot be made. */
  #answer(): void {
    const { outcome, subject } = this.#puppet
    const waits = outcome?.waitsFor
    if (typeof waits !== "object") return
    const late = this.#random.oneIn(20)
    this.#puppet.take(late ? subject.tick(now + 10_000) : subject.answer(this.#answers.get(waits.pause), now))
  }

  #deliver(part: Part): void {
    if (part.contentType === ContentType.handshake) this.#delivered.push(part.content)
    this.#puppet.send(part.contentType, part.content)
  }

  #sendHandshake(content: Uint8Array): void {
    this.#delivered.push(content)
    if (content.length > 0) this.#puppet.send(ContentType.handshake, content)
  }

  /** Anything but what is due. */
  #disturb(): void {
    const [puppet, random] = [this.#puppet, this.#random]
    const next = puppet.parts[0]
    switch (random.integer(17)) {
      case 0:
        if (next) this.#sendHandshake(mutateMessage(puppet.parts.shift()!.content, random, strays))
        break
      case 1:
        puppet.parts.shift()
        break
      case 2:
        if (next) this.#deliver(next)
        break
      case 3:
        puppet.parts.reverse()
        break
      case 4:
        this.#sendHandshake(random.pick(strays))
        break
      case 5:
        // The next two in one record.
        if (next && puppet.parts[1])
          this.#sendHandshake(concatBytes(puppet.parts.shift()!.content, puppet.parts.shift()!.content))
        break
      case 6: {
        // In two records.
        if (!next) break
        const { content } = puppet.parts.shift()!
        const at = random.integer(content.length + 1)
        if (at > 0) this.#sendHandshake(content.subarray(0, at))
        this.#sendHandshake(content.subarray(at))
        break
      }
      case 7:
        puppet.send(ContentType.application_data, random.bytes(random.pick([0, 1, 100, 600])))
        break
      case 8:
        puppet.send(
          ContentType.alert,
          Uint8Array.of(random.pick([1, 2, 3]), random.pick([...Object.values(AlertDescription), 200])),
        )
        break
      case 9:
        puppet.receive(Uint8Array.of(ContentType.change_cipher_spec, 3, 3, 0, 1, random.oneIn(4) ? 0 : 1))
        break
      case 10:
        puppet.receive(mutateBytes(puppet.record(ContentType.handshake, random.pick(strays)), random))
        break
      case 11:
        puppet.receive(random.bytes(random.integer(40)))
        break
      case 12:
        puppet.receive(puppet.record(random.integer(30), random.bytes(random.integer(20))))
        break
      case 13:
        if (puppet.subject.info)
          puppet.receive(
            puppet.innerRecord(random.oneIn(2) ? new Uint8Array(random.integer(20)) : random.bytes(random.integer(20))),
          )
        break
      case 14:
        this.#ownCall()
        break
      default:
        this.#actorCall()
    }
  }

  /** Something that the application under test does. */
  #ownCall(): void {
    const { subject } = this.#puppet
    const random = this.#random
    if (subject instanceof ServerConnection && subject.writable && random.oneIn(3)) this.#request(subject)
    else if (random.oneIn(6)) this.#puppet.take(subject.tick(now + random.integer(9_000)))
    else if (random.oneIn(8)) this.#puppet.take(subject.close())
    else if (subject.writable) {
      this.#puppet.take(
        random.oneIn(3) ? subject.updateKeys("update_requested") : subject.send(random.bytes(random.integer(2000))),
      )
    } else if (subject.earlyDataWritable > 10) this.#puppet.take(subject.sendEarlyData(random.bytes(10)))
  }

  /** Something that the peer's application does, rightly. */
  #actorCall(): void {
    const { actor } = this.#puppet
    const random = this.#random
    if (!actor.writable) return
    if (actor instanceof ServerConnection && random.oneIn(3)) this.#request(actor)
    if (random.oneIn(3)) actor.updateKeys("update_requested")
    actor.send(random.bytes(random.integer(1000)))
    if (random.oneIn(10)) actor.close()
  }

  /** Post-handshake authentication, where the two allow it. */
  #request(server: ServerConnection): void {
    try {
      const outcome = server.requestCertificate()
      if (server === this.#puppet.subject) this.#puppet.take(outcome)
    } catch (error) {
      if (!(error instanceof Misuse)) throw error
    }
  }

  #isConnected = false

  #check(): void {
    const { subject, alerts } = this.#puppet
    const { failure } = subject
    if (failure?.alert === "internal_error" || alerts.some(({ description }) => description === "internal_error")) {
      throw failure ?? new Violation("internal_error was sent without a failure")
    }
    // An actor that was made to send nonsense may trip over it itself.
    const { failure: actors } = this.#puppet.actor
    if (!this.#inTranscript && actors?.alert === "internal_error") throw actors
    if (subject.info === undefined || this.#isConnected) return
    // What the actor's own transcript has: the messages of its handshake.
    this.#isConnected = true
    const meant = concatBytes(...this.#meant.slice(0, this.#handshakeParts))
    const delivered = concatBytes(...this.#delivered)
    if (!equalBytes(delivered.subarray(0, meant.length), meant)) {
      throw new Violation(`the ${this.#role} connected over a handshake that its peer did not have`)
    }
  }

  #checkEnd(): void {
    const { subject, actor, events } = this.#puppet
    const authenticated = events.findIndex(({ type }) => type === "connected")
    const data = events.findIndex(({ type }) => type === "data")
    if (data !== -1 && (authenticated === -1 || data < authenticated)) throw new Violation("data before authentication")
    if (subject.failure !== undefined) {
      const after = subject.receive(Uint8Array.of(ContentType.alert, 3, 3, 0, 2, AlertLevel.fatal, 0), now)
      if (after.output.length > 0 || after.events.length > 0) throw new Violation("something comes after the end")
      return
    }
    if (subject.info === undefined || actor.info === undefined || actor.failure !== undefined) return
    // An actor whose messages were changed means something else than it says.
    const fields = this.#inTranscript ? [] : agreedFields
    for (const field of fields) {
      if (subject.info[field] !== actor.info[field]) {
        throw new Violation(`the two ends disagree on ${field}: ${subject.info[field]} and ${actor.info[field]}`)
      }
    }
    const keying = [subject, actor].map((end) => end.exportKeyingMaterial("EXPORTER-fuzz", new Uint8Array(0), 32))
    if (!equalBytes(keying[0]!, keying[1]!)) throw new Violation("the two ends export different keys")
  }
}
