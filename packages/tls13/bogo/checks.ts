// What the `-expect-*` flags say of a connection that is complete (CheckHandshakeProperties of bssl_shim.cc).

import { CipherSuite, NamedGroup, SignatureScheme } from "../src/bytes/code-points.ts"
import { equalBytes } from "../src/bytes/equal.ts"
import { decodeClientHello } from "../src/codec/client-hello.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import type { HandshakeInfo, Offer } from "../src/handshake/info.ts"
import { type Memory, pskCredential } from "./configuration.ts"
import { certificatesOf, type Seen } from "./credentials.ts"
import type { ConnectionFlags } from "./flags.ts"
import { Failure } from "./outcomes.ts"

export interface Complete {
  readonly info: HandshakeInfo
  readonly offer: Offer
  readonly seen: Seen
  readonly isResume: boolean
  readonly memory: Memory
}

/** @throws Failure for the first thing that is not as expected */
export function checkComplete(flags: ConnectionFlags, { info, offer, seen, isResume, memory }: Complete): void {
  const isServer = flags.has("-server")
  const expect = (what: string, got: unknown, wanted: unknown): void => {
    if (wanted !== undefined && got !== wanted)
      throw new Failure(`${what} was ${String(got)}, wanted ${String(wanted)}`)
  }
  if (flags.has("-handshake-never-done")) throw new Failure("Handshake unexpectedly completed.")
  expect("session reused", info.resumed, isResume && !flags.has("-expect-session-miss"))
  expect("cipher suite", codeOf(CipherSuite, info.cipherSuite), flags.number("-expect-cipher"))
  // A provider tells by its order whether AES is done by the machine.
  const hasAes = memory.provider.cipherSuites[0]!.name.includes("AES")
  const expectedSuite = flags.number(hasAes ? "-expect-cipher-aes" : "-expect-cipher-no-aes")
  expect("cipher suite", codeOf(CipherSuite, info.cipherSuite), expectedSuite)
  expect("group", codeOf(NamedGroup, info.group), flags.number("-expect-curve-id"))
  // BoringSSL remembers the scheme with the session.
  if (!info.resumed) {
    const scheme = codeOf(SignatureScheme, info.peerSignatureScheme)
    expect("peer's signature scheme", scheme, flags.number("-expect-peer-signature-algorithm"))
  }
  const alpn = isServer ? flags.text("-select-alpn") : flags.text("-expect-alpn")
  expect("ALPN protocol", info.alpnProtocol ?? "", alpn ?? "")
  if (isServer) checkOffer(flags, info, offer)
  expect("Encrypted Client Hello accepted", info.encryptedClientHello === "accepted", flags.has("-expect-ech-accept"))
  if (flags.has("-expect-hrr")) expect("HelloRetryRequest", info.helloRetryRequest, true)
  if (flags.has("-expect-no-hrr")) expect("HelloRetryRequest", info.helloRetryRequest, false)
  if (flags.has("-expect-accept-early-data")) expect("early data", info.earlyData, "accepted")
  if (flags.has("-expect-reject-early-data") && info.earlyData === "accepted") throw new Failure("early data accepted")
  const selected =
    info.pskIdentity === undefined ? seen.selectedCredential : pskCredential(flags, info.pskIdentity, memory.provider)
  expect("selected credential", selected, flags.number("-expect-selected-credential"))
  const types = { X509: 0, RawPublicKey: 2 } as const
  expect("peer's certificate type", types[info.peerCertificateType], flags.number("-expect-peer-certificate-type"))
  // Of an encrypted hello only the outside is seen here.
  const isSeen = info.encryptedClientHello !== "accepted"
  if (info.resumed && isSeen)
    expect("ticket age skew", ageSkew(seen, memory.now()), flags.number("-expect-ticket-age-skew"))
  checkPeer(flags, info, seen)
}

/** Seconds by which the client thinks its ticket older than the server does. */
function ageSkew({ clientHello, openedSession }: Seen, now: number): number | undefined {
  if (clientHello === undefined || openedSession === undefined) return undefined
  const { pre_shared_key } = decodeClientHello(handshakeMessage(clientHello)).extensions
  const { obfuscatedTicketAge } = pre_shared_key!.identities[0]!
  const claimed = (obfuscatedTicketAge - openedSession.ticketAgeAdd + 2 ** 32) % 2 ** 32
  return Math.floor(claimed / 1000) - Math.floor((now - openedSession.issuedAt) / 1000)
}

function checkOffer(flags: ConnectionFlags, info: HandshakeInfo, offer: Offer): void {
  const expected = flags.text("-expect-server-name")
  if (expected !== undefined && info.serverName !== expected) throw new Failure(`server name was ${info.serverName}`)
  if (flags.has("-expect-no-server-name") && info.serverName !== undefined) throw new Failure("unexpected server name")
  const alpn = flags.text("-expect-advertised-alpn")
  const offered = offer.alpnProtocols.map((name) => String.fromCharCode(name.length) + name).join("")
  if (alpn !== undefined && offered !== alpn) throw new Failure(`ALPN offer was ${JSON.stringify(offered)}`)
}

function checkPeer(flags: ConnectionFlags, info: HandshakeInfo, seen: Seen): void {
  const shown = info.peerChain.length > 0
  const unexpected = flags.has("-expect-no-peer-cert") || info.pskIdentity !== undefined
  if (unexpected && shown && info.peerCertificateType === "X509") throw new Failure("unexpected peer certificate")
  if (!unexpected && !shown && (!flags.has("-server") || flags.has("-require-any-client-certificate"))) {
    throw new Failure("no peer certificate, but one was expected")
  }
  const file = flags.text("-expect-peer-cert-file")
  if (file !== undefined && !equalLists(info.peerChain, certificatesOf(file))) {
    throw new Failure("peer's chain is not the expected one")
  }
  if (!info.resumed) {
    checkBytes("OCSP response", seen.ocspResponse, flags.bytes("-expect-ocsp-response"))
    const timestamps = flags.bytes("-expect-signed-cert-timestamps")
    checkBytes("signed certificate timestamps", seen.signedCertificateTimestamps, timestamps)
  }
}

function checkBytes(what: string, got: Uint8Array | undefined, wanted: Uint8Array | undefined): void {
  if (wanted !== undefined && (got === undefined || !equalBytes(got, wanted))) throw new Failure(`${what} mismatch`)
}

function equalLists(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((each, index) => equalBytes(each, others[index]!))
}

function codeOf(registry: Readonly<Record<string, number>>, name: string | undefined): number | undefined {
  return name === undefined ? undefined : registry[name]
}
