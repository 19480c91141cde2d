// RECVD_CH of RFC 9846 appendix A.2: from what the client offers to what both use (section 4.2.1).

import { PeerIncompatible } from "../../bytes/errors.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import type { CipherSuiteAlgorithms, KeyExchange } from "../../crypto/provider.ts"
import type { Decides } from "../coroutine.ts"
import type { ServerSettings } from "../settings.ts"
import type { ClientHelloRead } from "./client-hello.ts"
import { decideEarlyData, type EarlyDataDecision } from "./early-data.ts"
import type { ServerRetry, ShareWanted } from "./hello-retry.ts"
import { chooseAlpn, chooseGroup, commonSuites, type GroupChoice } from "./preferences.ts"
import { type ChosenPsk, pskModes, selectPsk } from "./psk-selection.ts"
import type { ServerHandshake } from "./server.ts"

/** What the ClientHello led to. */
export interface Negotiated extends ClientHelloRead {
  readonly kind: "negotiated"
  readonly suite: CipherSuiteAlgorithms
  readonly psk: ChosenPsk | undefined
  /** undefined for psk_ke */
  readonly group: KeyExchange | undefined
  readonly clientShare: Uint8Array | undefined
  readonly alpnProtocol: string | undefined
  readonly earlyData: EarlyDataDecision
  readonly retry: ServerRetry | undefined
  readonly ech: ServerHandshake["ech"]
}

/** @param retry the HelloRetryRequest that came before; a second one is never sent (section 4.2.4) */
export function* negotiate(
  server: ServerHandshake,
  { hello, bytes }: ClientHelloRead,
  retry: ServerRetry | undefined,
): Decides<Negotiated | ShareWanted> {
  const { link, settings, erasure } = server
  // "Servers MUST ensure that they negotiate the same cipher suite when receiving a conformant updated ClientHello" (section 4.2.4)
  const suites = retry === undefined ? commonSuites(hello, settings) : [retry.suite]
  const psk = yield* selectPsk(server, {
    hello,
    bytes,
    suites,
    earlier: retry?.transcript,
    opened: retry?.opened,
  })
  const suite = psk?.suite ?? suites[0]!
  const choice = pickGroup(settings, hello, psk, retry)
  if (choice !== undefined && choice.clientShare === undefined) {
    // Only servers of different groups that share cookies meet this.
    if (retry !== undefined) throw noCommonGroup()
    link.atRecordBoundary()
    if (psk !== undefined) erasure.erase(psk.early)
    return { kind: "share wanted", suite, group: choice.group, psk }
  }
  link.skipEarlyData(undefined)
  const alpnProtocol = chooseAlpn(hello, settings)
  const earlyData = yield* decideEarlyData(server, hello, psk, alpnProtocol, retry !== undefined)
  const { group, clientShare } = choice ?? {}
  return {
    kind: "negotiated",
    hello,
    bytes,
    suite,
    psk,
    group,
    clientShare,
    alpnProtocol,
    earlyData,
    retry,
    ech: server.ech,
  }
}

export function* negotiateAgain(
  server: ServerHandshake,
  hello: ClientHelloRead,
  retry: ServerRetry,
): Decides<Negotiated> {
  const agreed = yield* negotiate(server, hello, retry)
  if (agreed.kind === "share wanted") throw noCommonGroup()
  return agreed
}

/** The group for the key exchange; undefined for psk_ke. */
function pickGroup(
  settings: ServerSettings,
  hello: ClientHello,
  psk: ChosenPsk | undefined,
  retry: ServerRetry | undefined,
): GroupChoice | undefined {
  const choice = retry?.group
    ? { group: retry.group, clientShare: hello.extensions.key_share![0]!.keyExchange }
    : chooseGroup(hello, settings)
  const modes = pskModes(hello, settings)
  if (psk !== undefined && modes.pskOnly && (choice === undefined || !modes.dhe)) return undefined
  if (choice === undefined) throw noCommonGroup()
  return choice
}

function noCommonGroup(): PeerIncompatible {
  return new PeerIncompatible("handshake_failure", "client and server have no key exchange group in common")
}
