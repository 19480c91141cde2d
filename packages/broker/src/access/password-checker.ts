// Checks passwords without holding anybody up: a bounded number of computations at once, beside the event loop where the
// runtime can, one for equal attempts, in a fair order, and an answer for each that waits.

import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Decision, LoginAttempt } from "../ports/access.ts"
import type { Limits } from "../session/limits.ts"
import { sourceOf } from "../session/source.ts"
import { Failures } from "./failures.ts"
import { LoginQueue, type QueueLimits, type Waiting } from "./login-queue.ts"
import { checkPassword, defaultCost, type PasswordEntry, sameEntry } from "./password-file.ts"
import { hashMemory, type PasswordCost, type PasswordHashes, sameCost, workOf } from "./password-hash.ts"

/** What computing takes: a runtime's hashes, clock and randomness. */
export interface CheckerMeans extends PasswordHashes {
  /** Random bytes, used for keys that exist only in this process. */
  readonly random: (length: number) => Uint8Array
  /** Milliseconds, of a clock that does not run backwards. */
  readonly now: () => number
  /** Does `work` so many milliseconds later. */
  readonly after: (milliseconds: number, work: () => void) => void
  /** Gets what is thrown where no login is at fault. */
  readonly fault: (error: unknown) => void
}

/** Those of the moment: they may change. */
export type CheckerLimits = QueueLimits & Pick<Limits, "maximumPasswordChecks" | "maximumPasswordMemory">

type Passwords = ReadonlyMap<string, PasswordEntry>

interface Login extends Waiting {
  readonly attempt: LoginAttempt
  readonly decide: (decision: Decision) => void
  readonly user: string
  readonly password: Uint8Array
  /** The same for equal attempts, and worth nothing outside of this process. */
  readonly tag: string
}

/** One password and who waits for the answer: a computation when it is right, else one of each cost in the file. */
interface Check {
  readonly logins: Login[]
  /** Whose password it is compared with, or a decoy. */
  entry: PasswordEntry
  started: boolean
  /** When it was wrong: what is still to be computed before the answer. */
  owed: PasswordCost[] | undefined
}

/** Users whose last correct password is remembered as a keyed hash, so that a reconnect costs no scrypt. */
const maximumRemembered = 10_000

const nothing = new Uint8Array(0)

export class PasswordChecker {
  readonly #means: CheckerMeans
  readonly #limits: CheckerLimits
  readonly #key: Uint8Array
  readonly #salt: Uint8Array
  readonly #failures = new Failures()
  readonly #queue: LoginQueue<Login>
  readonly #running: Set<Check> = new Set()
  /** Those of them that further equal logins may join, by what is asked. */
  readonly #open: Map<string, Check> = new Map()
  /** Is to be computed next, as soon as there is memory. */
  #held: Check | undefined
  /** Those that owe a computation. */
  readonly #unfinished: Check[] = []
  readonly #remembered: Map<string, string> = new Map()
  #passwords: Passwords = new Map()
  /** Those of the file, each once, the highest first. */
  #costs: readonly PasswordCost[] = [defaultCost]
  /** Logins that wait for a computation under way. */
  #joined = 0
  #memory = 0
  #wakesAt = Number.POSITIVE_INFINITY

  constructor(passwords: Passwords, means: CheckerMeans, limits: CheckerLimits) {
    this.#means = means
    this.#limits = limits
    this.#key = means.random(32)
    this.#salt = means.random(16)
    this.#queue = new LoginQueue(limits)
    this.replace(passwords)
  }

