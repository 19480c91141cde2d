// The handshake as a coroutine without I/O: a generator that stands still where a message of the peer or a decision of the
// application is due, and is driven by the connection. What it yields is what it waits for.

import { codePointName, HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { InvalidMessage, Misuse, PeerMisbehaved } from "../bytes/errors.ts"
import { isThenable, Pause } from "../bytes/pause.ts"
import type { HandshakeMessage } from "../codec/message.ts"
import type { AcceptedIn, Role, StateName } from "./transitions.ts"

/** Decisions that the application may take its time for. */
export type DecisionName =
  | "StartKeyExchange"
  | "RespondToKeyShare"
  | "RespondAndSign"
  | "CompleteKeyExchange"
  | "SelectCertificate"
  | "Sign"
  | "VerifySignature"
  | "VerifyPeer"
  | "OpenTicket"
  | "LookUpPsk"
  | "TakeEarlyData"

/** The next message of the peer is due. */
export interface Awaited {
  readonly state: StateName
  readonly accepts: readonly HandshakeTypeName[]
}

/** The application is to decide. */
export interface Undecided {
  readonly decision: DecisionName
  readonly pause: Pause<unknown>
  /** Erases an answer that comes when nobody waits for it any more. */
  readonly discard: ((late: unknown) => void) | undefined
}

/** A part of a handshake that may wait, for messages or for decisions, and gives a value in the end. */
export type Steps<Value> = Generator<Awaited | Undecided, Value, unknown>

/** A part that may wait for decisions only. */
export type Decides<Value> = Generator<Undecided, Value, unknown>

/** Waits for the next message, which the role accepts in this state. */
export function* receive<R extends Role, S extends StateName>(
  _role: R,
  state: S,
  ...accepts: readonly AcceptedIn<R, S>[]
): Generator<Awaited, HandshakeMessage, unknown> {
  // Whoever drives the handshake has looked at its type: see `expectMessage`.
  return (yield { state, accepts }) as HandshakeMessage
}

/**
 * The answer: at once when it is there, else when the application gives it; null is the same as undefined. What it could not be
 * given for is thrown.
 * @param discard for an answer that is secret: what erases it when it comes after the end
 * @throws Misuse for a promise, which is no answer
 */
export function* decide<Answer>(
  decision: DecisionName,
  answer: Answer | Pause<Answer>,
  discard?: (late: Answer) => void,
): Decides<Answer> {
  const given =
    answer instanceof Pause
      ? ((yield { decision, pause: answer, discard: discard as Undecided["discard"] }) as Answer)
      : answer
  if (isThenable(given)) throw new Misuse(`${decision} was answered with a promise; return new Pause(promise)`)
  // null is how databases and JSON say that there is nothing, and must not count as something.
  return given === null ? (undefined as Answer) : given
}

/**
 * Bytes of the bodies that have a greatest length, by the bounds of their vectors (appendix B.3): a peer that announces more is
 * not waited for. A Certificate has none but 2^24-1.
 */
const longestBody: ReadonlyMap<number, number> = /* @__PURE__ */ new Map([
  [HandshakeType.client_hello, 131_396],
  [HandshakeType.server_hello, 65_607],
  [HandshakeType.encrypted_extensions, 65_537],
  [HandshakeType.certificate_request, 65_793],
  [HandshakeType.certificate_verify, 65_539],
  [HandshakeType.new_session_ticket, 131_338],
  [HandshakeType.key_update, 1],
  [HandshakeType.end_of_early_data, 0],
  [HandshakeType.finished, 64],
])

/**
 * Judges a message by its header, before the rest of it has come: nobody fills our memory with what will be refused.
 * @throws PeerMisbehaved unexpected_message, InvalidMessage
 */
export function expectHeader(
  awaited: Awaited,
  { type, length }: { readonly type: number; readonly length: number },
): void {
  expectMessage(awaited, type)
  if (length > (longestBody.get(type) ?? Number.POSITIVE_INFINITY)) {
    throw new InvalidMessage(`${codePointName(HandshakeType, type)} announces ${length} bytes`)
  }
}

/** A message that the state does not accept is an `unexpected_message` that says what was due. */
export function expectMessage({ state, accepts }: Awaited, type: number): void {
  if (accepts.some((name) => HandshakeType[name] === type)) return
  const received = codePointName(HandshakeType, type)
  const allowed = accepts.length === 0 ? "no handshake message" : accepts.join(" or ")
  throw new PeerMisbehaved("unexpected_message", `peer sent ${received} in state ${state}, where ${allowed} is allowed`)
}
