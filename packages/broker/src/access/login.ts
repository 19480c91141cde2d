// How clients log in: by client certificate, by password file (by password, or by SCRAM), by token, by a server that is asked, or
// not at all; in which order; and what they may do then.

import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access, Decision, Exchange, ExchangeAttempt, Identity, LoginAttempt, Refusal } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { TopicFilter } from "../routing/filter.ts"
import { sourceOf } from "../session/source.ts"
import { type AccessList, refusalByLogin } from "./acl.ts"
import { DelayLine, type Undone } from "./delay-line.ts"
import {
  type FurtherMeans,
  LoginCounters,
  type LoginCounts,
  type MeansName,
  tokenMethod,
  usualOrder,
} from "./opinion.ts"
import { type CheckerLimits, type CheckerMeans, PasswordChecker } from "./password-checker.ts"
import type { PasswordEntry } from "./password-file.ts"
import type { Action } from "./rule-tree.ts"
import { ScramUsers } from "./scram.ts"
import { scramMethod } from "./scram-messages.ts"

export interface LoginRules {
  /** Are clients without user name and certificate let in? */
  readonly anonymous: boolean
  /** Undefined: there are no passwords. */
  readonly passwords: ReadonlyMap<string, PasswordEntry> | undefined
  /** Is the identity of a verified client certificate a login of its own? */
  readonly certificates: boolean
  /** Undefined: everybody who is in may publish and subscribe everywhere. */
  readonly acl: AccessList | undefined
  /** Who is asked first, of those that there are. Default `usualOrder`. */
  readonly order?: readonly MeansName[] | undefined
  /** Tokens, and a server that is asked. */
  readonly further?: ReadonlyMap<MeansName, FurtherMeans> | undefined
  /** What listeners have of their own, by their names. */
  readonly listeners?: ReadonlyMap<string, ListenerLogin> | undefined
}

/** Who gets in through a listener, where that is not as everywhere. Users and their rights are the same at each. */
export interface ListenerLogin {
  readonly anonymous?: boolean | undefined
  readonly certificates?: boolean | undefined
}

/** Says why a login is none any more, in a few words; undefined when it is one still. */
export type LostLogin = (identity: Identity, peer: PeerInfo) => string | undefined

export interface ReplaceableAccess extends Access {
  /** Takes other rules from now on. The answer is about logins from before. */
  replace(rules: LoginRules): LostLogin
  /** Takes other limits from now on; who waits already, waits. */
  limit(limits: CheckerLimits): void
  /** What became of logins. */
  readonly counts: LoginCounts
}

/** Checks logins by these rules. */
export function createAccess(rules: LoginRules, means: CheckerMeans, limits: CheckerLimits): ReplaceableAccess {
  const access = new RuledAccess(rules, means, limits)
  return {
    authenticate: (attempt, decide) => access.authenticate(attempt, decide),
    exchange: (method, attempt) => access.exchange(method, attempt),
    publishRefusal: (identity, clientId, topic) => access.publishRefusal(identity, clientId, topic),
    subscribeRefusal: (identity, clientId, filter) => access.subscribeRefusal(identity, clientId, filter),
    deliveryRule: (identity, clientId, filter) => access.deliveryRule(identity, clientId, filter),
    replace: (next) => access.replace(next),
    limit: (next) => access.limit(next),
    get work() {
      return access.work
    },
    get counts() {
      return access.counts
    },
  }
}

/** Those that hold where somebody comes in. */
function rulesAt(rules: LoginRules, { listener }: PeerInfo): LoginRules {
  const own = listener === undefined ? undefined : rules.listeners?.get(listener)
  if (own === undefined) return rules
  const { anonymous = rules.anonymous, certificates = rules.certificates } = own
  return { ...rules, anonymous, certificates }
}

class RuledAccess {
  #rules: LoginRules
  /** What the lists before have cost. */
  #workBefore = 0
  /** Rights of logins that were asked, where there is no list. */
  #rightsAsked = 0
  readonly #means: CheckerMeans
  readonly #limits: CheckerLimits
  readonly #checker: PasswordChecker
  readonly #scram: ScramUsers
  /** Logins that wait as others of their address have failed, and are not checked by a password. */
  readonly #line: DelayLine
  readonly #counters = new LoginCounters()

