// START of RFC 9846 appendix A.1: composing and sending ClientHello (section 4.2.2), the first and the second.

import { ProtocolVersion } from "../../bytes/code-points.ts"
import { nothing } from "../../bytes/nothing.ts"
import { type ClientHelloContent, encodeClientHelloBy, extensionTypesOf } from "../../codec/client-hello.ts"
import type { KeyShareEntry } from "../../codec/extensions/key-share.ts"
import type { ClientHelloExtensions } from "../../codec/extensions/messages.ts"
import { handshakeMessage } from "../../codec/message.ts"
import type { KeyExchange, KeyExchangeStarted } from "../../crypto/provider.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import { type Decides, decide } from "../coroutine.ts"
import type { ComposedHello, OfferedEncryptedClientHello } from "../encrypted-client-hello.ts"
import type { ClientHandshake, ClientOffer, OfferedPsk, ResumableSession, RetryAsked } from "./client.ts"

/** Sends the first ClientHello. @param resumable the session to offer */
export function* sendClientHello(
  client: ClientHandshake,
  resumable: ResumableSession | undefined,
): Decides<ClientOffer> {
  const { link, settings, features } = client
  const random = link.random(32)
  // Appendix E.4: "the client always provides a non-empty session ID in the ClientHello".
  const legacySessionId = settings.middleboxCompatibility ? link.random(32) : nothing
  const shares = yield* startKeyShares(settings.keyShares, client)
  const psks = features.preSharedKeys?.collect(client, resumable) ?? []
  const earlyData = settings.earlyData && (features.earlyData?.isAllowed(psks[0], settings) ?? false)
  const extensions: ClientHelloExtensions = {
    server_name: settings.sendServerName ? settings.serverName : undefined,
    supported_versions: [ProtocolVersion.tls13],
    supported_groups: settings.groups.map((group) => group.code),
    ...features.certificates?.offer(settings),
    application_layer_protocol_negotiation: settings.alpnProtocols.length > 0 ? settings.alpnProtocols : undefined,
    post_handshake_auth: settings.postHandshakeAuth || undefined,
    ...features.rawPublicKeys?.offer(settings),
    record_size_limit: settings.recordSizeLimit,
    ...features.preSharedKeys?.offerModes(settings),
    ...features.certificateCompression?.offer(settings),
    key_share: keyShareEntries(shares),
    early_data: earlyData || undefined,
    ...features.preSharedKeys?.offer(psks, link.now),
  }
  const plain: ClientHelloContent = {
    legacyVersion: ProtocolVersion.tls12,
    random,
    legacySessionId,
    cipherSuites: settings.cipherSuites.map((suite) => suite.code),
    legacyCompressionMethods: Uint8Array.of(0),
    extensions:
      (settings.permuteExtensions && features.extensionOrder?.permuted(extensions, link.random)) || extensions,
  }
  const content = (settings.grease && features.grease?.clientHello(plain, link.random)) || plain
  const ech = settings.encryptedClientHello?.begin(client)
  const { hello, bytes } = sendHello(client, content, psks, undefined, ech)
  link.offered({
    versions: hello.extensions.supported_versions ?? [],
    serverName: hello.extensions.server_name,
    alpnProtocols: settings.alpnProtocols,
    cipherSuites: hello.cipherSuites,
    groups: hello.extensions.supported_groups ?? [],
  })
  const { greaseExtensions } = content
  return { hello, bytes, shares, psks, earlyData, greaseExtensions, retry: undefined, ech }
}

/** Sends the second ClientHello: the first, with the changes that section 4.2.2 lists and no others. */
export function* sendSecondClientHello(
  client: ClientHandshake,
  offer: ClientOffer,
  asked: RetryAsked,
): Decides<ClientOffer> {
  const { link, settings, features, erasure } = client
  const { retry, cookie } = asked
  const { ech } = offer
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
      ...features.preSharedKeys?.offer(psks, link.now),
    },
  }
  const { hello, bytes } = sendHello(client, content, psks, retry.transcript, ech)
  return { hello, bytes, shares, psks, earlyData: false, greaseExtensions: offer.greaseExtensions, retry, ech }
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
  { link, settings, features, extensions }: ClientHandshake,
  content: ClientHelloContent,
  psks: readonly OfferedPsk[],
  earlier: Transcript | undefined,
  ech: OfferedEncryptedClientHello | undefined,
): ComposedHello {
  const compose = (content: ClientHelloContent): ComposedHello => {
    const composed = encodeClientHelloBy(extensions, content)
    const { hello, bytes } =
      settings.rewriteMessage && features.rewriting
        ? features.rewriting.hello(composed, settings)
        : { hello: { ...content, extensionTypes: extensionTypesOf(handshakeMessage(composed)) }, bytes: composed }
    if (hello.extensions.pre_shared_key !== undefined) features.preSharedKeys?.writeBinders(bytes, psks, earlier)
    return { hello, bytes }
  }
  if (ech) return ech.send(content, compose)
  const composed = compose(content)
  link.send("client_hello", composed.bytes)
  return composed
}
