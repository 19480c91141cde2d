// Users and passwords that a program gives as they are, for where there is no scrypt: on a device, in a page, in a test. A password
// file, delays after failures, client certificates and SCRAM are in login.ts.

import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access, Decision, LoginAttempt } from "../ports/access.ts"

export interface SimpleAccessOptions {
  /** Who comes with neither user name nor password is let in. Default false. */
  readonly anonymous?: boolean | undefined
  /** Password by user name: text stands for its UTF-8 bytes. They are kept as they are. */
  readonly passwords?: Readonly<Record<string, string | Uint8Array>> | undefined
  /** Who may publish and subscribe to what: an Acl, or anything that judges so. Default: whoever is let in may do everything. */
  readonly rules?: AccessRules | undefined
}

export type AccessRules = Pick<Access, "publishRefusal" | "subscribeRefusal" | "deliveryRule" | "work">

/**
 * An Access that decides at once. A password is compared in a time that depends on the length of what the client sends only; nothing
 * slows down one who tries many.
 */
export function createSimpleAccess({ anonymous = false, passwords = {}, rules }: SimpleAccessOptions): Access {
  const known = new Map<string, Uint8Array>()
  for (const [user, password] of Object.entries(passwords))
    known.set(user, typeof password === "string" ? encodeText(password) : new Uint8Array(password))
  return {
    authenticate: (attempt, decide) => decide(decision(attempt, anonymous, known)),
    publishRefusal: (identity, clientId, topic) => rules?.publishRefusal(identity, clientId, topic),
    subscribeRefusal: (identity, clientId, filter) => rules?.subscribeRefusal(identity, clientId, filter),
    deliveryRule: (identity, clientId, filter) => rules?.deliveryRule(identity, clientId, filter),
    get work() {
      return rules?.work ?? 0
    },
  }
}

function decision(
  { username, password }: LoginAttempt,
  anonymous: boolean,
  known: ReadonlyMap<string, Uint8Array>,
): Decision {
  if (username === undefined && password === undefined) {
    if (anonymous) return { identity: { user: "", source: "anonymous" } }
    return { reasonCode: ReasonCode.NotAuthorized, why: "the client has no user name" }
  }
  const user = username ?? ""
  const wanted = known.get(user)
  const right = sameSecret(password ?? nothing, wanted ?? nothing)
  if (right && wanted !== undefined) return { identity: { user, source: "password" } }
  const why = wanted === undefined ? "there is no such user" : "wrong password"
  return { reasonCode: ReasonCode.BadUserNameOrPassword, why }
}

/** Looks at every byte of `given`. */
function sameSecret(given: Uint8Array, wanted: Uint8Array): boolean {
  let difference = given.length ^ wanted.length
  for (let i = 0; i < given.length; i++) difference |= given[i]! ^ (wanted[i] ?? 0)
  return difference === 0
}

const nothing = new Uint8Array(0)
