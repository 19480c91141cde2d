// What MQTT promises of messages, as far as clients can see it: a small model beside the broker, which knows nothing of how it
// works. Each promise has a name, and stands in promises.ts with the statement that makes it one.

import { Broken } from "./promises.ts"
import { Wills } from "./wills.ts"
import type { PublishSeen, Qos, Version } from "./wire.ts"

export interface Msg {
  readonly id: number
  readonly from: string
  readonly topic: string
  readonly qos: Qos
  /** Seconds. */
  readonly expiry: number | undefined
  readonly retain: boolean
  /** When it was sent first, in the order of events. */
  firstSent: number
  /** How often it was sent. */
  sends: number
  /** In the order of events. */
  acked: number | undefined
  /** Milliseconds. */
  ackedAt: number
  refused: boolean
  /** Copies of QoS 2 that a Shared Subscription has brought. */
  shared: number
  /** Copies of any QoS that Shared Subscriptions have brought. */
  sharedAny: number
}

/** One subscription of a session; in the order of events. */
export interface Subscribed {
  readonly filter: string
  readonly qos: Qos
  readonly noLocal: boolean
  /** Retain Handling 2. */
  readonly withoutRetained: boolean
  /** It may be there from when SUBSCRIBE was sent. */
  readonly asked: number
  /** It is there from when SUBACK came. */
  from: number
  /** Until UNSUBSCRIBE was sent, or another SUBSCRIBE. */
  until: number
  /** It is not there after UNSUBACK came. */
  gone: number
  /** Of each topic that is retained: the last value acknowledged when it was asked for. */
  readonly retained: ReadonlyMap<string, number>
}

/** A client's session, as the client knows it. */
export class SessionOf {
  readonly clientId: string
  readonly version: Version
  alive = true
  readonly subs: Subscribed[] = []
  /** How often each message has come, by its id. */
  readonly got: Map<number, number> = new Map()
  /** The last message of each order. */
  readonly orders: Map<string, number> = new Map()

  constructor(clientId: string, version: Version) {
    this.clientId = clientId
    this.version = version
  }
}

export function matches(filter: string, topic: string): boolean {
  const [have, want] = [topic.split("/"), (shareless(filter) ?? filter).split("/")]
  for (let i = 0; i < want.length; i++) {
    if (want[i] === "#") return true
    if (have[i] === undefined || (want[i] !== "+" && want[i] !== have[i])) return false
  }
  return have.length === want.length
}

function shareless(filter: string): string | undefined {
  return filter.startsWith("$share/") ? filter.split("/").slice(2).join("/") : undefined
}

function isShared({ filter }: Subscribed): boolean {
  return filter.startsWith("$share/")
}

/** The writes of a topic that is retained: each has a number, and one writes. */
export interface Write {
  readonly msg: Msg | undefined
  readonly qos: Qos
  /** When it was sent first, how often, and when it was answered, in the order of events. */
  sent: number
  sends: number
  answered: number
  acked: boolean
  refused: boolean
}

/** Milliseconds from when something is written to the end of its turn, at most: a tick ends it. */
const turnTime = 1000

/** It may have come after the other, though it was sent before: it was sent again, after a refusal that nobody saw, say. */
export function mayFollow(earlier: Write, later: Write): boolean {
  return earlier.sends > 1 && earlier.answered > later.sent
}

/** Until when it and what has taken its place have been there. */
function endless(sub: Subscribed, subs: readonly Subscribed[]): number {
  const next = subs.find(({ asked, filter, qos }) => filter === sub.filter && asked === sub.until && qos > 0)
  if (next === undefined) return sub.until === Number.POSITIVE_INFINITY ? sub.until : 0
  return next.noLocal && !sub.noLocal ? 0 : endless(next, subs)
}

export class Model {
  order = 0
  /** The last time that messages may have been refused as the store failed, in the order of events. */
  refusedUntil = 0
  readonly messages: Msg[] = []
  readonly wills: Wills = new Wills()
  readonly writes: Map<string, Write[]> = new Map()
  readonly #cluster: boolean

  /**
   * @param cluster there are nodes between: what has no QoS may come in another order by another node, what is retained is known
   * to other nodes a little later, and what has been acknowledged may still be on its way when its subscription ends
   */
  constructor(cluster = false) {
    this.#cluster = cluster
  }

  message(from: string, topic: string, qos: Qos, retain: boolean, expiry: number | undefined): Msg {
    const id = this.messages.length
    const msg: Msg = {
      ...{ id, from, topic, qos, retain, expiry, firstSent: 0, sends: 0, acked: undefined },
      ...{ ackedAt: Number.POSITIVE_INFINITY, refused: false, shared: 0, sharedAny: 0 },
    }
    this.messages.push(msg)
    return msg
  }

