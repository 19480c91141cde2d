// A trace of RFC 8448 through a real connection: one role is ours, the other one's records come from the RFC.

import { ContentType, HandshakeType } from "../../src/bytes/code-points.ts"
import { toHex } from "../../src/bytes/hex.ts"
import { decodeCertificate } from "../../src/codec/certificate.ts"
import { decodeCertificateVerify } from "../../src/codec/certificate-verify.ts"
import { decodeClientHello } from "../../src/codec/client-hello.ts"
import { handshakeMessage } from "../../src/codec/message.ts"
import { decodeNewSessionTicket } from "../../src/codec/new-session-ticket.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import type { Connection } from "../../src/connection/connection.ts"
import type { ConnectionEvent, Outcome } from "../../src/connection/events.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import type { MessageRewriter } from "../../src/handshake/options.ts"
import type { ClientSession, ServerSession, Ticketer } from "../../src/session/session.ts"
import { parseCertificate } from "../../src/x509/certificate/certificate.ts"
import type { CertificateVerifier, Credential } from "../../src/x509/interfaces.ts"
import type { Step, Trace } from "../rfc8448-vectors.ts"
import { always } from "../tools/credentials.ts"
import { Recorder } from "./recorder.ts"

export type Role = "client" | "server"

export interface Replayed {
  readonly recorder: Recorder
  readonly connection: Connection
  readonly events: readonly ConnectionEvent[]
}

const start = 1_800_000_000_000
const serverName = "server"
const groups = ["x25519", "secp256r1", "secp384r1", "secp521r1"]

/** @param first the trace in which the PSK of this one was made, when it has one */
export function replay(trace: Trace, role: Role, first: Trace | undefined): Replayed {
  const script = new Script(trace, role, first)
  const recorder = new Recorder(script.toDraw)
  const connection = role === "client" ? clientOf(script, recorder) : serverOf(script, recorder)
  const events: ConnectionEvent[] = []
  const take = (outcome: Outcome) => void events.push(...outcome.events)
  if (connection instanceof ClientConnection) take(connection.start())
  for (const step of trace.steps) {
    const type = /^send (\w+) record$/.exec(step.label)?.[1]
    if (type === undefined) continue
    if (step.actor !== role) take(connection.receive(step.bytes("complete record"), script.now))
    else if (type === "application_data" && connection.info !== undefined) take(connection.send(step.bytes("payload")))
    else if (type === "application_data") take(connection.sendEarlyData(step.bytes("payload")))
    else if (type === "alert") take(connection.close())
    // Handshake and change_cipher_spec records were sent by the connection of its own accord.
  }
  return { recorder, connection, events }
}

function clientOf(script: Script, recorder: Recorder): ClientConnection {
  const { provider, trace, random } = recorder
  const config = createClientConfig(
    {
      provider,
      random,
      trace,
      serverName,
      groups,
      recordSizeLimit: 0x4001,
      verifier: keyOfCertificate,
      sessionStore: { take: () => script.session, put: () => {} },
      earlyData: true,
      middleboxCompatibility: script.compatibilityMode,
      ...(script.clientCredential && { credentials: always(script.clientCredential) }),
    },
    script.rewrite,
  )
  return new ClientConnection(config, script.now)
}

function serverOf(script: Script, recorder: Recorder): ServerConnection {
  const { provider, trace, random } = recorder
  const config = createServerConfig(
    {
      provider,
      random,
      trace,
      groups: script.retried ? ["secp256r1"] : groups,
      recordSizeLimit: 0x4001,
      ...(script.serverCredential && { credentials: always(script.serverCredential) }),
      ...(script.clientCredential && { clientAuthentication: { mode: "require", verifier: keyOfCertificate } }),
      ticketer: script.ticketer,
      tickets: script.ticket === undefined ? 0 : 1,
      ticketLifetime: 30,
      earlyData: { maxBytes: 1024, replayGuard: { take: () => true } },
      // The PSK of section 4 is the only credential there.
      externalPsks: { lookup: () => undefined },
    },
    script.rewrite,
  )
  return new ServerConnection(config, script.now)
}

/** Believes any certificate; the signature of CertificateVerify is then checked with its key. */
const keyOfCertificate: CertificateVerifier = {
  verify: ({ chain, type }) => ({
    accepted: true,
    publicKey: parseCertificate(chain[0]!).publicKey!,
    identity: { type, chain, path: chain, subject: "" },
  }),
}

/** What the trace says that our side draws, signs and sends. */
class Script {
  readonly now: number
  readonly session: ClientSession | undefined
  readonly ticket: Uint8Array | undefined
  readonly ticketer: Ticketer
  readonly retried: boolean
  readonly compatibilityMode: boolean
  readonly clientCredential: Credential | undefined
  readonly serverCredential: Credential | undefined
  readonly toDraw: readonly Uint8Array[]
  readonly #steps: readonly Step[]
  readonly #role: Role
  /** Our messages that are not sent yet, by their names in the RFC. */
  readonly #toSend: { readonly name: string; readonly message: Uint8Array }[]

