// What was written for a client on its way to the transport: what may leave now, what waits for the store to have what it depends
// on, and the bound of what may wait for a slow transport.

import { copyOf } from "../packet/bytes.ts"
import type { Message, Sample } from "../packet/message.ts"
import type { Sink } from "../ports/peer.ts"
import type { Counters } from "../session/counters.ts"
import type { Limits } from "../session/limits.ts"
import type { OutboundMemory } from "../session/memory.ts"
import type { Recorder } from "../session/recorder.ts"
import type { Sampling } from "../session/sampling.ts"
import { LateOutput } from "./late-output.ts"
import { Outbox } from "./outbox.ts"
import { type SpareBuffers, spareBytes } from "./spare-buffers.ts"

/** From this size on a turn's output does not wait for the end of the turn, unless others had much. */
export const flushEarly = 65_536

/** What waits for one client while too much waits for all of them together. */
const littleOutput = 65_536

/** What it needs of the broker. */
export interface OutflowNeeds {
  readonly limits: Limits
  readonly counters: Counters
  readonly outbound: OutboundMemory
  readonly spares: SpareBuffers
  readonly sampling: Sampling
  readonly recorder: Pick<Recorder, "committed" | "failing">
}

/** What it asks of its connection. */
export interface OutflowAsks {
  /** Milliseconds: when its connection was opened. */
  readonly openedAt: number
  /** Asks that `flush` be called at the end of the turn. */
  readonly dirty: () => void
  /** Something is about to leave. In a cluster it may have to wait, where this node has stood still: see `hold`. */
  readonly leaves: () => void
  /** Whether so many bytes may go to the transport before. */
  readonly mayFlush: (bytes: number) => boolean
  /** The turn that an answer written now depends on; 0: none. */
  readonly depends: () => number
}

export class Outflow {
  /** Where packets are written to; each is whole when one of the `wrote` calls follows. */
  readonly outbox: Outbox
  readonly #limits: Limits
  readonly #memory: OutboundMemory
  readonly #spares: SpareBuffers
  readonly #counters: Counters
  readonly #sampling: Sampling
  readonly #sink: Sink
  readonly #asks: OutflowAsks
  readonly #recorder: Pick<Recorder, "committed" | "failing">
  /** Bytes that are counted in the memory of all. */
  #counted = 0
  /** Copies that the transport took while it was full and has not reported as gone. */
  #copiesInTransport = 0
  /** Other bytes that it has taken and may still hold. */
  #referredInTransport: readonly Uint8Array[] = []
  readonly #late = new LateOutput()
  /** What that refers to, and what has left beside it, until that turn is committed. */
  #lateReferences: { readonly bytes: Uint8Array; readonly turn: number }[] = []
  /**
   * By packet type, the turn of the last. Acknowledgements are sent in the order of what they answer ([MQTT-4.6.0-2] to
   * [MQTT-4.6.0-4]), messages of QoS 1 and 2 in that in which they were written ([MQTT-4.6.0-5]).
   */
  readonly #last: number[] = [0, 0, 0, 0, 0, 0, 0, 0]
  /** It is to be ended when all of that has left. */
  #ending = false
  #dirty = false
  #blocked = false
  /** What is there waits until it is known whose the session is. */
  #held = false
  /** CONNACK was written, and has not left. */
  #owesConnack = false
  /** It never will. */
  #forgotConnack = false
  #closed = false
  /** Bytes the transport took while it was full and has not reported as gone. */
  #inTransport = 0
  /** Bytes of the outbox that are whole packets. */
  #whole = 0
  /** Of what was written and has not left, the first message whose time is taken, and the turn that it depends on. */
  #followed: Sample | undefined
  #followedTurn = 0

  constructor({ limits, counters, outbound, spares, sampling, recorder }: OutflowNeeds, sink: Sink, asks: OutflowAsks) {
    this.#limits = limits
    this.#memory = outbound
    this.#spares = spares
    this.#counters = counters
    this.#sampling = sampling
    this.#recorder = recorder
    this.#sink = sink
    this.#asks = asks
    this.outbox = new Outbox(
      (bytes) => outbound.refer(bytes),
      // What is to wait has no more memory than it needs.
      () => (this.#blocked || this.waits ? undefined : spares.take()),
    )
  }

  get size(): number {
    return this.outbox.size + this.#inTransport + this.#late.size
  }

  /** Bytes that `flush` would hand to the transport. */
  get waiting(): number {
    return this.#blocked || this.#held ? 0 : this.outbox.size + this.#late.size
  }

  /** It has ended, and nothing is left to leave. */
  get done(): boolean {
    return this.#closed && !this.#ending
  }

  /** The transport has not taken what it was given: it will say when. */
  get blocked(): boolean {
    return this.#blocked
  }

  get #limit(): number {
    const { maximumOutboundBytes } = this.#limits
    return this.#memory.full ? Math.min(maximumOutboundBytes, littleOutput) : maximumOutboundBytes
  }