  acknowledged(msg: Msg, now: number): void {
    msg.acked ??= ++this.order
    msg.ackedAt = Math.min(msg.ackedAt, now)
  }

  /** The last value of each retained topic that was acknowledged. */
  retainedNow(): ReadonlyMap<string, number> {
    const last = new Map<string, number>()
    if (this.#cluster) return last
    for (const [topic, writes] of this.writes)
      last.set(
        topic,
        writes.findLastIndex((write) => write.acked),
      )
    return last
  }

  /**
   * A session has been sent a message.
   * @param at milliseconds: when the broker has written it
   * @param calm whether nothing has held up what is sent to it since then
   */
  received(session: SessionOf, one: PublishSeen, topic: string, at: number, calm: (since: number) => boolean): void {
    if (one.payload === "") return
    const msg = this.messages[Number.parseInt(one.payload, 10)]
    if (msg === undefined) throw new Broken("unaltered", `a payload came that nobody sent: ${one.payload}`)
    const what = `message ${msg.id}`
    if (msg.topic !== topic) throw new Broken("unaltered", `${what} of ${msg.topic} came on ${topic}`)
    if (one.qos > msg.qos) throw new Broken("QoS as granted", `${what} of QoS ${msg.qos} came with QoS ${one.qos}`)
    if (!one.dup) this.#expiry(session, one, msg, at, calm)
    const matching = session.subs.filter(({ filter }) => matches(filter, topic))
    if (one.retain) {
      this.#retained(one, msg, matching)
      return
    }
    this.#granted(session, one, msg, matching)
    if (msg.refused && msg.sends === 1) throw new Broken("refused is not delivered", `${what} was refused, and came`)
    const times = session.got.get(msg.id) ?? 0
    session.got.set(msg.id, times + 1)
    this.#once(one, msg, times, matching.some(isShared))
    // Section 4.6: of Shared Subscriptions nothing is promised.
    if (times > 0 || matching.some(isShared) || (one.qos === 0 && this.#cluster)) return
    const key = `${msg.from} ${topic} ${msg.qos} ${one.qos}`
    const last = session.orders.get(key) ?? -1
    // What its publisher has sent again may come to a subscription that is newer than it.
    const again = this.#again(one, msg) || topic.startsWith("w/")
    if (last > msg.id && !again) throw new Broken("in order", `${what} came after ${last}`)
    session.orders.set(key, Math.max(last, msg.id))
  }

  #expiry({ version }: SessionOf, one: PublishSeen, msg: Msg, at: number, calm: (since: number) => boolean): void {
    const { id, expiry, ackedAt } = msg
    if (expiry === undefined) {
      if (one.expiry !== undefined)
        throw new Broken("expiry counts down", `message ${id} has no expiry, and came with one`)
      return
    }
    // What its publisher has sent again has come again, nobody knows when.
    const known = msg.sends === 1 || msg.qos === 2
    const ends = ackedAt + expiry * 1000
    if (known && at > ends + turnTime && calm(ends - 1))
      throw new Broken("expired is not sent", `message ${id} had expired, and came`)
    if (version === 4) return
    const waited = known && calm(ackedAt) ? Math.max(0, Math.floor((at - turnTime - ackedAt) / 1000)) : 0
    if (one.expiry === undefined || one.expiry > expiry - waited) {
      const told = `message ${id} of expiry ${expiry} came after ${waited} s with expiry ${one.expiry}`
      throw new Broken("expiry counts down", told)
    }
  }

  #granted({ clientId }: SessionOf, one: PublishSeen, msg: Msg, matching: readonly Subscribed[]): void {
    const [what, { firstSent, acked = this.order }] = [`message ${msg.id} on ${msg.topic}`, msg]
    const open = matching.filter((sub) => sub.gone > firstSent)
    if (open.length === 0) throw new Broken("only to subscribers", `${what} came without a subscription`)
    const allowed = msg.from === clientId ? open.filter((sub) => !sub.noLocal) : open
    if (allowed.length === 0) throw new Broken("not to its publisher", `${what} came back to ${clientId}`)
    const most = Math.max(...matching.map(({ qos }) => qos))
    if (one.qos > most) throw new Broken("QoS as granted", `${what} came with QoS ${one.qos}, granted was ${most}`)
    if (matching.some(isShared) || msg.sends > 1) return
    const sure = allowed.filter(
      ({ from, until }) => from < firstSent && until > (this.#cluster ? Number.MAX_VALUE : acked),
    )
    const least = Math.min(msg.qos, Math.max(0, ...sure.map(({ qos }) => qos)))
    if (one.qos < least) throw new Broken("highest QoS of all", `${what} came with QoS ${one.qos}, not ${least}`)
  }

  /** Its publisher has sent it again, and this may be the one that was sent again. */
  #again(one: PublishSeen, msg: Msg): boolean {
    return msg.sends > 1 && (msg.qos === 1 || one.qos === 0 || this.refusedUntil > msg.firstSent)
  }

  #once(one: PublishSeen, msg: Msg, times: number, shared: boolean): void {
    if (shared) {
      msg.sharedAny++
      // With DUP it is the same session, though its client may take it for another.
      if (one.qos === 2 && !one.dup && ++msg.shared > 1)
        throw new Broken("shared by one", `message ${msg.id} of QoS 2 came to two of a Shared Subscription`)
    }
    if (times === 0) return
    if (msg.topic.startsWith("w/") && !one.dup) throw new Broken("a will comes once", `the will ${msg.id} came twice`)
    if (one.qos === 2) throw new Broken("QoS 2 comes once", `message ${msg.id} of QoS 2 came twice`)
    if (!this.#again(one, msg) && !one.dup)
      throw new Broken("DUP says what comes again", `message ${msg.id} came again, without DUP`)
  }

  #retained(one: PublishSeen, msg: Msg, matching: readonly Subscribed[]): void {
    if (!msg.retain)
      throw new Broken("RETAIN says what was retained", `message ${msg.id} came with RETAIN, and never had it`)
    if (one.dup) return
    if (matching.every((sub) => sub.withoutRetained))
      throw new Broken("retained when asked for", `message ${msg.id} came as retained, and was not wanted`)
    const writes = this.writes.get(msg.topic) ?? []
    const index = writes.findIndex((write) => write.msg === msg)
    const least = Math.min(...matching.map(({ retained }) => retained.get(msg.topic) ?? -1))
    const [came, last] = [writes[index], writes[least]]
    if (index < least && came !== undefined && last !== undefined && !mayFollow(came, last))
      throw new Broken("the last is retained", `on ${msg.topic} came write ${index}, acknowledged was ${least}`)
  }

