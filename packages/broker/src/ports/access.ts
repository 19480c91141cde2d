// Who may connect, publish and subscribe. Authentication answers through a callback, because it may take its time
// (scrypt, a directory); the connection pauses meanwhile. Authorisation answers at once.

import type { TopicFilter } from "../routing/filter.ts"
import type { PeerInfo } from "./peer.ts"

export interface Identity {
  /** The name that the ACL and the log use; "" for an anonymous client. */
  readonly user: string
  readonly source: "anonymous" | "password" | "certificate" | "token" | "hook" | "bridge"
  /** What the login itself allows: then of the access control list only what denies holds. Undefined: the list says all of it. */
  readonly rights?: Rights | undefined
  /** Milliseconds of the broker's clock from which on the client has to log in anew; undefined: never. */
  readonly expiresAt?: number | undefined
}

/** What one client may do by its login. */
export interface Rights {
  /** Filters there are: what it costs to ask. */
  readonly size: number
  /** Whether the client may publish to the topic `text` ("write"), or read all that the topic or filter `text` matches. */
  allows(action: "read" | "write", text: string): boolean
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

/** Who begins an exchange of enhanced authentication; of a re-authentication the `identity` that the client has had until now. */
export interface ExchangeAttempt {
  readonly clientId: string
  /** The User Name of CONNECT. */
  readonly username: string | undefined
  readonly peer: PeerInfo
  readonly identity: Identity | undefined
  readonly abandoned: () => boolean
}

/**
 * What an exchange says next: that it goes on with these Authentication Data (AUTH with Reason Code 0x18), or how it ended;
 * the data of one that ended well go out with CONNACK, or with AUTH 0x00 after a re-authentication.
 */
export type Step =
  | { readonly goesOn: true; readonly data: Uint8Array }
  | { readonly goesOn: false; readonly decision: Decision; readonly data: Uint8Array | undefined }

/** One run of an Authentication Method (MQTT 5.0 section 4.12), such as SCRAM-SHA-256. */
export interface Exchange {
  /** `data`: the client's Authentication Data, its own to keep; undefined: it sent none. Calls `answer` exactly once, now or later. */
  next(data: Uint8Array | undefined, answer: (step: Step) => void): void
}

/** Why something is not allowed. */
export interface Refusal {
  /** The rule that says so, for the log: `line 7: all deny home/+/secret/#`, or that none allows it. */
  readonly rule: string
}

export interface Access {
  /** Calls `decide` exactly once, now or later. */
  authenticate(attempt: LoginAttempt, decide: (decision: Decision) => void): void
  /** Begins an exchange with this Authentication Method; undefined: it is none of ours (0x8C). Left out: there is none at all. */
  exchange?(method: string, attempt: ExchangeAttempt): Exchange | undefined
  /** Undefined: the client may publish to this topic. Costs no memory, as it may be asked for each PUBLISH. */
  publishRefusal(identity: Identity, clientId: string, topic: string): Refusal | undefined
  /** Undefined: the client may subscribe to this filter. */
  subscribeRefusal(identity: Identity, clientId: string, filter: TopicFilter): Refusal | undefined
  /** For a subscription that is allowed with exceptions: which topics may come through it. Undefined: all that match. */
  deliveryRule(identity: Identity, clientId: string, filter: TopicFilter): ((topic: string) => boolean) | undefined
  /** What judging has cost since the beginning, in the units of routing. Left out: it costs nothing to speak of. */
  readonly work?: number
}
