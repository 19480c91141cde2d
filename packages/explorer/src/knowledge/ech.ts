// Encrypted Client Hello in a connection (RFC 9849): both hellos beside each other, how the inner one is packed and sealed, who opens it,
// and what the server said to it.

import {
  codePointName,
  decodeEchConfigList,
  decodeEchOuter,
  decodeEncryptedExtensions,
  type EchConfig,
  type EchOuter,
  ExtensionType,
  encodeInner,
  equalBytes,
  extensionOf,
  handshakeMessage,
  NamedGroup,
  ProtocolVersion,
  type RawClientHello,
  Reader,
  rawHelloOf,
  readRawHello,
  toHex,
} from "@puremq/tls13/explore"
import type { End, Timeline } from "../run/step.ts"
import { bytesText } from "../words/names.ts"
import { type EchSignal, echSignals } from "./ech-signal.ts"
import { attempt, clientHelloOf, innerHellosOf, sentMessagesOf } from "./flow.ts"
import { onceForTimeline } from "./memo.ts"
import type { SeenMessage } from "./seen-message.ts"
import type { EyeId, Verdict } from "./verdict.ts"

/** A field or an extension of the two. */
export interface HelloRow {
  readonly name: string
  /** In words; undefined: it has none. */
  readonly outer: string | undefined
  readonly inner: string | undefined
  /** `named`: in ech_outer_extensions, instead of being repeated. */
  readonly how: "differs" | "same" | "named"
}

/** EncodedClientHelloInner (section 5.1), as this stack packs it. */
export interface PackedInner {
  /** Bytes without the padding. */
  readonly length: number
  readonly padding: number
  /** What ech_outer_extensions names. */
  readonly named: readonly string[]
}

export interface EchHello {
  /** Since when it is there. */
  readonly step: number
  readonly isSecond: boolean
  readonly outer: Uint8Array
  /** undefined: it is made up, or nobody here has told of one. */
  readonly inner: Uint8Array | undefined
  readonly extension: EchOuter
  /** Where the payload begins in the message. */
  readonly payloadAt: number
  readonly rows: readonly HelloRow[]
  readonly packed: PackedInner | undefined
}

export interface EchOfConnection {
  readonly hellos: readonly EchHello[]
  readonly signals: readonly EchSignal[]
  /** Steps at which the server has opened a hello. */
  readonly openedAt: readonly number[]
  /** When the server has answered without having opened the first. */
  readonly answeredAt: number | undefined
  /** What the server sent to retry with. */
  readonly retry: { readonly step: number; readonly configs: readonly EchConfig[] } | undefined
}

const allEch: (timeline: Timeline) => Map<number, EchOfConnection> = onceForTimeline(() => new Map())

/** Without hellos where no encrypted_client_hello was sent. */
export function echOf(timeline: Timeline, connection: number): EchOfConnection {
  const known = allEch(timeline).get(connection)
  if (known) return known
  const inners = innerHellosOf(timeline, connection)
  const seen = (end: End) => sentMessagesOf(timeline, connection, end)
  const of = (end: End, name: string) => seen(end).filter((message) => message.name === name)
  const firsts = of("client", "client_hello")
  const hellos = (firsts.length > 0 ? firsts : of("server", "client_hello")).flatMap(({ step, message }, at) =>
    helloOf(step, message, inners[at], at > 0),
  )
  const answering: End = of("server", "server_hello").length > 0 ? "server" : "client"
  const signals = hellos.length > 0 ? echSignals(seen(answering), inners) : []
  const openedAt = timeline.steps.flatMap(({ index, connection: where, end, happening }) =>
    where === connection && end === "server" && happening.type === "inner-hello" ? [index] : [],
  )
  const answer = seen("server").find(({ from }) => from === "server")
  const ech = { hellos, signals, openedAt, answeredAt: answer?.step, retry: retryIn(seen(answering)) }
  allEch(timeline).set(connection, ech)
  return ech
}

function helloOf(step: number, outer: Uint8Array, inner: Uint8Array | undefined, isSecond: boolean): EchHello[] {
  const raw = attempt(() => rawHelloOf(outer))
  const contents = raw && extensionOf(raw, ExtensionType.encrypted_client_hello)?.data
  const extension = contents && attempt(() => decodeEchOuter(contents))
  if (raw === undefined || extension === undefined) return []
  const rawInner = inner && attempt(() => rawHelloOf(inner))
  const packed = inner && rawInner && packedOf(rawInner, raw, inner, extension)
  const payloadAt = extension.payload.byteOffset - outer.byteOffset
  const rows = rowsOf(outer, raw, inner, rawInner, packed?.named ?? [])
  return [{ step, isSecond, outer, inner, extension, payloadAt, rows, packed }]
}

/** Bytes of the tag of each AEAD of HPKE. */
const tagLength = 16

function packedOf(
  inner: RawClientHello,
  outer: RawClientHello,
  message: Uint8Array,
  { payload }: EchOuter,
): PackedInner | undefined {
  const reader = new Reader(encodeInner(inner, outer, clientHelloOf(message)?.extensions.server_name, 0), "inner")
  const { extensions } = readRawHello(reader, "inner")
  const length = reader.position
  const padding = payload.length - tagLength - length
  if (padding < 0) return undefined
  const references = extensions.find(({ type }) => type === ExtensionType.ech_outer_extensions)
  const named = references ? new Reader(references.data, "named").uint16ShortList("named") : []
  return { length, padding, named: named.map((type) => codePointName(ExtensionType, type)) }
}

