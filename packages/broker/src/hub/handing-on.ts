// What came to a session that has ended by Shared Subscriptions goes to others (MQTT 5.0 section 4.8.2), in turns.

import { shorten } from "../client/refusals.ts"
import type { Message } from "../packet/message.ts"
import type { EventSink } from "../ports/events.ts"
import type { Router } from "../routing/router.ts"
import type { Counters } from "../session/counters.ts"
import type { Faults } from "../session/faults.ts"
import type { Recorder } from "../session/recorder.ts"
import type { Session } from "../session/session.ts"
import type { Chore } from "./chores.ts"

/**
 * What it costs to take a message from one session and give it to another, with four Changes, in the units of routing; and each
 * two bytes of the names that these say, so that few with long names are in one turn, which has to fit into a store.
 */
const messageCost = 60

/** Bytes in a store of a message that was not there, and of who gets it, beside its content. */
const messageBytes = 1024

export interface HandingOnNeeds {
  readonly counters: Counters
  readonly events: EventSink
  readonly faults: Faults
  readonly router: Router
  readonly recorder: Recorder
  readonly now: () => number
  /** Adds work that is done in turns. */
  readonly later: (chore: Chore) => void
  /** Counts work that is not routing, in its units. */
  readonly cost: (units: number) => void
  /** Something may still be done in this turn. */
  readonly turnLeft: () => boolean
}

interface UnderWay {
  readonly work: Chore
  /** Called at the end: they want a session with that Client Identifier. */
  readonly waiting: (() => void)[]
}

/**
 * What is taken and what is given are one turn's, which a store has to have room for as a whole. So it is not much of one, and no
 * more comes while the store has not answered about the turn before.
 */
export class HandingOn {
  readonly #needs: HandingOnNeeds
  /** By Client Identifier. */
  readonly #underWay: Map<string, UnderWay> = new Map()
  /** Those of them that wait for the store. */
  readonly #parked: Set<UnderWay> = new Set()

  constructor(needs: HandingOnNeeds) {
    this.#needs = needs
  }

  /** Of a session that has ended; `clear` takes away what is left of it, at the end. */
  begin(session: Session, clear: () => void): void {
    const { faults, later } = this.#needs
    const { clientId } = session
    const one = { work: this.#handOn(session, clear), waiting: [] }
    this.#underWay.set(clientId, one)
    faults.attempt(() => later(this.#steps(one)), { clientId })
  }

  /** The store may have answered. */
  goOn(): void {
    if (this.#parked.size === 0 || this.#needs.recorder.busy) return
    for (const one of this.#parked) this.#needs.later(this.#steps(one))
    this.#parked.clear()
  }

  *#steps(one: UnderWay): Chore {
    for (;;) {
      if (this.#needs.recorder.busy) {
        this.#parked.add(one)
        return
      }
      const { done, value } = one.work.next()
      if (done === true) return
      yield value
    }
  }

  /**
   * What an earlier session of this Client Identifier has for others is theirs before there is a new one, as the store knows
   * sessions by it. False when that takes more than this turn: `again` is called when it is done.
   */
  isOver(clientId: string, again: () => void): boolean {
    const { cost, recorder, turnLeft } = this.#needs
    for (let one = this.#underWay.get(clientId); one !== undefined; one = this.#underWay.get(clientId)) {
      if (!turnLeft() || recorder.busy) {
        one.waiting.push(again)
        return false
      }
      const { done, value } = one.work.next()
      if (done === true) break
      cost(value ?? 1)
    }
    return true
  }

  *#handOn(session: Session, clear: () => void): Chore {
    const { counters, faults, now, recorder, router } = this.#needs
    const { clientId } = session
    /** By the filter of the subscription. */
    const lost = new Map<string, number>()
    const anew = new SaidAnew(recorder)
    try {
      for (const { message, share, kept } of session.takeShared()) {
        const time = now()
        if (message.expired(time)) counters.dropped.expired++
        else {
          const own = kept ? message : anew.of(message)
          const room = own.sequence > 0 || !router.keepsShared(share) || recorder.mayGrow(messageBytes + own.size)
          const taken = room && router.handOn(own, share, time)
          if (!room) counters.dropped["not kept"]++
          if (taken === undefined) counters.dropped["session ended"]++
          if (taken !== true) lost.set(share, (lost.get(share) ?? 0) + 1)
        }
        yield messageCost + ((2 * clientId.length + share.length) >> 1)
      }
    } catch (error) {
      faults.report(error, { clientId })
    }
    faults.attempt(clear, { clientId })
    this.#tell(clientId, lost)
    const waiting = this.#underWay.get(clientId)?.waiting ?? []
    this.#underWay.delete(clientId)
    // Later: who has just come may be about to open the session, and is then not overtaken by one that waited.
    if (waiting.length > 0) this.#needs.later(this.#goOn(waiting, clientId))
  }

  *#goOn(waiting: readonly (() => void)[], clientId: string): Chore {
    for (const again of waiting) {
      this.#needs.faults.attempt(again, { clientId })
      yield messageCost
    }
  }

  /** One line for each session that has ended. */
  #tell(clientId: string, lost: ReadonlyMap<string, number>): void {
    const [filter] = lost.keys()
    if (filter === undefined) return
    const messages = [...lost.values()].reduce((sum, count) => sum + count, 0)
    const more = lost.size === 1 ? "" : ` and ${lost.size - 1} more`
    const reason = "its session has ended, and no other of the Shared Subscription has room for them"
    this.#needs.events({ event: "shared messages lost", clientId, filter: shorten(filter) + more, messages, reason })
  }
}

/**
 * Of messages that this session did not keep, the store may have forgotten what it was told of them by others: it is told anew, once
 * in a turn, whoever gets them by how many Shared Subscriptions. That is a message of its own, as the others go by what they said.
 */
class SaidAnew {
  readonly #recorder: Recorder
  readonly #made: Map<Message, Message> = new Map()
  #saidBefore = -1

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  of(message: Message): Message {
    const { saidBefore } = this.#recorder
    if (saidBefore !== this.#saidBefore) this.#made.clear()
    this.#saidBefore = saidBefore
    const before = this.#made.get(message)
    if (before !== undefined) return before
    const own = message.fresh()
    own.sequence = 0
    this.#made.set(message, own)
    return own
  }
}
