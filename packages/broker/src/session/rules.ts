// A session measured by rules that have changed since its subscriptions were made.

import type { Access, Identity } from "../access/access.ts"
import type { Subscription, TopicRule } from "../routing/subscription.ts"
import type { PeerInfo } from "../transport/peer.ts"
import { publishRefusal } from "./refusals.ts"
import type { Session } from "./session.ts"

/** Says why a connected client may not be any more, in a few words; undefined when it may. */
export type LostRight = (identity: Identity, peer: PeerInfo) => string | undefined

export interface RulesChange {
  /** Is the access control list another one? */
  readonly rights: boolean
  /** Are clients disconnected that lost their login or a filter? */
  readonly disconnect: boolean
}

/** What a change of the rules has done. */
export interface RulesApplied {
  /** Connected clients whose login is none any more. */
  readonly logins: number
  /** Subscriptions that are not allowed any more: they stay, and nothing comes through them. */
  readonly filters: number
  /** Clients that were disconnected for one or the other. */
  readonly disconnected: number
}

const never: TopicRule = () => false

/**
 * Drops what waits in the session and what its client may not have any more, and calls `change` for each subscription
 * through which other topics may come than before. A subscription that is not allowed stays in the session, as MQTT has no
 * word for taking it away, and works again when it is allowed again. Returns the filters that are not allowed.
 */
export function applyRules(
  access: Access,
  session: Session,
  identity: Identity,
  change: (subscription: Subscription, rule: TopicRule | undefined) => void,
): string[] {
  const { clientId } = session
  const refused: string[] = []
  for (const [text, subscription] of session.subscriptions) {
    const { mayReceive } = subscription
    const { shareName, path } = subscription.filter
    const filter = { text, shareName, path, levels: path.split("/") }
    const allowed = access.subscribeRefusal(identity, clientId, filter) === undefined
    if (!allowed) refused.push(text)
    const rule = allowed ? access.deliveryRule(identity, clientId, filter) : never
    if (rule !== mayReceive) change(subscription, rule)
  }
  session.keepOnly((topic) => {
    const filter = { text: topic, shareName: undefined, path: topic, levels: topic.split("/") }
    return access.subscribeRefusal(identity, clientId, filter) === undefined
  })
  const { pendingWill } = session
  if (pendingWill !== undefined && publishRefusal(access, identity, clientId, pendingWill.will.topic) !== undefined) {
    session.pendingWill = undefined
    session.holdWill(0)
  }
  return refused
}
