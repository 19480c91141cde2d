// How many handshakes may be under way, and who waits for a place: what an unproven peer can cost is bounded by this times the
// limits of one. Waiting is short, bounded, and fair by address: each address that waits gets its turn, however many
// connections another one has waiting.

import type { Clock } from "./driver.ts"

export interface HandshakeLimits {
  /** Handshakes under way. */
  readonly total: number
  /** Those of one address. */
  readonly perAddress: number
  /** Connections that wait for a place. */
  readonly waiting: number
  /** Those of one address. */
  readonly waitingPerAddress: number
  /** Milliseconds that one waits at most. */
  readonly waitingTime: number
}

/** The options that servers have for these limits. */
export interface HandshakeLimitOptions {
  /** Handshakes under way; more connections wait. Default 1024. */
  readonly maxPendingHandshakes?: number | undefined
  /** Those of one address (IPv6: of one /64); default: no other limit than `maxPendingHandshakes`. */
  readonly maxPendingHandshakesPerAddress?: number | undefined
  /** Connections that wait for their handshake; more are closed at once. 0: none waits. Default 4096. */
  readonly maxWaitingHandshakes?: number | undefined
  /** Those of one address (IPv6: of one /64); default 1024. */
  readonly maxWaitingHandshakesPerAddress?: number | undefined
  /** Milliseconds that one waits at most, before it is closed; default 30,000. */
  readonly handshakeWaitTimeout?: number | undefined
}

export function handshakeLimits(options: HandshakeLimitOptions): HandshakeLimits {
  const total = options.maxPendingHandshakes ?? 1024
  return {
    total,
    perAddress: options.maxPendingHandshakesPerAddress ?? total,
    waiting: options.maxWaitingHandshakes ?? 4096,
    waitingPerAddress: options.maxWaitingHandshakesPerAddress ?? 1024,
    waitingTime: options.handshakeWaitTimeout ?? 30_000,
  }
}

/** Which limit a connection was refused by: the number in all, that of its address, or the time that it may wait. */
export type HandshakeLimit = "total" | "perAddress" | "waitingTime"

/** A connection before its handshake. Neither function may throw. */
export interface Entrant {
  /** There is a place: called at once or after a wait. `place.leave()` gives it back. */
  readonly begin: (place: Place) => void
  readonly refuse: (limit: HandshakeLimit) => void
}

/** Handshakes that begin in one turn of a runtime's loop: more of them would hold up everything else that it does. */
export interface Pace {
  readonly perTurn: number
  /** Calls `work` in the next turn. */
  readonly nextTurn: (work: () => void) => void
}

export interface Place {
  /** Gives back the place, or the one in the line. May be called more than once. */
  leave(): void
  readonly state: "waiting" | "inside" | "outside"
}

interface Waiter extends Place {
  state: Place["state"]
  readonly address: string
  /** Until it is told: what its owner keeps of the place may live as long as the connection. */
  entrant: Entrant | undefined
  readonly until: number
}

export class HandshakeGate {
  #limits: HandshakeLimits
  readonly #clock: Clock
  readonly #pace: Pace | undefined
  /** Who has a place and begins in a later turn, by address. */
  readonly #ready = new Map<string, Waiter[]>()
  #begunInTurn = 0
  /** Handshakes under way, by address. */
  readonly #inside = new Map<string, number>()
  /** Who waits, by address, the oldest first. */
  readonly #lines = new Map<string, Set<Waiter>>()
  /** Addresses of `#lines` that have not as many under way as they may, in the order of their turns. */
  readonly #turns = new Set<string>()
  /** Who waits, the oldest first: all wait equally long. */
  readonly #waiting = new Set<Waiter>()
  #total = 0
  #refused = 0
  #admitting = false
  #held = false
  /** A turn was over while nothing might begin. */
  #turnIsDue = false
  #cancelTimer: (() => void) | undefined
  #timerAt = Number.POSITIVE_INFINITY

  constructor(limits: HandshakeLimits, clock: Clock, pace?: Pace) {
    this.#limits = limits
    this.#clock = clock
    this.#pace = pace
  }

