// How clients log in: by client certificate, by password file, or not at all; and what they may do then.

import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access, Decision, Identity, LoginAttempt } from "./access.ts"
import type { Acl } from "./acl.ts"
import { type CheckerLimits, type CheckerMeans, PasswordChecker } from "./password-checker.ts"
import type { PasswordEntry } from "./password-file.ts"

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
}

/** Checks logins by these rules. */
export function createAccess(rules: LoginRules, means: CheckerMeans, limits: CheckerLimits): ReplaceableAccess {
  let current = rules
  const checker = new PasswordChecker(rules.passwords ?? new Map(), means, limits)
  return {
    authenticate(attempt, decide) {
      const now = outdated(attempt, means.now()) ?? decideAtOnce(current, attempt)
      if (now !== undefined) decide(now)
      else checker.check(attempt, (decision) => decide(outdated(attempt, means.now()) ?? decision))
    },
    publishRefusal: (identity, clientId, topic) => current.acl?.publishRefusal(identity, clientId, topic),
    subscribeRefusal: (identity, clientId, filter) => current.acl?.subscribeRefusal(identity, clientId, filter),
    deliveryRule: (identity, clientId, filter) => current.acl?.deliveryRule(identity, clientId, filter),
    replace(next) {
      current = next
      const changed = checker.replace(next.passwords ?? new Map())
      return (identity) => lost(next, changed, identity)
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
function outdated({ peer }: LoginAttempt, now: number): Decision | undefined {
  const problem = peer.recheckCertificate?.(now)
  if (problem === undefined) return undefined
  return { reasonCode: ReasonCode.NotAuthorized, why: `its certificate is no longer good: ${problem}` }
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
