// WAIT_SH of RFC 9846 appendix A.1: ServerHello (section 4.2.3), HelloRetryRequest (section 4.2.4), and the first keys.

import { codePointName, KnownExtensionType, ProtocolVersion, PskKeyExchangeMode } from "../../bytes/code-points.ts"
import { copyOf } from "../../bytes/copy.ts"
import { LimitExceeded, PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import { refuseUnsolicited } from "../../codec/extensions/block.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import {
  checkFixedFields,
  decodeServerHelloBy,
  type HelloRetryRequest,
  hasDowngradeSentinel,
  type LegacyServerHello,
  type ServerHello,
} from "../../codec/server-hello.ts"
import { type CipherSuiteAlgorithms, InvalidKeyShare, type KeyExchangeStarted } from "../../crypto/provider.ts"
import { EarlyStage } from "../../schedule/key-schedule.ts"
import { Transcript } from "../../schedule/transcript.ts"
import { type Decides, decide } from "../coroutine.ts"
import type { ClientHandshake, ClientOffer, HandshakeKeys, Retry, RetryAsked, ServerHelloRead } from "./client.ts"

/** Bytes that the share of any group takes at most (SecP384R1MLKEM1024), with its headers. */
const largestShare = 1_700

/* ---------------------------------------------------------------- reading */

/** The answer to a ClientHello. @param retry the HelloRetryRequest that came before */
export function readServerHello(
  client: ClientHandshake,
  offer: ClientOffer,
  message: HandshakeMessage,
  retry: Retry,
): ServerHelloRead
export function readServerHello(
  client: ClientHandshake,
  offer: ClientOffer,
  message: HandshakeMessage,
): ServerHelloRead | RetryAsked
export function readServerHello(
  client: ClientHandshake,
  offer: ClientOffer,
  message: HandshakeMessage,
  retry?: Retry,
): ServerHelloRead | RetryAsked {
  const hello = decodeServerHelloBy(client.extensions, message)
  if (hello.kind === "legacy") {
    // "The value of selected_version in the HelloRetryRequest "supported_versions" extension MUST be retained in the
    // ServerHello, and a client MUST abort the handshake with an "illegal_parameter" alert if the value changes" (section 4.2.4).
    if (!retry) return refuseLegacy(hello)
    throw new PeerMisbehaved("illegal_parameter", "server chose TLS 1.3 in HelloRetryRequest, and not in ServerHello")
  }
  const isRetry = hello.kind === "hello_retry_request"
  // "If a client receives a second HelloRetryRequest in the same connection ..., it MUST abort the handshake with an
  // "unexpected_message" alert" (section 4.2.4), whatever it says.
  if (isRetry && retry) {
    throw new PeerMisbehaved("unexpected_message", "server sent a second HelloRetryRequest")
  }
  const suite = checkHello(client, offer, hello)
  if (isRetry) return readRetry(client, offer, hello, suite, message)
  refuseUnsolicited(hello.extensionTypes, offer.hello.extensionTypes, "ServerHello")
  if (retry && retry.suite !== suite) {
    throw new PeerMisbehaved("illegal_parameter", "ServerHello has another cipher suite than HelloRetryRequest")
  }
  return { kind: "server_hello", hello, suite, bytes: message.bytes }
}

/** What ServerHello and HelloRetryRequest have in common. */
function checkHello(
  { settings }: ClientHandshake,
  offer: ClientOffer,
  hello: ServerHello | HelloRetryRequest,
): CipherSuiteAlgorithms {
  checkVersion(hello)
  checkFixedFields(hello, offer.hello.legacySessionId)
  const suite = settings.cipherSuites.find(({ code }) => code === hello.cipherSuite)
  // "A client which receives a cipher suite that was not offered MUST abort the handshake with an "illegal_parameter" alert."
  if (suite === undefined || !offer.hello.cipherSuites.includes(hello.cipherSuite)) {
    throw new PeerMisbehaved("illegal_parameter", "server selected a cipher suite that was not offered")
  }
  return suite
}

function readRetry(
  { link, settings }: ClientHandshake,
  { hello, bytes, earlyData }: ClientOffer,
  retry: HelloRetryRequest,
  suite: CipherSuiteAlgorithms,
  message: HandshakeMessage,
): RetryAsked {
  refuseUnsolicited(retry.extensionTypes, [...hello.extensionTypes, KnownExtensionType.cookie], "HelloRetryRequest")
  const { key_share: group, cookie } = retry.extensions
  if (group !== undefined) checkRetryGroup(hello.extensions, group, groupName(settings, group))
  // "Clients MUST abort the handshake with an "illegal_parameter" alert if the HelloRetryRequest would not result in
  // any change in the ClientHello."
  if (group === undefined && cookie === undefined) {
    throw new PeerMisbehaved("illegal_parameter", "HelloRetryRequest would not change the ClientHello")
  }
  // Section 4.2.2: extensions<8..2^16-1> have to hold the first ones, another share and the cookie.
  if (cookie !== undefined && bytes.length + largestShare + cookie.length > 0xffff) {
    const problem = `a cookie of ${cookie.length} bytes has no room in a ClientHello`
    throw new LimitExceeded("illegal_parameter", "handshakeMessageSize", problem)
  }
  link.atRecordBoundary()
  const transcript = Transcript.afterHelloRetryRequest(suite.hash, bytes)
  transcript.add(message.bytes)
  return {
    kind: "hello_retry_request",
    retry: { suite, group, transcript, earlyDataRejected: earlyData },
    cookie: cookie && copyOf(cookie),
  }
}

