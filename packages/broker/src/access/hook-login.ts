// Login by asking an HTTP server of the deployer's: who the client is, and what it may do. What it says comes once, at the login,
// so that no PUBLISH ever waits for the network. Whatever it answers but allow, deny or ignore is a failure, and lets nobody in.

import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Decision, Identity, LoginAttempt } from "../ports/access.ts"
import type { HttpCaller, HttpOutcome } from "../ports/http.ts"
import { sourceOf } from "../session/source.ts"
import { Circuit } from "./circuit.ts"
import { FairPool, type PoolLimits } from "./fair-pool.ts"
import { answerIn, type HookAnswer, longestAnswer, questionOf } from "./hook-messages.ts"
import type { FurtherMeans } from "./opinion.ts"
import { rightsOf } from "./rights.ts"

export interface HookRules {
  /** Milliseconds for an answer. */
  readonly timeout: number
  /** Seconds that an answer is good for the same question, and how many are remembered; 0: none is. */
  readonly cacheTime: number
  readonly cacheEntries: number
  /** Sent as `Authorization: Bearer`; undefined: none. */
  readonly token: string | undefined
}

export interface HookMeans {
  /** Milliseconds, of the broker's clock. */
  readonly now: () => number
  readonly chance: () => number
  readonly random: (length: number) => Uint8Array
  readonly limits: () => PoolLimits
  readonly fault: (error: unknown) => void
  readonly warn: (text: string) => void
}

interface Remembered {
  readonly answer: HookAnswer
  readonly askedAt: number
}

export class HookLogin implements FurtherMeans {
  readonly #caller: HttpCaller
  readonly #rules: HookRules
  readonly #means: HookMeans
  readonly #pool: FairPool
  readonly #circuit: Circuit
  readonly #remembered: Map<string, Remembered> = new Map()
  /** Passwords are in what is remembered: as hashes that are worth nothing outside of this process. */
  readonly #key: Uint8Array
  readonly #headers: Readonly<Record<string, string>>

  constructor(caller: HttpCaller, rules: HookRules, means: HookMeans) {
    this.#caller = caller
    this.#rules = rules
    this.#means = means
    this.#pool = new FairPool(means.limits, means.fault)
    this.#circuit = new Circuit(means.now, means.chance)
    this.#key = means.random(32)
    const own = { "content-type": "application/json", accept: "application/json", "user-agent": "puremq" }
    this.#headers = rules.token === undefined ? own : { ...own, authorization: `Bearer ${rules.token}` }
  }

