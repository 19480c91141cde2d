// What the access control list forbids: asked in one way by whoever needs it, and told to the log.

import type { Access, Identity, Refusal } from "../ports/access.ts"
import type { AccessRefused, EventSink } from "../ports/events.ts"
import type { PeerInfo } from "../ports/peer.ts"

/** Whose words and wishes it was. */
interface Who {
  readonly peer: PeerInfo
  readonly clientId: string
}

const reserved: Refusal = { rule: "topics that begin with $ are the broker's" }

/** Undefined: the client may publish to this topic. */
export function publishRefusal(
  access: Access,
  identity: Identity,
  clientId: string,
  topic: string,
): Refusal | undefined {
  // Section 4.7.2: servers keep these topics to themselves
  return topic.startsWith("$") ? reserved : access.publishRefusal(identity, clientId, topic)
}

export function tellRefusal(
  host: { readonly events: EventSink },
  { peer, clientId }: Who,
  { user }: Identity,
  action: AccessRefused["action"],
  topic: string,
  { rule }: Refusal,
): void {
  host.events({
    event: "access refused",
    peer,
    clientId,
    user: shorten(user),
    action,
    topic: shorten(topic),
    rule: shorten(rule),
  })
}

export const noRoom =
  "no room for it: in memory, in its publisher's share, or among the retained messages that he may have; see docs/limits.md"

/** A message that goes to nobody; at QoS 1 or 2 an MQTT 5.0 client is told so, too. */
export function tellRefused(
  host: { readonly events: EventSink },
  { peer, clientId }: Who,
  { user }: Identity,
  topic: string,
  reason: string,
): void {
  host.events({ event: "message refused", peer, clientId, user: shorten(user), topic: shorten(topic), reason })
}

/** As much of a client's text as a line of the log needs. */
export function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 197)}...`
}