  /** In the end: what has to have come. */
  settled(sessions: readonly SessionOf[], watcher: SessionOf): void {
    for (const msg of this.messages) {
      if (msg.acked === undefined || msg.qos === 0 || msg.expiry !== undefined) continue
      this.#came(msg, msg.acked, sessions)
      this.#cameShared(msg, sessions)
    }
    this.wills.settled(watcher.got)
  }

  #came(msg: Msg, acked: number, sessions: readonly SessionOf[]): void {
    for (const { alive, clientId, got, subs } of sessions) {
      if (!alive || got.has(msg.id)) continue
      const own = msg.from === clientId
      const covers = (sub: Subscribed) =>
        sub.from < msg.firstSent && (this.#cluster ? endless(sub, subs) : sub.until) > acked
      const must = subs.some(
        (sub) =>
          sub.qos > 0 && covers(sub) && !isShared(sub) && !(own && sub.noLocal) && matches(sub.filter, msg.topic),
      )
      const what = `message ${msg.id} on ${msg.topic} was acknowledged, and has not come to ${clientId}`
      if (must) throw new Broken("nothing acknowledged is lost", what)
    }
  }

  #cameShared(msg: Msg, sessions: readonly SessionOf[]): void {
    if (msg.sharedAny > 0) return
    const concerns = (sub: Subscribed) => isShared(sub) && matches(sub.filter, msg.topic)
    // One that has been there all the time: what others leave behind can go to it.
    const steady = ({ subs }: SessionOf) =>
      subs.some((sub) => concerns(sub) && sub.from < msg.firstSent && sub.until === Number.POSITIVE_INFINITY)
    if (!sessions.some((session) => session.alive && steady(session))) return
    // [MQTT-4.8.2-5] What was under way at QoS 2 to one whose session has ended goes to nobody else.
    const swallows = (sub: Subscribed) => concerns(sub) && sub.gone > msg.firstSent && Math.min(sub.qos, msg.qos) === 2
    if (sessions.some((session) => !session.alive && session.subs.some(swallows))) return
    const what = `message ${msg.id} on ${msg.topic} was acknowledged, and has come to none of the group`
    throw new Broken("shared is not lost", what)
  }
}