  constructor(rules: LoginRules, means: CheckerMeans, limits: CheckerLimits) {
    this.#rules = rules
    this.#means = means
    this.#limits = { ...limits }
    const passwords = rules.passwords ?? new Map<string, PasswordEntry>()
    this.#checker = new PasswordChecker(passwords, means, this.#limits)
    this.#line = new DelayLine(means, this.#limits)
    this.#scram = new ScramUsers(passwords, means.random, this.#checker, this.#line)
  }

  authenticate(attempt: LoginAttempt, decide: (decision: Decision) => void): void {
    const ending = this.#ending(decide)
    const old = outdated(attempt, this.#means.now())
    if (old !== undefined) ending.end("certificate", old)
    else this.#ask(rulesAt(this.#rules, attempt.peer), 0, attempt, ending)
  }

  /** Asks those from this place of the order on, until one has an opinion. */
  #ask(rules: LoginRules, from: number, attempt: LoginAttempt, ending: Ending): void {
    const { order = usualOrder } = rules
    // A certificate may have become outdated meanwhile.
    const late = (by: MeansName, decision: Decision) => ending.end(by, outdated(attempt, this.#means.now()) ?? decision)
    for (const [at, name] of order.entries()) {
      if (at < from) continue
      if (name === "certificate") {
        const decision = byCertificate(rules, attempt)
        if (decision === undefined) continue
        ending.end(name, decision)
        return
      }
      if (name === "password") {
        if (!asksForPassword(rules, at, attempt)) continue
        this.#checker.check(attempt, (decision) => ending.inside(() => late(name, decision)))
        return
      }
      const further = rules.further?.get(name)
      if (further === undefined) continue
      this.#askFurther(further, attempt, (opinion) =>
        ending.inside(() => {
          if (opinion === undefined) this.#ask(rules, at + 1, attempt, ending)
          else late(name, opinion)
        }),
      )
      return
    }
    ending.end(...withoutOpinion(rules, attempt))
  }

  /** At once, or when it is the turn of who has failed before. */
  #askFurther(means: FurtherMeans, attempt: LoginAttempt, answer: (opinion: Decision | undefined) => void): void {
    const [source, user] = [sourceOf(attempt.peer.address), attempt.username ?? ""]
    const go = () =>
      means.ask(attempt, (opinion) => {
        try {
          if (opinion !== undefined && isWrong(opinion)) this.#checker.failed(source, user)
        } catch (error) {
          this.#means.fault(error)
        }
        answer(opinion)
      })
    const delay = this.#checker.delay(source, user)
    if (delay === 0) go()
    else {
      const refuse = (why: Undone) => answer(undoneLogin(why))
      this.#line.add({ source, delay, abandoned: attempt.abandoned, go, refuse })
    }
  }

