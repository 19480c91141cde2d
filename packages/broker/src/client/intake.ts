// What comes from a client: when it is read, and how much of it is held. Many things stop the reading of a connection; each has
// its own reason, and its own way to go on.

import { copyOf } from "../packet/bytes.ts"
import { type Frame, Framer } from "../packet/framer.ts"
import type { Sink } from "../ports/peer.ts"
import type { ToldLimits } from "../session/limits.ts"
import type { Session } from "../session/session.ts"
import type { Hub } from "./hub.ts"
import { PauseBudget } from "./pause-budget.ts"
import { PublishRate } from "./publish-rate.ts"
import type { Silence } from "./silence.ts"

/** Bytes of PUBLISH packets that wait on one connection until they can be kept; past that it is not read from for so many milliseconds. */
const mostPostponed = 65_536
const stuckTime = 5000
/** What one of them takes beside its bytes, about. */
const heldFrame = 320
/** Milliseconds that the first of them waits: then the connection ends, somebody is told, and they come again on another. */
const headTime = 60_000

export class Intake<Client> {
  readonly framer: Framer
  /** The client's own, once it has one. */
  #session: Session | undefined
  /** The congested session that this publisher waits for. */
  #waitsFor: Session | undefined
  #pausedAt = 0
  #pauseEnds = 0
  #pauses: PauseBudget | undefined
  #rate: PublishRate | undefined
  /** It has published faster than it may, and is not read from until that is made up for. */
  #rationed = false
  /** A PUBLISH that could not be kept when it came, and those after it. */
  readonly #postponed: Frame[] = []
  #postponedBytes = 0
  /** So many wait that it is not read from, since then. */
  #stuckSince: number | undefined
  /** What it publishes now is not held any more. */
  #lost = false
  /** When the first of those that wait became that. */
  #headSince = 0
  /** It has had its turn: the others come first. */
  #resting = false
  /** A SUBSCRIBE waits until the other brokers of the cluster know of it. */
  waitsForCluster = false
  #sinkPaused = false
  /** Bytes that the broker knows to be held for packets that have not come to their end. */
  #held = 0
  /** A packet has come to its end since then. */
  #ended = false
  /** Bytes that the transport holds for a frame that has not come to its end. */
  #framed = 0
  readonly #hub: Hub<Client>
  readonly #client: Client
  readonly #sink: Sink
  readonly #silence: Silence

  constructor(hub: Hub<Client>, client: Client, sink: Sink, silence: Silence) {
    this.#hub = hub
    this.#client = client
    this.#sink = sink
    this.#silence = silence
    this.framer = new Framer(hub.limits.maximumConnectSize)
  }

  /** The client is let in: what it may send now, and how fast. */
  begin(session: Session, mqtt31: boolean, told: ToldLimits, now: number): void {
    this.#session = session
    const { framer } = this
    framer.connectOnly = false
    framer.loggedIn = true
    framer.mqtt31 = mqtt31
    framer.maximumPacketSize = told.maximumPacketSize
    this.limitsChanged(now)
  }