  /** Takes other passwords from now on, for logins under way too. Returns the users who had a login that is no longer one. */
  replace(passwords: Passwords): ReadonlySet<string> {
    const gone = new Set<string>()
    const next = new Map<string, PasswordEntry>()
    for (const [user, entry] of passwords) {
      const old = this.#passwords.get(user)
      // The same object where nothing changed: a computation under way then still counts.
      next.set(user, old !== undefined && sameEntry(old, entry) ? old : entry)
    }
    for (const [user, old] of this.#passwords) if (next.get(user) !== old) gone.add(user)
    for (const user of gone) this.#remembered.delete(user)
    this.#passwords = next
    this.#costs = costsOf(next)
    return gone
  }

  check(attempt: LoginAttempt, decide: (decision: Decision) => void): void {
    const user = attempt.username ?? ""
    const password = attempt.password ?? nothing
    const tag = this.#tag(user, password)
    if (this.#knows(user, tag)) {
      decide(letIn(user))
      return
    }
    const now = this.#means.now()
    const source = sourceOf(attempt.peer.address)
    const notBefore = now + this.#failures.delay(source, user, now)
    const login: Login = { attempt, decide, user, password, tag, source, notBefore }
    const underWay = this.#open.get(tag)
    if (underWay !== undefined && this.#mayJoin(underWay, source)) {
      underWay.logins.push(login)
      this.#joined++
      return
    }
    const refused = this.#enqueue(login)
    if (refused !== undefined) {
      const why = "too many logins wait for their password check"
      refused.decide({ reasonCode: ReasonCode.ServerBusy, why })
    }
    this.#work()
  }

  /** In sum, and of one address, as many may wait for a computation under way as may wait for one to begin. */
  #mayJoin({ logins }: Check, source: string): boolean {
    const { maximumWaitingLogins, maximumWaitingLoginsPerAddress } = this.#limits
    if (this.#joined >= maximumWaitingLogins) return false
    let own = 0
    for (const one of logins) if (one.source === source) own++
    return own < maximumWaitingLoginsPerAddress
  }

  /** Returns the login for which there is no room. Clients that have gone make room. */
  #enqueue(login: Login): Login | undefined {
    const failed = this.#failures.any(login.source, this.#means.now())
    const refused = this.#queue.add(login, failed)
    if (refused === undefined) return undefined
    const gone = [...this.#queue].filter(({ attempt }) => attempt.abandoned())
    if (gone.length === 0) return refused
    for (const one of gone) this.#queue.remove(one)
    return this.#queue.add(refused, this.#failures.any(refused.source, this.#means.now()))
  }

  /** There may be room for more at once. */
  goOn(): void {
    this.#work()
  }

  /** Starts what may be started now. */
  #work(): void {
    const { maximumPasswordChecks } = this.#limits
    while (this.#running.size < maximumPasswordChecks) {
      const check = this.#held ?? this.#unfinished.shift() ?? this.#next()
      if (check === undefined) break
      try {
        const memory = hashMemory(check.owed?.[0] ?? check.entry.cost)
        const fits = this.#running.size === 0 || this.#memory + memory <= this.#limits.maximumPasswordMemory
        this.#held = fits ? undefined : check
        if (!fits) return
        void this.#run(check, memory).catch((error: unknown) => this.#giveUp(check, error))
      } catch (error) {
        this.#held = undefined
        this.#giveUp(check, error)
      }
    }
    if (this.#running.size < maximumPasswordChecks) this.#wakeLater()
  }

  /** The next computation: of the login whose turn it is, and of all that are its equals. */
  #next(): Check | undefined {
    for (;;) {
      const login = this.#queue.next(this.#means.now())
      if (login === undefined) return undefined
      const logins = [login]
      for (const one of this.#queue) if (one.tag === login.tag) logins.push(one)
      for (const one of logins) this.#queue.remove(one)
      const there = logins.filter(({ attempt }) => !attempt.abandoned()) // a client that gave up costs no scrypt
      if (there.length === 0) continue
      const { user, tag } = login
      const entry = this.#passwords.get(user) ?? this.#decoy(user)
      if (!this.#knows(user, tag)) return { entry, logins: there, started: false, owed: undefined }
      for (const one of there) this.#answer(one, letIn(user)) // its equal was right meanwhile
    }
  }

  /** One computation, and the answers after the last. It gives its place back whatever is thrown on the way. */
  async #run(check: Check, memory: number): Promise<void> {
    const { logins } = check
    const { tag } = logins[0]!
    if (!check.started) {
      check.started = true
      this.#joined += logins.length
      if (!this.#open.has(tag)) this.#open.set(tag, check)
    }
    this.#running.add(check)
    this.#memory += memory
    try {
      let decision: (() => Decision) | undefined
      try {
        decision = await this.#compute(check)
      } finally {
        this.#running.delete(check)
        this.#memory -= memory
      }
      if (decision === undefined) this.#unfinished.push(check)
      else {
        this.#close(check)
        for (const one of logins) this.#answer(one, decision())
      }
    } catch (error) {
      this.#giveUp(check, error)
    }
    this.#work()
  }

  /** Nobody may join any more. */
  #close(check: Check): void {
    if (!check.started) return
    check.started = false
    const { tag } = check.logins[0]!
    if (this.#open.get(tag) === check) this.#open.delete(tag)
    this.#joined -= check.logins.length
  }

  #giveUp(check: Check, error: unknown): void {
    this.#close(check)
    this.#means.fault(error)
    const why = "the password could not be checked"
    for (const one of check.logins) this.#answer(one, { reasonCode: ReasonCode.ServerUnavailable, why })
  }

  /** One that cannot be told does not keep the others from it. */
  #answer({ decide }: Login, decision: Decision): void {
    try {
      decide(decision)
    } catch (error) {
      this.#means.fault(error)
    }
  }

