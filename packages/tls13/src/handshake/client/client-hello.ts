// START of RFC 9846 appendix A.1: composing and sending ClientHello (section 4.2.2), the first and the second.

import { ProtocolVersion, PskKeyExchangeMode } from "../../bytes/code-points.ts"
import {
  type ClientHello,
  type ClientHelloContent,
  decodeClientHello,
  encodeClientHello,
  truncateBinders,
} from "../../codec/client-hello.ts"
import type { KeyShareEntry } from "../../codec/extensions/key-share.ts"
import type { ClientHelloExtensions } from "../../codec/extensions/messages.ts"
import { handshakeMessage } from "../../codec/message.ts"
import type { CipherSuiteAlgorithms, KeyExchange, KeyExchangeStarted } from "../../crypto/provider.ts"
import { EarlyExporter } from "../../schedule/exporter.ts"
import { Transcript } from "../../schedule/transcript.ts"
import { certificateTypeCode } from "../authentication.ts"
import { compressionOffer } from "../certificate-compression.ts"
import { type Decides, decide } from "../coroutine.ts"
import { greaseClientHello } from "../grease.ts"
import type { ClientSettings } from "../settings.ts"
import type { ClientHandshake } from "./client.ts"
import { permuteExtensions } from "./extension-order.ts"
import { collectPsks, type OfferedPsk, offerPsks, type ResumableSession, writeBinders } from "./psk-offers.ts"

/** What the client put on the table, and what it needs to take the server up on it. */
export interface ClientOffer {
  readonly hello: ClientHello
  /** The ClientHello as sent. */
  readonly bytes: Uint8Array
  /** The private halves of the key shares, by group. */
  readonly shares: ReadonlyMap<number, KeyExchangeStarted>
  readonly psks: readonly OfferedPsk[]
  /** 0-RTT data is on its way under keys of the first PSK. */
  readonly earlyData: boolean
  /** Of RFC 8701: the second ClientHello has the same. */
  readonly greaseExtensions: ClientHelloContent["greaseExtensions"]
  /** Set when this is the second ClientHello. */
  readonly retry: Retry | undefined
}

/** A HelloRetryRequest that was read. */
export interface RetryAsked {
  readonly kind: "hello_retry_request"
  readonly retry: Retry
  /** A copy. */
  readonly cookie: Uint8Array | undefined
}

export interface Retry {
  readonly suite: CipherSuiteAlgorithms
  /** selected_group of the HelloRetryRequest, if it asked for another. */
  readonly group: number | undefined
  /** message_hash, HelloRetryRequest */
  readonly transcript: Transcript
  /** The first ClientHello offered 0-RTT data, which a HelloRetryRequest refuses. */
  readonly earlyDataRejected: boolean
}

/** Sends the first ClientHello. @param resumable the session to offer */
export function* sendClientHello(
  client: ClientHandshake,
  resumable: ResumableSession | undefined,
): Decides<ClientOffer> {
  const { link, settings } = client
  const random = link.random(32)
  // Appendix E.4: "the client always provides a non-empty session ID in the ClientHello".
  const legacySessionId = settings.middleboxCompatibility ? link.random(32) : new Uint8Array(0)
  const shares = yield* startKeyShares(settings.keyShares, client)
  const psks = collectPsks(client, resumable)
  const earlyData = settings.earlyData && allowsEarlyData(psks[0], settings)
  const extensions: ClientHelloExtensions = {
    ...baseExtensions(settings),
    key_share: keyShareEntries(shares),
    ...(earlyData && { early_data: true }),
    ...offerPsks(psks, link.now),
  }
  const plain: ClientHelloContent = {
    legacyVersion: ProtocolVersion.tls12,
    random,
    legacySessionId,
    cipherSuites: settings.cipherSuites.map((suite) => suite.code),
    legacyCompressionMethods: Uint8Array.of(0),
    extensions: settings.permuteExtensions ? permuteExtensions(extensions, link.random) : extensions,
  }
  const content = settings.grease ? greaseClientHello(plain, link.random) : plain
  const { hello, bytes } = sendHello(client, content, psks, undefined)
  link.offered({
    versions: hello.extensions.supported_versions ?? [],
    serverName: hello.extensions.server_name,
    alpnProtocols: settings.alpnProtocols,
    cipherSuites: hello.cipherSuites,
    groups: hello.extensions.supported_groups ?? [],
  })
  const { greaseExtensions } = content
  return { hello, bytes, shares, psks, earlyData, greaseExtensions, retry: undefined }
}

/** Sends the second ClientHello: the first, with the changes that section 4.2.2 lists and no others. */
export function* sendSecondClientHello(
  client: ClientHandshake,
  offer: ClientOffer,
  asked: RetryAsked,
): Decides<ClientOffer> {
  const { link, settings, erasure } = client
  const { retry, cookie } = asked
  if (settings.middleboxCompatibility) link.sendChangeCipherSpec()
  const group = settings.groups.find((candidate) => candidate.code === retry.group)
  const shares = group === undefined ? offer.shares : yield* startKeyShares([group], client)
  if (group !== undefined) for (const unused of offer.shares.values()) erasure.erase(unused)
  // "the client SHOULD NOT offer any pre-shared keys associated with a hash other than that of the selected cipher suite"
  const psks = offer.psks.filter(({ hash }) => hash.name === retry.suite.hash.name)
  for (const dropped of offer.psks) if (!psks.includes(dropped)) erasure.erase(dropped.early)
  const { early_data: _, pre_shared_key: __, ...kept } = offer.hello.extensions
  const content: ClientHelloContent = {
    ...offer.hello,
    ...(offer.greaseExtensions && { greaseExtensions: offer.greaseExtensions }),
    extensions: {
      ...kept,
      key_share: keyShareEntries(shares),
      ...(cookie !== undefined && { cookie }),
      ...offerPsks(psks, link.now),
    },
  }
  const { hello, bytes } = sendHello(client, content, psks, retry.transcript)
  return { hello, bytes, shares, psks, earlyData: false, greaseExtensions: offer.greaseExtensions, retry }
}

