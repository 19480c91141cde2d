// Pages of the roster's lists, as those who look at the broker see them.

import type { Message } from "../packet/message.ts"
import type { Session } from "../session/session.ts"
import type { Broker } from "./broker.ts"
import type {
  ClientQuery,
  ClientView,
  ListedSession,
  Lists,
  Page,
  Place,
  RetainedQuery,
  RetainedView,
  SessionQuery,
  SubscriptionQuery,
  SubscriptionView,
  Tallies,
  TopicLevel,
  TopicQuery,
} from "./inspect.ts"
import type { OrderedList } from "./ordered-list.ts"
import { compare, compareTopics, type OrderedRoster, type RosterClient } from "./roster.ts"

/** Entries that are looked at for one page: some milliseconds. */
export const mostLooked = 10_000

export class RosterLists implements Lists {
  readonly #broker: Pick<Broker, "retainedOn">
  readonly #roster: OrderedRoster

  constructor(broker: Pick<Broker, "retainedOn">, roster: OrderedRoster) {
    this.#broker = broker
    this.#roster = roster
  }

  get tallies(): Tallies {
    return this.#roster.tallies
  }

  clients({ by, prefix, limit, after, wanted }: ClientQuery): Page<ClientView> {
    const { clients, clientsByAddress, clientsByUser } = this.#roster
    const list = by === "user" ? clientsByUser : by === "address" ? clientsByAddress : clients
    const placeOf = (client: RosterClient) => [client[by], client.clientId]
    return pageOf({ list, placeOf, prefix, limit, after, view: clientView, wanted })
  }

  client(clientId: string): ClientView | undefined {
    const client = this.#roster.client(clientId)
    return client && clientView(client)
  }

  sessions({ by, prefix, limit, after, wanted }: SessionQuery): Page<ListedSession> {
    const list = by === "user" ? this.#roster.sessionsByUser : this.#roster.sessions
    const placeOf = ({ clientId, owner }: Session) => [by === "user" ? owner.user : clientId, clientId]
    return pageOf({ list, placeOf, prefix, limit, after, view: sessionView, wanted })
  }

  session(clientId: string): ListedSession | undefined {
    const session = this.#roster.session(clientId)
    return session && sessionView(session)
  }

  subscriptions({ clientId, prefix, limit, after }: SubscriptionQuery): Page<SubscriptionView> {
    const [from = "", behind] = after ?? []
    const items: SubscriptionView[] = []
    let looked = 0
    for (const session of clientId === undefined
      ? this.#roster.sessions.from((entry) => entry.clientId < from)
      : one(this.#roster.session(clientId))) {
      const last = session.clientId === from ? behind : undefined
      if (looked > mostLooked) return { items, next: [session.clientId, ""] }
      looked += 1 + session.subscriptions.size
      for (const filter of firstBehind(session.subscriptions.keys(), prefix, last, limit - items.length + 1)) {
        const final = items.at(-1)
        if (items.length === limit && final !== undefined) return { items, next: [final.clientId, final.filter] }
        const subscription = session.subscriptions.get(filter)
        if (subscription === undefined) continue
        const { qos, noLocal, retainAsPublished, identifier } = subscription
        const { shareName } = subscription.filter
        items.push({ clientId: session.clientId, filter, shareName, qos, noLocal, retainAsPublished, identifier })
      }
    }
    return { items, next: undefined }
  }

  retained({ prefix, limit, after }: RetainedQuery): Page<RetainedView> {
    const last = after?.[0]
    const items: RetainedView[] = []
    const topics = this.#roster.topics.from((topic) =>
      last === undefined ? compareTopics(topic, prefix) < 0 : compareTopics(topic, last) <= 0,
    )
    for (const topic of topics) {
      if (!topic.startsWith(prefix)) break
      if (items.length === limit) return { items, next: [items.at(-1)?.topic ?? ""] }
      const found = this.retainedOn(topic)
      if (found !== undefined) items.push(found)
    }
    return { items, next: undefined }
  }

  retainedOn(topic: string): RetainedView | undefined {
    const message = this.#broker.retainedOn(topic)
    return message && retainedView(message)
  }

