// What a session is owed of the retained messages that there were when it subscribed ([MQTT-3.3.1-9]), and what of it has come:
// the place that stores keep. A session has one walk after the other, so what it is sent while walks are open is of the first.

import type { Queued, Sequence, WalkBegun } from "./change.ts"

interface OpenWalk {
  readonly before: Sequence
  readonly sent: Sequence[]
}

/** How many places of walks are remembered in all; what is past it comes again after a restart. */
export interface WalkBudget {
  left: number
}

export class OpenWalks {
  readonly #budget: WalkBudget
  /** By filter, in their order. Few sessions have any. */
  #walks: Map<string, OpenWalk> | undefined

  constructor(budget: WalkBudget) {
    this.#budget = budget
  }

  begin({ filter, before, sent }: Pick<WalkBegun, "filter" | "before" | "sent">): void {
    this.end(filter)
    this.#walks ??= new Map()
    const fits = sent.length <= this.#budget.left
    this.#walks.set(filter, { before, sent: fits ? [...sent] : [] })
    if (fits) this.#budget.left -= sent.length
  }

  end(filter: string): void {
    const walk = this.#walks?.get(filter)
    if (walk === undefined) return
    this.#walks?.delete(filter)
    this.#budget.left += walk.sent.length
  }

  /** The session is gone. */
  clear(): void {
    for (const filter of [...(this.#walks?.keys() ?? [])]) this.end(filter)
  }

  /** What comes live is later than the walk, or came by a Shared Subscription. */
  queued({ sequence, retain, share }: Pick<Queued, "sequence" | "retain" | "share">): void {
    if (this.#walks === undefined || !retain || share !== undefined) return
    const [walk] = this.#walks.values()
    if (walk === undefined || sequence === 0 || sequence > walk.before || this.#budget.left === 0) return
    walk.sent.push(sequence)
    this.#budget.left--
  }

  *all(): Generator<Pick<WalkBegun, "filter" | "before" | "sent">, void, undefined> {
    for (const [filter, { before, sent }] of this.#walks ?? []) yield { filter, before, sent }
  }
}
