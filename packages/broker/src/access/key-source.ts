// Where the keys for tokens come from: a file that was read before, or a URL that is asked again and again.

import type { HttpCaller, HttpOutcome } from "../ports/http.ts"
import { type KeySet, KeySetError, maximumSetText, readKeySet } from "./jwk-set.ts"

export interface KeySource {
  /** The keys of now, or why there are none, in a sentence. */
  current(): KeySet | string
  /** Looks for newer ones, unless somebody has just done so; `done` is called when that has an end. */
  look(done: () => void): void
  begin(): void
  end(): void
}

export function fixedKeys(set: KeySet): KeySource {
  return { current: () => set, look: (done) => done(), begin: () => undefined, end: () => undefined }
}

export interface FetchedKeysOptions {
  /** Milliseconds between two looks, and after which keys are not used any more that nobody has said again. */
  readonly refresh: number
  readonly maximumAge: number
}

export interface FetchedKeysMeans {
  /** Milliseconds, of a clock that does not run backwards. */
  readonly now: () => number
  /** From 0 to 1, for pauses that are not all the same. */
  readonly chance: () => number
  /** Does `work` so many milliseconds later; returns what calls it off. */
  readonly after: (milliseconds: number, work: () => void) => () => void
  readonly fault: (error: unknown) => void
  /** Gets a sentence that somebody should read. */
  readonly warn: (text: string) => void
  /** Keys are others than before. */
  readonly changed: (text: string) => void
}

/** Milliseconds: of one request, and between two that tokens with unknown keys bring about. */
const fetchTimeout = 10_000
const cooldown = 10_000
/** Tokens that wait for a look. */
const maximumWaiters = 512
/** Milliseconds of the first pause after a failure, and of the longest. */
const firstPause = 1000
const longestPause = 60_000

export class FetchedKeys implements KeySource {
  readonly #caller: HttpCaller
  readonly #options: FetchedKeysOptions
  readonly #means: FetchedKeysMeans
  #set: KeySet | undefined
  #fetchedAt = 0
  #askedAt = Number.NEGATIVE_INFINITY
  #failures = 0
  #problem = "they have not been fetched yet"
  #callOff: (() => void) | undefined
  #cancelTimer: (() => void) | undefined
  readonly #waiters: (() => void)[] = []
  #ended = false

  constructor(caller: HttpCaller, options: FetchedKeysOptions, means: FetchedKeysMeans) {
    this.#caller = caller
    this.#options = options
    this.#means = means
  }

  current(): KeySet | string {
    if (this.#set === undefined) return `the keys of ${this.#caller.place} are not there: ${this.#problem}`
    if (this.#means.now() - this.#fetchedAt <= this.#options.maximumAge) return this.#set
    return `the keys of ${this.#caller.place} are too old: ${this.#problem}`
  }

  begin(): void {
    this.#fetch()
  }

  look(done: () => void): void {
    const isNew = this.#callOff === undefined && this.#means.now() - this.#askedAt < cooldown
    if (this.#ended || isNew || this.#waiters.length >= maximumWaiters) {
      done()
      return
    }
    this.#waiters.push(done)
    this.#fetch()
  }

  end(): void {
    this.#ended = true
    this.#cancelTimer?.()
    this.#callOff?.()
    this.#callOff = undefined
    this.#answerWaiters()
    this.#caller.close()
  }

  #fetch(): void {
    if (this.#callOff !== undefined || this.#ended) return
    this.#cancelTimer?.()
    this.#askedAt = this.#means.now()
    const headers = { accept: "application/jwk-set+json, application/json", "user-agent": "puremq" }
    const limits = { timeout: fetchTimeout, maximumBody: maximumSetText }
    this.#callOff = this.#caller.call({ method: "GET", headers, body: undefined, ...limits }, (outcome) => {
      this.#callOff = undefined
      try {
        this.#took(outcome)
      } catch (error) {
        this.#means.fault(error)
        if (!this.#ended) this.#cancelTimer = this.#means.after(longestPause, () => this.#fetch())
        this.#answerWaiters()
      }
    })
  }

  #took(outcome: HttpOutcome): void {
    const { now, after, chance } = this.#means
    const problem = this.#read(outcome)
    if (problem === undefined) {
      if (this.#failures > 0) this.#means.changed(`the keys of ${this.#caller.place} can be fetched again`)
      this.#failures = 0
      this.#fetchedAt = now()
    } else {
      this.#problem = problem
      if (this.#failures === 0)
        this.#means.warn(
          `the keys for tokens cannot be fetched from ${this.#caller.place}: ${problem}; ${this.#set === undefined ? "no token is taken until they are" : "those of before stay in use for now"}`,
        )
      this.#failures++
    }
    const pause =
      this.#failures === 0
        ? this.#options.refresh * (0.9 + 0.2 * chance())
        : Math.min(longestPause, this.#options.refresh, firstPause * 2 ** Math.min(this.#failures - 1, 10)) *
          (0.5 + 0.5 * chance())
    if (!this.#ended) this.#cancelTimer = after(pause, () => this.#fetch())
    this.#answerWaiters()
  }

  /** Takes the keys of an answer; a clause says why it cannot. */
  #read(outcome: HttpOutcome): string | undefined {
    if ("failed" in outcome) return outcome.failed
    if (outcome.status !== 200) return `it answers with status ${outcome.status}, not 200`
    try {
      const set = readKeySet(new TextDecoder("utf-8", { fatal: true }).decode(outcome.body), false)
      const names = ({ keys }: KeySet) => keys.map(({ name }) => name).join("\n")
      const changed = this.#set === undefined || names(this.#set) !== names(set)
      this.#set = set
      if (changed) {
        const left = set.skipped.length === 0 ? "" : `; left out: ${set.skipped.slice(0, 3).join("; ")}`
        this.#means.changed(`keys for tokens of ${this.#caller.place}: ${set.keys.length}${left}`)
      }
      return undefined
    } catch (error) {
      return error instanceof KeySetError ? error.message : "its answer is no text in UTF-8"
    }
  }

  #answerWaiters(): void {
    for (const waiter of this.#waiters.splice(0)) {
      try {
        waiter()
      } catch (error) {
        this.#means.fault(error)
      }
    }
  }
}
