// HelloRetryRequest, the server's side: RFC 9846 sections 4.2.4 and 4.2.2 (what the second ClientHello may change).
// What is kept for it on the connection; `cookie.ts` keeps nothing.

import { codePointName, ExtensionType, ProtocolVersion } from "../../bytes/code-points.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { PeerMisbehaved } from "../../bytes/errors.ts"
import { Reader } from "../../bytes/reader.ts"
import { type ClientHello, decodeClientHello } from "../../codec/client-hello.ts"
import { handshakeMessage } from "../../codec/message.ts"
import { decodeServerHello, encodeHelloRetryRequest } from "../../codec/server-hello.ts"
import type { CipherSuiteAlgorithms, KeyExchange } from "../../crypto/provider.ts"
import { Transcript } from "../../schedule/transcript.ts"
import type { ClientHelloRead } from "./client-hello.ts"
import { skippedEarlyData } from "./early-data.ts"
import type { ChosenPsk, OpenedTicket } from "./psk-selection.ts"
import type { ServerHandshake } from "./server.ts"

/** What is known of the first ClientHello when the second comes. */
export interface ServerRetry {
  /** The first message; undefined for a stateless server: the cookie vouches that nothing changed that may not. */
  readonly first: Uint8Array | undefined
  readonly suite: CipherSuiteAlgorithms
  /** What the client was asked for a share of; undefined: only for the cookie. */
  readonly group: KeyExchange | undefined
  /** The first ClientHello came with 0-RTT data. */
  readonly offersEarlyData: boolean
  /** The identity of the PSK that was chosen; undefined for a stateless server: none was looked up. */
  readonly chosenPsk: Uint8Array | undefined
  /** The ticket of the PSK that was chosen. */
  readonly opened: OpenedTicket | undefined
  /** What the client has to give back; undefined: no cookie was sent. */
  readonly cookie: Uint8Array | undefined
  /** message_hash, HelloRetryRequest */
  readonly transcript: Transcript
}

/** The client has a group that fits, and no share of it. */
export interface ShareWanted {
  readonly kind: "share wanted"
  readonly suite: CipherSuiteAlgorithms
  readonly group: KeyExchange
  readonly psk: Pick<ChosenPsk, "identity" | "session"> | undefined
}

export function sendHelloRetryRequest(
  { link, settings, ech }: ServerHandshake,
  { hello, bytes }: ClientHelloRead,
  { suite, group, psk }: ShareWanted,
): ServerRetry {
  const transcript = Transcript.afterHelloRetryRequest(suite.hash, bytes)
  const message = helloRetryRequest(hello, suite, group, undefined, ech?.retrySignal)
  ech?.confirmRetry(message, transcript, suite.hash)
  const sent = link.send("hello_retry_request", message)
  transcript.add(sent)
  // Appendix E.4: the server sends it "immediately after its first handshake message".
  if (hello.legacySessionId.length > 0) link.sendChangeCipherSpec()
  const offersEarlyData = hello.extensions.early_data === true
  if (offersEarlyData) link.skipEarlyData(skippedEarlyData("application_data", settings))
  const opened = psk?.session && { identity: psk.identity, session: psk.session }
  const chosenPsk = psk?.identity
  return { first: bytes, suite, group, offersEarlyData, chosenPsk, opened, cookie: cookieOf(sent), transcript }
}

export function helloRetryRequest(
  hello: ClientHello,
  suite: CipherSuiteAlgorithms,
  group: KeyExchange | undefined,
  cookie: Uint8Array | undefined,
  encrypted_client_hello?: Uint8Array,
): Uint8Array {
  return encodeHelloRetryRequest({
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: suite.code,
    extensions: {
      supported_versions: ProtocolVersion.tls13,
      ...(group !== undefined && { key_share: group.code }),
      ...(cookie !== undefined && { cookie }),
      ...(encrypted_client_hello && { encrypted_client_hello }),
    },
  })
}

/** What counts is what is on the wire. */
function cookieOf(sent: Uint8Array): Uint8Array | undefined {
  const retry = decodeServerHello(handshakeMessage(sent))
  return retry.kind === "hello_retry_request" ? retry.extensions.cookie : undefined
}

