// A live connection leaves one process and goes on in another: what CONNECTED is, exported as bytes and imported again. What is
// dangerous about it: the bytes are the connection, keys and all; and two that go on from the same bytes seal with the same nonces,
// which gives their plaintexts away and lets others forge records (RFC 9846 section 5.3; RFC 8446's AEADs allow no nonce twice).

import { Closed, Misuse } from "../bytes/errors.ts"
import type { ClientConfig, ServerConfig } from "../connection/config.ts"
import { Connection } from "../connection/connection.ts"
import type { Outcome } from "../connection/events.ts"
import { type LinkOptions, RecordLink } from "../connection/record-link.ts"
import { ServerRecordLink } from "../connection/server-link.ts"
import type { CipherSuiteAlgorithms } from "../crypto/provider.ts"
import type { ClientConnected } from "../handshake/client/client.ts"
import { type Connected, connectedOf, type TrafficSecret } from "../handshake/connected.ts"
import type { Steps } from "../handshake/coroutine.ts"
import { type PostHandshake, PostHandshakeTable } from "../handshake/post-handshake.ts"
import { ProvenElsewhere } from "../handshake/proofs.ts"
import type { ServerConnected } from "../handshake/server/connected.ts"
import { serverPostHandshake } from "../handshake/server/post-handshake.ts"
import { clientTransitions, type Role, serverTransitions, type TransitionRow } from "../handshake/transitions.ts"
import { RecordProtection } from "../record/protection.ts"
import type { RecordReader } from "../record/record-reader.ts"
import type { RecordSide } from "../record/record-side.ts"
import {
  type ConnectionState,
  type DirectionState,
  decodeState,
  encodeState,
  HandOverError,
  longestExport,
} from "./connection-state.ts"

/* ---------------------------------------------------------------- export */

/**
 * Ends a connection here, and gives it as bytes, for `importConnection` in another place, once. Nothing is sent. The connection is
 * over afterwards: its secrets are erased, calls that send throw, and `failure` says why. What its calls have given back (output,
 * events) was taken by whoever called them: send the output before anything that the imported connection gives.
 * The bytes are secret, and whoever has them is this end.
 * What does not go along: 0-RTT data's exporter, a server's way to ask for a certificate later, the random of the key log, and what
 * was counted against limits since the last data.
 * @throws Misuse, and the connection stays as it was: during the handshake, after either side has closed, while a decision is due,
 *   in the middle of a handshake message or of an answer to a CertificateRequest, with a CertificateRequest that waits for its
 *   answer, and of a client that has offered authentication after the handshake (what it would sign is a running hash)
 */
export function exportConnection(connection: Connection): Uint8Array {
  const link = connection["link"]
  const { waitsFor } = connection.tick(link.now)
  if (typeof waitsFor === "object")
    throw new Misuse(`a connection that waits for ${waitsFor.name} cannot be exported: answer it first`)
  let exported: Uint8Array | undefined
  connection["perform"]((connected) => {
    refuseUnfinished(link, connected)
    const bytes = encodeState(stateOf(link, connected))
    if (bytes.length > longestExport) {
      bytes.fill(0)
      throw new Misuse(`a connection of ${bytes.length} bytes cannot be exported; ${longestExport} are the most`)
    }
    exported = bytes
    // Without an alert: nothing is sent, and everything is erased.
    throw new Closed(undefined, "the connection was exported: it goes on where it is imported")
  })
  return exported!
}

/** @throws Misuse */
function refuseUnfinished(link: RecordLink, connected: Connected): void {
  const refuse = (why: string) => {
    throw new Misuse(`a connection cannot be exported ${why}`)
  }
  if (link.receivedClose) refuse("when its peer has closed: close it, too")
  if (!link.joiner.isEmpty) refuse("in the middle of a handshake message: receive the rest of it first")
  if (connected.answer !== undefined)
    refuse("in the middle of the client's authentication: receive the rest of it first")
  if (isClient(connected)) {
    if (connected.transcript !== undefined)
      refuse("by a client that has offered authentication after the handshake: leave out postHandshakeAuth")
  } else if ((connected as ServerConnected).late?.requests.length)
    refuse("while a CertificateRequest waits for its answer: receive that first")
}

function isClient(connected: Connected): connected is ClientConnected {
  return connected.sending.name === "client_application_traffic_secret"
}

function stateOf(link: RecordLink, connected: Connected): ConnectionState {
  const { reader, writer, info } = link
  const { suite, sending, receiving, exporterSecret, keyUpdateOwed, keyUpdateAwaited } = connected
  const client = isClient(connected) ? connected : undefined
  return {
    role: client === undefined ? "server" : "client",
    suite: suite.code,
    sending: directionOf(sending, writer),
    receiving: directionOf(receiving, reader),
    exporterSecret,
    resumptionSecret: client?.resumptionSecret,
    keyUpdateOwed,
    keyUpdateAwaited,
    info: info!,
    forTickets: client?.forTickets,
    input: inputOf(reader),
  }
}

/** A look at it: whoever may not export keeps it. */
function inputOf({ input }: RecordReader): Uint8Array {
  return Uint8Array.from({ length: input.length }, (_, index) => input.byte(index))
}

function directionOf({ secret, generation }: TrafficSecret, { protection, maxInner }: RecordSide): DirectionState {
  return { secret, generation, sequenceNumber: protection!.sequenceNumber, maxInner }
}

/* ---------------------------------------------------------------- import */

