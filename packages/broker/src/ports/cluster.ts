// What a broker that is one of several asks of the others, beside its Store and its Bus: that a session is its own before it serves
// it, and what came for a session while nobody served it. Each of them is a node.

import type { Change, MessageKept, Position } from "../packet/change.ts"
import type { Qos } from "../packet/packets.ts"
import type { Pause } from "./pause.ts"
import type { StoreFailed } from "./store.ts"

/** How far a session was served. */
export interface Served {
  /** By partition: of messages up to this one nothing is owed to it but what its Changes say. */
  readonly through: readonly number[]
  /** By the filter of a subscription: the same, where it is later than the session. */
  readonly since: ReadonlyMap<string, readonly number[]>
}

/** A session that is this node's now; without Changes there is none. */
export interface Claimed {
  /** In an order in which they can be applied. Numbers of messages and places are those of this answer. */
  readonly changes: readonly Change[]
  readonly served: Served
}

/** A message of QoS 1 or 2, or one that is retained, as it came. Times are those of `now`. */
export interface Arrived extends Omit<MessageKept, "type" | "sequence"> {
  readonly position: Position
  /** Client Identifier of who has published it. */
  readonly publisher: string
  /** Of one that nobody keeps, from another node: when it was published there, or a little later. */
  readonly publishedAt?: number | undefined
}

export interface FetchedMessages {
  readonly messages: readonly Arrived[]
  /** All up to this sequence of the partition have been told. */
  readonly through: number
  /** There may be more behind it. */
  readonly more: boolean
}

/** A session here that takes part in a Shared Subscription. */
export interface SharedMember {
  readonly clientId: string
  /** Granted. */
  readonly qos: Qos
  /** It outlives its connection: while it is away the group keeps its messages. */
  readonly lasting: boolean
}

/**
 * What has become of a message of a Shared Subscription that a member was offered: at QoS 0 it was passed on; at QoS 1 it was sent,
 * and `settled` follows; at QoS 2 the session has it, which is committed. Else it may go to another: as this one has no room at the
 * moment, and `joined` follows when it has; as it is not here; or as it may not, or cannot, have it.
 */
export type Taken = "passed" | "sent" | "kept" | "full" | "away" | "refused"

/** The servers know of it; or why not. `quota`: there is no room for one more, as a limit says. */
export type Standing = "standing" | (StoreFailed & { readonly quota?: true | undefined })

export interface Cluster {
  readonly partitions: number
  /** False: nothing can be committed, or asked, until a server can be reached again. */
  readonly reachable: boolean
  /** Bytes that a Topic Filter takes at most of the one message that has all of a session; and that all of them, and a will, may take. */
  filterBytes(filter: string): number
  readonly mostFilterBytes: number
  readonly mostWillBytes: number
  /** Called once, before anything else. */
  begin(node: ClusterNode): void
  /**
   * Makes the session of this client this node's: whoever served it has let it go, or can commit nothing of it any more. `cleanStart`:
   * it is going to end.
   * @param wanted false: its client has gone meanwhile; then it is left to who has it, and this fails
   */
  claim(clientId: string, cleanStart: boolean, wanted: () => boolean): Pause<Claimed | StoreFailed>
  /** The same of a session whose node has gone; it fails when somebody else was first. */
  adopt(clientId: string, node: string): Pause<Claimed | StoreFailed>
  /**
   * What is published on topics that match comes from now on: SUBACK waits for it. The filters are asked for until the answer, and
   * longer only by `subscribed`. Undefined: they are asked for already.
   * @param paths filters without $share and Share Name
   */
  wants(paths: readonly string[]): Pause<Standing> | undefined
  /** A session here has a subscription more with this filter, or one less. */
  subscribed(path: string): void
  unsubscribed(path: string): void
  /** This node runs, and something is about to leave. When it has not run for a while it is told that it `stoodStill`, in here. */
  runs(): void
  /** The servers are asked whose the session is; one that is another node's is `lost` before the answer. */
  look(clientId: string): Pause<undefined | StoreFailed>
  /** Nobody here serves the session any more, and all that this node has changed of it is committed. */
  release(clientId: string): void
  /** The last message of a partition that this node's sessions were offered, or was no one's here. */
  routed(partition: number): number
  /** The last message of a partition that is known of: what a new subscription has nothing of. */
  known(partition: number): number
  /** Up to `most` messages that match one of the filters, after this one, the oldest first. */
  fetch(partition: number, paths: readonly string[], after: number, most: number): Pause<FetchedMessages | StoreFailed>
  /**
   * Somebody sees to the messages of these Shared Subscriptions, from now on at the latest, also while this member is away, if it is
   * a lasting one: SUBACK waits for it. Undefined: that is so already. @param shares `$share/NAME/FILTER`
   */
  wantsShared(
    shares: readonly string[],
    member: Pick<SharedMember, "clientId" | "lasting">,
  ): Pause<Standing> | undefined
  /** A member is connected here, or has room again. */
  joined(share: string, member: SharedMember): void
  /** It is not connected any more; `gone`: and is no member any more. What it was sent and had not acknowledged was `settled`. */
  parted(share: string, clientId: string, gone: boolean): void
  /** It has acknowledged what it was sent at QoS 1; or not, and another is to have it. */
  settled(share: string, clientId: string, position: Position, done: boolean): void
  /** This session was given this one at QoS 2. */
  hasTaken(clientId: string, share: string, position: Position): boolean
}

/** What the cluster needs of the node. None of it throws. */
export interface ClusterNode {
  /** Messages that match a filter of this node's; once each, within a partition in their order. */
  arrived(message: Arrived): void
  /** The last message of a topic; empty: there is none any more. */
  retained(message: Arrived): void
  /** Another node has this client now: its connection ends. `done` is called when all of it is committed. */
  letGo(clientId: string, cleanStart: boolean, done: () => void): void
  /** The session is another node's: of what depends on the Changes that are being committed nothing leaves. */
  lost(clientId: string): void
  /** For longer than others wait before they take a session from a node that says nothing. */
  stoodStill(): void
  /** A message of a Shared Subscription for one of its members. At QoS 0 it has no position. */
  offered(share: string, clientId: string, message: Arrived, answer: (taken: Taken) => void): void
  /** The node that served it has gone. Its will and its end are this node's to see to, if it can have it; `done` says that it is settled. */
  adopt(clientId: string, node: string, done: () => void): void
  /** The session is here, or not all that has changed of it here is committed. */
  serves(clientId: string): boolean
  /** So much is not committed that nothing more should come. */
  readonly behind: boolean
}
