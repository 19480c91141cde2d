// What the access control list forbids: asked in one way by whoever needs it, and told to the log.

import type { Access, Identity, Refusal } from "../access/access.ts"
import type { AccessRefused } from "../admin/events.ts"
import type { Connection } from "./connection.ts"
import type { Host } from "./host.ts"

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
  host: Host,
  { peer, clientId }: Connection,
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

/** A message at QoS 1 or 2 that the broker has no room for; an MQTT 5.0 client is told so, too. */
export function tellNoRoom(host: Host, { peer, clientId }: Connection, { user }: Identity, topic: string): void {
  const reason = "no room in memory, for it or for its publisher's share; see docs/limits.md"
  host.events({ event: "message refused", peer, clientId, user: shorten(user), topic: shorten(topic), reason })
}

/** As much of a client's text as a line of the log needs. */
export function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 197)}...`
}
