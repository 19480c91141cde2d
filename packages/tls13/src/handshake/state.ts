// The shape of the state machines of RFC 9846 appendix A.

import { codePointName, HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { InvalidMessage, PeerMisbehaved } from "../bytes/errors.ts"
import { Pause } from "../bytes/pause.ts"
import type { HandshakeMessage } from "../codec/message.ts"

/** One state: it takes the messages it accepts and gives the next state. */
export interface State {
  /** The RFC's name in appendix A, such as `WAIT_SH`. */
  readonly name: StateName
  readonly accepts: readonly HandshakeTypeName[]
  receive(message: HandshakeMessage): Transition
}

export type StateName =
  | "START"
  | "WAIT_SH"
  | "WAIT_EE"
  | "WAIT_CERT_CR"
  | "WAIT_CERT"
  | "WAIT_CV"
  | "WAIT_FINISHED"
  | "WAIT_EOED"
  | "CONNECTED"

export type Transition = State | Waiting

/** Decisions that the application may take its time for. */
export type DecisionName = "SelectCertificate" | "Sign" | "VerifyPeer" | "OpenTicket" | "LookUpPsk" | "TakeEarlyData"

/** The machine stands still until the application has decided. */
export class Waiting {
  readonly decision: DecisionName
  readonly pause: Pause<unknown>
  /** Goes on with the application's answer. */
  readonly resume: (answer: unknown) => Transition

  constructor(decision: DecisionName, pause: Pause<unknown>, resume: (answer: unknown) => Transition) {
    this.decision = decision
    this.pause = pause
    this.resume = resume
  }
}

/** Goes on at once with an answer that is there, or later with one that is not. */
export function decide<Answer>(
  decision: DecisionName,
  answer: Answer | Pause<Answer>,
  then: (answer: Answer) => Transition,
): Transition {
  if (!(answer instanceof Pause)) return then(answer)
  return new Waiting(decision, answer, (given) => then(given as Answer))
}

/** Hands a message to a state; a message that the state does not accept is an `unexpected_message` that says what was due. */
export function step(state: State, message: HandshakeMessage): Transition {
  expectMessage(state, message.type)
  return state.receive(message)
}

/** Bytes of the bodies that have a greatest length: a peer that announces more is not waited for. */
const longestBody: ReadonlyMap<number, number> = /* @__PURE__ */ new Map([
  [HandshakeType.key_update, 1],
  [HandshakeType.end_of_early_data, 0],
  [HandshakeType.finished, 64],
])

/**
 * Judges a message by its header, before the rest of it has come: nobody fills our memory with what will be refused.
 * @throws PeerMisbehaved unexpected_message, InvalidMessage
 */
export function expectHeader(state: State, { type, length }: { readonly type: number; readonly length: number }): void {
  expectMessage(state, type)
  if (length > (longestBody.get(type) ?? Number.POSITIVE_INFINITY)) {
    throw new InvalidMessage(`${codePointName(HandshakeType, type)} announces ${length} bytes`)
  }
}

function expectMessage(state: State, type: number): void {
  if (!state.accepts.some((name) => HandshakeType[name] === type)) {
    const received = codePointName(HandshakeType, type)
    const allowed = state.accepts.length === 0 ? "no handshake message" : state.accepts.join(" or ")
    throw new PeerMisbehaved(
      "unexpected_message",
      `peer sent ${received} in state ${state.name}, where ${allowed} is allowed`,
    )
  }
}
