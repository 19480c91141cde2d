// The server's choice of a PSK: RFC 9846 section 4.3.11. Tickets and external PSKs are looked up in the client's order;
// the first that fits is taken and its binder, and no other, is checked.

import { PskKeyExchangeMode } from "../../bytes/code-points.ts"
import { copyOf } from "../../bytes/copy.ts"
import { equalBytes } from "../../bytes/equal.ts"
import type { Pause } from "../../bytes/pause.ts"
import { type ClientHello, truncateBinders } from "../../codec/client-hello.ts"
import type { CipherSuiteAlgorithms } from "../../crypto/provider.ts"
import { EarlyStage, type PskKind } from "../../schedule/key-schedule.ts"
import { hashWith, Transcript } from "../../schedule/transcript.ts"
import { type ExternalPsk, isExpired, longestTicketLifetime, type ServerSession } from "../../session/session.ts"
import type { PeerIdentity } from "../../x509/interfaces.ts"
import { verifyStoredChain } from "../authentication.ts"
import { type Decides, decide } from "../coroutine.ts"
import { PskAgreed } from "../proofs.ts"
import type { ServerSettings } from "../settings.ts"
import type { ServerHandshake } from "./server.ts"

export interface ChosenPsk {
  /** selected_identity */
  readonly index: number
  readonly suite: CipherSuiteAlgorithms
  readonly early: EarlyStage
  readonly proof: PskAgreed
  readonly identity: Uint8Array
  /** undefined for an external PSK. */
  readonly session: ServerSession | undefined
  /** Who the client is, when the certificates of its session were verified anew. */
  readonly peer: PeerIdentity | undefined
}

interface Candidate {
  readonly index: number
  readonly key: Uint8Array
  readonly kind: PskKind
  readonly suite: CipherSuiteAlgorithms
  readonly session: ServerSession | undefined
}

export interface PskQuery {
  readonly hello: ClientHello
  readonly bytes: Uint8Array
  /** Best first; one only after a HelloRetryRequest. */
  readonly suites: readonly CipherSuiteAlgorithms[]
  /** message_hash and HelloRetryRequest, when this is the second ClientHello. */
  readonly earlier: Transcript | undefined
  /** The ticket that was opened for the first ClientHello: a single-use one does not open again. */
  readonly opened: OpenedTicket | undefined
}

export interface OpenedTicket {
  readonly identity: Uint8Array
  readonly session: ServerSession
}

/** Whether the PSK may go with a key exchange, and whether it may do without one (section 4.3.9). */
export function pskModes(
  hello: ClientHello,
  settings: ServerSettings,
): { readonly dhe: boolean; readonly pskOnly: boolean } {
  const modes = hello.extensions.psk_key_exchange_modes ?? []
  return {
    dhe: modes.includes(PskKeyExchangeMode.psk_dhe_ke),
    pskOnly: settings.allowPskWithoutKeyExchange && modes.includes(PskKeyExchangeMode.psk_ke),
  }
}

/** The first identity, in the client's order, that we know and may use; undefined when there is none. */
export function* selectPsk(server: ServerHandshake, query: PskQuery): Decides<ChosenPsk | undefined> {
  const { settings, erasure } = server
  const modes = pskModes(query.hello, settings)
  const offered = query.hello.extensions.pre_shared_key
  if (offered === undefined || !(modes.dhe || modes.pskOnly)) return undefined
  for (const [index, { identity }] of offered.identities.slice(0, settings.limits.pskIdentities).entries()) {
    const session = yield* decide("OpenTicket", openTicket(server, query, identity))
    if (session !== undefined) {
      const candidate = fromTicket(server, query, index, session)
      // A ticket that we know, but may not resume, is not a name of an external PSK.
      if (candidate === undefined) continue
      const resumed = verifyBinder(server, query, candidate, identity)
      const peer = yield* mayResume(server, session)
      if (peer !== "refused") return { ...resumed, peer }
      erasure.erase(resumed.early)
      continue
    }
    const psk = yield* decide("LookUpPsk", settings.externalPsks?.lookup(identity))
    const candidate = psk && fromExternal(query, index, psk)
    if (candidate) return verifyBinder(server, query, candidate, identity)
  }
  return undefined
}

/**
 * Section 4.7.1, "the likelihood of intervening revocation": a session is not resumed without the external PSK that it stands
 * on, nor where its certificates are refused now. The client, when they were looked at.
 */
function* mayResume(
  { link, settings }: ServerHandshake,
  session: ServerSession,
): Decides<ChosenPsk["peer"] | "refused"> {
  const { pskIdentity, peerChain } = session
  if (pskIdentity !== undefined) {
    const known = yield* decide("LookUpPsk", settings.externalPsks?.lookup(pskIdentity))
    if (known === undefined) return "refused"
  }
  const { verifier, reverifyOnResumption } = settings.clientAuthentication ?? {}
  if (verifier === undefined || !reverifyOnResumption || peerChain.length === 0) return undefined
  const authentication = { verifier, serverName: undefined, now: link.now, provider: settings.provider }
  return (yield* verifyStoredChain(authentication, "client", session)) ?? "refused"
}

function openTicket(
  { settings, link }: ServerHandshake,
  { opened }: PskQuery,
  identity: Uint8Array,
): ServerSession | undefined | Pause<ServerSession | undefined> {
  if (opened !== undefined && equalBytes(opened.identity, identity)) return opened.session
  return settings.ticketer?.open(identity, link.now)
}

function fromTicket(
  { link, settings }: ServerHandshake,
  { hello, suites }: PskQuery,
  index: number,
  session: ServerSession,
): Candidate | undefined {
  const made = settings.cipherSuites.find(({ code }) => code === session.cipherSuite)
  const suite =
    suites.find((candidate) => candidate === made) ?? suites.find(({ hash }) => hash.name === made?.hash.name)
  if (suite === undefined || isExpired(session, link.now)) return undefined
  // Section 4.7.1: "implementations place limits on the total lifetime of such keying material".
  if (link.now - session.authenticatedAt > longestTicketLifetime * 1000) return undefined
  if (session.partition !== settings.resumptionPartition) return undefined
  if (session.serverName !== hello.extensions.server_name) return undefined
  if (settings.clientAuthentication?.mode === "require" && session.peerChain.length === 0) return undefined
  return { index, key: session.psk, kind: "resumption", suite, session }
}

function fromExternal({ suites }: PskQuery, index: number, psk: ExternalPsk): Candidate | undefined {
  const suite = suites.find(({ hash }) => hash.name === psk.hash)
  return suite && { index, key: psk.key, kind: psk.kind, suite, session: undefined }
}

/** Section 4.3.11.2. The hash is over everything before the binders, with the PSK's hash. */
function verifyBinder(
  { link, erasure }: ServerHandshake,
  { hello, bytes, earlier }: PskQuery,
  psk: Candidate,
  identity: Uint8Array,
): ChosenPsk {
  const { hash } = psk.suite
  const early = erasure.hold(EarlyStage.start(hash, psk.key, link.observeSecret))
  const binderKey = erasure.hold(early.binderKey(psk.kind))
  const truncatedHash = hashWith(earlier ?? new Transcript(hash), truncateBinders(bytes, hello.extensions))
  const binder = hello.extensions.pre_shared_key!.binders[psk.index]!
  const proof = PskAgreed.byBinder(hash, binderKey, truncatedHash, binder)
  erasure.erase(binderKey)
  return {
    index: psk.index,
    suite: psk.suite,
    early,
    proof,
    identity: copyOf(identity),
    session: psk.session,
    peer: undefined,
  }
}
