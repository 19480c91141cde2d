// SCRAM-SHA-256 on the server's side (RFC 5802, RFC 7677), as an Authentication Method of MQTT 5.0 (section 4.12). The client
// proves that it has the password and never sends it; the server proves that it knows the user. No channel is bound.
//
// Whoever asks about a user that is not there, or has no keys, gets a salt and a number of iterations as others have them,
// the same each time, and fails where a wrong password fails. A proof costs a few hashes, so what slows down guessing is the
// delay after failures, which this shares with the check of passwords.

import { hmac } from "@noble/hashes/hmac.js"
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import { shorten } from "../client/refusals.ts"
import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Exchange, ExchangeAttempt, Step } from "../ports/access.ts"
import { sourceOf } from "../session/source.ts"
import { toBase64 } from "./base64.ts"
import type { DelayLine, Undone } from "./delay-line.ts"
import { equal, type PasswordEntry, sameScram } from "./password-file.ts"
import { SaslprepError, saslprep } from "./saslprep.ts"
import { defaultIterations, type ScramKeys, signatureOf, xor } from "./scram-keys.ts"
import {
  type ClientFinal,
  type ClientFirst,
  channelBindingOf,
  longestMessage,
  parseClientFinal,
  parseClientFirst,
  ScramError,
  serverFinal,
  serverFirst,
} from "./scram-messages.ts"

/** Random bytes of the server's part of the nonce. */
const nonceLength = 18

/** Where wrong logins are counted. */
export interface Guesses {
  /** Milliseconds that a login of this user from this address waits before it is looked at. */
  delay(source: string, user: string): number
  failed(source: string, user: string): void
}

/** What the users' keys look like, and how many have such ones. */
interface Shape {
  readonly iterations: number
  readonly saltLength: number
  count: number
}

type Passwords = ReadonlyMap<string, PasswordEntry>

export class ScramUsers {
  readonly #random: (length: number) => Uint8Array
  readonly #guesses: Guesses
  readonly #line: DelayLine
  /** Of what is made up; as long as the process lives. */
  readonly #secret: Uint8Array
  #passwords: Passwords
  #shapes: readonly Shape[]

  constructor(passwords: Passwords, random: (length: number) => Uint8Array, guesses: Guesses, line: DelayLine) {
    this.#random = random
    this.#guesses = guesses
    this.#line = line
    this.#secret = random(32)
    this.#passwords = passwords
    this.#shapes = shapesOf(passwords)
  }

  /** Is there a user with keys? */
  get any(): boolean {
    return this.#shapes.length > 0
  }

  replace(passwords: Passwords): void {
    this.#passwords = passwords
    this.#shapes = shapesOf(passwords)
  }

  /** Undefined for a user who is not there, or has no keys. */
  keysOf(user: string): ScramKeys | undefined {
    return this.#passwords.get(user)?.scram
  }

  /** What stands in for the keys of a user who has none. Both keys are nobody's. */
  decoy(user: string): ScramKeys {
    const { iterations, saltLength } = this.#shapeFor(user)
    const salt = this.#made("salt", user).subarray(0, saltLength)
    const keys = this.#made("keys", user)
    return { iterations, salt, storedKey: keys.subarray(0, 32), serverKey: keys.subarray(32) }
  }

  /** Of each shape as many names as users have it; few have another when few users are others. */
  #shapeFor(user: string): { readonly iterations: number; readonly saltLength: number } {
    const all = this.#shapes.reduce((sum, { count }) => sum + count, 0)
    const bytes = this.#made("shape", user)
    let place = (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32) * all
    for (const shape of this.#shapes) {
      place -= shape.count
      if (place < 0) return shape
    }
    return { iterations: defaultIterations, saltLength: 16 }
  }

  #made(what: string, user: string): Uint8Array {
    return hmac(sha512, this.#secret, encodeText(`${what} ${user}`))
  }

  nonce(): string {
    return toBase64(this.#random(nonceLength))
  }

  begin(attempt: ExchangeAttempt, nonce: string = this.nonce()): Exchange {
    return new ScramExchange(this, attempt, nonce)
  }

  /** Does `judge` when a guess at this user's password from there may be looked at. Calls one of both, once. */
  whenDue(user: string, { peer, abandoned }: ExchangeAttempt, judge: () => void, refuse: (why: Undone) => void): void {
    const source = sourceOf(peer.address)
    const delay = this.#guesses.delay(source, user)
    if (delay === 0) judge()
    else this.#line.add({ source, delay, abandoned, go: judge, refuse })
  }

  failed(user: string, { peer }: ExchangeAttempt): void {
    this.#guesses.failed(sourceOf(peer.address), user)
  }
}

/** The client's first message, what was answered, and with which keys. */
interface Begun {
  readonly user: string
  readonly first: ClientFirst
  /** The server-first-message. */
  readonly answer: string
  readonly nonce: string
  /** As the user had them then; undefined: there are none. */
  readonly keys: ScramKeys | undefined
  readonly decoy: ScramKeys
}

/** Reason Code, and what the log says, where nobody has looked at a proof. */
const undone: Readonly<Record<Undone, readonly [number, string]>> = {
  busy: [ReasonCode.ServerBusy, "too many logins wait for their password check"],
  gone: [ReasonCode.ServerUnavailable, "the client has gone"],
  failed: [ReasonCode.ServerUnavailable, "the password could not be checked"],
}

