// Section 4.2.1 of RFC 9846, cryptographic negotiation: the server's choice of suite, group and application protocol.

import { PeerIncompatible } from "../../bytes/errors.ts"
import { quotedText } from "../../bytes/text.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import type { CipherSuiteAlgorithms, KeyExchange } from "../../crypto/provider.ts"
import type { ServerSettings } from "../settings.ts"

/** The suites that both have, best first. @throws PeerIncompatible handshake_failure when there is none */
export function commonSuites(hello: ClientHello, settings: ServerSettings): readonly CipherSuiteAlgorithms[] {
  const common = inOrder(settings.cipherSuites, hello.cipherSuites, settings.preference)
  if (common.length === 0) {
    throw new PeerIncompatible("handshake_failure", "client and server have no cipher suite in common")
  }
  return common
}

export interface GroupChoice {
  readonly group: KeyExchange
  /** The client's share; undefined: a HelloRetryRequest must ask for one. */
  readonly clientShare: Uint8Array | undefined
}

/** The best common group that the client sent a share for; else the best common one; undefined when there is none. */
export function chooseGroup(hello: ClientHello, settings: ServerSettings): GroupChoice | undefined {
  const common = inOrder(settings.groups, hello.extensions.supported_groups ?? [], settings.preference)
  for (const group of common) {
    const share = hello.extensions.key_share?.find((entry) => entry.group === group.code)
    if (share !== undefined) return { group, clientShare: share.keyExchange }
  }
  return common[0] && { group: common[0], clientShare: undefined }
}

/**
 * RFC 7301 section 3.2.
 * @throws PeerIncompatible no_application_protocol when both have protocols and none in common
 */
export function chooseAlpn(hello: ClientHello, settings: ServerSettings): string | undefined {
  const offered = hello.extensions.application_layer_protocol_negotiation
  if (offered === undefined || settings.alpnProtocols.length === 0) return undefined
  const chosen = settings.alpnProtocols.find((protocol) => offered.includes(protocol))
  if (chosen === undefined) {
    throw new PeerIncompatible(
      "no_application_protocol",
      `client offers ${someOf(offered)}; this listener speaks ${settings.alpnProtocols.join(", ")}`,
    )
  }
  return chosen
}

/** For an error message: the first of them, however many a client offers. */
function someOf(names: readonly string[]): string {
  const first = names.slice(0, 8).map(quotedText)
  return names.length > first.length ? `${first.join(", ")} and ${names.length - first.length} more` : first.join(", ")
}

function inOrder<Known extends { readonly code: number }>(
  ours: readonly Known[],
  theirs: readonly number[],
  preference: "server" | "client",
): readonly Known[] {
  if (preference === "server") return ours.filter(({ code }) => theirs.includes(code))
  return theirs.flatMap((code) => ours.find((known) => known.code === code) ?? [])
}