/** A connection that goes on here. */
export interface ImportedConnection {
  readonly connection: Connection
  /** What came of bytes that its other process had received and not read: as that of `receive`. */
  readonly outcome: Outcome
}

/**
 * Goes on with an exported connection; `bytes` are erased then, so that nobody imports them twice: with copies of them, that is for
 * you to see to. What was agreed stays agreed; the configuration has the suite, and decides on what comes (limits, padding, where
 * tickets go, the trace). There is no event `connected`: `info` is there.
 * @param now milliseconds since 1970-01-01T00:00:00Z
 * @throws HandOverError for bytes that are no export, of another version, of the other role, cut short or changed in form, and for a
 *   configuration that has not its suite; they are not erased then
 */
export function importConnection(
  bytes: Uint8Array,
  config: ClientConfig | ServerConfig,
  now: number,
): ImportedConnection {
  const suiteOf = (code: number) => config.cipherSuites.find((each) => each.code === code)
  const state = decodeState(bytes, (code) => {
    const suite = suiteOf(code)
    if (suite !== undefined) return suite.name
    const has = config.cipherSuites.map(({ name }) => name).join(", ")
    throw new HandOverError(`the configuration has no cipher suite 0x${code.toString(16)} (it has ${has})`)
  })
  if (state.role !== config.role)
    throw new HandOverError(`an exported ${state.role}'s connection cannot go on as a ${config.role}'s`)
  const suite = suiteOf(state.suite)!
  checkSecrets(state, suite)
  const connection = config.role === "client" ? client(config, state, suite, now) : server(config, state, suite, now)
  bytes.fill(0)
  return { connection, outcome: connection.receive(state.input, now, true) }
}

/** @throws HandOverError */
function checkSecrets(state: ConnectionState, { hash }: CipherSuiteAlgorithms): void {
  const { sending, receiving, exporterSecret, resumptionSecret } = state
  for (const secret of [sending.secret, receiving.secret, exporterSecret, resumptionSecret]) {
    if (secret !== undefined && secret.length !== hash.length)
      throw new HandOverError(
        `an exported connection with a secret of ${secret.length} bytes; its hash has ${hash.length}`,
      )
  }
  if ((state.role === "client") !== (resumptionSecret !== undefined))
    throw new HandOverError("an exported connection whose resumption_secret is not that of its role")
}

function client(config: ClientConfig, state: ConnectionState, suite: CipherSuiteAlgorithms, now: number): Connection {
  const { features, extensions, postHandshake } = config
  return new Imported<ClientConnected, RecordLink>(
    { role: "client", rows: clientTransitions, LinkClass: RecordLink, config, now },
    (link) => new PostHandshakeTable(postHandshake, { link, settings: config, features, extensions }),
    (link) =>
      restored(link, state, suite, {
        ...restoredSecrets(state, suite),
        resumptionSecret: state.resumptionSecret!,
        forTickets: state.forTickets,
        certificateType: "X509",
        transcript: undefined,
      }),
  )
}

function server(config: ServerConfig, state: ConnectionState, suite: CipherSuiteAlgorithms, now: number): Connection {
  return new Imported<ServerConnected, ServerRecordLink>(
    { role: "server", rows: serverTransitions, LinkClass: ServerRecordLink, config, now },
    (link) => new PostHandshakeTable(serverPostHandshake, { link, settings: config }),
    (link) =>
      restored(link, state, suite, {
        ...restoredSecrets(state, suite),
        resumptionSecret: undefined,
        answer: undefined,
        late: undefined,
      }),
  )
}

function restoredSecrets(state: ConnectionState, suite: CipherSuiteAlgorithms) {
  const { role, sending, receiving, exporterSecret, keyUpdateOwed, keyUpdateAwaited } = state
  const secrets = role === "client" ? [sending.secret, receiving.secret] : [receiving.secret, sending.secret]
  const [ofClient, ofServer] = secrets as [Uint8Array, Uint8Array]
  const connected = connectedOf(role, { client: ofClient, server: ofServer, exporter: exporterSecret })
  connected.sending.generation = sending.generation
  connected.receiving.generation = receiving.generation
  return {
    ...connected,
    proofs: ProvenElsewhere.byExport(),
    suite,
    keyUpdateOwed,
    keyUpdateAwaited,
    answer: undefined,
  }
}

/** The handshake of a connection that has had its own elsewhere. */
function* restored<State extends Connected>(
  link: RecordLink,
  { sending, receiving, info }: ConnectionState,
  suite: CipherSuiteAlgorithms,
  connected: State,
): Steps<State> {
  yield* []
  for (const [side, direction] of [
    [link.writer, sending],
    [link.reader, receiving],
  ] as const) {
    side.replace(new RecordProtection(suite, direction.secret, undefined, direction.sequenceNumber, side["scratch"]))
    side.maxInner = direction.maxInner
  }
  link.info = info
  return connected
}

interface Beginning<Link> {
  readonly role: Role
  readonly rows: readonly TransitionRow[]
  readonly LinkClass: new (options: LinkOptions) => Link
  readonly config: ClientConfig | ServerConfig
  readonly now: number
}

class Imported<State extends Connected, Link extends RecordLink> extends Connection<State, Link> {
  constructor(
    { role, rows, LinkClass, config, now }: Beginning<Link>,
    after: (link: Link) => PostHandshake<State>,
    steps: (link: Link) => Steps<State>,
  ) {
    // To where appendix A comes by a handshake.
    super(role, [...rows, { from: "START", to: "CONNECTED" }], LinkClass, config, now)
    this.begin(steps(this.link), after(this.link))
  }
}
