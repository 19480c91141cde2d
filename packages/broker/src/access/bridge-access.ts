// The broker's own bridges among those who log in: they are who they are by the connection that they come by, may do all that their
// rules say, and nobody else has their sessions.

import { ReasonCode } from "../packet/reason-codes.ts"
import type { Decision, Identity } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { ReplaceableAccess } from "./login.ts"

/** How Client Identifiers of bridges begin. */
export const bridgeIds = "$bridge/"

/** The ends of bridges at this broker, which `make` has made. */
export class BridgePeers {
  readonly #names = new WeakMap<PeerInfo, string>()

  /** Who connects, for a bridge of that name. */
  make(name: string): PeerInfo {
    const peer: PeerInfo = { transport: "stream", address: `bridge ${name}` }
    this.#names.set(peer, name)
    return peer
  }

  nameOf(peer: PeerInfo): string | undefined {
    return this.#names.get(peer)
  }
}

/** The same access, with bridges. */
export function withBridges(access: ReplaceableAccess, peers: BridgePeers): ReplaceableAccess {
  const decide = ({ clientId, peer }: { readonly clientId: string; readonly peer: PeerInfo }): Decision | undefined => {
    const name = peers.nameOf(peer)
    if (name !== undefined) return { identity: { user: `${bridgeIds}${name}`, source: "bridge" } }
    if (!clientId.startsWith(bridgeIds)) return undefined
    return {
      reasonCode: ReasonCode.ClientIdentifierNotValid,
      why: "its Client Identifier is one of the broker's bridges",
    }
  }
  const isBridge = ({ source }: Identity) => source === "bridge"
  return {
    authenticate(attempt, answer) {
      const own = decide(attempt)
      if (own === undefined) access.authenticate(attempt, answer)
      else answer(own)
    },
    ...(access.exchange !== undefined && {
      exchange(method, attempt) {
        const own = decide(attempt)
        if (own === undefined) return access.exchange?.(method, attempt)
        return { next: (_data, answer) => answer({ goesOn: false, decision: own, data: undefined }) }
      },
    }),
    publishRefusal: (identity, clientId, topic) =>
      isBridge(identity) ? undefined : access.publishRefusal(identity, clientId, topic),
    subscribeRefusal: (identity, clientId, filter) =>
      isBridge(identity) ? undefined : access.subscribeRefusal(identity, clientId, filter),
    deliveryRule: (identity, clientId, filter) =>
      isBridge(identity) ? undefined : access.deliveryRule(identity, clientId, filter),
    get work() {
      return access.work ?? 0
    },
    get counts() {
      return access.counts
    },
    replace(rules) {
      const lost = access.replace(rules)
      return (identity, peer) => (isBridge(identity) ? undefined : lost(identity, peer))
    },
    limit: (limits) => access.limit(limits),
  }
}
