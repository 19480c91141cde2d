// The broker's views as the API's models.

import { isUtf8 } from "node:buffer"
import type { ClientView, ListedSession, RetainedView, SubscriptionView } from "../../hub/inspect.ts"
import type { DrainView } from "../../hub/operate.ts"
import type { BridgeView } from "../../ports/bridges.ts"
import type { HandshakeFailed } from "../../ports/events.ts"
import type { NodeView } from "../../ports/nodes.ts"
import type { TlsFacts } from "../../ports/peer.ts"
import type { Numbered } from "../recent.ts"
import { brokerTime, timeText } from "../times.ts"
import type { ClientRefusal, Timed } from "../watch.ts"
import type {
  BridgeModel,
  ClientModel,
  DrainModel,
  HandshakeFailureModel,
  NodeModel,
  RefusalModel,
  RetainedModel,
  SessionModel,
  SubscriptionModel,
  TlsModel,
} from "./model.ts"
import type { AdminParts } from "./parts.ts"

type Clocks = Pick<AdminParts, "ahead">

export function clientModel(client: ClientView, clocks: Clocks): ClientModel {
  const { clientId, user, source: login, peer, mqtt, cleanStart, keepAlive, session, outboundBytes } = client
  const { address, transport, listener, tls, certificateIdentity: identity } = peer
  return {
    clientId,
    user,
    login,
    ...(identity !== undefined && { identity }),
    address,
    transport,
    ...(listener !== undefined && { listener }),
    mqtt,
    cleanStart,
    since: brokerTime(client.since, clocks),
    keepAlive,
    ...(tls !== undefined && { tls: tlsModel(tls) }),
    ...countsOf(session),
    outboundBytes,
  }
}

export function isPostQuantum(group: string | undefined): boolean {
  return group !== undefined && /mlkem/i.test(group)
}

function tlsModel({ version, suite, group, resumed, serverName }: TlsFacts): TlsModel {
  return {
    version: `TLSv${version}`,
    suite,
    ...(group !== undefined && { group }),
    postQuantum: isPostQuantum(group),
    resumed,
    ...(serverName !== undefined && { serverName }),
  }
}

function countsOf({ subscriptions, inflightMessages, queuedMessages, queuedBytes }: ClientView["session"]) {
  return { subscriptions: subscriptions.size, inflight: inflightMessages, queuedMessages, queuedBytes }
}

export function sessionModel(session: ListedSession, clocks: Clocks): SessionModel {
  const { clientId, user, source: login, connected, kept, expiryInterval, endsAt, receivedCount } = session
  return {
    clientId,
    user,
    login,
    connected,
    kept,
    expiryInterval,
    ...(endsAt !== Number.POSITIVE_INFINITY && { endsAt: brokerTime(endsAt, clocks) }),
    ...countsOf(session),
    unreleased: receivedCount,
  }
}

export function subscriptionModel(subscription: SubscriptionView): SubscriptionModel {
  const { shareName, identifier, ...others } = subscription
  return { ...others, ...(shareName !== undefined && { shareName }), ...(identifier !== undefined && { identifier }) }
}

/** @param offset of the part of its payload that is shown @param length bytes of it at most */
export function retainedModel(retained: RetainedView, offset: number, length: number, clocks: Clocks): RetainedModel {
  const { topic, payload, qos, expiresAt } = retained
  const part = Buffer.from(payload.buffer, payload.byteOffset, payload.length).subarray(offset, offset + length)
  return {
    topic,
    qos,
    bytes: payload.length,
    offset,
    base64: part.toString("base64"),
    ...(isUtf8(part) && { text: part.toString("utf8") }),
    ...(expiresAt !== Number.POSITIVE_INFINITY && { expiresAt: brokerTime(expiresAt, clocks) }),
  }
}

export function bridgeModel({ since, lastFailure, ...others }: BridgeView, clocks: Clocks): BridgeModel {
  return {
    ...others,
    ...(since !== undefined && { since: brokerTime(since, clocks) }),
    ...(lastFailure !== undefined && {
      lastFailure: { at: brokerTime(lastFailure.at, clocks), reason: lastFailure.reason },
    }),
  }
}

export function nodeModel({ startedAt, heardAt, received, sent, ...others }: NodeView, clocks: Clocks): NodeModel {
  return {
    ...others,
    startedAt: timeText(startedAt),
    heardAt: brokerTime(heardAt, clocks),
    receivedPerSecond: received,
    sentPerSecond: sent,
  }
}

export function drainModel({ server, since, until, left }: DrainView, clocks: Clocks): DrainModel {
  return { server, since: brokerTime(since, clocks), until: brokerTime(until, clocks), left }
}

export function failureModel({ id, entry: { at, event } }: Numbered<Timed<HandshakeFailed>>): HandshakeFailureModel {
  const { peer, listener, serverName, fault, alert, reason, milliseconds, offer, limit } = event
  return {
    id,
    at: timeText(at),
    peer,
    listener,
    ...(serverName !== undefined && { serverName }),
    fault,
    ...(alert !== undefined && { alert }),
    reason,
    milliseconds,
    ...(offer !== undefined && { offer }),
    turnedAway: limit === true,
  }
}

export function refusalModel({ id, entry: { at, event } }: Numbered<Timed<ClientRefusal>>): RefusalModel {
  const { peer, clientId, user } = event
  const { address, transport, listener } = peer
  return {
    id,
    at: timeText(at),
    kind: kindOf(event),
    peer: address,
    transport,
    ...(listener !== undefined && { listener }),
    clientId,
    ...(user !== undefined && { user }),
    ...("topic" in event && { topic: event.topic }),
    reason: "rule" in event ? event.rule : event.reason,
  }
}

export function kindOf(event: ClientRefusal): RefusalModel["kind"] {
  if (event.event === "client refused") return "login"
  return event.event === "access refused" ? event.action : "message"
}