  topics({ parent, limit, after }: TopicQuery): Page<TopicLevel> {
    const { topics } = this.#roster
    const above = parent === undefined ? "" : `${parent}/`
    const items: TopicLevel[] = []
    let last = after?.[0]
    for (;;) {
      const behind = last === undefined ? undefined : `${above}${last}`
      const next = topics.first((topic) => {
        if (behind === undefined) return compareTopics(topic, above) < 0
        return compareTopics(topic, behind) <= 0 || topic.startsWith(`${behind}/`)
      })
      if (next === undefined || !next.startsWith(above)) return { items, next: undefined }
      if (items.length === limit && last !== undefined) return { items, next: [last] }
      const end = next.indexOf("/", above.length)
      const topic = end < 0 ? next : next.slice(0, end)
      const level = topic.slice(above.length)
      // Whatever is below stands right behind the topic itself.
      const first = topics.rank((other) => compareTopics(other, topic) <= 0)
      const behindAll = topics.rank((other) => compareTopics(other, topic) <= 0 || other.startsWith(`${topic}/`))
      items.push({ level, topic, retained: next === topic, below: behindAll - first })
      last = level
    }
  }
}

interface Listing<Entry, View> {
  readonly list: OrderedList<Entry>
  /** What the list is ordered by, then the Client Identifier. */
  readonly placeOf: (entry: Entry) => Place
  readonly prefix: string
  readonly limit: number
  readonly after: Place | undefined
  readonly view: (entry: Entry) => View
  readonly wanted: ((view: View) => boolean) | undefined
}

function pageOf<Entry, View>(listing: Listing<Entry, View>): Page<View> {
  const { list, placeOf, prefix, limit, after, view, wanted } = listing
  const items: View[] = []
  let looked = 0
  let last: Entry | undefined
  const entries = list.from((entry) => {
    const place = placeOf(entry)
    return after === undefined ? (place[0] ?? "") < prefix : comparePlaces(place, after) <= 0
  })
  for (const entry of entries) {
    if (placeOf(entry)[0]?.startsWith(prefix) !== true) break
    if (last !== undefined && (items.length === limit || looked === mostLooked)) return { items, next: placeOf(last) }
    looked++
    last = entry
    const seen = view(entry)
    if (wanted?.(seen) ?? true) items.push(seen)
  }
  return { items, next: undefined }
}

function comparePlaces(a: Place, b: Place): number {
  return compare(a[0] ?? "", b[0] ?? "") || compare(a[1] ?? "", b[1] ?? "")
}

function clientView({ clientId, user, mqtt, cleanStart, session, connection }: RosterClient): ClientView {
  const { peer, openedAt: since, keepAlive, outflow, identity } = connection
  const source = identity?.source ?? session.owner.source
  const outboundBytes = outflow.size
  return { clientId, user, source, peer, mqtt, cleanStart, since, keepAlive, outboundBytes, session }
}

function sessionView(session: Session): ListedSession {
  const { clientId, connected, kept, subscriptions, queuedMessages, queuedBytes } = session
  const { inflightMessages, receivedCount, expiryInterval, endsAt } = session
  const { user, source } = session.owner
  const owned = { user, source, expiryInterval, endsAt }
  const counts = { subscriptions, queuedMessages, queuedBytes, inflightMessages, receivedCount }
  return { clientId, connected, kept, ...counts, ...owned }
}

function retainedView({ topic, payload, qos, expiresAt }: Message): RetainedView {
  return { topic: topic.name, payload, qos, expiresAt }
}

/** The first `most` texts in order that begin so and come behind `last`. The others are gone through, and not kept. */
function firstBehind(texts: Iterable<string>, prefix: string, last: string | undefined, most: number): string[] {
  let found: string[] = []
  const cut = () => {
    found = found.sort(compare).slice(0, most)
  }
  for (const text of texts) {
    if (!text.startsWith(prefix) || (last !== undefined && text <= last)) continue
    found.push(text)
    if (found.length >= 4 * most + 64) cut()
  }
  cut()
  return found
}

function* one<T>(value: T | undefined): Generator<T, void, undefined> {
  if (value !== undefined) yield value
}
