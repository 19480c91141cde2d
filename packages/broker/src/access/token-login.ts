// Login by a JSON Web Token (RFC 7519, RFC 8725) that stands in the place of the password, or comes by the Authentication Method
// JWT. A claim is the user's name, two others may say what he may do, and the login ends when the token does.

import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Decision, Identity, LoginAttempt } from "../ports/access.ts"
import { sourceOf } from "../session/source.ts"
import { FairPool, type PoolLimits } from "./fair-pool.ts"
import { keyFor, longestToken, looksLikeToken, type VerificationKey, wantedBy } from "./jwk-set.ts"
import type { KeySource } from "./key-source.ts"
import type { FurtherMeans } from "./opinion.ts"
import { type GivenRights, readRights, rightsOf } from "./rights.ts"

export interface TokenRules {
  /** What `iss` must be; undefined: it is not looked at. */
  readonly issuer: string | undefined
  /** One of which `aud` must have; undefined: it is not looked at. */
  readonly audience: readonly string[] | undefined
  /** Names of claims: of the user, and of the lists of filters that he may publish to, and subscribe to. */
  readonly userClaim: string
  readonly publishClaim: string
  readonly subscribeClaim: string
  /** Seconds that clocks may differ, for exp and nbf. */
  readonly leeway: number
  readonly requireExpiry: boolean
}

export interface TokenChecks extends Pick<TokenRules, "issuer" | "audience" | "leeway" | "requireExpiry"> {
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface TokenVerifier {
  /** The claims of a token that this key has signed and that passes; a clause says why it does not. Rejects for a defect only. */
  verify(token: string, key: VerificationKey, checks: TokenChecks): Promise<ReadonlyMap<string, unknown> | string>
}

export interface TokenMeans {
  /** Milliseconds, of the broker's clock. */
  readonly now: () => number
  /** Milliseconds since 1970, by the machine's clock. */
  readonly wall: () => number
  readonly verifier: () => Promise<TokenVerifier>
  readonly limits: () => PoolLimits
  /** The name of the key that an Identity stands on: also of those that were let in by other rules, before a reload. */
  readonly keyOf: WeakMap<Identity, string>
  readonly fault: (error: unknown) => void
}

/** Tokens whose signature was right, so that who comes again costs none. */
const maximumRemembered = 4096
/** Longest name of a user, in UTF-16 units. */
const longestUser = 256

/** What a good token says. */
interface Token {
  readonly user: string
  readonly rights: GivenRights | undefined
  /** Milliseconds since 1970, leeway included; undefined: never. */
  readonly endsAt: number | undefined
  readonly key: VerificationKey
}

export class TokenLogin implements FurtherMeans {
  readonly #keys: KeySource
  readonly #rules: TokenRules
  readonly #means: TokenMeans
  readonly #pool: FairPool
  readonly #remembered: Map<string, Token> = new Map()

  constructor(keys: KeySource, rules: TokenRules, means: TokenMeans) {
    this.#keys = keys
    this.#rules = rules
    this.#means = means
    this.#pool = new FairPool(means.limits, means.fault)
  }

  ask(attempt: LoginAttempt, answer: (opinion: Decision | undefined) => void): void {
    const token = tokenIn(attempt.password)
    if (token === undefined) {
      answer(undefined)
      return
    }
    const known = this.#recall(token)
    if (known !== undefined) {
      answer(this.#letIn(known, attempt.clientId))
      return
    }
    // Who waits for a key that is not there yet has no place among those that are checked.
    this.#withKey(token, (key) => {
      if ("reasonCode" in key) answer(key)
      else this.#enter(token, key, attempt, answer)
    })
  }

