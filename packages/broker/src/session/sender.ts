// The sending side of one session's QoS 1 and 2 flows, and how QoS 0 passes it (MQTT 5.0 sections 4.3, 4.4, 4.6, 4.9): what waits
// for the client, what is sent and not completely acknowledged, and what is sent again on a new connection.

import type { Place, Queued as QueuedChange } from "../packet/change.ts"
import { type PacketError, protocolError } from "../packet/errors.ts"
import type { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Counters } from "./counters.ts"
import type { Holdings } from "./holdings.ts"
import { type Inflight, InflightWindow } from "./inflight.ts"
import type { Keeping } from "./keeping.ts"
import type { Limits } from "./limits.ts"
import type { SessionLink } from "./link.ts"
import { MessageQueue, type Queued, type QueuePolicy } from "./queue.ts"

/** A message that waited for a session, or for its acknowledgement, before a restart. */
export interface RestoredMessage {
  readonly queued: QueuedChange
  /** Undefined: PUBREC came for it, or the client may not have it any more. */
  readonly message: Message | undefined
  /** 0: it was not sent. */
  readonly packetId: number
}

/** What goes to another member of a Shared Subscription. */
export interface SharedMessage {
  readonly message: Message
  /** The filter of the subscription. */
  readonly share: string
  /** It was kept here until now, so whoever gets it in the same turn does not have to say it again. */
  readonly kept: boolean
}

/** What it costs to send a message that has waited, or what is left of it, in the units of routing. */
function costOf(message: Message | undefined): number {
  return 2 + ((message?.size ?? 0) >> 9)
}

export class Sender {
  readonly #queue: MessageQueue
  readonly #policy: QueuePolicy
  readonly #counters: Counters
  readonly #holdings: Holdings
  readonly #keeping: Keeping
  readonly #inflight: InflightWindow
  #lastPlace: Place = 0
  #link: SessionLink | undefined
  /** New rules have come, but not to all messages that wait: which topics the client may still have. */
  mayRead: ((topic: string) => boolean) | undefined

  constructor(limits: Limits, policy: QueuePolicy, counters: Counters, holdings: Holdings, keeping: Keeping) {
    this.#queue = new MessageQueue(limits)
    this.#policy = policy
    this.#counters = counters
    this.#holdings = holdings
    this.#keeping = keeping
    this.#inflight = new InflightWindow(limits)
  }

  /** Undefined: nobody is connected. */
  get link(): SessionLink | undefined {
    return this.#link
  }

  get congested(): boolean {
    return this.#queue.halfFull || (this.#link?.congested ?? false)
  }

  /** The opposite end of `congested`, with a gap between, so that publishers are not stopped and started all the time. */
  get quiet(): boolean {
    return this.#queue.quiet && !(this.#link?.congested ?? false)
  }

  /** The window of the connection has room (section 4.9). */
  get maySend(): boolean {
    return this.#inflight.maySend
  }

  /** Something comes before a message that is new. */
  get waits(): boolean {
    return this.#queue.length > 0 || this.#inflight.resends
  }

  get ready(): boolean {
    const link = this.#link
    return link !== undefined && this.#inflight.maySend && link.writable && !this.waits
  }

  hasRoom({ size }: Message): boolean {
    return this.#queue.hasRoom(size)
  }

  /** True when it has no room for the message because of others that wait for it. */
  isFullFor({ size }: Message): boolean {
    return !this.#queue.hasRoom(size) && this.#queue.couldHaveRoom(size)
  }

  get queuedMessages(): number {
    return this.#queue.length
  }

  get queuedBytes(): number {
    return this.#queue.bytes
  }

  get inflightMessages(): number {
    return this.#inflight.size
  }

  // --- a connection begins, and ends ---

  /** What is not acknowledged is to be sent again, before what waits ([MQTT-4.4.0-1]). */
  attach(link: SessionLink): void {
    this.#link = link
    this.#inflight.begin(link.sendQuota)
  }

  detach(): void {
    this.#link = undefined
    this.#inflight.end()
  }

  /** What there was before a restart, in the order of its places. There is room for it, as there was. */
  restore(waiting: readonly RestoredMessage[]): void {
    for (const { queued, message, packetId } of waiting) {
      const { place, qos, retain, identifiers, share } = queued
      if (qos === 0) continue
      this.#lastPlace = place
      if (message === undefined) this.#holdings.place()
      else this.#holdings.messageAnyway({ message, identifiers, share })
      if (packetId > 0) {
        const beside = message === undefined ? { identifiers: [], share: undefined } : { identifiers, share }
        this.#inflight.restore(packetId, { place, message, qos, retain, ...beside, counts: false })
        this.#holdings.sent(1)
      } else if (message !== undefined) this.#queue.restore({ place, message, qos, retain, identifiers, share })
    }
  }

