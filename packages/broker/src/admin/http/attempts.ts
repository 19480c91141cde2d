// Requests whose token is none: so many of an address are answered, and those that come faster are told to wait and cost nothing.
// A token that is right is always let in: whoever fails cannot keep others out, and no guess finds 256 bits.

import { sourceOf } from "../../session/source.ts"

/** That an address may have at once. */
export const freeAttempts = 10
/** Milliseconds until it may have one more. */
export const attemptEvery = 6000
/** Addresses that are remembered; the one that came first is forgotten first. */
const mostSources = 1024

interface Source {
  /** Attempts that were made and are not paid off by time. */
  spent: number
  at: number
}

export class Attempts {
  readonly #sources = new Map<string, Source>()

  /** One has failed. Milliseconds until it would have been looked at; 0: it was. @param peer its address and port */
  failed(peer: string, now: number): number {
    const name = sourceOf(peer)
    const known = this.#sources.get(name)
    const spent = known === undefined ? 0 : Math.max(0, known.spent - (now - known.at) / attemptEvery)
    const wait = Math.max(0, spent + 1 - freeAttempts) * attemptEvery
    this.#sources.delete(name)
    if (this.#sources.size >= mostSources) {
      const first = this.#sources.keys().next()
      if (first.done !== true) this.#sources.delete(first.value)
    }
    this.#sources.set(name, { spent: wait > 0 ? spent : spent + 1, at: now })
    return wait
  }
}