  /** Handshakes under way. */
  get pending(): number {
    return this.#total
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** How many were refused. */
  get refused(): number {
    return this.#refused
  }

  /** @param address of the peer, as the runtime writes it; empty: unknown */
  enter(address: string, entrant: Entrant): Place {
    const key = addressKey(address)
    const waiter: Waiter = {
      state: "outside",
      address: key,
      entrant,
      until: this.#clock.now() + this.#limits.waitingTime,
      leave: () => this.#leave(waiter),
    }
    const { total, perAddress, waiting, waitingPerAddress } = this.#limits
    const addressIsFull = (this.#inside.get(key) ?? 0) >= perAddress
    const line = this.#lines.get(key)
    if (this.#total < total && !addressIsFull && !this.#admitting) this.#admit(waiter)
    else if ((line?.size ?? 0) >= waitingPerAddress) this.#refuse(waiter, "perAddress")
    else if (this.#waiting.size >= waiting) this.#refuse(waiter, this.#total >= total ? "total" : "perAddress")
    else {
      waiter.state = "waiting"
      this.#waiting.add(waiter)
      if (line === undefined) this.#lines.set(key, new Set([waiter]))
      else line.add(waiter)
      if (!addressIsFull) this.#turns.add(key)
      this.#watch(waiter.until)
    }
    return waiter
  }

  /** Others from now on. Who is here stays; who waits begins where there is a place now, and waits as long as it would have. */
  limit(limits: HandshakeLimits): void {
    this.#limits = limits
    for (const address of this.#lines.keys())
      if ((this.#inside.get(address) ?? 0) < limits.perAddress) this.#turns.add(address)
    this.#admitWaiting()
  }

  /** Of those that are here nobody begins, until `resume`. */
  hold(): void {
    this.#held = true
  }

  resume(): void {
    this.#held = false
    if (this.#turnIsDue) this.#beginNext()
    this.#admitWaiting()
  }

  /** Nobody waits any more; nobody is told. */
  clear(): void {
    for (const waiter of this.#waiting) waiter.state = "outside"
    this.#waiting.clear()
    this.#lines.clear()
    this.#turns.clear()
    this.#ready.clear()
    this.#watch()
  }

  #admit(waiter: Waiter): void {
    const { address } = waiter
    waiter.state = "inside"
    this.#total++
    this.#inside.set(address, (this.#inside.get(address) ?? 0) + 1)
    if (this.#pace === undefined || this.#begunInTurn < this.#pace.perTurn) {
      this.#begin(waiter)
      return
    }
    const line = this.#ready.get(address)
    if (line === undefined) this.#ready.set(address, [waiter])
    else line.push(waiter)
  }

  #begin(waiter: Waiter): void {
    if (this.#pace !== undefined && this.#begunInTurn++ === 0) this.#pace.nextTurn(() => this.#beginNext())
    const { entrant } = waiter
    waiter.entrant = undefined
    entrant?.begin(waiter)
  }

  /** A turn is over: the next ones begin, one of each address in turn. */
  #beginNext(): void {
    this.#turnIsDue = this.#held
    if (this.#held) return
    this.#begunInTurn = 0
    for (const [address, line] of this.#ready) {
      const waiter = line.shift()
      this.#ready.delete(address)
      if (line.length > 0) this.#ready.set(address, line)
      if (waiter?.state !== "inside") continue
      this.#begin(waiter)
      if (this.#begunInTurn >= this.#pace!.perTurn) return
    }
  }

  #refuse(waiter: Waiter, limit: HandshakeLimit): void {
    waiter.state = "outside"
    this.#refused++
    const { entrant } = waiter
    waiter.entrant = undefined
    entrant?.refuse(limit)
  }

  #leave(waiter: Waiter): void {
    const { state, address } = waiter
    waiter.state = "outside"
    if (state === "waiting") this.#forget(waiter)
    if (state !== "inside") return
    this.#total--
    const left = this.#inside.get(address)! - 1
    if (left > 0) this.#inside.set(address, left)
    else this.#inside.delete(address)
    if (this.#lines.has(address)) this.#turns.add(address)
    this.#admitWaiting()
  }

  /** As many as there are places for; one of each address in turn. */
  #admitWaiting(): void {
    if (this.#admitting || this.#held) return
    this.#admitting = true
    for (const address of this.#turns) {
      if (this.#total >= this.#limits.total) break
      const [waiter] = this.#lines.get(address) ?? []
      this.#turns.delete(address)
      if (waiter === undefined || (this.#inside.get(address) ?? 0) >= this.#limits.perAddress) continue
      this.#forget(waiter)
      this.#admit(waiter)
      // Behind the others; a Set that is walked comes to what is added meanwhile.
      if (this.#lines.has(address) && (this.#inside.get(address) ?? 0) < this.#limits.perAddress)
        this.#turns.add(address)
    }
    this.#admitting = false
  }

  #forget(waiter: Waiter): void {
    const { address } = waiter
    const line = this.#lines.get(address)
    line?.delete(waiter)
    if (line?.size === 0) {
      this.#lines.delete(address)
      this.#turns.delete(address)
    }
    this.#waiting.delete(waiter)
    if (this.#waiting.size === 0) this.#watch()
  }

  /** One timer, for whoever has to be told first: after a limit was changed that need not be the oldest. */
  #watch(until: number = Number.POSITIVE_INFINITY): void {
    if (this.#waiting.size === 0 || until < this.#timerAt) {
      this.#cancelTimer?.()
      this.#cancelTimer = undefined
      this.#timerAt = Number.POSITIVE_INFINITY
    }
    if (this.#waiting.size === 0 || until >= this.#timerAt) return
    this.#timerAt = until
    this.#cancelTimer = this.#clock.after(Math.max(1, until - this.#clock.now()), () => {
      this.#cancelTimer = undefined
      this.#timerAt = Number.POSITIVE_INFINITY
      const now = this.#clock.now()
      let next = Number.POSITIVE_INFINITY
      for (const waiter of this.#waiting) {
        if (waiter.until > now) next = Math.min(next, waiter.until)
        else {
          this.#forget(waiter)
          this.#refuse(waiter, "waitingTime")
        }
      }
      this.#watch(next)
    })
  }
}

/** What counts as one address: IPv4 addresses in either form, and the first 64 bits of IPv6 ones, as one host has all of those. */
export function addressKey(address: string): string {
  if (!address.includes(":")) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1]!
  const [head = "", tail] = address.toLowerCase().split("%")[0]!.split("::")
  const groups = head === "" ? [] : head.split(":")
  const end = tail === undefined || tail === "" ? [] : tail.split(":")
  while (tail !== undefined && groups.length + end.length < 8) groups.push("0")
  const prefix = [...groups, ...end].slice(0, 4)
  return `${prefix.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`
}
