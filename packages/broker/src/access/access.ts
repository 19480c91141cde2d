// Who may connect, publish and subscribe. Authentication answers through a callback, because it may take its time
// (scrypt, a directory); the connection pauses meanwhile. Authorisation answers at once.

import { ReasonCode } from "../packet/reason-codes.ts"
import type { TopicFilter } from "../routing/filter.ts"
import type { PeerInfo } from "../transport/peer.ts"

export interface Identity {
  /** The name that the ACL and the log use; "" for an anonymous client. */
  readonly user: string
  readonly source: "anonymous" | "password" | "certificate"
}

export interface LoginAttempt {
  readonly clientId: string
  readonly username: string | undefined
  readonly password: Uint8Array | undefined
  readonly peer: PeerInfo
  /** True once the connection is gone: nobody waits for the decision any more. */
  readonly abandoned: () => boolean
}

/** An identity, or the Reason Code the client is refused with and what the log says about it. */
export type Decision = { readonly identity: Identity } | { readonly reasonCode: number; readonly why: string }

/** Why something is not allowed. */
export interface Refusal {
  /** The rule that says so, for the log: `line 7: all deny home/+/secret/#`, or that none allows it. */
  readonly rule: string
}

export interface Access {
  /** Calls `decide` exactly once, now or later. */
  authenticate(attempt: LoginAttempt, decide: (decision: Decision) => void): void
  /** Undefined: the client may publish to this topic. Costs no memory, as it may be asked for each PUBLISH. */
  publishRefusal(identity: Identity, clientId: string, topic: string): Refusal | undefined
  /** Undefined: the client may subscribe to this filter. */
  subscribeRefusal(identity: Identity, clientId: string, filter: TopicFilter): Refusal | undefined
  /** For a subscription that is allowed with exceptions: which topics may come through it. Undefined: all that match. */
  deliveryRule(identity: Identity, clientId: string, filter: TopicFilter): ((topic: string) => boolean) | undefined
}

/** Lets everybody do everything. For tests and for brokers that only this machine reaches. */
export const openAccess: Access = {
  authenticate(attempt, decide) {
    const { certificateIdentity: certificate, certificateProblem: problem } = attempt.peer
    if (certificate !== undefined) decide({ identity: { user: certificate, source: "certificate" } })
    else if (problem !== undefined) decide({ reasonCode: ReasonCode.NotAuthorized, why: problem })
    else decide({ identity: { user: "", source: "anonymous" } })
  },
  publishRefusal: () => undefined,
  subscribeRefusal: () => undefined,
  deliveryRule: () => undefined,
}
