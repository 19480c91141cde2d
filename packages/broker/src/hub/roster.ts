// Who and what is there, in order: for those who look at a running broker page by page (views.ts). A broker that nobody looks at
// has none, and pays nothing for it.

import type { Connection } from "../client/connection.ts"
import type { ConnectPacket } from "../packet/packets.ts"
import type { Identity } from "../ports/access.ts"
import type { Session } from "../session/session.ts"
import type { Tallies } from "./inspect.ts"
import { OrderedList } from "./ordered-list.ts"

/** What the hub tells of what comes and goes. */
export interface Roster {
  /** A client has a session and a connection. */
  came(session: Session, connection: Connection, packet: ConnectPacket, identity: Identity): void
  /** Its connection has gone. */
  left(session: Session): void
  opened(session: Session): void
  ended(session: Session): void
  /** A topic has a retained message that had none. */
  kept(topic: string): void
  /** It has none any more. */
  forgotten(topic: string): void
}

/** A client that is connected. What it is ordered by does not change, whatever becomes of its connection. */
export interface RosterClient {
  readonly clientId: string
  /** As it logged in. */
  readonly user: string
  readonly address: string
  readonly mqtt: "3.1" | "3.1.1" | "5.0"
  readonly cleanStart: boolean
  readonly session: Session
  readonly connection: Connection
}

export class OrderedRoster implements Roster {
  readonly clients: OrderedList<RosterClient> = new OrderedList((a, b) => compare(a.clientId, b.clientId))
  readonly clientsByUser: OrderedList<RosterClient> = new OrderedList(
    (a, b) => compare(a.user, b.user) || compare(a.clientId, b.clientId),
  )
  readonly clientsByAddress: OrderedList<RosterClient> = new OrderedList(
    (a, b) => compare(a.address, b.address) || compare(a.clientId, b.clientId),
  )
  readonly sessions: OrderedList<Session> = new OrderedList((a, b) => compare(a.clientId, b.clientId))
  readonly sessionsByUser: OrderedList<Session> = new OrderedList(
    (a, b) => compare(a.owner.user, b.owner.user) || compare(a.clientId, b.clientId),
  )
  /** Topics that have a retained message; what is below a level stands together. */
  readonly topics: OrderedList<string> = new OrderedList(compareTopics)

  /** How many clients there are of each; see Tallies. */
  readonly tallies: Record<keyof Tallies, Map<string, number>> = {
    listeners: new Map(),
    mqtt: new Map(),
    suites: new Map(),
    groups: new Map(),
  }

  came(session: Session, connection: Connection, packet: ConnectPacket, { user }: Identity): void {
    this.left(session)
    const { address } = connection.peer
    const mqtt = packet.protocolVersion === 5 ? "5.0" : packet.mqtt31 ? "3.1" : "3.1.1"
    const { clientId } = session
    const client: RosterClient = { clientId, user, address, mqtt, cleanStart: packet.cleanStart, session, connection }
    for (const list of this.#clientLists) list.add(client)
    this.#count(client, 1)
  }

  left({ clientId }: Session): void {
    const client = this.client(clientId)
    if (client === undefined) return
    for (const list of this.#clientLists) list.delete(client)
    this.#count(client, -1)
  }

  opened(session: Session): void {
    this.ended(session)
    this.sessions.add(session)
    this.sessionsByUser.add(session)
  }

  ended({ clientId }: Session): void {
    const session = this.session(clientId)
    if (session === undefined) return
    this.sessions.delete(session)
    this.sessionsByUser.delete(session)
  }

  kept(topic: string): void {
    this.topics.add(topic)
  }

  forgotten(topic: string): void {
    this.topics.delete(topic)
  }

  client(clientId: string): RosterClient | undefined {
    const found = this.clients.first((entry) => entry.clientId < clientId)
    return found?.clientId === clientId ? found : undefined
  }

  session(clientId: string): Session | undefined {
    const found = this.sessions.first((entry) => entry.clientId < clientId)
    return found?.clientId === clientId ? found : undefined
  }

  #count({ mqtt, connection: { peer } }: RosterClient, by: 1 | -1): void {
    const { listeners, suites, groups } = this.tallies
    count(this.tallies.mqtt, mqtt, by)
    if (peer.listener !== undefined) count(listeners, peer.listener, by)
    if (peer.tls === undefined) return
    count(suites, peer.tls.suite, by)
    count(groups, peer.tls.group ?? "none", by)
  }

  get #clientLists(): readonly OrderedList<RosterClient>[] {
    return [this.clients, this.clientsByUser, this.clientsByAddress]
  }
}

/** What nobody is counted for takes no memory. */
function count(tally: Map<string, number>, name: string, by: 1 | -1): void {
  const left = (tally.get(name) ?? 0) + by
  if (left > 0) tally.set(name, left)
  else tally.delete(name)
}

/** By UTF-16 code units: texts that begin alike stand together. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The same with "/" before everything else: `a`, `a/b`, `a/b/c`, `a/b+`, `a+`. */
export function compareTopics(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (left !== right) return rankOf(left) - rankOf(right)
  }
  return a.length - b.length
}

/** No topic has U+0000 ([MQTT-1.5.4-2]). */
function rankOf(code: number): number {
  return code === slash ? 0 : code
}

const slash = 0x2f