  // --- messages come ---

  /** @param isLost false: what there is no memory for comes again, or goes to another, and is not counted */
  deliver(
    message: Message,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[],
    now: number,
    share: string | undefined,
    isLost = true,
  ): boolean {
    const link = this.#link
    if (qos === 0) {
      if (link === undefined) this.#counters.dropped.offline++
      else if (!link.writable || !link.takes(message)) this.#counters.dropped["output full"]++
      else link.publish(message, 0, retain, false, 0, identifiers, now)
      return true
    }
    if (!this.#hold(message, identifiers, share, isLost)) return false
    if (link !== undefined && this.#inflight.maySend && !this.waits && link.writable) {
      this.sendNew(link, message, qos, retain, identifiers, share, now)
      return true
    }
    const queued = { place: this.#lastPlace + 1, message, qos, retain, identifiers, share }
    const gone = this.#policy === "drop-oldest" ? this.#dropOldest(message.size) : []
    const room = this.#queue.push(queued)
    if (room) {
      this.#lastPlace++
      this.#keeping.queued(queued)
      this.#counters.queueDepth?.observe(this.#queue.length)
    } else {
      this.#holdings.messageGone(queued)
      this.#counters.dropped["queue full"]++
    }
    // Behind it: what a message is one with (whose place it takes in a group, say) is right before it; see stores/parts.ts.
    for (const place of gone) this.#keeping.done(place)
    return room
  }

  /** Drops the oldest that wait until there is room, if there would be any; their places. */
  #dropOldest(size: number): readonly Place[] {
    const gone: Place[] = []
    if (!this.#queue.couldHaveRoom(size)) return gone
    while (!this.#queue.hasRoom(size)) {
      const oldest = this.#queue.shift()
      if (oldest === undefined) break
      this.#counters.dropped["queue full"]++
      this.#holdings.messageGone(oldest)
      gone.push(oldest.place)
    }
    return gone
  }

  /** False, and counted as dropped where it is lost, when there is no room for another message in memory. */
  #hold(message: Message, identifiers: readonly number[], share: string | undefined, isLost: boolean): boolean {
    const held = this.#holdings.message(message, identifiers, share, this.#link !== undefined)
    if (!held && isLost) this.#counters.dropped["memory full"]++
    return held
  }

  // --- messages are sent ---

  /**
   * Sends what may be sent: after CONNACK, after acknowledgements, when the transport took bytes. What is left when its turn
   * is over stays where it is, before all that comes, and is sent in the next ([MQTT-4.6.0-1]).
   */
  pump(now: number): void {
    const link = this.#link
    if (link === undefined) return
    const left = link.turnLeft
    const spent = { units: 0 }
    try {
      this.#pump(link, now, left, spent)
    } finally {
      link.worked(spent.units)
    }
    if (spent.units >= left && this.waits) link.pumpSoon()
  }

  #pump(link: SessionLink, now: number, most: number, spent: { units: number }): void {
    while (this.#inflight.resends && link.writable) {
      if (spent.units >= most) return
      spent.units += costOf(this.#inflight.nextResend.inflight?.message)
      if (!this.#resendNext(link, now)) return
    }
    while (link.writable) {
      const next = this.#queue.peek()
      if (next === undefined || spent.units >= most) return
      if (!this.#mayStill(next.message)) {
        spent.units += costOf(undefined)
        if (this.#queue.peek() === next) this.#queue.shift()
        else continue
        this.#forbidden(next)
        continue
      }
      // [MQTT-4.9.0-2] no QoS 1 or 2 PUBLISH without quota
      if (!this.#inflight.maySend) return
      this.#queue.shift()
      spent.units += costOf(next.message)
      // [MQTT-3.3.2-5] expired before its delivery began
      const expired = next.message.expired(now)
      if (!expired) {
        this.#send(link, next, now)
        continue
      }
      this.#counters.dropped.expired++
      this.#holdings.messageGone(next)
      this.#keeping.done(next.place)
    }
  }

  /** False when the quota is used up. */
  #resendNext(link: SessionLink, now: number): boolean {
    const { packetId, inflight } = this.#inflight.nextResend
    if (inflight?.message !== undefined && !this.#mayStill(inflight.message)) {
      if (inflight.message !== undefined) this.#releaseOnly(inflight)
    }
    if (inflight?.message !== undefined) {
      if (!this.#inflight.mayResend) return false
      // [MQTT-3.3.1-1] DUP is set; [MQTT-4.3.3-7] expiry no longer counts once a PUBLISH was sent
      const { message, qos, retain, identifiers } = inflight
      if (link.publish(message, qos, retain, true, packetId, identifiers, now)) this.#inflight.take(inflight)
      else this.#forget(packetId) // the new connection's Maximum Packet Size is smaller ([MQTT-3.1.2-25])
    } else if (inflight?.qos === 1) this.#forget(packetId)
    else if (inflight !== undefined) link.pubrel(packetId, ReasonCode.Success)
    this.#inflight.resent()
    return true
  }

  /** Sends a message that is held and has not waited. */
  sendNew(
    link: SessionLink,
    message: Message,
    qos: Exclude<Qos, 0>,
    retain: boolean,
    identifiers: readonly number[],
    share: string | undefined,
    now: number,
  ): void {
    const queued = { place: ++this.#lastPlace, message: message.own(), qos, retain, identifiers, share }
    this.#keeping.queued(queued)
    this.#send(link, queued, now)
  }

  /** Sends a message that is held. */
  #send(link: SessionLink, queued: Queued, now: number): void {
    const { place, message, qos, retain, identifiers, share } = queued
    // The session's before it is the link's: a link that throws has not lost it.
    const packetId = this.#inflight.add({ place, message, qos, retain, identifiers, share, counts: true })
    this.#holdings.sent(1)
    this.#keeping.sent(place, packetId)
    if (link.publish(message, qos, retain, false, packetId, identifiers, now)) return
    this.#inflight.giveBack(this.#forget(packetId))
  }

  // --- messages are acknowledged ---

  /** PUBACK of a QoS 1 message. A Packet Identifier that is not in use is ignored. True: something may be sent in its place. */
  puback(packetId: number, reasonCode: number): boolean {
    const inflight = this.#inflight.get(packetId)
    if (inflight === undefined) return false
    if (inflight.qos !== 1) throw outOfPlace("4.3.3", "PUBACK", "QoS 2")
    // [MQTT-4.4.0-2] an error also acknowledges: the message is never sent again
    if (reasonCode >= 0x80) this.#counters.dropped["refused by client"]++
    this.#complete(packetId)
    return true
  }

  /** PUBREC of a QoS 2 message. True: something may be sent in its place. */
  pubrec(packetId: number, reasonCode: number): boolean {
    const inflight = this.#inflight.get(packetId)
    if (inflight?.qos === 1) throw outOfPlace("4.3.2", "PUBREC", "QoS 1")
    if (inflight === undefined) {
      if (reasonCode < 0x80) this.#link?.pubrel(packetId, ReasonCode.PacketIdentifierNotFound)
      return false
    }
    if (reasonCode >= 0x80) {
      this.#counters.dropped["refused by client"]++
      this.#complete(packetId)
      return true
    }
    if (inflight.message !== undefined) this.#releaseOnly(inflight)
    this.#link?.pubrel(packetId, ReasonCode.Success) // [MQTT-4.3.3-4]
    return false
  }

  /** PUBCOMP of a QoS 2 message. True: something may be sent in its place. */
  pubcomp(packetId: number): boolean {
    const inflight = this.#inflight.get(packetId)
    if (inflight === undefined) return false
    if (inflight.qos !== 2) throw outOfPlace("4.3.2", "PUBCOMP", "QoS 1")
    if (inflight.message !== undefined) throw outOfPlace("4.3.3", "PUBCOMP", "QoS 2 without PUBREC")
    this.#complete(packetId)
    return true
  }

  #complete(packetId: number): void {
    this.#inflight.giveBack(this.#forget(packetId))
  }

  #forget(packetId: number): Inflight | undefined {
    const inflight = this.#remove(packetId)
    if (inflight !== undefined) this.#keeping.done(inflight.place)
    return inflight
  }

  #remove(packetId: number): Inflight | undefined {
    const inflight = this.#inflight.get(packetId)
    if (inflight === undefined) return undefined
    this.#giveUp(inflight)
    this.#inflight.delete(packetId)
    this.#holdings.sent(-1)
    return inflight
  }

  #giveUp({ message, identifiers, share }: Inflight): void {
    if (message === undefined) this.#holdings.placeGone()
    else this.#holdings.messageGone({ message, identifiers, share })
  }