  ask(attempt: LoginAttempt, answer: (opinion: Decision | undefined) => void): void {
    const name = this.#nameOf(attempt)
    const known = this.#recall(name)
    if (known !== undefined) {
      answer(this.#opinion(known.answer, attempt, known.askedAt))
      return
    }
    this.#pool.enter({
      source: sourceOf(attempt.peer.address),
      abandoned: attempt.abandoned,
      refuse: (why) => {
        if (why === "failed") answer(failed)
        else {
          const words = why === "gone" ? "its client has gone" : "too many logins wait for the HTTP hook"
          answer({ reasonCode: ReasonCode.ServerBusy, why: words })
        }
      },
      begin: (leave) => this.#begin(attempt, name, leave, answer),
    })
  }

  #begin(
    attempt: LoginAttempt,
    name: string,
    leave: () => void,
    answer: (opinion: Decision | undefined) => void,
  ): void {
    const askedAt = this.#means.now()
    if (!this.#circuit.enter()) {
      leave()
      answer(
        unavailable(`the HTTP hook ${this.#caller.place} is not there; it is tried again in ${this.#circuit.pause} ms`),
      )
      return
    }
    const { timeout } = this.#rules
    const call = {
      ...({ method: "POST", headers: this.#headers, body: encodeText(questionOf(attempt)) } as const),
      ...{ timeout, maximumBody: longestAnswer },
    }
    this.#caller.call(call, (outcome) => {
      // Whatever is thrown here: the place is free again, and who waits is told.
      this.#guard(leave)
      let opinion: Decision | undefined = failed
      this.#guard(() => {
        opinion = this.#judge(outcome, attempt, name, askedAt)
      })
      answer(opinion)
    })
  }

  #judge(outcome: HttpOutcome, attempt: LoginAttempt, name: string, askedAt: number): Decision | undefined {
    this.#watch(outcome)
    const found = answerIn(outcome)
    if (typeof found === "string") return unavailable(`the HTTP hook ${this.#caller.place}: ${found}`)
    this.#remember(name, { answer: found, askedAt })
    return this.#opinion(found, attempt, askedAt)
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#means.fault(error)
    }
  }

  /** Whether the server is there. */
  #watch(outcome: HttpOutcome): void {
    const { place } = this.#caller
    if ("failed" in outcome && outcome.gone) {
      if (this.#circuit.missed())
        this.#means.warn(
          `the HTTP hook ${place} cannot be reached: ${outcome.failed}; until it can, nobody logs in by it, and who tries is answered at once`,
        )
    } else if (this.#circuit.reached()) this.#means.warn(`the HTTP hook ${place} can be reached again`)
  }

  #opinion(answer: HookAnswer, attempt: LoginAttempt, askedAt: number): Decision | undefined {
    if (answer.result === "ignore") return undefined
    if (answer.result === "deny") {
      const why = answer.reason === undefined ? "" : `: ${answer.reason}`
      return { reasonCode: ReasonCode.BadUserNameOrPassword, why: `the HTTP hook denies it${why}` }
    }
    const { clientId, username, peer } = attempt
    const user = answer.user ?? (username || peer.certificateIdentity)
    if (user === undefined || user === "") {
      const why = `the HTTP hook ${this.#caller.place} allows a client without user name, and says none`
      return unavailable(why)
    }
    const { rights, expiresIn } = answer
    const identity: Identity = {
      user,
      source: "hook",
      ...(rights !== undefined && { rights: rightsOf(rights, { user, clientId }) }),
      ...(expiresIn !== undefined && { expiresAt: askedAt + expiresIn * 1000 }),
    }
    return { identity }
  }

  #recall(name: string): Remembered | undefined {
    const known = this.#remembered.get(name)
    if (known === undefined) return undefined
    const age = (this.#means.now() - known.askedAt) / 1000
    const { answer } = known
    const most = answer.result === "allow" ? (answer.expiresIn ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
    if (age < this.#rules.cacheTime && age < most) return known
    this.#remembered.delete(name)
    return undefined
  }

  #remember(name: string, known: Remembered): void {
    const { cacheTime, cacheEntries } = this.#rules
    if (cacheTime === 0) return
    this.#remembered.delete(name)
    if (this.#remembered.size >= cacheEntries) {
      const oldest = this.#remembered.keys().next()
      if (oldest.done !== true) this.#remembered.delete(oldest.value)
    }
    this.#remembered.set(name, known)
  }

  /** The same for the same question, but for the port that it comes from, and whether TLS resumed a session. */
  #nameOf(attempt: LoginAttempt): string {
    if (this.#rules.cacheTime === 0) return ""
    const address = attempt.peer.address.replace(/:\d+$/, "")
    const tls = attempt.peer.tls && { ...attempt.peer.tls, resumed: false }
    const question = questionOf({ ...attempt, peer: { ...attempt.peer, address, tls } })
    return bytesToHex(sha256.create().update(this.#key).update(encodeText(question)).digest())
  }

  /** What it has said holds as long as it said. */
  lost(): string | undefined {
    return undefined
  }

  begin(): void {}

  end(): void {
    this.#caller.close()
  }
}

const failed = unavailable("the login could not be checked")

function unavailable(why: string): Decision {
  return { reasonCode: ReasonCode.ServerUnavailable, why }
}