  /** With another rate it begins anew: what it has to make up for by the old one is forgiven. */
  limitsChanged(now: number): void {
    const { maximumPublishRate: messages, maximumPublishByteRate: bytes } = this.#hub.limits
    const { messages: before = 0, bytes: bytesBefore = 0 } = this.#rate ?? {}
    if (messages === before && bytes === bytesBefore) return
    this.#rate = messages + bytes > 0 ? new PublishRate(messages, bytes, now) : undefined
    if (this.#rationed) this.#hub.ration(this.#client, 0, now)
  }

  /** Nothing in here is a reason not to read. */
  get open(): boolean {
    const free = this.#waitsFor === undefined && !this.#rationed && this.#stuckSince === undefined
    return free && !this.#resting && !this.waitsForCluster
  }

  /** It could not be heard lately: its silence says nothing. */
  get deaf(): boolean {
    return this.#rationed || this.#stuckSince !== undefined || this.waitsForCluster
  }

  pauseSink(paused: boolean, now: number): void {
    if (paused === this.#sinkPaused) return
    this.#silence.reads(!paused, now)
    this.#sinkPaused = paused
    if (paused) this.#sink.pause()
    else this.#sink.resume()
  }

  /** The session is told: what waits for it does not wait for one that cannot acknowledge. */
  #tell(): void {
    if (this.#session !== undefined) this.#session.paused = this.#waitsFor !== undefined || this.#rationed
  }

  // --- a turn is over ---

  /** It has had its turn: the others first, then what is left of its packets. */
  rest(): void {
    this.#resting = true
    this.#hub.resumeSoon(this.#client)
  }

  /** Its turn has come, or what it waited for. */
  resume(now: number): void {
    this.#resting = false
    const slow = this.#waitsFor
    if (slow === undefined || !slow.connected || slow.quiet || now >= this.#pauseEnds) this.#stopWaiting(now)
    // It was something else that it waited for as well, the store say.
    else this.#hub.hold(this.#client, this.#pauseEnds - now)
  }

  // --- a subscriber is slow ---

  get waits(): boolean {
    return this.#waitsFor !== undefined
  }

  /** Stop reading until that session keeps up again. */
  waitFor(session: Session, now: number): void {
    // Not for itself, and not for one that is paused too: its acknowledgements are what would end the wait.
    if (session === this.#session || session.paused) return
    if (now < session.slowUntil || this.#waitsFor !== undefined) return
    this.#pauses ??= new PauseBudget(this.#hub.limits, now)
    const most = Math.floor(this.#pauses.left(now))
    if (most === 0) return
    this.#waitsFor = session
    this.#pausedAt = now
    this.#pauseEnds = now + most
    this.#hub.hold(this.#client, most)
    this.#tell()
    session.waiters.add(this)
    this.#hub.counters.publishersPaused++
    this.pauseSink(true, now)
  }

  /** Goes on if the subscriber has held this publisher as long as it may: from now on its messages wait or are dropped. */
  endPause(now: number): void {
    if (this.#waitsFor === undefined || now < this.#pauseEnds) return
    this.#waitsFor.slowUntil = Number.POSITIVE_INFINITY
    this.resumeSoon()
  }

  /** Called by the session waited for. */
  resumeSoon(): void {
    this.#hub.resumeSoon(this.#client)
  }

  #stopWaiting(now: number): void {
    if (this.#waitsFor === undefined) return
    this.#pauses?.use(now - this.#pausedAt, now)
    this.#waitsFor.waiters.delete(this)
    this.#waitsFor = undefined
    this.#tell()
  }

  // --- it publishes faster than it may ---

  /** A PUBLISH of so many bytes has come. */
  meter(bytes: number, now: number): void {
    const wait = this.#rate?.take(bytes, now) ?? 0
    if (wait === 0) return
    this.#rationed = true
    this.#tell()
    this.#hub.counters.publishersRationed++
    this.#hub.ration(this.#client, wait, now)
  }

  /** Milliseconds that it is not read from yet; at 0 it is read on. */
  rationed(now: number): number {
    const wait = this.#rate?.wait(now) ?? 0
    if (wait > 0) return wait
    this.#rationed = false
    this.#tell()
    if (this.#waitsFor === undefined) this.#hub.resumeSoon(this.#client)
    return 0
  }

  // --- nothing can be kept ---

  /**
   * MQTT 3.1.1 has no word for a PUBLISH that cannot be kept: it waits, and so does each that comes after it, as their order is
   * to be kept. What else comes has its turn: acknowledgements above all, which may be what makes room. When many wait it is not
   * read from for a while, and then what they would have been followed by is heard all the same: of what is then published
   * nothing is held or acknowledged, so it comes again on another connection ([MQTT-4.4.0-1]).
   */
  postpone(now: number): void {
    if (this.#lost) return
    const { header, bytes, start, bodyStart, end } = this.framer
    const own = copyOf(bytes.subarray(start, end))
    const length = end - start
    if (this.#postponed.length === 0) this.#headSince = now
    this.#postponed.push({ header, bytes: own, start: 0, bodyStart: bodyStart - start, end: length, owned: true })
    this.#postponedBytes += length + heldFrame
    if (this.#postponedBytes >= mostPostponed) this.#stuckSince ??= now
    this.#hub.postpone(this.#client)
  }

  /** A PUBLISH waits: those that come do, too. */
  get postponed(): boolean {
    return this.#lost || this.#postponed.length > 0
  }

  /** The first of those that wait. */
  get firstPostponed(): Frame | undefined {
    return this.#postponed[0]
  }

  /** It has been kept. */
  dropPostponed(now: number): void {
    const kept = this.#postponed.shift()
    if (kept !== undefined) this.#postponedBytes -= kept.end + heldFrame
    this.#headSince = now
    if (this.#postponedBytes < mostPostponed) this.#stuckSince = undefined
  }

  /** Many have waited for long: what comes after them is heard now. True when it was not before. */
  hearOn(now: number): boolean {
    if (this.#stuckSince === undefined || now - this.#stuckSince < stuckTime) return false
    this.#stuckSince = undefined
    this.#lost = true
    return true
  }

  /**
   * Those that wait have to come again: some that came after them were not held, and these are kept now; or there has been no room
   * for the first for long, while the store takes others. One that takes nothing is told of once, and is waited for.
   */
  haveToComeAgain(now: number): boolean {
    if (this.#postponed.length === 0) return this.#lost
    if (this.#hub.recorder.failing) this.#headSince = now
    return now - this.#headSince >= headTime
  }

  // --- what is held of it ---

  /** The packet that the framer has is whole. */
  packetEnded(): void {
    this.#ended = true
  }

  /** The transport holds so many bytes of a frame that is not whole yet. */
  transportHolds(bytes: number): void {
    this.#framed = bytes
  }

  /** Tells the broker what is held. */
  account(now: number): void {
    // What waits for a turn of ours is not the client's slowness.
    const read = this.#resting ? this.framer.unfinished : this.framer.held
    this.#hold(read + this.#framed + this.#postponedBytes, now)
  }

  #hold(held: number, now: number): void {
    // What is held now is of a packet that has just begun: it stands behind those that began before.
    if (this.#ended && this.#held > 0) this.#hub.holds(this.#client, 0, now)
    else if (held === this.#held) return
    this.#ended = false
    this.#held = held
    this.#hub.holds(this.#client, held, now)
  }

  // --- the end ---

  stop(now: number): void {
    this.#stopWaiting(now)
    if (this.#session !== undefined) this.#session.paused = false
    this.#session = undefined
  }

  /** Nothing of it is held any more. */
  drop(now: number): void {
    this.#hold(0, now)
  }
}
