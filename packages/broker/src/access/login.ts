// How clients log in: by client certificate, by password file (by password, or by SCRAM), or not at all; and what they may
// do then.

import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access, Decision, Exchange, Identity, LoginAttempt } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { Acl } from "./acl.ts"
import { DelayLine } from "./delay-line.ts"
import { type CheckerLimits, type CheckerMeans, PasswordChecker } from "./password-checker.ts"
import type { PasswordEntry } from "./password-file.ts"
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
  readonly acl: Acl | undefined
}

/** Says why a login is none any more, in a few words; undefined when it is one still. */
export type LostLogin = (identity: Identity) => string | undefined

export interface ReplaceableAccess extends Access {
  /** Takes other rules from now on. The answer is about logins from before. */
  replace(rules: LoginRules): LostLogin
  /** Takes other limits from now on; who waits already, waits. */
  limit(limits: CheckerLimits): void
}

/** Checks logins by these rules. */
export function createAccess(rules: LoginRules, means: CheckerMeans, limits: CheckerLimits): ReplaceableAccess {
  let current = rules
  /** What the lists before have cost. */
  let workBefore = 0
  const own = { ...limits }
  const checker = new PasswordChecker(rules.passwords ?? new Map(), means, own)
  const scram = new ScramUsers(rules.passwords ?? new Map(), means.random, checker, new DelayLine(means, own))
  return {
    authenticate(attempt, decide) {
      const now = outdated(attempt, means.now()) ?? decideAtOnce(current, attempt)
      if (now !== undefined) decide(now)
      else checker.check(attempt, (decision) => decide(outdated(attempt, means.now()) ?? decision))
    },
    exchange(method, attempt) {
      if (method !== scramMethod || !scram.any) return undefined
      const now = outdated(attempt, means.now()) ?? byCertificate(current, attempt)
      if (now !== undefined) return decided(sameUser(attempt.identity, now))
      const exchange = scram.begin(attempt)
      return {
        next: (data, answer) =>
          exchange.next(data, (step) => {
            const late = step.goesOn ? undefined : outdated(attempt, means.now())
            answer(late === undefined ? step : { goesOn: false, decision: late, data: undefined })
          }),
      }
    },
    publishRefusal: (identity, clientId, topic) => current.acl?.publishRefusal(identity, clientId, topic),
    subscribeRefusal: (identity, clientId, filter) => current.acl?.subscribeRefusal(identity, clientId, filter),
    deliveryRule: (identity, clientId, filter) => current.acl?.deliveryRule(identity, clientId, filter),
    get work() {
      return workBefore + (current.acl?.work ?? 0)
    },
    replace(next) {
      workBefore += current.acl?.work ?? 0
      current = next
      // The same list may go on.
      workBefore -= next.acl?.work ?? 0
      const changed = checker.replace(next.passwords ?? new Map())
      scram.replace(next.passwords ?? new Map())
      return (identity) => lost(next, changed, identity)
    },
    limit(next) {
      Object.assign(own, next)
      checker.goOn()
    },
  }
}

function lost(rules: LoginRules, changed: ReadonlySet<string>, { source, user }: Identity): string | undefined {
  switch (source) {
    case "anonymous":
      return rules.anonymous ? undefined : "clients without login are no longer let in"
    case "certificate":
      return rules.certificates ? undefined : "a client certificate is no longer a login"
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

/** The decision, or undefined when a password has to be checked. */
function decideAtOnce(rules: LoginRules, attempt: LoginAttempt): Decision | undefined {
  const certificate = byCertificate(rules, attempt)
  if (certificate !== undefined) return certificate
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