/** What section 4.2.2 lets a client change in its second ClientHello; key_share only when it was asked for another. */
export function changeable(type: number, newShare: boolean): boolean {
  const { early_data, cookie, pre_shared_key, padding } = ExtensionType
  const mayChange: readonly number[] = [early_data, cookie, pre_shared_key, padding]
  return mayChange.includes(type) || (newShare && type === ExtensionType.key_share)
}

export function changed(field: string): PeerMisbehaved {
  return new PeerMisbehaved("illegal_parameter", `second ClientHello changes ${field} (RFC 9846 section 4.2.2)`)
}

/**
 * @throws PeerMisbehaved illegal_parameter for each field that changed and may not, and for a wrong share; missing_extension
 * for a chosen PSK that is gone with all the others
 */
export function checkSecondClientHello({ hello: second, bytes }: ClientHelloRead, retry: ServerRetry): void {
  const { first, group } = retry
  if (first !== undefined) checkUnchanged(second, bytes, first, group !== undefined)
  if (second.extensions.early_data) {
    throw new PeerMisbehaved("illegal_parameter", "second ClientHello offers early data (RFC 9846 section 4.3.10)")
  }
  checkPskStillOffered(second, retry)
  // "the client MUST copy the contents of the extension received in the HelloRetryRequest" (section 4.3.2), and sends
  // no cookie when there was none.
  const { cookie } = second.extensions
  if (retry.cookie && cookie ? !equalBytes(retry.cookie, cookie) : retry.cookie !== cookie) throw changed("cookie")
  if (group === undefined) return
  const shares = second.extensions.key_share ?? []
  // "replacing the list of shares with a list containing a single KeyShareEntry from the indicated group"
  if (shares.length !== 1 || shares[0]!.group !== group.code) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      `second ClientHello does not bring the one share of ${group.name} that was asked for`,
    )
  }
}

/**
 * Section 4.2.2: a client may leave out PSKs "which are incompatible with the server's indicated cipher suite". The suite was
 * chosen to go with this one.
 */
function checkPskStillOffered({ extensions }: ClientHello, { chosenPsk }: ServerRetry): void {
  if (chosenPsk === undefined) return
  const offered = extensions.pre_shared_key
  if (offered === undefined) {
    throw new PeerMisbehaved(
      "missing_extension",
      "second ClientHello lacks pre_shared_key, which fits the cipher suite",
    )
  }
  if (!offered.identities.some(({ identity }) => equalBytes(identity, chosenPsk))) {
    throw new PeerMisbehaved("illegal_parameter", "second ClientHello leaves out a PSK that fits the cipher suite")
  }
}

function checkUnchanged(second: ClientHello, bytes: Uint8Array, firstBytes: Uint8Array, newShare: boolean): void {
  // Decoded again: what is decoded may be many times as large as the message, and a client takes its time.
  const hello = decodeClientHello(handshakeMessage(firstBytes))
  if (!equalBytes(hello.random, second.random)) throw changed("random")
  if (!equalBytes(hello.legacySessionId, second.legacySessionId)) throw changed("legacy_session_id")
  if (hello.cipherSuites.join() !== second.cipherSuites.join()) throw changed("cipher_suites")
  const before = rawExtensions(firstBytes)
  const after = rawExtensions(bytes)
  for (const type of new Set([...before.keys(), ...after.keys()])) {
    if (changeable(type, newShare)) continue
    const [was, is] = [before.get(type), after.get(type)]
    if (was === undefined || is === undefined || !equalBytes(was, is)) throw changed(codePointName(ExtensionType, type))
  }
  // "without modification": the order, too.
  const order = (extensions: ReadonlyMap<number, Uint8Array>) => [...extensions.keys()].filter(hasPlace).join()
  if (order(before) !== order(after)) throw changed("the order of its extensions")
}

/** Extensions that come, go or change may do so anywhere. */
export function hasPlace(type: number): boolean {
  return !changeable(type, true)
}

/** extension_data by type, of a ClientHello that has been decoded already. */
export function rawExtensions(bytes: Uint8Array): Map<number, Uint8Array> {
  const reader = new Reader(bytes, "ClientHello")
  reader.bytes(4 + 2 + 32)
  reader.vector8("legacy_session_id")
  reader.vector16("cipher_suites")
  reader.vector8("legacy_compression_methods")
  const block = new Reader(reader.vector16("extensions"), "ClientHello")
  const extensions = new Map<number, Uint8Array>()
  while (block.remaining > 0) extensions.set(block.uint16(), block.vector16("extension_data"))
  return extensions
}