  #enter(token: string, key: VerificationKey, attempt: LoginAttempt, answer: (opinion: Decision) => void): void {
    const { clientId, peer, abandoned } = attempt
    const busy = { reasonCode: ReasonCode.ServerBusy, why: "too many logins wait for their token to be checked" }
    const failed = unavailable("the token could not be checked")
    this.#pool.enter({
      source: sourceOf(peer.address),
      abandoned,
      refuse: (why) => answer(why === "failed" ? failed : busy),
      begin: (leave) =>
        void this.#check(token, key, clientId).then(
          (decision) => this.#end(decision, leave, answer),
          (error: unknown) => this.#failed(error, leave, answer),
        ),
    })
  }

  #failed(error: unknown, leave: () => void, answer: (opinion: Decision) => void): void {
    this.#guard(() => this.#means.fault(error))
    this.#end(unavailable("the token could not be checked"), leave, answer)
  }

  #end(decision: Decision, leave: () => void, answer: (opinion: Decision) => void): void {
    this.#guard(leave)
    this.#guard(() => answer(decision))
  }

  /** Nobody waits for what a promise calls: what that throws would end the process. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#means.fault(error)
    }
  }

  /** The key of the token, after another look for one that is not there; or why it is refused. */
  #withKey(token: string, use: (key: VerificationKey | Refused) => void): void {
    const wanted = wantedBy(token)
    if (typeof wanted === "string") {
      use(bad(wanted))
      return
    }
    const find = (): VerificationKey | Refused => {
      const set = this.#keys.current()
      if (typeof set === "string") return unavailable(set)
      const key = keyFor(set, wanted)
      return typeof key === "string" ? bad(key) : key
    }
    const found = find()
    if (!("reasonCode" in found)) use(found)
    else
      this.#keys.look(() => {
        let again: VerificationKey | Refused = unavailable("the token could not be checked")
        this.#guard(() => {
          again = find()
        })
        use(again)
      })
  }

  async #check(token: string, key: VerificationKey, clientId: string): Promise<Decision> {
    const verifier = await this.#means.verifier()
    const { issuer, audience, leeway, requireExpiry } = this.#rules
    const checks = { issuer, audience, leeway, requireExpiry, now: this.#means.wall() }
    const claims = await verifier.verify(token, key, checks)
    if (typeof claims === "string") return bad(claims)
    const read = this.#read(claims, key)
    if (typeof read === "string") return bad(read)
    this.#remember(token, read)
    return this.#letIn(read, clientId)
  }

  #read(claims: ReadonlyMap<string, unknown>, key: VerificationKey): Token | string {
    const { userClaim, publishClaim, subscribeClaim, leeway } = this.#rules
    const user = claims.get(userClaim)
    if (typeof user !== "string" || user === "") return `its claim ${userClaim}, the user's name, is no text`
    if (user.length > longestUser || /[\0\p{Cs}]/u.test(user))
      return `its claim ${userClaim} cannot be a user's name: that has 1 to ${longestUser} characters`
    const rights = readRights(claims.get(publishClaim), claims.get(subscribeClaim))
    if (typeof rights === "string") return rights
    const exp = claims.get("exp")
    return { user, rights, endsAt: typeof exp === "number" ? (exp + leeway) * 1000 : undefined, key }
  }

  #letIn({ user, rights, endsAt, key }: Token, clientId: string): Decision {
    const left = endsAt === undefined ? undefined : endsAt - this.#means.wall()
    const identity: Identity = {
      user,
      source: "token",
      ...(rights !== undefined && { rights: rightsOf(rights, { user, clientId }) }),
      ...(left !== undefined && { expiresAt: this.#means.now() + left }),
    }
    this.#means.keyOf.set(identity, key.name)
    return { identity }
  }

  #recall(token: string): Token | undefined {
    const name = nameOf(token)
    const known = this.#remembered.get(name)
    if (known === undefined) return undefined
    const isOver = known.endsAt !== undefined && this.#means.wall() >= known.endsAt
    if (!isOver && this.#has(known.key.name)) return known
    this.#remembered.delete(name)
    return undefined
  }

  #remember(token: string, said: Token): void {
    if (this.#remembered.size >= maximumRemembered) {
      const oldest = this.#remembered.keys().next()
      if (oldest.done !== true) this.#remembered.delete(oldest.value)
    }
    this.#remembered.set(nameOf(token), said)
  }

  #has(keyName: string): boolean {
    const set = this.#keys.current()
    return typeof set !== "string" && set.keys.some(({ name }) => name === keyName)
  }

  lost(identity: Identity): string | undefined {
    const key = this.#means.keyOf.get(identity)
    const set = this.#keys.current()
    // Keys that cannot be had at the moment say nothing of a token that was good.
    if (key === undefined || typeof set === "string" || this.#has(key)) return undefined
    return "the key of its token is none any more"
  }

  begin(): void {
    this.#keys.begin()
  }

  end(): void {
    this.#keys.end()
  }
}

type Refused = Extract<Decision, { reasonCode: number }>

function bad(why: string): Refused {
  return { reasonCode: ReasonCode.BadUserNameOrPassword, why: `the token is refused: ${why}` }
}

function unavailable(why: string): Refused {
  return { reasonCode: ReasonCode.ServerUnavailable, why }
}

/** Undefined: it is no token. */
function tokenIn(password: Uint8Array | undefined): string | undefined {
  if (password === undefined || password.length === 0 || password.length > longestToken) return undefined
  let text = ""
  for (const byte of password) text += String.fromCharCode(byte)
  return looksLikeToken(text) ? text : undefined
}

function nameOf(token: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(token)))
}