  exchange(method: string, attempt: ExchangeAttempt): Exchange | undefined {
    if (method === tokenMethod) return this.#tokenExchange(attempt)
    if (method !== scramMethod || !this.#scram.any || !this.#asks("password")) return undefined
    const before = this.#beforeExchange("password", attempt)
    if (before !== undefined) return before
    const exchange = this.#scram.begin(attempt)
    return {
      next: (data, answer) =>
        exchange.next(data, (step) => {
          if (step.goesOn) {
            answer(step)
            return
          }
          const { decision, data } = step
          const ending = this.#ending((last, more) => answer({ goesOn: false, decision: last, data: more }))
          ending.inside(() => {
            const late = outdated(attempt, this.#means.now())
            if (late === undefined) ending.end("password", decision, data)
            else ending.end("password", late)
          })
        }),
    }
  }

  /** One step: the token is the Authentication Data. */
  #tokenExchange(attempt: ExchangeAttempt): Exchange | undefined {
    const tokens = this.#rules.further?.get("jwt")
    if (tokens === undefined || !this.#asks("jwt")) return undefined
    const before = this.#beforeExchange("jwt", attempt)
    if (before !== undefined) return before
    return {
      next: (password, answer) => {
        const ending = this.#ending((decision) => answer({ goesOn: false, decision, data: undefined }))
        this.#askFurther(tokens, { ...attempt, password }, (opinion) =>
          ending.inside(() => {
            const why = "the Authentication Data is no token"
            const judged = opinion ?? { reasonCode: ReasonCode.NotAuthorized, why }
            ending.end("jwt", outdated(attempt, this.#means.now()) ?? sameUser(attempt.identity, judged))
          }),
        )
      },
    }
  }

  #ending(decide: (decision: Decision, data?: Uint8Array) => void): Ending {
    return new Ending(decide, (by, decision) => this.#count(by, decision), this.#means.fault)
  }

  #asks(name: MeansName): boolean {
    return (this.#rules.order ?? usualOrder).includes(name)
  }

  /** What is decided already: a certificate is no longer good, or comes before this means in the order. */
  #beforeExchange(name: MeansName, attempt: ExchangeAttempt): Exchange | undefined {
    const { order = usualOrder } = this.#rules
    const isAhead = order.includes("certificate") && order.indexOf("certificate") < order.indexOf(name)
    const now =
      outdated(attempt, this.#means.now()) ??
      (isAhead ? byCertificate(rulesAt(this.#rules, attempt.peer), attempt) : undefined)
    if (now === undefined) return undefined
    this.#count("certificate", now)
    return decided(sameUser(attempt.identity, now))
  }

  #count(by: Counted, decision: Decision): void {
    const result = "identity" in decision ? "allowed" : isWrong(decision) ? "denied" : "failed"
    this.#counters.count(by, result)
  }

  get counts(): LoginCounts {
    return this.#counters.all
  }

  publishRefusal(identity: Identity, clientId: string, topic: string): Refusal | undefined {
    const { acl } = this.#rules
    return acl === undefined ? this.#byLogin(identity, topic, "write") : acl.publishRefusal(identity, clientId, topic)
  }

  subscribeRefusal(identity: Identity, clientId: string, filter: TopicFilter): Refusal | undefined {
    const { acl } = this.#rules
    if (acl === undefined) return this.#byLogin(identity, filter.path, "read")
    return acl.subscribeRefusal(identity, clientId, filter)
  }

  #byLogin(identity: Identity, text: string, action: Action): Refusal | undefined {
    this.#rightsAsked += identity.rights?.size ?? 0
    return refusalByLogin(identity, text, action)
  }

  deliveryRule(identity: Identity, clientId: string, filter: TopicFilter): ((topic: string) => boolean) | undefined {
    return this.#rules.acl?.deliveryRule(identity, clientId, filter)
  }

  get work(): number {
    return this.#workBefore + this.#rightsAsked + (this.#rules.acl?.work ?? 0)
  }

  replace(next: LoginRules): LostLogin {
    this.#workBefore += this.#rules.acl?.work ?? 0
    this.#rules = next
    // The same list may go on.
    this.#workBefore -= next.acl?.work ?? 0
    const passwords = next.passwords ?? new Map<string, PasswordEntry>()
    const changed = this.#checker.replace(passwords)
    this.#scram.replace(passwords)
    return (identity, peer) => lost(rulesAt(next, peer), changed, identity)
  }

  limit(next: CheckerLimits): void {
    Object.assign(this.#limits, next)
    this.#checker.goOn()
  }
}

/** A login, or an exchange, is decided once, whatever is thrown on the way: who waits is always told. */
class Ending {
  readonly #decide: (decision: Decision, data?: Uint8Array) => void
  readonly #count: (by: Counted, decision: Decision) => void
  readonly #fault: (error: unknown) => void
  #ended = false

  constructor(
    decide: (decision: Decision, data?: Uint8Array) => void,
    count: (by: Counted, decision: Decision) => void,
    fault: (error: unknown) => void,
  ) {
    this.#decide = decide
    this.#count = count
    this.#fault = fault
  }

  end(by: Counted, decision: Decision, data?: Uint8Array): void {
    if (this.#ended) return
    this.#ended = true
    try {
      this.#count(by, decision)
    } catch (error) {
      this.#fault(error)
    }
    try {
      this.#decide(decision, data)
    } catch (error) {
      this.#fault(error)
      this.#decide(undoneLogin("failed"))
    }
  }

  inside(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#fault(error)
      this.end("nobody", undoneLogin("failed"))
    }
  }
}

/** Whom a login is counted for. */
type Counted = Parameters<LoginCounters["count"]>[0]

/** False: whoever comes after it may know. */
function asksForPassword({ order = usualOrder, further, passwords }: LoginRules, at: number, attempt: LoginAttempt) {
  if (passwords === undefined || (attempt.username === undefined && attempt.password === undefined)) return false
  const others = order.slice(at + 1).some((name) => further?.has(name) === true)
  return !others || passwords.has(attempt.username ?? "")
}

/** It says something of the client, and not of us. */
function isWrong(decision: Decision): boolean {
  if ("identity" in decision) return false
  const { reasonCode } = decision
  return reasonCode === ReasonCode.BadUserNameOrPassword || reasonCode === ReasonCode.NotAuthorized
}

function undoneLogin(why: Undone): Decision {
  if (why === "failed") return { reasonCode: ReasonCode.ServerUnavailable, why: "the login could not be checked" }
  const words =
    why === "gone" ? "its client has gone" : "too many logins wait because others of their address have failed"
  return { reasonCode: ReasonCode.ServerBusy, why: words }
}

function lost(rules: LoginRules, changed: ReadonlySet<string>, identity: Identity): string | undefined {
  const { source, user } = identity
  switch (source) {
    case "anonymous":
      return rules.anonymous ? undefined : "clients without login are no longer let in"
    case "certificate":
      return rules.certificates ? undefined : "a client certificate is no longer a login"
    case "token":
    case "hook": {
      const means = rules.further?.get(identity.source === "token" ? "jwt" : "http")
      return means === undefined ? "that is no way to log in any more" : means.lost(identity)
    }
    case "password":
      if (rules.passwords?.has(user) !== true) return "the user was deleted"
      return changed.has(user) ? "the password was changed" : undefined
  }
}

/** A certificate from before a reload, with which a handshake would end now: then whatever else is a login is none. */
function outdated({ peer }: { readonly peer: PeerInfo }, now: number): Decision | undefined {
  const problem = peer.recheckCertificate?.(now)
  if (problem === undefined) return undefined
  return { reasonCode: ReasonCode.NotAuthorized, why: `its certificate is no longer good: ${problem}` }
}

/** The decision by the client's certificate, or undefined when there is none. */
function byCertificate(rules: LoginRules, { peer }: { readonly peer: PeerInfo }): Decision | undefined {
  const { certificateIdentity: user, certificateProblem: why } = peer
  if (!rules.certificates) return undefined
  if (user !== undefined) return { identity: { user, source: "certificate" } }
  // A certificate that names nobody must not become an anonymous client, who may have other rights.
  return why === undefined ? undefined : { reasonCode: ReasonCode.NotAuthorized, why }
}

/** Whoever authenticates again does not become another user by it. */
function sameUser(before: Identity | undefined, decision: Decision): Decision {
  if (before === undefined || !("identity" in decision) || decision.identity.user === before.user) return decision
  return { reasonCode: ReasonCode.NotAuthorized, why: "the client may not become another user" }
}

/** An exchange whose end does not depend on what the client says: MQTT 5.0 section 4.12 leaves it to the server when it ends. */
function decided(decision: Decision): Exchange {
  return { next: (_data, answer) => answer({ goesOn: false, decision, data: undefined }) }
}

/** What becomes of a login that nobody has an opinion of. */
function withoutOpinion({ anonymous, further, passwords }: LoginRules, attempt: LoginAttempt): [Counted, Decision] {
  const isNobody = attempt.username === undefined && attempt.password === undefined
  // Who says who he is, and is not known where somebody could know him, is not let in as nobody.
  const couldBeKnown = passwords !== undefined || (further !== undefined && further.size > 0)
  if (anonymous && (isNobody || !couldBeKnown)) return ["anonymous", { identity: { user: "", source: "anonymous" } }]
  if (isNobody) {
    const why = "the client has neither certificate nor user name"
    return ["nobody", { reasonCode: ReasonCode.NotAuthorized, why }]
  }
  const why = couldBeKnown
    ? "nobody who may say who gets in knows this login"
    : "the client sends a user name, but there is no password file"
  return ["nobody", { reasonCode: ReasonCode.BadUserNameOrPassword, why }]
}