  /** The message goes, and its Packet Identifier stays in use: until PUBCOMP, say. */
  #releaseOnly(inflight: Inflight): void {
    this.#giveUp(inflight)
    inflight.message = undefined
    inflight.identifiers = []
    inflight.share = undefined
    this.#holdings.place()
    this.#keeping.released(inflight.place)
  }

  // --- the client may not have them any more ---

  /** Forgets messages on topics that the client may not read any more. What was sent is completed, but not sent again. */
  keepOnly(mayRead: (topic: string) => boolean): void {
    for (const inflight of this.#inflight.values()) {
      const { message } = inflight
      if (message === undefined || mayRead(message.topic.name)) continue
      this.#releaseOnly(inflight)
    }
    this.#queue.filter(
      ({ message }) => mayRead(message.topic.name),
      (item) => this.#forbidden(item),
    )
  }

  /**
   * The same in steps, one for each message; until the last of them a message is judged before it is sent. Each step is the
   * topic that was judged.
   */
  *keepOnlyInTurns(mayRead: (topic: string) => boolean): Generator<string, void, undefined> {
    this.mayRead = mayRead
    for (const [packetId, inflight] of this.#inflight.entries()) {
      const topic = inflight.message?.topic.name
      if (topic === undefined || this.#inflight.get(packetId) !== inflight) continue
      if (!mayRead(topic) && inflight.message !== undefined) this.#releaseOnly(inflight)
      yield topic
    }
    const gone = new Set<Queued>()
    for (const item of this.#queue.items()) {
      if (!mayRead(item.message.topic.name)) gone.add(item)
      yield item.message.topic.name
    }
    this.#queue.filter(
      (item) => !gone.has(item),
      (item) => this.#forbidden(item),
    )
    if (this.mayRead === mayRead) this.mayRead = undefined
  }

  /** False when new rules that are on their way forbid it. */
  #mayStill(message: Message): boolean {
    return this.mayRead === undefined || this.mayRead(message.topic.name)
  }

  #forbidden(item: Queued): void {
    this.#counters.dropped["not authorized"]++
    this.#holdings.messageGone(item)
    this.#keeping.done(item.place)
  }

  // --- the session ends ---

  /** True when `takeShared` has something. */
  get hasShared(): boolean {
    if (this.#queue.hasShared) return true
    for (const { share } of this.#inflight.values()) if (share !== undefined) return true
    return false
  }

  /**
   * What came by Shared Subscriptions and goes to another client now that this session ends, in its order (section 4.8.2): what
   * was not sent, and at QoS 1 not acknowledged. [MQTT-4.8.2-5] What was sent at QoS 2 goes to nobody else. Each is given up
   * here when it is taken.
   */
  *takeShared(): Generator<SharedMessage, void, undefined> {
    for (const [packetId, { message, place, qos, share }] of this.#inflight.entries()) {
      if (share === undefined || message === undefined || qos !== 1) continue
      const kept = this.#keeping.has(place)
      // With its taker in one turn: a crash on the way gives it to one of them.
      this.#forget(packetId)
      yield { message, share, kept }
    }
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { message, place, share } = next
      const kept = this.#keeping.has(place)
      this.#holdings.messageGone(next)
      this.#keeping.done(place)
      if (share === undefined) this.#counters.dropped["session ended"]++
      else yield { message, share, kept }
    }
  }

  /** In a cluster: what came by Shared Subscriptions at QoS 1 and is not acknowledged goes to others, as the client has gone. */
  handBack(): void {
    for (const [packetId, { message, qos, share }] of this.#inflight.entries()) {
      if (qos === 1 && share !== undefined && message?.position !== undefined) this.#forget(packetId)
    }
  }

  /** Forgets everything; messages that waited are counted as lost. */
  clear(): void {
    this.#counters.dropped["session ended"] += this.#queue.length + this.#inflight.size
    this.forget()
  }

  /** Forgets everything, which is kept elsewhere. */
  forget(): void {
    this.#queue.clear((item) => this.#holdings.messageGone(item))
    for (const [packetId] of this.#inflight.entries()) this.#remove(packetId)
    this.#inflight.end()
  }
}

function outOfPlace(rule: string, packet: string, of: string): PacketError {
  return protocolError(rule, `${packet} for a PUBLISH of ${of}`)
}