  constructor(trace: Trace, role: Role, first: Trace | undefined) {
    this.#steps = trace.steps
    this.#role = role
    this.#toSend = this.#messagesOf(role).map((each) => ({ ...each, message: each.message.slice() }))
    this.retried = this.#messagesOf("client").filter(({ name }) => name === "ClientHello").length === 2
    this.compatibilityMode = trace.steps.some((step) => step.label === "send change_cipher_spec record")
    this.clientCredential = this.#credentialOf("client")
    this.serverCredential = this.#credentialOf("server")
    const ticket = this.#messagesOf("server").find(({ name }) => name === "NewSessionTicket")
    this.ticket = ticket && decodeNewSessionTicket(handshakeMessage(ticket.message)).ticket
    const resumed = first && sessionOf(first)
    this.session = resumed
    this.ticketer = { seal: () => this.ticket, open: () => resumed }
    this.now = resumed ? start + this.#claimedAge(resumed) : start
    this.toDraw = this.#draws()
  }

  /** Our message becomes the RFC's. */
  readonly rewrite: MessageRewriter = (_name, message) => {
    const next = this.#toSend.shift()
    // Finished is not rewritten: it must come out right.
    if (next === undefined || next.name === "Finished") return message
    return next.message
  }

  #messagesOf(role: Role): { readonly name: string; readonly message: Uint8Array }[] {
    const hellos = this.#steps.filter((step) => step.actor === role && isClientHelloRecord(step))
    return this.#steps.flatMap((step) => {
      const name = /^construct an? (\w+) handshake message$/.exec(step.label)?.[1]
      if (step.actor !== role || name === undefined) return []
      // Section 4 constructs the ClientHello without its binders; zeros stand there until they are computed.
      const whole = name === "ClientHello" ? withoutBinders(hellos.shift()!.bytes("payload")) : step.bytes(name)
      return [{ name, message: whole }]
    })
  }

  /** Random bytes in the order in which the core draws them: the hello's random, session id and shares; see each state. */
  #draws(): Uint8Array[] {
    const privateKeys = this.#steps
      .filter((step) => step.actor === this.#role && step.label.startsWith("create an ephemeral"))
      .map((step) => step.bytes("private key"))
    if (this.#role === "client") {
      const { random, legacySessionId } = this.#clientHello()
      return [random, ...(this.compatibilityMode ? [legacySessionId] : []), ...privateKeys]
    }
    const serverHello = this.#messagesOf("server")
      .filter(({ name }) => name === "ServerHello")
      .at(-1)!.message
    const ticket = this.#messagesOf("server").find(({ name }) => name === "NewSessionTicket")
    return [...privateKeys, serverHello.subarray(6, 38), ...(ticket ? [ticket.message.subarray(8, 12)] : [])]
  }

  #clientHello() {
    return decodeClientHello(handshakeMessage(this.#messagesOf("client")[0]!.message))
  }

  /** Milliseconds that the client says it has had its ticket (section 4.3.11.1). */
  #claimedAge(session: ServerSession): number {
    const { obfuscatedTicketAge } = this.#clientHello().extensions.pre_shared_key!.identities[0]!
    return (obfuscatedTicketAge - session.ticketAgeAdd + 2 ** 32) % 2 ** 32
  }

  /** The RFC's certificate, and a signer that gives the RFC's signature. */
  #credentialOf(role: Role): Credential | undefined {
    const messages = this.#messagesOf(role)
    const certificate = messages.find(({ name }) => name === "Certificate")
    const verify = messages.find(({ name }) => name === "CertificateVerify")
    if (certificate === undefined || verify === undefined) return undefined
    const chain = decodeCertificate(handshakeMessage(certificate.message)).certificateList.map(({ data }) => data)
    const { signature } = decodeCertificateVerify(handshakeMessage(verify.message))
    return {
      type: "X509",
      chain,
      publicKey: parseCertificate(chain[0]!).publicKey!,
      signer: { sign: () => signature },
    }
  }
}

function isClientHelloRecord(step: Step): boolean {
  return (
    step.has("payload") &&
    step.label === "send handshake record" &&
    step.bytes("payload")[0] === HandshakeType.client_hello
  )
}

function withoutBinders(clientHello: Uint8Array): Uint8Array {
  const { extensions } = decodeClientHello(handshakeMessage(clientHello))
  const bare = clientHello.slice()
  if (extensions.pre_shared_key !== undefined) bare.fill(0, bare.length - 32)
  return bare
}

/** The session of a trace that ends with a NewSessionTicket, as both sides remember it. */
function sessionOf(trace: Trace): ClientSession {
  const bytes = trace.steps.find((step) => step.has("NewSessionTicket"))!.bytes("NewSessionTicket")
  const message = decodeNewSessionTicket(handshakeMessage(bytes))
  return {
    cipherSuite: 0x1301,
    psk: trace.steps.find((step) => step.label.includes("tls13 resumption"))!.bytes("expanded"),
    issuedAt: start,
    authenticatedAt: start,
    ticketLifetime: message.ticketLifetime,
    ticketAgeAdd: message.ticketAgeAdd,
    maxEarlyDataSize: message.extensions.early_data ?? 0,
    alpnProtocol: undefined,
    serverName,
    peerChain: [],
    partition: "",
    ticket: message.ticket,
  }
}

/** "send handshake record" and its kin. */
export function sentRecords(trace: Trace, role: Role): Step[] {
  return trace.steps.filter((step) => step.actor === role && step.has("complete record"))
}

export function contentTypeOf(step: Step): number {
  const name = /^send (\w+) record$/.exec(step.label)![1] as keyof typeof ContentType
  return ContentType[name]
}

export const hexOf = (step: Step, field: string): string => toHex(step.bytes(field))