  /** Counts what waits; `flush` does so too. */
  account(): void {
    const copies = this.outbox.copied + this.#copiesInTransport + this.#late.size
    this.#memory.used += copies - this.#counted
    this.#counted = copies
  }

  get writable(): boolean {
    return this.size < this.#limit
  }

  /** False for a large message while too much waits for all clients together: for QoS 0, of which nothing else counts it. */
  takes({ payloadStart, payloadEnd }: Message): boolean {
    return payloadEnd - payloadStart <= littleOutput || !this.#memory.full
  }

  get congested(): boolean {
    return this.size * 2 > this.#limit
  }

  get roomy(): boolean {
    return this.size * 4 < this.#limit
  }

  // --- a packet was written ---

  /** One of those that have an order of their own, by their type. */
  wroteInOrder(type: number): void {
    const turn = Math.max(this.#last[type]!, this.#asks.depends())
    this.#last[type] = turn
    this.wroteAnswer(false, turn)
  }

  /** When what is written now leaves: the turn that has to be committed for it, and for all before it. */
  get nextTurn(): number {
    return Math.max(this.#asks.depends(), this.#late.last)
  }

  isCommitted(turn: number): boolean {
    return turn <= this.#recorder.committed
  }

  /** What was written leaves when what it depends on is kept. */
  wroteAnswer(connack = false, turn: number = this.#asks.depends()): void {
    if (connack) this.#owesConnack = true
    if (turn > this.#recorder.committed && !this.#closed) {
      this.#late.mark(this.#whole, this.outbox.size, turn, connack)
    }
    this.wrote()
  }

  /** What waits for nothing of its own. */
  wrote(): void {
    this.#whole = this.outbox.size
    if (this.#closed) {
      this.#discard()
      return
    }
    const early = !this.#blocked && this.outbox.size >= flushEarly && !this.waits
    if (early && this.#asks.mayFlush(this.outbox.size)) this.flush()
    else this.#flushLater()
  }

  #flushLater(): void {
    if (this.#dirty) return
    this.#dirty = true
    try {
      this.#asks.dirty()
    } catch (error) {
      // Nobody was asked: what is written next, a good-bye, asks again.
      this.#dirty = false
      throw error
    }
  }

  /** The time of a PUBLISH that is being written is taken when it leaves. */
  follow(sample: Sample): void {
    if (this.#followed !== undefined || this.#closed || !this.#sampling.follows(sample, this.#asks.openedAt)) return
    this.#followed = sample
    this.#followedTurn = this.nextTurn
  }

  // --- it leaves ---

  /** Something of what was written waits for its turn to be committed, or is held. */
  get waits(): boolean {
    return this.#held || this.#late.waits(this.#recorder.committed)
  }

  /** Something was written that has not left. */
  get holds(): boolean {
    return this.outbox.size + this.#late.size > 0
  }

  /** Nothing leaves until `release`: the session may be another node's. */
  hold(): void {
    this.#held = true
  }

  /** It is this node's. */
  release(): void {
    this.#held = false
    this.#flushLater()
  }

  /** [MQTT-3.2.0-1] Of that is CONNACK, and with it all else. */
  get holdsConnack(): boolean {
    return this.#late.holdsConnack(this.#recorder.committed)
  }

  /** Its client hears none: nothing else is to be the first that it hears ([MQTT-3.2.0-1], [MQTT-3.14.0-1]). */
  get forgotConnack(): boolean {
    return this.#forgotConnack
  }

  /** Hands what may leave to the transport, unless that is full. */
  flush(): void {
    this.#dirty = false
    if (this.holds) this.#asks.leaves()
    if (this.#blocked || this.#held || !this.holds) {
      this.account()
      return
    }
    const { copied } = this.outbox
    const chunks = this.waits ? this.#takeCommitted() : this.#takeAll()
    if (chunks.length > 0) this.#send(chunks, copied)
    this.account()
    if (this.#followed !== undefined && this.isCommitted(this.#followedTurn)) {
      this.#sampling.delivered(this.#followed)
      this.#followed = undefined
    }
    if (this.#ending && (this.#blocked || !this.waits)) this.#end(this.#blocked && this.waits)
  }

  #send(chunks: readonly Uint8Array[], copied: number): void {
    if (!this.holdsConnack) this.#owesConnack = false
    let size = 0
    for (const chunk of chunks) size += chunk.length
    this.#counters.bytesSent += size
    const spares = this.outbox.takeSpares()
    let [hasRoom, isKept] = [false, true]
    try {
      hasRoom = this.#sink.write(chunks)
      isKept = this.#sink.keeps !== false
    } finally {
      for (const spare of spares) {
        if (isKept) this.#spares.lose()
        else this.#spares.give(spare)
      }
    }
    if (hasRoom || (this.#closed && !this.#ending)) this.#transportDone()
    else {
      this.#blocked = true
      this.#inTransport = size
      const least = isKept ? spares.length * spareBytes : 0
      this.#copiesInTransport = Math.max(least, Math.min(size, copied))
    }
  }

  #takeAll(): readonly Uint8Array[] {
    this.#whole = 0
    this.#late.clear()
    // What the transport has not taken because it threw is still there.
    const references = this.outbox.takeReferences()
    if (references.length > 0) this.#referredInTransport = [...this.#referredInTransport, ...references]
    return this.outbox.take()
  }

  /** What depends on no turn that is not committed, and what has waited for one that is now. The rest goes aside. */
  #takeCommitted(): readonly Uint8Array[] {
    this.#whole = 0
    const references = this.outbox.takeReferences()
    const { committed } = this.#recorder
    const leaving = this.#late.take(this.#withoutSpares(this.outbox.take()), committed)
    const turn = this.#late.lastTurn
    for (const bytes of references) this.#lateReferences.push({ bytes, turn })
    const left = this.#lateReferences.findIndex((one) => one.turn > committed)
    const gone = this.#lateReferences.splice(0, left < 0 ? this.#lateReferences.length : left)
    if (gone.length > 0) this.#referredInTransport = [...this.#referredInTransport, ...gone.map(({ bytes }) => bytes)]
    return leaving
  }

  /** What may wait for long is not in memory that others wait for. */
  #withoutSpares(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    const spares = this.outbox.takeSpares()
    if (spares.length === 0) return chunks
    const own = chunks.map((chunk) => (spares.some(({ buffer }) => buffer === chunk.buffer) ? copyOf(chunk) : chunk))
    for (const spare of spares) this.#spares.give(spare)
    return own
  }

  /** After writing threw: takes back what there is of a packet that was not written to its end. */
  dropUnfinished(): void {
    this.outbox.cut(this.#whole)
    this.#late.cut(this.#whole)
  }

  /** The transport holds nothing any more. */
  #transportDone(): void {
    this.#inTransport = 0
    this.#copiesInTransport = 0
    for (const bytes of this.#referredInTransport) this.#memory.release(bytes)
    this.#referredInTransport = []
  }

  #discard(): void {
    this.#followed = undefined
    this.outbox.clear()
    for (const spare of this.outbox.takeSpares()) this.#spares.give(spare)
    for (const bytes of this.outbox.takeReferences()) this.#memory.release(bytes)
    for (const { bytes } of this.#lateReferences) this.#memory.release(bytes)
    this.#lateReferences = []
    this.#late.clear()
    this.#transportDone()
    this.account()
  }

  drained(): void {
    this.#blocked = false
    this.#transportDone()
    const { size } = this.outbox
    if (size < flushEarly || this.#asks.mayFlush(size)) this.flush()
    else this.#flushLater()
  }

  // --- the end ---

  /**
   * Sends what waits if the transport takes it, and ends it: when that is committed which it depends on. A transport that is
   * full is dropped at once.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#blocked || !this.waits || this.#recorder.failing) this.#end(this.#blocked)
    else {
      this.#ending = true
      this.#flushLater()
    }
  }

  /** What is held never leaves: who has the session sends it again. */
  forgetHeld(): void {
    if (!this.#held) return
    this.#held = false
    this.#forgotConnack ||= this.#owesConnack
    this.#discard()
  }

  /** What waits for turns that are not committed never leaves; what may leave does. One that has ended waits for nothing more. */
  forgetLate(): void {
    this.flush()
    this.forgetHeld()
    this.#forgotConnack ||= this.#owesConnack
    // A transport that is full has not taken what might be among the rest.
    if (this.#blocked) this.#discard()
    this.#late.clear()
    for (const { bytes } of this.#lateReferences) this.#memory.release(bytes)
    this.#lateReferences = []
    this.#followed = undefined
    this.account()
    if (this.#ending) this.#end(this.#blocked)
  }

  /** Nothing more is sent, whatever waits. */
  drop(): void {
    const ending = this.#ending
    this.#closed = true
    this.#ending = false
    this.#discard()
    if (ending) this.#sink.end()
  }

  /** The store does not keep what it waits for: it ends without that. */
  giveUp(): void {
    if (this.#ending) this.#end(false)
  }

  #end(stuck: boolean): void {
    this.#ending = false
    try {
      if (!stuck) this.flush()
    } finally {
      this.#discard()
    }
    if (stuck) this.#sink.destroy()
    else this.#sink.end()
  }
}
