// HelloRetryRequest, the server's side: RFC 9846 sections 4.2.4 and 4.2.2 (what the second ClientHello may change).

import { codePointName, ExtensionType, NamedGroup, ProtocolVersion } from "../../bytes/code-points.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { PeerMisbehaved } from "../../bytes/errors.ts"
import { Reader } from "../../bytes/reader.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import { handshakeMessage } from "../../codec/message.ts"
import { decodeServerHello, encodeHelloRetryRequest } from "../../codec/server-hello.ts"
import type { CipherSuiteAlgorithms, KeyExchange } from "../../crypto/provider.ts"
import { Transcript } from "../../schedule/transcript.ts"
import type { Link } from "../link.ts"
import type { ChosenPsk, OpenedTicket } from "./psk-selection.ts"

/** What is kept between the two ClientHellos. */
export interface ServerRetry {
  readonly first: ClientHello
  readonly firstBytes: Uint8Array
  readonly suite: CipherSuiteAlgorithms
  readonly group: KeyExchange
  /** The ticket of the PSK that was chosen. */
  readonly opened: OpenedTicket | undefined
  /** What the client has to give back; undefined: no cookie was sent. */
  readonly cookie: Uint8Array | undefined
  /** message_hash, HelloRetryRequest */
  readonly transcript: Transcript
}

export function sendHelloRetryRequest(
  link: Link,
  hello: ClientHello,
  bytes: Uint8Array,
  suite: CipherSuiteAlgorithms,
  group: KeyExchange,
  psk: ChosenPsk | undefined,
): ServerRetry {
  const message = encodeHelloRetryRequest({
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: suite.code,
    extensions: { supported_versions: ProtocolVersion.tls13, key_share: group.code },
  })
  const transcript = Transcript.afterHelloRetryRequest(suite.hash, bytes)
  const sent = link.send("hello_retry_request", message)
  transcript.add(sent)
  // Appendix E.4: the server sends it "immediately after its first handshake message".
  if (hello.legacySessionId.length > 0) link.sendChangeCipherSpec()
  if (hello.extensions.early_data) link.skipEarlyData("before-second-hello")
  const opened = psk?.session && { identity: psk.identity, session: psk.session }
  return { first: hello, firstBytes: bytes, suite, group, opened, cookie: cookieOf(sent), transcript }
}

/** What counts is what is on the wire. */
function cookieOf(sent: Uint8Array): Uint8Array | undefined {
  const retry = decodeServerHello(handshakeMessage(sent))
  return retry.kind === "hello_retry_request" ? retry.extensions.cookie : undefined
}

/** What section 4.2.2 lets a client change in its second ClientHello. */
const mayChange: readonly number[] = [
  ExtensionType.key_share,
  ExtensionType.early_data,
  ExtensionType.cookie,
  ExtensionType.pre_shared_key,
  ExtensionType.padding,
]

/** @throws PeerMisbehaved illegal_parameter for each field that changed and may not, and for a wrong share */
export function checkSecondClientHello(second: ClientHello, bytes: Uint8Array, retry: ServerRetry): void {
  const { first, firstBytes, group } = retry
  const changed = (field: string) =>
    new PeerMisbehaved("illegal_parameter", `second ClientHello changes ${field} (RFC 9846 section 4.2.2)`)
  if (!equalBytes(first.random, second.random)) throw changed("random")
  if (!equalBytes(first.legacySessionId, second.legacySessionId)) throw changed("legacy_session_id")
  if (first.cipherSuites.join() !== second.cipherSuites.join()) throw changed("cipher_suites")
  const before = rawExtensions(firstBytes)
  const after = rawExtensions(bytes)
  for (const type of new Set([...before.keys(), ...after.keys()])) {
    if (mayChange.includes(type)) continue
    const [was, is] = [before.get(type), after.get(type)]
    if (was === undefined || is === undefined || !equalBytes(was, is)) throw changed(codePointName(ExtensionType, type))
  }
  if (second.extensions.early_data) {
    throw new PeerMisbehaved("illegal_parameter", "second ClientHello offers early data (RFC 9846 section 4.3.10)")
  }
  // "the client MUST copy the contents of the extension received in the HelloRetryRequest" (section 4.3.2), and sends
  // no cookie when there was none.
  const { cookie } = second.extensions
  if (retry.cookie && cookie ? !equalBytes(retry.cookie, cookie) : retry.cookie !== cookie) throw changed("cookie")
  const shares = second.extensions.key_share ?? []
  // "replacing the list of shares with a list containing a single KeyShareEntry from the indicated group"
  if (shares.length !== 1 || shares[0]!.group !== group.code) {
    const name = codePointName(NamedGroup, group.code)
    throw new PeerMisbehaved(
      "illegal_parameter",
      `second ClientHello does not bring the one share of ${name} that was asked for`,
    )
  }
}

/** extension_data by type, of a ClientHello that has been decoded already. */
function rawExtensions(bytes: Uint8Array): Map<number, Uint8Array> {
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