/** As its key exchange is called; the number of one that is not ours. */
function groupName({ groups }: ClientHandshake["settings"], code: number): string {
  return groups.find((candidate) => candidate.code === code)?.name ?? codePointName({}, code)
}

/** Section 4.3.8: the group was in supported_groups, and no share for it was sent. */
function checkRetryGroup(
  { supported_groups, key_share }: ClientOffer["hello"]["extensions"],
  group: number,
  name: string,
): void {
  if (!supported_groups?.includes(group)) {
    throw new PeerMisbehaved("illegal_parameter", `HelloRetryRequest asks for the group ${name}, which was not offered`)
  }
  if (key_share?.some((share) => share.group === group)) {
    throw new PeerMisbehaved("illegal_parameter", `HelloRetryRequest asks for a share of ${name}, which it has`)
  }
}

/* ---------------------------------------------------------------- the first keys */

/** From the shares and the PSK to the handshake traffic secrets (section 7.1). */
export function* agreeOnKeys(
  client: ClientHandshake,
  offer: ClientOffer,
  answer: ServerHelloRead,
): Decides<HandshakeKeys> {
  const { link, features, erasure } = client
  const { hello, suite } = answer
  const selected = features.preSharedKeys?.selected(offer, hello, suite)
  const shared = yield* sharedSecret(client, offer, hello, selected !== undefined)
  const boundary = link.atRecordBoundary()

  const transcript = offer.retry?.transcript ?? new Transcript(suite.hash)
  transcript.add(offer.bytes)
  transcript.add(answer.bytes)
  const transcriptHash = transcript.hash()
  const early = selected?.psk.early ?? erasure.hold(EarlyStage.start(suite.hash, undefined, link.observeSecret))
  for (const psk of offer.psks) if (psk !== selected?.psk) erasure.erase(psk.early)
  const schedule = erasure.hold(early.toHandshake(shared?.secret))
  erasure.erase(early)
  if (shared !== undefined) erasure.erase(shared.secret)
  const clientSecret = erasure.hold(schedule.clientHandshakeTrafficSecret(transcriptHash))
  const serverSecret = erasure.hold(schedule.serverHandshakeTrafficSecret(transcriptHash))
  return { suite, transcript, schedule, clientSecret, serverSecret, group: shared?.group, selected, boundary }
}

/** The asymmetric secret (section 7.4), or undefined for psk_ke. */
function* sharedSecret(
  { erasure, settings }: ClientHandshake,
  offer: ClientOffer,
  hello: ServerHello,
  psk: boolean,
): Decides<{ group: string; secret: Uint8Array } | undefined> {
  const share = hello.extensions.key_share
  if (share === undefined) {
    if (!psk) throw new PeerMisbehaved("missing_extension", "ServerHello has neither key_share nor pre_shared_key")
    // "that a server "key_share" extension is present if required by the ClientHello "psk_key_exchange_modes" extension"
    if (!offer.hello.extensions.psk_key_exchange_modes?.includes(PskKeyExchangeMode.psk_ke)) {
      throw new PeerMisbehaved("illegal_parameter", "ServerHello lacks key_share, and psk_ke was not offered")
    }
    return undefined
  }
  const group = groupName(settings, share.group)
  const started = offer.shares.get(share.group)
  if (started === undefined) {
    throw new PeerMisbehaved("illegal_parameter", `ServerHello has a share of ${group}, for which we sent none`)
  }
  const secret = erasure.hold(yield* complete(started, share.keyExchange))
  for (const each of offer.shares.values()) erasure.erase(each)
  return { group, secret }
}

function* complete(started: KeyExchangeStarted, serverShare: Uint8Array): Decides<Uint8Array> {
  try {
    return yield* decide("CompleteKeyExchange", started.complete(serverShare), (late) => late.fill(0))
  } catch (error) {
    if (!(error instanceof InvalidKeyShare)) throw error
    throw new PeerMisbehaved("illegal_parameter", `server's key share cannot be used: ${error.message}`)
  }
}

/* ---------------------------------------------------------------- versions */

/** Section 4.3.1: "contains a version not offered by the client or contains a version prior to TLS 1.3": illegal_parameter. */
function checkVersion(hello: ServerHello | HelloRetryRequest): void {
  const version = hello.extensions.supported_versions
  if (version === undefined) {
    throw new PeerMisbehaved("missing_extension", "HelloRetryRequest lacks supported_versions")
  }
  if (version !== ProtocolVersion.tls13) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      `server selected version 0x${version.toString(16)}, which was not offered`,
    )
  }
}

function refuseLegacy(hello: LegacyServerHello): never {
  // Section 4.2.3: "If a match is found, the client MUST abort the handshake with an "illegal_parameter" alert."
  if (hasDowngradeSentinel(hello.random)) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      "server speaks TLS 1.3, but somebody made it believe that we do not (downgrade)",
    )
  }
  const spoken = codePointName(ProtocolVersion, hello.legacyVersion).replace("tls1", "TLS 1.")
  throw new PeerIncompatible("protocol_version", `server speaks ${spoken} at most; this client speaks only TLS 1.3`)
}
