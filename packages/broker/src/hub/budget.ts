// What is done in one turn of all connections together, measured without a clock: packets, the units of routing, and Changes.
// Who comes again when it is over has the next one. Those whose packets are cheap do not stand behind those whose are not: they
// come first; but a quarter of each turn is left for the others, whatever the cheap ones do, or a flood of cheap packets would
// keep them out for as long as it lasts, and whoever is new is one of them.

import type { Counters } from "../session/counters.ts"
import type { Recorder } from "../session/recorder.ts"
import { workPerTurn } from "./chores.ts"

/** Packets of all connections in one turn, some 20 milliseconds. */
const packetsPerFlush = 16_384
/** Packets of one connection in one turn, however cheap: some 2 milliseconds. */
const packetsPerTurn = 2048
/** Changes after which a turn should end; they are some 100 bytes each. */
const changesPerTurn = 1000
/** Work that one connection has in a turn at least, however many others wait. */
export const leastWork = 500

export class TurnBudget {
  /** Packets that one connection has in a turn, as many others wait. */
  packetsEach: number = packetsPerTurn
  /** Work that one connection has in a turn, as many others wait. */
  workEach: number = workPerTurn
  /** While what has waited is sent: what each connection may have. */
  sendEach: number | undefined
  readonly #counters: Counters
  readonly #recorder: Pick<Recorder, "made">
  readonly #work: () => number
  /** What had been done when this turn began. */
  #workBefore = 0
  #packetsBefore = 0
  #changesBefore = 0
  /** Since then, what connections did whose packets had been cheap. */
  #cheapWork = 0
  #cheapPackets = 0
  #cheapChanges = 0

  /** @param work what has been done since the beginning, in the units of routing */
  constructor(counters: Counters, recorder: Pick<Recorder, "made">, work: () => number) {
    this.#counters = counters
    this.#recorder = recorder
    this.#work = work
  }

  /** What comes in from here on is of the next turn, in which `others` wait to go on. */
  begin(others: number): void {
    this.#workBefore = this.#work()
    this.#packetsBefore = this.#counters.packetsReceived
    this.#changesBefore = this.#recorder.made
    this.#cheapWork = 0
    this.#cheapPackets = 0
    this.#cheapChanges = 0
    const all = others + 1
    this.packetsEach = Math.max(16, Math.min(packetsPerTurn, Math.floor(packetsPerFlush / all)))
    this.workEach = Math.max(leastWork, Math.min(workPerTurn, Math.floor((2 * workPerTurn) / all)))
  }

  over(cheap: boolean): boolean {
    if (cheap) return this.#cheapWork > 2 * workPerTurn || this.#cheapPackets > packetsPerFlush
    const work = this.#work() - this.#workBefore
    const packets = this.#counters.packetsReceived - this.#packetsBefore
    const changes = this.#recorder.made - this.#changesBefore
    return (
      isOver(work, this.#cheapWork, 2 * workPerTurn) ||
      isOver(packets, this.#cheapPackets, packetsPerFlush) ||
      isOver(changes, this.#cheapChanges, changesPerTurn)
    )
  }

  left(cheap: boolean): number {
    if (this.sendEach !== undefined) return this.sendEach
    return this.over(cheap) ? 0 : this.workEach
  }

  used(cheap: boolean, work: number, packets: number, changes: number): void {
    if (!cheap) return
    this.#cheapWork += work
    this.#cheapPackets += packets
    this.#cheapChanges += changes
  }
}

/** Of `done` so much was cheap; what is not has the rest of the turn, and a quarter of it at least. */
function isOver(done: number, cheap: number, turn: number): boolean {
  return done - cheap >= Math.max(turn - cheap, turn / 4)
}