class ScramExchange implements Exchange {
  readonly #users: ScramUsers
  readonly #attempt: ExchangeAttempt
  readonly #serverNonce: string
  #asked = false
  #begun: Begun | undefined
  #over = false

  constructor(users: ScramUsers, attempt: ExchangeAttempt, serverNonce: string) {
    this.#users = users
    this.#attempt = attempt
    this.#serverNonce = serverNonce
  }

  next(data: Uint8Array | undefined, answer: (step: Step) => void): void {
    let step: Step | (() => void)
    try {
      step = this.#step(data, answer)
    } catch (error) {
      if (!(error instanceof ScramError) && !(error instanceof SaslprepError)) throw error
      step = this.#refuse(ReasonCode.NotAuthorized, error.message)
    }
    if (typeof step === "function") step()
    else answer(step)
  }

  #step(data: Uint8Array | undefined, answer: (step: Step) => void): Step | (() => void) {
    if (this.#over) return this.#refuse(ReasonCode.NotAuthorized, "the SCRAM exchange is over")
    if (this.#begun !== undefined) {
      this.#over = true
      if (data === undefined) throw new ScramError("the client-final-message is missing")
      return this.#finish(this.#begun, parseClientFinal(data), answer)
    }
    if (data !== undefined) return this.#begin(parseClientFirst(data))
    // RFC 4422 section 5: who sends nothing at first is asked for it, once.
    if (this.#asked) throw new ScramError("the client-first-message is missing")
    this.#asked = true
    return { goesOn: true, data: new Uint8Array(0) }
  }

  #begin(first: ClientFirst): Step {
    const { username, identity } = this.#attempt
    if (first.authorizationName !== undefined && first.authorizationName !== first.name)
      throw new ScramError("the client asks to act as somebody else")
    const user = prepare(first.name)
    if (user === "") throw new ScramError("the name is empty")
    if (username !== undefined && prepare(username) !== user)
      return this.#refuse(ReasonCode.BadUserNameOrPassword, "the User Name of CONNECT is not that of SCRAM")
    if (identity !== undefined && identity.user !== user)
      return this.#refuse(ReasonCode.NotAuthorized, "the client may not become another user")
    const decoy = this.#users.decoy(user) // also where it is not needed: it takes time
    const keys = this.#users.keysOf(user)
    const { salt, iterations } = keys ?? decoy
    const nonce = first.nonce + this.#serverNonce
    const answer = serverFirst(nonce, salt, iterations)
    this.#begun = { user, first, answer, nonce, keys, decoy }
    return { goesOn: true, data: encodeText(answer) }
  }

  #finish(begun: Begun, last: ClientFinal, answer: (step: Step) => void): () => void {
    if (last.channelBinding !== channelBindingOf(begun.first.gs2Header))
      throw new ScramError("c= is not what the client-first-message began with")
    if (last.nonce !== begun.nonce) throw new ScramError("the nonce is not the one of this exchange")
    let told = false
    const tell = (step: Step) => {
      if (told) return
      told = true
      answer(step)
    }
    const judge = () => tell(this.#judge(begun, last))
    const refuse = (why: Undone) => tell(this.#refuse(...undone[why]))
    return () => this.#users.whenDue(begun.user, this.#attempt, judge, refuse)
  }

  #judge({ user, first, answer, keys, decoy }: Begun, last: ClientFinal): Step {
    const authMessage = `${first.bare},${answer},${last.withoutProof}`
    const { storedKey, serverKey } = keys ?? decoy
    const clientKey = xor(last.proof, signatureOf(storedKey, authMessage))
    const right = equal(sha256(clientKey), storedKey)
    if (!right || keys === undefined) {
      this.#users.failed(user, this.#attempt)
      const why = keys === undefined ? "unknown user name, or one without keys for SCRAM" : "wrong password"
      // Else the log has the User Name of CONNECT.
      const who = this.#attempt.username === undefined ? ` (user ${JSON.stringify(shorten(user))})` : ""
      return this.#refuse(ReasonCode.BadUserNameOrPassword, `${why}${who}`)
    }
    // A password that was taken away meanwhile is none.
    if (!sameScram(keys, this.#users.keysOf(user)))
      return this.#refuse(ReasonCode.BadUserNameOrPassword, "the password was changed meanwhile")
    const data = encodeText(serverFinal(signatureOf(serverKey, authMessage)))
    return { goesOn: false, decision: { identity: { user, source: "password" } }, data }
  }

  #refuse(reasonCode: number, why: string): Step {
    this.#over = true
    return { goesOn: false, decision: { reasonCode, why }, data: undefined }
  }
}

/** A name that is asked for. Throws SaslprepError, and ScramError for one that compatibility characters make too long. */
function prepare(name: string): string {
  const prepared = name.length > longestMessage ? name : saslprep(name, false)
  if (prepared.length > longestMessage) throw new ScramError(`a name has more than ${longestMessage} characters`)
  return prepared
}

function shapesOf(passwords: Passwords): readonly Shape[] {
  const shapes = new Map<string, Shape>()
  for (const { scram } of passwords.values()) {
    if (scram === undefined) continue
    const { iterations, salt } = scram
    const known = shapes.get(`${iterations} ${salt.length}`)
    if (known !== undefined) known.count++
    else shapes.set(`${iterations} ${salt.length}`, { iterations, saltLength: salt.length, count: 1 })
  }
  return [...shapes.values()].sort((a, b) => a.iterations - b.iterations || a.saltLength - b.saltLength)
}
