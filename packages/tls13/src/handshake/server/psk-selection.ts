// The server's choice of a PSK: RFC 9846 section 4.3.11. Tickets and external PSKs are looked up in the client's order;
// the first that fits is taken and its binder, and no other, is checked.

import { PskKeyExchangeMode } from "../../bytes/code-points.ts"
import { equalBytes } from "../../bytes/equal.ts"
import type { Pause } from "../../bytes/pause.ts"
import { type ClientHello, truncateBinders } from "../../codec/client-hello.ts"
import type { CipherSuiteAlgorithms } from "../../crypto/provider.ts"
import { EarlyStage, type PskKind } from "../../schedule/key-schedule.ts"
import { Transcript } from "../../schedule/transcript.ts"
import { type ExternalPsk, isExpired, longestTicketLifetime, type ServerSession } from "../../session/session.ts"
import type { PeerIdentity } from "../../x509/interfaces.ts"
import { verifyStoredChain } from "../authentication.ts"
import type { Link } from "../link.ts"
import { PskAgreed } from "../proofs.ts"
import type { ServerSettings } from "../settings.ts"
import { decide, type Transition } from "../state.ts"

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
  readonly link: Link
  readonly settings: ServerSettings
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
    pskOnly: settings.allowPskKe && modes.includes(PskKeyExchangeMode.psk_ke),
  }
}

export function selectPsk(query: PskQuery, then: (psk: ChosenPsk | undefined) => Transition): Transition {
  const { hello, settings } = query
  const modes = pskModes(hello, settings)
  if (hello.extensions.pre_shared_key === undefined || !(modes.dhe || modes.pskOnly)) return then(undefined)
  return lookUp(query, 0, then)
}

function lookUp(query: PskQuery, index: number, then: (psk: ChosenPsk | undefined) => Transition): Transition {
  const { settings, hello } = query
  const { identity } = hello.extensions.pre_shared_key!.identities[index] ?? {}
  if (identity === undefined || index >= settings.maxPskIdentities) return then(undefined)
  return decide("OpenTicket", openTicket(query, identity), (session) => {
    const resumed = session && fromTicket(query, index, session)
    if (resumed) return resume(query, verifyBinder(query, resumed, identity), then)
    // A ticket that we know, but may not resume, is not a name of an external PSK.
    if (session !== undefined) return lookUp(query, index + 1, then)
    return decide("LookUpPsk", settings.externalPsks?.lookup(identity), (psk) => {
      const external = psk && fromExternal(query, index, psk)
      return external ? then(verifyBinder(query, external, identity)) : lookUp(query, index + 1, then)
    })
  })
}

/** Section 4.7.1, "the likelihood of intervening revocation": a session is not resumed without the external PSK that it stands on. */
function resume(query: PskQuery, psk: ChosenPsk, then: (psk: ChosenPsk | undefined) => Transition): Transition {
  const { pskIdentity } = psk.session ?? {}
  if (pskIdentity === undefined) return reverify(query, psk, then)
  return decide("LookUpPsk", query.settings.externalPsks?.lookup(pskIdentity), (known) =>
    known === undefined ? passOver(query, psk, then) : reverify(query, psk, then),
  )
}

/** Nor is one whose certificates are refused now. */
function reverify(query: PskQuery, psk: ChosenPsk, then: (psk: ChosenPsk | undefined) => Transition): Transition {
  const { settings, link } = query
  const { verifier, reverify: isAsked } = settings.clientAuthentication ?? {}
  const chain = psk.session?.peerChain ?? []
  if (verifier === undefined || !isAsked || chain.length === 0) return then(psk)
  const { provider } = settings
  const authentication = { verifier, serverName: undefined, now: link.now, provider }
  const verdict = verifyStoredChain(authentication, "client", psk.session!)
  return decide("VerifyPeer", verdict, (answer) =>
    answer.accepted ? then({ ...psk, peer: answer.identity }) : passOver(query, psk, then),
  )
}

function passOver(query: PskQuery, psk: ChosenPsk, then: (psk: ChosenPsk | undefined) => Transition): Transition {
  psk.early.wipe()
  return lookUp(query, psk.index + 1, then)
}

function openTicket(
  { settings, link, opened }: PskQuery,
  identity: Uint8Array,
): ServerSession | undefined | Pause<ServerSession | undefined> {
  if (opened !== undefined && equalBytes(opened.identity, identity)) return opened.session
  return settings.ticketer?.open(identity, link.now)
}

function fromTicket(
  { link, settings, hello, suites }: PskQuery,
  index: number,
  session: ServerSession,
): Candidate | undefined {
  const made = settings.cipherSuites.find(({ code }) => code === session.cipherSuite)
  const suite =
    suites.find((candidate) => candidate === made) ?? suites.find(({ hash }) => hash.name === made?.hash.name)
  if (suite === undefined || isExpired(session, link.now)) return undefined
  // Section 4.7.1: "implementations place limits on the total lifetime of such keying material".
  if (link.now - session.authenticatedAt > longestTicketLifetime * 1000) return undefined
  if (session.partition !== settings.partition) return undefined
  if (session.serverName !== hello.extensions.server_name) return undefined
  if (settings.clientAuthentication?.mode === "require" && session.peerChain.length === 0) return undefined
  return { index, key: session.psk, kind: "resumption", suite, session }
}

function fromExternal({ suites }: PskQuery, index: number, psk: ExternalPsk): Candidate | undefined {
  const suite = suites.find(({ hash }) => hash.name === psk.hash)
  return suite && { index, key: psk.key, kind: psk.kind, suite, session: undefined }
}

/** Section 4.3.11.2. The hash is over everything before the binders, with the PSK's hash. */
function verifyBinder({ link, hello, bytes, earlier }: PskQuery, psk: Candidate, identity: Uint8Array): ChosenPsk {
  const { hash } = psk.suite
  const early = EarlyStage.start(hash, psk.key, link.observeSecret)
  const binderKey = early.binderKey(psk.kind)
  const truncatedHash = (earlier ?? new Transcript(hash)).hashWith(truncateBinders(bytes, hello.extensions))
  const binder = hello.extensions.pre_shared_key!.binders[psk.index]!
  const proof = PskAgreed.byBinder(hash, binderKey, truncatedHash, binder)
  binderKey.fill(0)
  return { index: psk.index, suite: psk.suite, early, proof, identity, session: psk.session, peer: undefined }
}