/* ---------------------------------------------------------------- beside each other */

function rowsOf(
  outer: Uint8Array,
  rawOuter: RawClientHello,
  inner: Uint8Array | undefined,
  rawInner: RawClientHello | undefined,
  named: readonly string[],
): readonly HelloRow[] {
  const rows: HelloRow[] = []
  const add = (name: string, a: Uint8Array | undefined, b: Uint8Array | undefined, say: Say) => {
    const isSame = a !== undefined && b !== undefined && equalBytes(a, b)
    const how = isSame ? (named.includes(name) ? "named" : "same") : "differs"
    rows.push({ name, outer: a && say(a, outer), inner: b && say(b, inner!), how })
  }
  for (const [name, field, say] of fields) add(name, field(rawOuter), rawInner && field(rawInner), say)
  const types = new Set([...(rawInner?.extensions ?? []), ...rawOuter.extensions].map(({ type }) => type))
  for (const type of types) {
    const name = codePointName(ExtensionType, type)
    const say = values[name] ?? ((data) => (data.length === 0 ? "empty" : bytesText(data.length)))
    add(name, extensionOf(rawOuter, type)?.data, rawInner && extensionOf(rawInner, type)?.data, say)
  }
  return rows
}

type Say = (bytes: Uint8Array, message: Uint8Array) => string

const fields: readonly (readonly [name: string, of: (hello: RawClientHello) => Uint8Array, say: Say])[] = [
  ["random", ({ head }) => head.subarray(2), (random) => `${toHex(random.subarray(0, 6))}…`],
  ["legacy_session_id", ({ legacySessionId }) => legacySessionId, (id) => bytesText(id.length)],
  ["cipher_suites", ({ cipherSuites }) => cipherSuites, (suites) => `${suites.length / 2}`],
]

const values: Readonly<Record<string, Say>> = {
  server_name: (_, message) => clientHelloOf(message)?.extensions.server_name ?? "",
  application_layer_protocol_negotiation: (_, message) =>
    (clientHelloOf(message)?.extensions.application_layer_protocol_negotiation ?? []).join(", "),
  supported_versions: (_, message) =>
    (clientHelloOf(message)?.extensions.supported_versions ?? [])
      .map((version) => codePointName(ProtocolVersion, version))
      .join(", "),
  key_share: (data, message) => {
    const shares = clientHelloOf(message)?.extensions.key_share ?? []
    return shares.map(({ group }) => codePointName(NamedGroup, group)).join(", ") || bytesText(data.length)
  },
  encrypted_client_hello: (data) => (data[0] === 1 ? "inner: an empty mark" : `outer: ${bytesText(data.length)}`),
}

/* ---------------------------------------------------------------- who opens it */

/** Whether somebody reads the ClientHelloInner of a hello at a step. */
export function innerVerdict({ hellos, ...ech }: EchOfConnection, hello: EchHello, eye: EyeId, step: number): Verdict {
  const no = (why: string, section: string): Verdict => ({ reads: false, why, section: `RFC 9849 section ${section}` })
  const yes = (why: string, section: string): Verdict => ({ reads: true, why, section: `RFC 9849 section ${section}` })
  const isMadeUp = hello.inner === undefined
  if (eye === "client") {
    return isMadeUp
      ? no("There is nothing to read: its payload is random bytes, as long as a real one.", "6.2")
      : yes("It has written it.", "6.1")
  }
  if (eye === "server") {
    const openedAt = ech.openedAt[hellos.indexOf(hello)]
    if (openedAt !== undefined && openedAt <= step) return yes("It has the private key that HPKE sealed it for.", "7.1")
    const signal = ech.signals.find(({ isRight }) => isRight)
    if (openedAt === undefined && signal !== undefined && signal.step <= step) {
      return yes("It must have opened it: its answer shows it.", "7.2")
    }
    if (openedAt !== undefined || signal !== undefined || ech.answeredAt === undefined || ech.answeredAt > step) {
      return no("It has not read it yet.", "7.1")
    }
    return no("None of its keys opens it: it answers ClientHelloOuter, and cannot tell why.", "7.1")
  }
  if (isMadeUp) return no("Nobody but the client can tell that there is nothing in it.", "10.10.4")
  if (eye === "quantum") {
    return yes("It breaks the key exchange of HPKE, and has the name that was meant.", "10.10.5")
  }
  const why = {
    eavesdropper: "HPKE opens it with the server's ECH key alone. Whoever steals that key reads it, even years later.",
    "certificate-key": "The certificate's key only signs: it is another one than the ECH key.",
    "ticket-key": "The ticket key is another one than the ECH key.",
  }
  return no(why[eye], eye === "eavesdropper" ? "10.10.5" : "10.1")
}

function retryIn(messages: readonly SeenMessage[]): EchOfConnection["retry"] {
  const seen = messages.find(({ name }) => name === "encrypted_extensions")
  if (seen === undefined) return undefined
  const { step, message } = seen
  const configs = attempt(() => {
    const { encrypted_client_hello: list } = decodeEncryptedExtensions(handshakeMessage(message)).values
    return list && decodeEchConfigList(list)
  })
  return configs && { step, configs }
}
