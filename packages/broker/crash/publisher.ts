// Remembers what it was told, says again what was not answered, and knows in the end what has to be there.

import { acknowledge, packetType, publish, type Received, type Version } from "../hostile/wire/mqtt.ts"
import { identifierOf, KeptClient, noRoom } from "./clients.ts"
import { isRemoval, isRetained, payloadFor, qosOf, textOf, topicOf } from "./said.ts"

const defaultWidth = 20
/** More than that: something is to be said while nothing is answered. */
const pressedWidth = 30
/** Milliseconds until it publishes again when it was told that there is no room. */
const refusedPause = 20

interface Unanswered {
  readonly count: number
  /** How often it was said. */
  times: number
  /** PUBREC has come: PUBREL is what is unanswered. */
  released: boolean
}

/** Always has some messages under way, of QoS 1 and 2 in turn. */
export class Publisher extends KeptClient {
  /** Counts that were acknowledged, by QoS. */
  readonly acknowledged: Readonly<Record<1 | 2, Set<number>>> = { 1: new Set(), 2: new Set() }
  /** Counts for which there was no room, and that nobody may get: those that were said once, and all of QoS 2. */
  readonly refused: Set<number> = new Set()
  /** How often there was no room. */
  refusals = 0
  /** Messages that it has under way. */
  #width = defaultWidth
  /** No new messages. */
  stopped = false
  /** By topic: the last that was acknowledged. */
  readonly #retained: Map<string, number> = new Map()
  readonly #size: number
  readonly #pace: number
  readonly #unanswered: Map<number, Unanswered> = new Map()
  #nextId = 1
  #nextCount = 1
  #waits = false

  /**
   * @param size bytes of a payload, at least
   * @param pace milliseconds from one new message to the next; 0: as fast as they are answered
   */
  constructor(id: string, version: Version, size: number, pace = 0) {
    super(id, version)
    this.#size = size
    this.#pace = pace
  }

  get idle(): boolean {
    return this.#unanswered.size === 0
  }

  get total(): number {
    return this.acknowledged[1].size + this.acknowledged[2].size
  }

  /** What is retained of it, by topic: text. All of it was acknowledged. */
  get retained(): ReadonlyMap<string, string> {
    const left = [...this.#retained].filter(([, count]) => !isRemoval(count))
    return new Map(left.map(([topic, count]) => [topic, textOf({ by: this.id, count })]))
  }

  /** Says more than what was not answered, from now on; or no more. */
  press(hard: boolean): void {
    this.#width = hard ? pressedWidth : defaultWidth
    this.#more()
  }

  protected begin(): void {
    for (const [packetId, unanswered] of this.#unanswered) {
      if (unanswered.released) this.send(acknowledge(this.version, packetType.pubrel, packetId))
      else this.#publish(packetId, unanswered)
    }
    this.#more()
  }

  #publish(packetId: number, unanswered: Unanswered): void {
    const { count } = unanswered
    const said = { by: this.id, count }
    const options = { qos: qosOf(count), retain: isRetained(count), dup: unanswered.times > 0, packetId }
    unanswered.times++
    this.says(count, unanswered.times)
    this.send(publish(this.version, topicOf(said), payloadFor(said, this.#size), options))
  }

  #more(): void {
    while (!this.stopped && this.connected && this.#unanswered.size < this.#width && !this.#waits) {
      const unanswered = { count: this.#nextCount++, times: 0, released: false }
      const packetId = this.#freeId()
      this.#unanswered.set(packetId, unanswered)
      this.#publish(packetId, unanswered)
      if (this.#pace > 0) this.#wait()
    }
  }

  #wait(): void {
    this.#waits = true
    setTimeout(() => {
      this.#waits = false
      this.#more()
    }, this.#pace)
  }

  /** It is published for the first time, or again. */
  protected says(_count: number, _times: number): void {}

  /** It is the broker's from now on. */
  protected isKept(_count: number): void {}

  /** @param final nobody may get it */
  protected isRefused(_count: number, _final: boolean): void {}

  #freeId(): number {
    while (this.#unanswered.has(this.#nextId)) this.#countId()
    const packetId = this.#nextId
    this.#countId()
    return packetId
  }

  #countId(): void {
    this.#nextId = this.#nextId === 65_535 ? 1 : this.#nextId + 1
  }

  protected heard({ type, body }: Received): void {
    const packetId = identifierOf(body)
    const code = body[2] ?? 0
    const unanswered = this.#unanswered.get(packetId)
    if (type === packetType.disconnect) this.ended(body[0] ?? 0)
    else if (code >= 0x80 && (type === packetType.puback || type === packetType.pubrec))
      this.#turnedDown(packetId, unanswered, code)
    else if (type === packetType.pubrec) {
      if (unanswered !== undefined) this.#kept(unanswered)
      // Whatever became of it: an identifier that is not known any more is released.
      this.send(acknowledge(this.version, packetType.pubrel, packetId))
    } else if ((type === packetType.puback || type === packetType.pubcomp) && unanswered !== undefined) {
      if (type === packetType.pubcomp && !unanswered.released) this.wrong.push(`${this.id}: PUBCOMP before PUBREC`)
      this.#kept(unanswered)
      this.#unanswered.delete(packetId)
      this.#more()
    }
  }

  #kept(unanswered: Unanswered): void {
    const { count } = unanswered
    const qos = qosOf(count)
    unanswered.released = qos === 2
    if (!this.acknowledged[qos].has(count)) this.isKept(count)
    this.acknowledged[qos].add(count)
    if (!isRetained(count)) return
    const topic = topicOf({ by: this.id, count })
    this.#retained.set(topic, Math.max(this.#retained.get(topic) ?? 0, count))
  }

  #turnedDown(packetId: number, unanswered: Unanswered | undefined, code: number): void {
    if (unanswered === undefined) return
    const { count, times, released } = unanswered
    if (code !== noRoom || !this.mayBeRefused || released) {
      const after = released ? " after it was taken" : ""
      this.wrong.push(`${this.id}: message ${count} of QoS ${qosOf(count)} is answered with ${code}${after}`)
    }
    this.#unanswered.delete(packetId)
    this.refusals++
    // One of QoS 1 that was said before may have been kept then.
    const final = times === 1 || qosOf(count) === 2
    if (final) this.refused.add(count)
    this.isRefused(count, final)
    setTimeout(() => this.#more(), refusedPause)
  }
}
