// From CONNECT to the decision who the client is (MQTT 5.0 sections 3.1.4, 4.12), and the same again for a client that
// authenticates anew (section 4.12.1). Who knows passwords and methods stands behind Access, and may take its time.

import { PacketError, protocolError } from "../packet/errors.ts"
import { type AuthPacket, type ConnectPacket, PacketType } from "../packet/packets.ts"
import { allowedReasonCodes, ReasonCode } from "../packet/reason-codes.ts"
import type { Decision, Identity, Step } from "../ports/access.ts"
import type { Hub } from "./hub.ts"
import type { Authenticating, Connected, RunningMethod } from "./phases.ts"
import type { Receiving } from "./receiver.ts"

/** What one step of an exchange costs, in the units of routing, and each so many bytes of what the client says. */
const stepCost = 200
const bytesPerUnit = 4

/** The connection of the client that says who it is. */
export interface Claimant extends Receiving {
  readonly closed: boolean
  /** It is still in this phase. */
  isIn(phase: { readonly name: string }): boolean
  enter(phase: Authenticating): void
  /** The client is who it says: CONNACK. Throws PacketError when it may not come in for another reason. */
  welcome(phase: Authenticating, identity: Identity, authenticationData: Uint8Array | undefined, now: number): void
  /** The client has authenticated anew: it is who it was, and may have other rights. */
  becomes(phase: Connected<this>, identity: Identity): void
  /** CONNECT is decided about, and counts for nothing more. */
  loginOver(): void
  /** Does the work of an answer that has come, at `before` or later, as that of a packet; then goes on with what has come. */
  goOn(before: number, work: (now: number) => void): void
  /** Ends the connection of a client that has not authenticated anew; `why` is for the log. */
  expel(now: number, reasonCode: number, why: string): void
}

export class Authentication<Client extends Claimant> {
  readonly #hub: Hub<Client>
  readonly #client: Client
  /** The User Name of CONNECT. */
  #username: string | undefined

  constructor(hub: Hub<Client>, client: Client) {
    this.#hub = hub
    this.#client = client
  }

  /** CONNECT of so many bytes. Throws PacketError when nobody can be asked about it. */
  begin(packet: ConnectPacket, clientId: string, bytes: number, now: number): void {
    const client = this.#client
    const { access, logins } = this.#hub
    this.#username = packet.username
    const { authenticationMethod, authenticationData } = packet
    const method =
      authenticationMethod === undefined ? undefined : this.#start(authenticationMethod, clientId, undefined)
    if (authenticationMethod !== undefined && method === undefined) {
      const what = "the client's Authentication Method is not one of this broker's"
      throw new PacketError(ReasonCode.BadAuthenticationMethod, "MQTT-4.12.0-1", what)
    }
    const phase: Authenticating = { name: "authenticating", packet, clientId, since: now, counted: 0, method }
    client.enter(phase)
    if (method === undefined) {
      const { username, password } = packet
      const attempt = { clientId, username, password, peer: client.peer, abandoned: () => client.closed }
      access.authenticate(attempt, (decision) => {
        if (client.isIn(phase)) client.goOn(now, (time) => this.#decided(phase, decision, undefined, time))
      })
    } else this.#ask(method, authenticationData, phase, now, (step, time) => this.#stepped(phase, step, time))
    if (!client.isIn(phase)) return
    if (!logins.take(bytes))
      throw new PacketError(ReasonCode.ServerBusy, "MQTT-3.1.4-2", "too many logins wait, for a CONNECT of this size")
    phase.counted = bytes
  }

  /** AUTH before CONNACK: it answers ours ([MQTT-4.12.0-3]). */
  answered(phase: Authenticating, packet: AuthPacket, now: number): void {
    const { method } = phase
    if (method === undefined) throw withoutMethod()
    checkMethod(packet, phase.packet.authenticationMethod, "MQTT-4.12.0-5")
    if (packet.reasonCode !== ReasonCode.ContinueAuthentication)
      throw protocolError("MQTT-4.12.0-3", "AUTH before CONNACK without Reason Code 0x18")
    this.#ask(method, packet.authenticationData, phase, now, (step, time) => this.#stepped(phase, step, time))
  }

  /** AUTH of a client that is connected: section 4.12.1. */
  again(phase: Connected<Client>, packet: AuthPacket, now: number): void {
    const name = phase.authenticationMethod
    if (name === undefined) throw withoutMethod()
    checkMethod(packet, name, "MQTT-4.12.1-1")
    if (packet.reasonCode === ReasonCode.Reauthenticate) {
      if (phase.reauthentication !== undefined)
        throw protocolError("4.12.1", "a re-authentication begins before the last one has ended")
      phase.reauthentication = this.#start(name, phase.session.clientId, phase.identity)
      // A reload may have ended the method.
      if (phase.reauthentication === undefined) {
        this.#client.expel(now, ReasonCode.NotAuthorized, "its Authentication Method is none of this broker's any more")
        return
      }
    } else if (packet.reasonCode !== ReasonCode.ContinueAuthentication)
      throw protocolError("3.15.2.1", "AUTH with Reason Code 0x00, which is the server's")
    const running = phase.reauthentication
    if (running === undefined || running.asked) throw protocolError("4.12.1", "AUTH goes on with what waits for none")
    this.#ask(running, packet.authenticationData, phase, now, (step, time) =>
      this.#steppedAgain(phase, name, step, time),
    )
  }

