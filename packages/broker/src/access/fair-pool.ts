// Work that somebody else does, of which only so much may be under way: places go from address to address in turn, and one
// address has half of them at most, so that whoever makes its own take long does not hold up the others.

import type { Undone } from "./delay-line.ts"

export interface PoolLimits {
  /** Under way at once. */
  readonly atOnce: number
  /** That wait for a place: in all, and of one address. */
  readonly waiting: number
  readonly waitingPerAddress: number
}

export interface PoolEntry {
  /** See session/source.ts. */
  readonly source: string
  /** Nobody waits for it any more. */
  readonly abandoned: () => boolean
  /** Its turn has come; to be called once it is done, however it ended. */
  readonly begin: (leave: () => void) => void
  /** Called in the place of `begin`: there was no room for it, or nobody waits for it any more; or after `begin`, when that throws. */
  readonly refuse: (why: Undone) => void
}

export class FairPool {
  /** Those of the moment: they may change. */
  readonly #limits: () => PoolLimits
  /** Gets what `begin` or `refuse` throws. */
  readonly #fault: (error: unknown) => void
  readonly #running: Map<string, number> = new Map()
  #runningInAll = 0
  /** By address, in the order of their turns. */
  readonly #waiting: Map<string, PoolEntry[]> = new Map()
  #waitingInAll = 0
  #working = false

  constructor(limits: () => PoolLimits, fault: (error: unknown) => void) {
    this.#limits = limits
    this.#fault = fault
  }

  get running(): number {
    return this.#runningInAll
  }

  get waiting(): number {
    return this.#waitingInAll
  }

  enter(entry: PoolEntry): void {
    const { waiting, waitingPerAddress } = this.#limits()
    const own = this.#waiting.get(entry.source) ?? []
    let refused = own.length >= waitingPerAddress ? entry : undefined
    // One that can begin at once does not need a place in the line.
    if (refused === undefined && this.#waitingInAll >= waiting && !(own.length === 0 && this.#mayBegin(entry.source))) {
      this.#dropGone()
      if (this.#waitingInAll >= waiting) refused = this.#newestOfMost(own.length + 1) ?? entry
    }
    if (refused !== entry) {
      if (refused !== undefined) this.#remove(refused)
      this.#add(entry)
    }
    if (refused !== undefined) this.#guard(() => refused?.refuse("busy"))
    this.#work()
  }

  #add(entry: PoolEntry): void {
    const own = this.#waiting.get(entry.source)
    if (own === undefined) this.#waiting.set(entry.source, [entry])
    else own.push(entry)
    this.#waitingInAll++
  }

  #remove(entry: PoolEntry): void {
    const own = this.#waiting.get(entry.source)
    const at = own?.indexOf(entry) ?? -1
    if (own === undefined || at < 0) return
    own.splice(at, 1)
    this.#waitingInAll--
    if (own.length === 0) this.#waiting.delete(entry.source)
  }

  #mayBegin(source: string): boolean {
    const { atOnce } = this.#limits()
    const each = Math.max(1, Math.floor(atOnce / 2))
    return this.#runningInAll < atOnce && (this.#running.get(source) ?? 0) < each
  }

  #work(): void {
    // What begins may be done at once, and ask for the next.
    if (this.#working) return
    this.#working = true
    try {
      for (let entry = this.#next(); entry !== undefined; entry = this.#next()) this.#begin(entry)
    } finally {
      this.#working = false
    }
  }

  #next(): PoolEntry | undefined {
    for (const [source, own] of this.#waiting) {
      if (!this.#mayBegin(source)) continue
      const entry = own[0]
      if (entry === undefined) continue
      this.#remove(entry)
      if (own.length > 0) {
        this.#waiting.delete(source) // to the end of the line
        this.#waiting.set(source, own)
      }
      return entry
    }
    return undefined
  }

  #begin(entry: PoolEntry): void {
    if (entry.abandoned()) {
      this.#guard(() => entry.refuse("gone"))
      return
    }
    this.#count(entry.source, 1)
    let left = false
    const leave = () => {
      if (left) return
      left = true
      this.#count(entry.source, -1)
      this.#work()
    }
    if (this.#guard(() => entry.begin(leave))) return
    leave()
    this.#guard(() => entry.refuse("failed"))
  }

  #count(source: string, by: 1 | -1): void {
    this.#runningInAll += by
    const running = (this.#running.get(source) ?? 0) + by
    if (running === 0) this.#running.delete(source)
    else this.#running.set(source, running)
  }

  /** One that throws does not keep the others from their turn. */
  #guard(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.#fault(error)
      return false
    }
  }

  #dropGone(): void {
    for (const own of [...this.#waiting.values()]) {
      for (const entry of own.filter(({ abandoned }) => abandoned())) {
        this.#remove(entry)
        this.#guard(() => entry.refuse("gone"))
      }
    }
  }

  /** The newest of the address that has most waiting, if it has more than `least`. */
  #newestOfMost(least: number): PoolEntry | undefined {
    let most: readonly PoolEntry[] | undefined
    for (const own of this.#waiting.values()) if (own.length > (most?.length ?? least)) most = own
    return most?.at(-1)
  }
}
