// How clients log in: by client certificate, by password file, or not at all.

import { sha256 } from "@noble/hashes/sha2.js"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { TopicFilter } from "../routing/filter.ts"
import type { Access, Decision, Identity, LoginAttempt } from "./access.ts"
import type { Acl } from "./acl.ts"
import { checkPassword, equal, type PasswordEntry } from "./password-file.ts"

export interface LoginRules {
  /** Are clients without user name and certificate let in? */
  readonly anonymous: boolean
  /** Undefined: there are no passwords. */
  readonly passwords: ReadonlyMap<string, PasswordEntry> | undefined
  /** Is the identity of a verified client certificate a login of its own? */
  readonly certificates: boolean
  /** Undefined: everybody who is in may publish and subscribe everywhere. */
  readonly acl: Acl | undefined
  /** Random bytes, used for a key that exists only in this process. */
  readonly random: (length: number) => Uint8Array
  /** Logins whose password may wait to be checked; more are refused with 0x89. Default 256. */
  readonly maximumWaiting?: number
}

/** Users whose last correct password is remembered as a keyed hash, so that a reconnect costs no scrypt. */
const maximumRemembered = 10_000

/** Checks logins by these rules. Passwords are checked one at a time: each scrypt takes its memory and its time. */
export function createAccess(rules: LoginRules): Access {
  const { acl } = rules
  const checker = new PasswordChecker(rules)
  return {
    authenticate(attempt, decide) {
      const now = decideAtOnce(rules, attempt)
      if (now !== undefined) decide(now)
      else checker.check(attempt, decide)
    },
    mayPublish: (identity: Identity, clientId: string, topic: string) =>
      acl?.mayPublish(identity, clientId, topic) ?? true,
    maySubscribe: (identity: Identity, clientId: string, filter: TopicFilter) =>
      acl?.maySubscribe(identity, clientId, filter) ?? true,
  }
}

/** The decision, or undefined when a password has to be checked. */
function decideAtOnce(rules: LoginRules, attempt: LoginAttempt): Decision | undefined {
  const certificate = attempt.peer.certificateIdentity
  if (rules.certificates && certificate !== undefined) return { identity: { user: certificate, source: "certificate" } }
  // A certificate that names nobody must not become an anonymous client, who may have other rights.
  if (rules.certificates && attempt.peer.certificateProblem !== undefined)
    return { reasonCode: ReasonCode.NotAuthorized, why: attempt.peer.certificateProblem }
  if (attempt.username === undefined && attempt.password === undefined) {
    if (rules.anonymous) return { identity: { user: "", source: "anonymous" } }
    return { reasonCode: ReasonCode.NotAuthorized, why: "the client has neither certificate nor user name" }
  }
  if (rules.passwords !== undefined) return undefined
  if (rules.anonymous) return { identity: { user: "", source: "anonymous" } }
  return {
    reasonCode: ReasonCode.BadUserNameOrPassword,
    why: "the client sends a user name, but there is no password file",
  }
}

class PasswordChecker {
  readonly #passwords: ReadonlyMap<string, PasswordEntry>
  readonly #key: Uint8Array
  readonly #maximumWaiting: number
  readonly #remembered: Map<string, Uint8Array> = new Map()
  readonly #waiting: { attempt: LoginAttempt; decide: (decision: Decision) => void }[] = []
  /** Stands in for users that do not exist, so that they cost the same time. */
  readonly #nobody: PasswordEntry
  #busy = false

  constructor(rules: LoginRules) {
    this.#passwords = rules.passwords ?? new Map()
    this.#key = rules.random(32)
    this.#maximumWaiting = rules.maximumWaiting ?? 256
    const any = this.#passwords.values().next().value
    const cost = any?.cost ?? { ln: 15, r: 8, p: 1 }
    this.#nobody = { user: "", cost, salt: rules.random(16), hash: new Uint8Array(32) }
  }

  check(attempt: LoginAttempt, decide: (decision: Decision) => void): void {
    const user = attempt.username ?? ""
    const known = this.#remembered.get(user)
    if (known !== undefined && equal(known, this.#tag(user, attempt.password ?? nothing))) {
      decide({ identity: { user, source: "password" } })
      return
    }
    if (this.#waiting.length >= this.#maximumWaiting) {
      decide({ reasonCode: ReasonCode.ServerBusy, why: "too many logins wait for their password check" })
      return
    }
    this.#waiting.push({ attempt, decide })
    void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      // A client that gave up costs no scrypt.
      if (!next.attempt.abandoned()) next.decide(await this.#decide(next.attempt))
    }
    this.#busy = false
  }

  async #decide(attempt: LoginAttempt): Promise<Decision> {
    const user = attempt.username ?? ""
    const password = attempt.password ?? nothing
    const entry = this.#passwords.get(user)
    const right = await checkPassword(entry ?? this.#nobody, password)
    if (entry === undefined || !right) {
      const why = entry === undefined ? "unknown user name" : "wrong password"
      return { reasonCode: ReasonCode.BadUserNameOrPassword, why }
    }
    if (this.#remembered.size < maximumRemembered) this.#remembered.set(user, this.#tag(user, password))
    return { identity: { user, source: "password" } }
  }

  /** A hash under a key of this process: worth nothing outside it. */
  #tag(user: string, password: Uint8Array): Uint8Array {
    const name = new TextEncoder().encode(user)
    const length = new Uint8Array([name.length >> 8, name.length & 0xff])
    return sha256.create().update(this.#key).update(length).update(name).update(password).digest()
  }
}

const nothing = new Uint8Array(0)