function baseExtensions(settings: ClientSettings): ClientHelloExtensions {
  const offersCertificateTypes = (types: readonly string[]) => types.some((type) => type !== "X509")
  const { client: clientTypes, server: serverTypes } = settings.certificateTypes
  return {
    ...(settings.sendServerName && settings.serverName !== undefined && { server_name: settings.serverName }),
    supported_versions: [ProtocolVersion.tls13],
    supported_groups: settings.groups.map((group) => group.code),
    signature_algorithms: settings.signatureSchemes,
    ...(settings.signatureSchemesCert.length > 0 && { signature_algorithms_cert: settings.signatureSchemesCert }),
    ...(settings.alpnProtocols.length > 0 && { application_layer_protocol_negotiation: settings.alpnProtocols }),
    ...(settings.requestOcspResponse && { status_request: true }),
    ...(settings.requestSignedCertificateTimestamps && { signed_certificate_timestamp: true }),
    ...(settings.authorities.length > 0 && { certificate_authorities: settings.authorities }),
    ...(settings.postHandshakeAuth && { post_handshake_auth: true }),
    ...(offersCertificateTypes(clientTypes) && { client_certificate_type: clientTypes.map(certificateTypeCode) }),
    ...(offersCertificateTypes(serverTypes) && { server_certificate_type: serverTypes.map(certificateTypeCode) }),
    ...(settings.recordSizeLimit !== undefined && { record_size_limit: settings.recordSizeLimit }),
    // Also without a PSK of our own: "servers may send NewSessionTicket" only to clients that send it (section 4.3.9).
    ...((settings.sessionStore !== undefined || settings.externalPsks.length > 0) && {
      psk_key_exchange_modes: [
        PskKeyExchangeMode.psk_dhe_ke,
        ...(settings.allowPskWithoutKeyExchange ? [PskKeyExchangeMode.psk_ke] : []),
      ],
    }),
    ...compressionOffer(settings),
    ...(settings.ticketRequest !== undefined && { ticket_request: settings.ticketRequest }),
  }
}

function* startKeyShares(
  groups: readonly KeyExchange[],
  { link, erasure }: ClientHandshake,
): Decides<Map<number, KeyExchangeStarted>> {
  const shares = new Map<number, KeyExchangeStarted>()
  for (const group of groups) {
    const started = yield* decide("StartKeyExchange", group.start(link.random), (late) => late.wipe())
    shares.set(group.code, erasure.hold(started))
  }
  return shares
}

function keyShareEntries(shares: ReadonlyMap<number, KeyExchangeStarted>): KeyShareEntry[] {
  return [...shares].map(([group, { share }]) => ({ group, keyExchange: share }))
}

function sendHello(
  { link, settings }: ClientHandshake,
  content: ClientHelloContent,
  psks: readonly OfferedPsk[],
  earlier: Transcript | undefined,
): { hello: ClientHello; bytes: Uint8Array } {
  const composed = encodeClientHello(content)
  const bytes = settings.rewriteMessage?.("client_hello", composed) ?? composed
  // What counts from here on is what is on the wire.
  const hello = decodeClientHello(handshakeMessage(bytes))
  if (hello.extensions.pre_shared_key !== undefined) {
    const truncated = truncateBinders(bytes, hello.extensions)
    writeBinders(bytes, psks, ({ hash }) => (earlier ?? new Transcript(hash)).hashWith(truncated))
  }
  link.send("client_hello", bytes)
  return { hello, bytes }
}

/** Section 4.3.10: the PSK allows 0-RTT, and its suite and application protocol are still on offer. */
function allowsEarlyData(psk: OfferedPsk | undefined, settings: ClientSettings): boolean {
  const session = psk?.session
  if (session === undefined || session.maxEarlyDataSize === 0) return false
  return session.alpnProtocol === undefined
    ? settings.alpnProtocols.length === 0
    : settings.alpnProtocols.includes(session.alpnProtocol)
}

/** From here on 0-RTT data may be sent, under keys of the first PSK (section 4.3.10). */
export function startEarlyData({ link, settings, erasure }: ClientHandshake, { psks, bytes }: ClientOffer): void {
  const psk = psks[0]!
  const suite = settings.cipherSuites.find((candidate) => candidate.code === psk.session!.cipherSuite)!
  const transcriptHash = suite.hash.digest(bytes)
  const secret = erasure.hold(psk.early.clientEarlyTrafficSecret(transcriptHash))
  if (settings.middleboxCompatibility) link.sendChangeCipherSpec()
  link.protectSending(suite, secret, "client_early_traffic_secret")
  link.earlyData.begin(psk.session!.maxEarlyDataSize)
  link.earlyData.exportBy(new EarlyExporter(suite.hash, psk.early.earlyExporterSecret(transcriptHash)))
  erasure.erase(secret)
}
