// Whether a session is still this node's, by what the servers have of it last. Who has said nothing of it for a while may have lost
// it, and not know: others take it 1.5 seconds after they have asked for it, and at once from a node that has no connection.

import { Pause } from "../ports/pause.ts"
import type { SessionLog } from "./session-log.ts"
import type { Slots } from "./slots.ts"
import type { Failed, Streams } from "./streams.ts"

/** Milliseconds for which it is certain, as long as nothing goes wrong. */
export const certain = 1300

/**
 * Milliseconds after a connection was lost in which another node may take a session that it has asked this one for in vain: it waits
 * 1.5 seconds, reads what there is, and writes; servers have 5 seconds for each answer.
 */
export const unheard = 12_000

const mostInVain = 3
const tooSlow = `${mostInVain} times the servers took longer than ${certain} ms to say whose sessions these are`

export interface OwnershipNeeds {
  readonly streams: () => Streams | undefined
  /** Many sessions may be looked at at once. */
  readonly reads: Slots
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** It is another node's. */
  readonly lose: (log: SessionLog) => void
}

export class Ownership {
  readonly #needs: OwnershipNeeds
  #doubts = 0
  /** Milliseconds since 1970: sessions that this node had before may have been asked for in vain, until servers show them after that. */
  #deafAt = 0
  #heardFrom = 0

  constructor(needs: OwnershipNeeds) {
    this.#needs = needs
  }

  /** How often there has been a reason to doubt it: the connection was lost, say, or an append refused. */
  get doubts(): number {
    return this.#doubts
  }

  /** Others may have had reason to take sessions over, and nobody has said so. */
  doubt(): void {
    this.#doubts++
  }

  /** The same, and what they have asked for is lost with the connection on which it came. */
  deaf(): void {
    this.doubt()
    this.#deafAt = this.#needs.now()
    this.#heardFrom = this.#deafAt + unheard
  }

  /** The servers have shown it, when they were asked then, and after so many doubts. */
  shown(log: SessionLog, at: number, doubts: number): void {
    if (log.hadFrom === undefined) log.hadFrom = at
    log.shownAt = at
    log.shownAfter = doubts
  }

  /** Another node wants it, or there has been a reason to doubt it since the servers have shown it. */
  isDoubtful({ hadFrom = this.#deafAt, shownAfter, shownAt, wanted }: SessionLog): boolean {
    return wanted || shownAfter !== this.doubts || (hadFrom < this.#deafAt && shownAt < this.#heardFrom)
  }

  #isCertain(log: SessionLog): boolean {
    return log.shownAfter === this.doubts && this.#needs.now() - log.shownAt < certain
  }

  /** Since so many doubts, at that time, nobody else had a reason to take sessions that were this node's then. */
  isCertainSince(at: number, doubts: number): boolean {
    return doubts === this.doubts && this.#needs.now() - at < certain
  }

  /** Asks the servers; a session that is another node's is lost then. */
  look(log: SessionLog): Pause<undefined | Failed> {
    const { lose, now, reads, streams: streamsOf } = this.#needs
    const done = new Pause<undefined | Failed>()
    const streams = streamsOf()
    if (streams === undefined) {
      done.answer({ failed: "the cluster is not open" })
      return done
    }
    let [asked, doubts] = [0, 0]
    reads
      .ask(() => {
        // It may have waited for its turn longer than an answer counts: of many none would ever be certain.
        asked = now()
        doubts = this.doubts
        return streams.last(log.partition, log.subject)
      })
      .onAnswer((last) => {
        if (last !== undefined && "failed" in last) {
          done.answer(last)
          return
        }
        // Whoever took it has ended it, and what said so is over: the record of one that somebody sees to stays.
        const ours = last === undefined ? !log.image.attended : last.sequence <= log.fence || log.wrote(last)
        if (ours) this.shown(log, asked, doubts)
        else lose(log)
        done.answer(undefined)
      })
    return done
  }

  /**
   * Those that are not lost were this node's a moment ago.
   * @param left rounds in which none becomes certain, and after which it fails
   */
  confirm(logs: readonly SessionLog[], left: number = mostInVain): Pause<undefined | Failed> {
    const done = new Pause<undefined | Failed>()
    const old = logs.filter((log) => !log.lost && !this.#isCertain(log))
    let asked = old.length + 1
    let failed: Failed | undefined
    const one = (problem: Failed | undefined) => {
      failed ??= problem
      if (--asked > 0) return
      const more = failed === undefined ? old.filter((log) => !log.lost && !this.#isCertain(log)) : []
      // Answers may have been late, too.
      const inVain = more.length === old.length
      if (more.length === 0) done.answer(failed)
      else if (inVain && left === 1) done.answer({ failed: tooSlow })
      else this.confirm(more, inVain ? left - 1 : mostInVain).onAnswer((answer) => done.answer(answer))
    }
    for (const log of old) this.look(log).onAnswer(one)
    one(undefined)
    return done
  }
}