  #start(method: string, clientId: string, identity: Identity | undefined): RunningMethod | undefined {
    const { peer } = this.#client
    const attempt = { clientId, username: this.#username, peer, identity, abandoned: () => this.#client.closed }
    const exchange = this.#hub.access.exchange?.(method, attempt)
    return exchange && { exchange, asked: false }
  }

  /** Whoever answers may do it later: what is thrown then is this client's, too. */
  #ask(
    running: RunningMethod,
    data: Uint8Array | undefined,
    phase: Authenticating | Connected<Client>,
    before: number,
    answer: (step: Step, now: number) => void,
  ): void {
    running.asked = true
    this.#hub.cost(stepCost + Math.ceil((data?.length ?? 0) / bytesPerUnit))
    running.exchange.next(data, (step) => {
      if (!running.asked) return
      running.asked = false
      if (this.#client.isIn(phase)) this.#client.goOn(before, (now) => answer(step, now))
    })
  }

  #stepped(phase: Authenticating, step: Step, now: number): void {
    if (step.goesOn)
      this.#say(ReasonCode.ContinueAuthentication, phase.packet.authenticationMethod, step.data) // [MQTT-4.12.0-2]
    else this.#decided(phase, step.decision, step.data, now)
  }

  #decided(phase: Authenticating, decision: Decision, data: Uint8Array | undefined, now: number): void {
    this.#client.loginOver()
    // [MQTT-4.12.0-4] a login may be refused at any step
    if (!("identity" in decision)) throw new PacketError(decision.reasonCode, "MQTT-3.1.4-2", decision.why)
    this.#client.welcome(phase, decision.identity, data, now)
  }

  #steppedAgain(phase: Connected<Client>, method: string, step: Step, now: number): void {
    if (step.goesOn) {
      this.#say(ReasonCode.ContinueAuthentication, method, step.data)
      return
    }
    phase.reauthentication = undefined
    // [MQTT-4.12.1-2] one that fails ends the connection
    const { decision } = step
    const why = failure(phase.identity, decision)
    if (why !== undefined) this.#client.expel(now, why.reasonCode, `re-authentication: ${why.words}`)
    else {
      if ("identity" in decision) this.#client.becomes(phase, decision.identity)
      this.#say(ReasonCode.Success, method, step.data)
    }
  }

  #say(reasonCode: number, authenticationMethod: string | undefined, authenticationData: Uint8Array | undefined): void {
    this.#client.writer.packet({ type: "auth", reasonCode, authenticationMethod, authenticationData })
  }
}

/** Undefined: the client is still who it was. Its session is that user's, so it cannot become another. */
function failure(before: Identity, decision: Decision): { reasonCode: number; words: string } | undefined {
  if (!("identity" in decision)) {
    const { reasonCode, why } = decision
    const said = allowedReasonCodes.server.get(PacketType.Disconnect)?.has(reasonCode) === true
    return { reasonCode: said ? reasonCode : ReasonCode.NotAuthorized, words: why }
  }
  const { user, source } = decision.identity
  if (user === before.user && source === before.source) return undefined
  return { reasonCode: ReasonCode.NotAuthorized, words: "as another user" }
}

function checkMethod(packet: AuthPacket, method: string | undefined, statement: string): void {
  if (packet.authenticationMethod === undefined) throw protocolError("3.15.2.2.2", "AUTH without Authentication Method")
  if (packet.authenticationMethod !== method)
    throw protocolError(statement, "AUTH with another Authentication Method than CONNECT")
}

function withoutMethod(): PacketError {
  return protocolError("MQTT-4.12.0-7", "AUTH, and CONNECT had no Authentication Method")
}