  /**
   * One computation. Then the answer, made anew for each that gets it, as an Identity belongs to one connection; or undefined
   * when another computation comes first.
   */
  async #compute(check: Check): Promise<(() => Decision) | undefined> {
    const { user, password, tag } = check.logins[0]!
    if (check.owed === undefined) {
      if (await this.#isRight(check)) {
        this.#remember(user, tag)
        return () => letIn(user)
      }
      const paid = check.entry.cost
      check.owed = this.#costs.filter((cost) => !sameCost(cost, paid))
    } else {
      const cost = check.owed.shift()
      if (cost !== undefined) await checkPassword({ ...this.#decoy(user), cost }, password, this.#means)
    }
    if (check.owed.length > 0 && check.logins.some(({ attempt }) => !attempt.abandoned())) return undefined
    const now = this.#passwords.get(user)
    if (now !== undefined && now !== check.entry) {
      check.entry = now // changed meanwhile: it may be right now
      check.owed = undefined
      return undefined
    }
    this.#failed(user, new Set(check.logins.map((login) => login.source)))
    const why = now === undefined ? "unknown user name" : "wrong password"
    return () => ({ reasonCode: ReasonCode.BadUserNameOrPassword, why })
  }

  /** Milliseconds that a login of this user from this address waits before it is looked at, also one that is checked elsewhere. */
  delay(source: string, user: string): number {
    return this.#failures.delay(source, user, this.#means.now())
  }

  /** A login that was checked elsewhere was wrong. */
  failed(source: string, user: string): void {
    this.#failed(user, [source])
  }

  #failed(user: string, sources: Iterable<string>): void {
    const at = this.#means.now()
    this.#failures.failedAs(user, at)
    for (const source of sources) {
      this.#failures.failedFrom(source, at)
      this.#queue.failed(source)
    }
  }

  /** Whether it is the user's password, after what the user may have been changed to meanwhile. */
  async #isRight(check: Check): Promise<boolean> {
    const { user, password } = check.logins[0]!
    let right: boolean
    let now: PasswordEntry | undefined = check.entry
    do {
      check.entry = now ?? this.#decoy(user)
      right = await checkPassword(check.entry, password, this.#means)
      now = this.#passwords.get(user)
    } while (now !== check.entry && (now !== undefined || right))
    return right && now !== undefined
  }

  /** When all that wait have to wait because of failures. */
  #wakeLater(): void {
    const at = this.#queue.nextAt
    if (at === undefined || at >= this.#wakesAt) return
    this.#wakesAt = at
    this.#means.after(Math.max(0, at - this.#means.now()), () => {
      if (this.#wakesAt !== at) return
      this.#wakesAt = Number.POSITIVE_INFINITY
      try {
        this.#work()
      } catch (error) {
        this.#means.fault(error)
      }
    })
  }

  #knows(user: string, tag: string): boolean {
    return this.#remembered.get(user) === tag
  }

  #remember(user: string, tag: string): void {
    this.#remembered.delete(user) // the order is that of the last login
    if (this.#remembered.size >= maximumRemembered) {
      const oldest = this.#remembered.keys().next()
      if (oldest.done !== true) this.#remembered.delete(oldest.value)
    }
    this.#remembered.set(user, tag)
  }

  /**
   * Stands in for a user who does not exist. Its cost is the highest of the file. As each login that fails costs one
   * computation of each cost in the file, none tells who exists, also where users have unlike costs, and not by what a reload
   * changes either.
   */
  #decoy(user: string): PasswordEntry {
    const cost = this.#costs[0] ?? defaultCost
    return { user, cost, salt: this.#salt, hash: new Uint8Array(32), scram: undefined }
  }

  /** A hash under a key of this process: worth nothing outside of it, and nobody can choose a part of it. */
  #tag(user: string, password: Uint8Array): string {
    const name = new TextEncoder().encode(user)
    const length = new Uint8Array([name.length >> 8, name.length & 0xff])
    return bytesToHex(sha256.create().update(this.#key).update(length).update(name).update(password).digest())
  }
}

function costsOf(passwords: Passwords): readonly PasswordCost[] {
  const costs: PasswordCost[] = []
  for (const { cost } of passwords.values()) if (!costs.some((known) => sameCost(known, cost))) costs.push(cost)
  costs.sort((a, b) => workOf(b) - workOf(a) || hashMemory(b) - hashMemory(a))
  return costs.length === 0 ? [defaultCost] : costs
}

function letIn(user: string): Decision {
  return { identity: { user, source: "password" } }
}
