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

/** What it costs to take a message from one session and give it to another, with four Changes, in the units of routing. */
const messageCost = 60

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
  readonly chore: Chore
  /** Called at the end: they want a session with that Client Identifier. */
  readonly waiting: (() => void)[]
}

export class HandingOn {
  readonly #needs: HandingOnNeeds
  /** By Client Identifier. */
  readonly #underWay: Map<string, UnderWay> = new Map()

  constructor(needs: HandingOnNeeds) {
    this.#needs = needs
  }

  /** Of a session that has ended; `clear` takes away what is left of it, at the end. */
  begin(session: Session, clear: () => void): void {
    const { faults, later } = this.#needs
    const { clientId } = session
    const chore = this.#handOn(session, clear)
    this.#underWay.set(clientId, { chore, waiting: [] })
    faults.attempt(() => later(chore), { clientId })
  }

  /**
   * What an earlier session of this Client Identifier has for others is theirs before there is a new one, as the store knows
   * sessions by it. False when that takes more than this turn: `again` is called when it is done.
   */
  isOver(clientId: string, again: () => void): boolean {
    const { cost, turnLeft } = this.#needs
    for (let one = this.#underWay.get(clientId); one !== undefined; one = this.#underWay.get(clientId)) {
      if (!turnLeft()) {
        one.waiting.push(again)
        return false
      }
      const { done, value } = one.chore.next()
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
    /** Messages that were said again, and in which turn. */
    const said = new Map<Message, number>()
    try {
      for (const { message, share } of session.takeShared()) {
        const time = now()
        // The store forgets it with this session, and hears of it again: once in a turn, whoever else had it from this session.
        if (!session.recorded || said.get(message) !== recorder.turn) message.sequence = 0
        if (message.expired(time)) counters.dropped.expired++
        else {
          const taken = router.handOn(message, share, time)
          if (message.sequence !== 0) said.set(message, recorder.turn)
          if (taken === undefined) counters.dropped["session ended"]++
          if (taken !== true) lost.set(share, (lost.get(share) ?? 0) + 1)
        }
        yield messageCost
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
