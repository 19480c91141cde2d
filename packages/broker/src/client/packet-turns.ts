// When the packets of a client have their turn: one after the other as long as the turn of all lasts, but no more of them than
// a share, and none while something stands in the way. And which turn of the store what is written for them depends on.

import { PacketError } from "../packet/errors.ts"
import type { Frame } from "../packet/framer.ts"
import type { Session } from "../session/session.ts"
import type { Hub } from "./hub.ts"
import type { Intake } from "./intake.ts"
import type { Outflow } from "./outflow.ts"
import { answerTooLarge } from "./parting.ts"
import type { Silence } from "./silence.ts"
import type { Writer } from "./writer.ts"

/** What a cheap packet costs at most, in the units of routing. */
const cheapPacket = 100

/** The connection whose packets these are. */
export interface Served {
  readonly closed: boolean
  /** The client may say something, in the phase that its connection is in. */
  readonly hears: boolean
  /** The client has gone, and packets of it are still to be handled. */
  readonly gone: boolean
  readonly session: Session | undefined
  readonly writer: Writer
  readonly outflow: Outflow
  /** Handles the packet that the framer has. Throws PacketError for what the client did wrong. */
  handle(now: number): void
  /** Handles a PUBLISH that was postponed; false when it still cannot be kept. */
  publish(frame: Frame, now: number): boolean
  /** The client did something wrong: that ends the connection. */
  fail(error: PacketError, now: number): void
  /** The client had gone, and its last packets have had their turn. */
  finishGone(now: number): void
}

export class PacketTurns<Client extends Served> {
  readonly #hub: Hub<Client>
  readonly #client: Client
  readonly #intake: Intake<Client>
  readonly #silence: Silence
  #processing = false
  /** Changes there had been before the packet that is handled; below 0: none is. */
  #madeBefore = -1
  /** The last turn that its packets have changed something of. */
  #turn = 0
  /** What its packets have cost lately, the last ones most; of a new one nobody knows. */
  #dearness = 20 * cheapPacket

  constructor(hub: Hub<Client>, client: Client, intake: Intake<Client>, silence: Silence) {
    this.#hub = hub
    this.#client = client
    this.#intake = intake
    this.#silence = silence
  }

  /** It is within one of its packets. */
  get processing(): boolean {
    return this.#processing
  }

  /** Its packets have been cheap lately: it does not stand behind those whose packets are not. */
  get cheap(): boolean {
    return this.#dearness < cheapPacket
  }

  /** The turn that what is written now depends on: that of its session, and of the packet that is handled. */
  get depends(): number {
    const { recorder } = this.#hub
    const own = this.#client.session?.turn ?? 0
    return this.#madeBefore >= 0 && recorder.made !== this.#madeBefore ? recorder.turn : own
  }

  /** What it has changed, or its answers, wait for a store that is far behind. */
  get behind(): boolean {
    const { recorder } = this.#hub
    return recorder.behind && (this.#turn > recorder.committed || this.#client.outflow.waits)
  }

  get #reading(): boolean {
    const client = this.#client
    return client.hears && this.#intake.open && !this.behind && (client.gone || !this.#client.outflow.congested)
  }

  /** Handles what has come, as far as it has its turn. */
  process(now: number): void {
    if (this.#processing) return
    const client = this.#client
    const cheap = this.cheap
    if (this.#hub.turnOver(cheap) && this.#reading) {
      this.#intake.rest()
      this.#intake.pauseSink(true, now)
      return
    }
    this.#processing = true
    const begin = this.#hub.work
    const made = this.#hub.recorder.made
    let packets = 0
    try {
      const most = begin + this.#hub.workEach
      while (this.#reading && this.#intake.framer.next()) {
        this.#intake.packetEnded()
        this.#silence.heard(now)
        this.#hub.counters.packetsReceived++
        packets++
        const before = this.#hub.work
        this.#madeBefore = this.#hub.recorder.made
        client.handle(now)
        this.#changed()
        this.#checkAnswer()
        this.#dearness += (this.#hub.work - before - this.#dearness) / 4
        if ((this.#hub.work > most || packets >= this.#hub.packetsEach) && !client.closed) this.#intake.rest()
      }
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      client.fail(error, now)
    } finally {
      this.#processing = false
      this.#madeBefore = -1
      this.#hub.spent(cheap, this.#hub.work - begin, packets, this.#hub.recorder.made - made)
    }
    if (client.closed) return
    if (this.behind) this.#hub.waitForStore(client)
    if (client.gone) {
      if (this.#reading) client.finishGone(now) // nothing is left
      return
    }
    // Not reading: the client's own answers back up, a login is checked, or a subscriber is slow.
    this.#intake.pauseSink(!this.#reading, now)
  }

  /** What was postponed, in its order, as far as it can be kept now; what has come after that goes on all the same. */
  again(now: number): void {
    const hub = this.#hub
    const client = this.#client
    const { cheap } = this
    const [work, made] = [hub.work, hub.recorder.made]
    let packets = 0
    for (let frame = this.#intake.firstPostponed; frame !== undefined; frame = this.#intake.firstPostponed) {
      if (packets >= hub.packetsEach || hub.turnOver(cheap)) {
        hub.resumeSoon(client)
        break
      }
      const waiting = frame
      let kept = true
      this.within(now, () => {
        kept = client.publish(waiting, now)
      })
      if (client.closed) break
      if (!kept) {
        hub.postpone(client)
        break
      }
      this.#intake.dropPostponed(now)
      packets++
    }
    hub.spent(cheap, hub.work - work, packets, hub.recorder.made - made)
  }

  /**
   * One packet's work, which may come within another's: what it answers depends on what it changes. What the client did wrong
   * ends the connection.
   */
  within(now: number, work: () => void): void {
    const outer = this.#madeBefore
    this.#madeBefore = this.#hub.recorder.made
    try {
      work()
      this.#checkAnswer()
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      this.#client.fail(error, now)
    } finally {
      this.#changed()
      this.#madeBefore = outer
    }
  }

  /** After a packet. */
  #changed(): void {
    const { recorder } = this.#hub
    if (this.#madeBefore >= 0 && recorder.made !== this.#madeBefore) this.#turn = recorder.turn
  }

  #checkAnswer(): void {
    if (this.#client.writer.owes) throw answerTooLarge(this.#client.writer.maximumPacketSize)
  }

  /** What waits for the client is sent, one turn's share. */
  sendOn(now: number): void {
    const { cheap } = this
    const hub = this.#hub
    const client = this.#client
    const [work, made] = [hub.work, hub.recorder.made]
    client.session?.pump(now)
    client.session?.wake(now)
    hub.spent(cheap, hub.work - work, 0, hub.recorder.made - made)
    if (client.session !== undefined && this.#client.writer.owes)
      client.fail(answerTooLarge(this.#client.writer.maximumPacketSize), now)
  }
}
