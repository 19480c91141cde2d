// The life of one network connection (MQTT 5.0 and 3.1.1, server side): its phases from the first byte to its end, who may
// call it and what ends it (keep-alive, take-over, DISCONNECT, a fault). Bytes and time come in by calls; output goes to a
// Sink. Its packets are handled by others: when (packet-turns.ts), and by whom (dispatch.ts).
// No call of the transport or the login throws: what throws inside is a `fault`, which ends this connection. So it is with
// what the broker calls at the end of a turn and once a second: see the broker's boundary.

import { PacketError, protocolError } from "../packet/errors.ts"
import type { Frame } from "../packet/framer.ts"
import { type DisconnectPacket, PacketType, type ProtocolVersion, type SubscribePacket } from "../packet/packets.ts"
import { ReasonCode, reasonName } from "../packet/reason-codes.ts"
import type { Identity } from "../ports/access.ts"
import type { PeerInfo, Sink } from "../ports/peer.ts"
import type { ToldLimits } from "../session/limits.ts"
import type { Session } from "../session/session.ts"
import { accept } from "./accept.ts"
import { Authentication } from "./authentication.ts"
import { chooseClientId, versionOf } from "./connect-rules.ts"
import { type Addressee, Dispatch } from "./dispatch.ts"
import type { Ending, Hub } from "./hub.ts"
import { Intake } from "./intake.ts"
import { Link } from "./link.ts"
import { flushEarly, Outflow } from "./outflow.ts"
import { PacketTurns, type Served } from "./packet-turns.ts"
import { goodbyeFor, refusalFor, type Told } from "./parting.ts"
import { type Authenticating, type Connected, closed, expectConnect, type Phase, patiencePerSecond } from "./phases.ts"
import { publishRefusal, shorten, tellRefusal } from "./refusals.ts"
import { Silence } from "./silence.ts"
import { Writer } from "./writer.ts"

/** What a CONNECT costs, in the units of routing. */
const connectCost = 60

/** Its session was another node's before it was told that it is let in. */
const notAnswered = new PacketError(ReasonCode.ServerUnavailable, "3.1.4", "another node has the session")

/** Milliseconds at most in which packets of a client that has gone have their turn: one that publishes faster than it may has many. */
const afterlife = 30_000

/** Bytes of a frame's head, and of the frame before it that ended in the same chunk. */
const frameOverhead = 65_536

export class Connection implements Addressee, Served {
  readonly peer: PeerInfo
  readonly openedAt: number
  /** What its CONNACK says of limits: a reload does not change it. */
  readonly told: ToldLimits
  readonly #host: Hub<Connection>
  readonly #sink: Sink
  readonly #intake: Intake<Connection>
  readonly #authentication: Authentication<Connection>
  readonly #dispatch: Dispatch<Connection>
  readonly #turns: PacketTurns<Connection>
  readonly writer: Writer
  readonly outflow: Outflow
  /** Which connection it is whose first bytes have come, in their order; 0: they have not. */
  #came = 0
  #phase: Phase<Connection> = expectConnect
  #version: ProtocolVersion = 4
  #clientId = ""
  /** The User Name of CONNECT, for the log. */
  #user: string | undefined
  readonly #silence: Silence
  /** The client has gone, and packets of it are still to be handled. */
  #gone: { readonly reason: string; readonly at: number } | undefined

  constructor(host: Hub<Connection>, peer: PeerInfo, sink: Sink, now: number) {
    this.#host = host
    this.peer = peer
    this.#sink = sink
    this.openedAt = now
    this.told = host.toldTo(peer)
    this.#silence = new Silence(now)
    this.#intake = new Intake(host, this, sink, this.#silence)
    this.#authentication = new Authentication<Connection>(host, this)
    this.#dispatch = new Dispatch<Connection>(host, this, this.#intake, this.#authentication)
    this.outflow = new Outflow(host, sink, {
      openedAt: now,
      dirty: () => host.dirty(this),
      leaves: () => host.leaves(),
      mayFlush: (bytes) => host.mayFlush(bytes),
      depends: () => this.#turns.depends,
    })
    this.writer = new Writer(host, this.outflow)
    this.#turns = new PacketTurns<Connection>(host, this, this.#intake, this.#silence)
  }

  get clientId(): string {
    return this.#clientId
  }

  get came(): number {
    return this.#came
  }

  /** Its packets have been cheap lately: it does not stand behind those whose packets are not. */
  get cheap(): boolean {
    return this.#turns.cheap
  }

  get closed(): boolean {
    return this.#phase.name === "closed"
  }

  get #connected(): Connected<Connection> | undefined {
    return this.#phase.name === "connected" ? this.#phase : undefined
  }

  get session(): Session | undefined {
    return this.#connected?.session
  }

  /** Who logged in; undefined before that. */
  get identity(): Identity | undefined {
    return this.#connected?.identity
  }

  /** Seconds, as agreed; 0: none, or not connected yet. */
  get keepAlive(): number {
    return (this.#connected?.patience ?? 0) / patiencePerSecond
  }

  get version(): ProtocolVersion {
    return this.#version
  }

  get phase(): Phase<Connection>["name"] {
    return this.#phase.name
  }

  // --- what the transport calls ---

  /** Bytes of the client; the transport may use their memory again afterwards. */
  receive(chunk: Uint8Array, now: number): void {
    if (this.#phase.name === "closed" || this.#gone !== undefined) return
    try {
      if (this.#came === 0) this.#came = this.#host.comes()
      this.#host.counters.bytesReceived += chunk.length
      this.#host.sampling.look(now)
      this.#intake.framer.push(chunk)
      this.#turns.process(now)
      this.#intake.framer.settle()
      this.#account(now)
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** So many bytes have come of a frame that is not whole yet. Before CONNECT that is as much as a CONNECT may have. */
  transportHolds(bytes: number, now: number): void {
    if (this.#phase.name === "closed") return
    try {
      this.#intake.transportHolds(bytes)
      this.#account(now)
      const { maximumConnectSize } = this.#host.limits
      if (this.#phase.name !== "expect connect" || bytes <= maximumConnectSize + frameOverhead) return
      const what = `a WebSocket frame of more than ${maximumConnectSize} bytes before CONNECT`
      this.fail(new PacketError(ReasonCode.PacketTooLarge, "3.1.4", what), now)
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** The transport can take more bytes. */
  drained(now: number): void {
    try {
      if (this.#phase.name === "closed") {
        this.outflow.drained()
        return
      }
      this.#silence.took(now)
      this.outflow.drained()
      this.sendOn(now)
      if (this.#phase.name === "connected" && !this.outflow.congested) this.#host.resumeSoon(this)
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** Hands what it has written to the transport, at the end of a turn. What was full until now goes on. */
  flush(now: number): void {
    const much = this.outflow.waiting >= flushEarly || this.outflow.congested
    this.outflow.flush()
    if (!much || this.outflow.blocked || this.#phase.name !== "connected") return
    this.#silence.took(now)
    this.#host.pumpSoon(this)
    if (!this.outflow.congested) this.#host.resumeSoon(this)
  }

  /**
   * The transport is gone, by itself or because we ended it. Packets that came before and have not had their turn are the
   * client's all the same, a DISCONNECT among them ([MQTT-3.14.4-3]): then it ends when they have.
   * @param failed the client has broken the transport's rules: what waits is not heard any more
   */
  transportClosed(now: number, reason: string, failed = false): void {
    try {
      if (this.#gone !== undefined && !failed) return
      if (!failed && this.#hasMore) {
        this.#gone = { reason, at: now }
        this.session?.leave()
        this.#host.resumeSoon(this)
      } else if (failed || !this.#takesLeave(now)) this.#finish(now, { publishWill: true }, "network", reason)
      this.outflow.drop()
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** There are bytes of the client that have come and were not looked at: it is not read from. */
  get #hasMore(): boolean {
    if (this.#phase.name === "closed") return false
    return this.#intake.framer.unread > 0
  }

  /** The client had gone before its last packets had their turn, which they will not have any more. */
  finishGone(now: number): void {
    if (!this.#takesLeave(now)) this.#finish(now, { publishWill: true }, "network", this.#gone?.reason ?? "")
  }

  /**
   * Looks behind packets that have no turn any more, whether its transport has ended or not, as one that is not read from does
   * not always say so: with a DISCONNECT there the client has ended the connection by itself, and has said what becomes of its
   * will and of its session ([MQTT-3.14.4-3]).
   */
  #takesLeave(now: number): boolean {
    const phase = this.#connected
    if (phase === undefined) return false
    const { framer } = this.#intake
    try {
      while (framer.next()) {
        this.#host.cost(1) // many may be given up in one turn, with tens of thousands of packets each
        if (framer.header >> 4 !== PacketType.Disconnect) continue
        const packet = this.#dispatch.read(PacketType.Disconnect)
        if (packet.type === "disconnect") this.disconnected(phase, packet, now)
        return this.closed
      }
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      // It has broken the protocol: then it has not taken its leave.
    }
    return false
  }

  /** Called about once a second: connect timeout and keep-alive. */
  tick(now: number): void {
    const { limits } = this.#host
    if (this.#phase.name === "expect connect") {
      if (now - this.openedAt >= limits.connectTimeout) this.#refuseSilently(now, "no complete CONNECT in time")
      return
    }
    if (this.#phase.name === "authenticating") {
      if (now - this.#phase.since < limits.loginTimeout) return
      const late = this.#answers
        ? "the client has not gone on with its login in time"
        : "the login was not checked in time"
      this.#unchecked(now, late)
      return
    }
    if (this.#phase.name === "closed") return
    if (this.#gone !== undefined) {
      if (now - this.#gone.at >= afterlife) this.finishGone(now)
      return
    }
    const { expiresAt } = this.#phase.identity
    if (expiresAt !== undefined && now >= expiresAt) {
      this.disconnect(now, ReasonCode.NotAuthorized, "its login has expired")
      return
    }
    this.session?.retryRetained()
    if (this.#intake.haveToComeAgain(now)) {
      this.disconnect(now, ReasonCode.QuotaExceeded, "messages that could not be kept have to come again")
      return
    }
    if (this.#intake.hearOn(now)) this.#host.resumeSoon(this)
    if (this.#intake.waits) {
      this.endPause(now)
      return
    }
    if (this.#intake.deaf || this.#turns.behind) return
    // It waits for its CONNACK, or is not read, as the store is late: not the client's silence.
    if (this.outflow.holdsConnack || (this.outflow.congested && this.outflow.waits)) this.#silence.heard(now)
    // [MQTT-3.1.2-22] one and a half times the Keep Alive
    const { patience } = this.#phase
    if (patience > 0 && this.#silence.milliseconds(now, this.outflow.congested) >= patience) {
      this.disconnect(now, ReasonCode.KeepAliveTimeout, "keep alive timeout")
    }
  }

  // --- what the broker calls ---

  /** A new connection with the same Client Identifier was accepted ([MQTT-3.1.4-3]). */
  takenOver(now: number, cleanStart: boolean): void {
    try {
      if (this.#takesLeave(now)) return
      this.outflow.forgetHeld()
      this.#goodbye(ReasonCode.SessionTakenOver)
      this.#finish(now, { publishWill: true, takenOverBy: { cleanStart } }, "broker", "session taken over")
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** In a cluster: its session is another node's. Nothing leaves any more that waits for its Changes, which are not kept. */
  lost(now: number): void {
    try {
      this.outflow.forgetLate()
      this.#goodbye(ReasonCode.SessionTakenOver)
      this.#finish(now, { publishWill: false }, "broker", "session taken over by another node", "session taken over")
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** Ends the connection from our side; an MQTT 5.0 client is told why. */
  disconnect(now: number, reasonCode: number, reason: string): void {
    try {
      if (this.#takesLeave(now)) return
      this.#disconnect(now, reasonCode, reason)
    } catch (error) {
      this.fault(error, now)
    }
  }

  #disconnect(now: number, reasonCode: number, reason: string): void {
    if (this.#phase.name === "authenticating") {
      this.#unchecked(now, reason)
      return
    }
    if (this.#phase.name !== "connected") {
      this.#refuseSilently(now, reason, reasonName(reasonCode))
      return
    }
    this.#goodbye(reasonCode, reason)
    this.#finish(now, { publishWill: true }, "broker", reason, reasonName(reasonCode))
  }

  /**
   * Something in here threw that is no fault of the client's: the client is told so (0x83, or 0x80 in CONNACK; MQTT
   * 3.1.1: 3 in CONNACK), and the connection ends as if the network had failed: with its will, its session kept.
   */
  fault(error: unknown, now: number): void {
    const { faults } = this.#host
    const context = { peer: this.peer.address, clientId: this.#clientId }
    faults.report(error, context)
    this.outflow.dropUnfinished()
    const told = faults.attempt(() => {
      if (this.#phase.name === "connected") {
        this.#disconnect(now, ReasonCode.ImplementationSpecificError, "internal error")
      } else this.fail(new PacketError(ReasonCode.UnspecifiedError, "4.13", "internal error"), now)
    }, context)
    if (told) return
    faults.attempt(() => this.#close(now, { publishWill: true }), context)
    faults.attempt(() => this.#sink.destroy(), context)
  }

  /** The transport has given up by a fault of its own, which it has told: nothing can be sent any more. Never throws. */
  abandon(): void {
    const { faults } = this.#host
    let now = this.#silence.heardAt
    faults.attempt(() => {
      now = this.#host.now()
    })
    faults.attempt(() => this.#finish(now, { publishWill: true }, "broker", "internal error"))
    faults.attempt(() => this.#close(now, { publishWill: true }))
  }

  /** The rules of access are others now: also about the will, which is given up when they forbid it. */
  rulesChanged(): void {
    const phase = this.#connected
    if (phase === undefined) return
    const { identity, receiver, session, will } = phase
    receiver.rulesChanged()
    if (will === undefined) return
    const refusal = publishRefusal(this.#host.access, identity, this.#clientId, will.topic)
    if (refusal === undefined) return
    phase.will = undefined
    this.#host.willGivenUp(session)
    tellRefusal(this.#host, this, identity, "will", will.topic, refusal)
  }

  /** Limits are others now; what it was told of them stays. */
  limitsChanged(now: number): void {
    if (this.#phase.name !== "connected") return
    this.#intake.limitsChanged(now)
    this.#host.pumpSoon(this) // more may be under way at once, say
  }

  /** Stop reading until that session keeps up again. */
  waitFor(session: Session, now: number): void {
    if (this.#phase.name === "connected") this.#intake.waitFor(session, now)
  }

  /** Goes on if the subscriber has held this publisher as long as it may. */
  endPause(now: number): void {
    this.#intake.endPause(now)
  }

  /** Sends what waits for it, one turn's share. */
  sendOn(now: number): void {
    this.#turns.sendOn(now)
  }

  /** Reads on where a pause stopped. */
  resume(now: number): void {
    if (this.#phase.name === "closed") return
    this.#intake.resume(now)
    this.#turns.again(now)
    this.#turns.process(now)
    this.#account(now)
  }

  #account(now: number): void {
    if (this.#phase.name === "closed") this.#intake.drop(now)
    else this.#intake.account(now)
  }

  /** Milliseconds that it is not read from yet, as it has published faster than it may; at 0 it is read on. */
  rationed(now: number): number {
    return this.#intake.rationed(now)
  }

  // --- packets ---

  /** The client may say something, in this phase. */
  get hears(): boolean {
    return this.#phase.name !== "closed" && (this.#phase.name !== "authenticating" || this.#answers)
  }

  get gone(): boolean {
    return this.#gone !== undefined
  }

  /** It is the client that has to go on with its login. */
  get #answers(): boolean {
    return this.#phase.name === "authenticating" && this.#phase.method?.asked === false
  }

  publish(frame: Frame, now: number): boolean {
    return this.#connected?.receiver.publish(frame, now) ?? true
  }

  handle(now: number): void {
    this.#dispatch.packet(this.#phase, now)
  }

  /** In a cluster it waits until the servers know what is subscribed to, and the packets behind it wait with it. */
  subscribe(phase: Connected<Connection>, packet: SubscribePacket, now: number): void {
    const standing = this.#host.wants(
      packet.subscriptions.map(({ filter }) => filter),
      phase.session,
    )
    if (standing === undefined) {
      phase.receiver.subscribe(packet)
      return
    }
    this.#intake.waitsForCluster = true
    standing.onAnswer((answer) => {
      if (!this.isIn(phase)) return
      this.goOn(now, () => {
        this.#intake.waitsForCluster = false
        phase.receiver.subscribe(packet, answer)
      })
    })
  }

  // --- logging in ---

  connect(now: number): void {
    const { bytes, start, bodyStart, end } = this.#intake.framer
    this.#host.counters.connectsReceived++
    this.#readVersion()
    const packet = this.#host.codec.readConnect(bytes, start, bodyStart, end)
    if (packet.maximumPacketSize !== undefined) this.writer.maximumPacketSize = packet.maximumPacketSize
    const clientId = chooseClientId(packet, this.#host)
    this.#clientId = clientId
    this.#user = packet.username === undefined ? undefined : shorten(packet.username)
    if (this.#host.redirect?.when === "always")
      throw new PacketError(ReasonCode.UseAnotherServer, "4.11", "this broker sends its clients to another server")
    if (packet.will !== undefined) this.#host.topics.of(packet.will.topic)
    this.#authentication.begin(packet, clientId, end - start, now)
  }

  #readVersion(): void {
    const { bytes, bodyStart, end } = this.#intake.framer
    this.#version = versionOf(bytes, bodyStart, end)
    this.writer.version = this.#version
  }

  isIn(phase: { readonly name: string }): boolean {
    return this.#phase === phase
  }

  enter(phase: Authenticating): void {
    this.#phase = phase
    // A method asks for AUTH.
    this.#intake.framer.connectOnly = phase.method === undefined
  }

  goOn(before: number, work: (now: number) => void): void {
    try {
      const now = Math.max(before, this.#host.now())
      // It may come within the packet that asked, or later.
      this.#turns.within(now, () => work(now))
      this.#turns.process(now)
      // What has come behind a CONNECT that waited is not held any more.
      if (!this.#turns.processing) this.#account(now)
    } catch (error) {
      this.fault(error, before)
    }
  }

  loginGivenUp(now: number): void {
    this.#refuseSilently(now, "the client has given up its login")
  }

  loginOver(): void {
    if (this.#phase.name !== "authenticating") return
    this.#host.logins.give(this.#phase.counted)
    this.#phase.counted = 0
  }

  expel(now: number, reasonCode: number, why: string): void {
    this.#goodbye(reasonCode)
    this.#finish(now, { publishWill: true }, "broker", why, reasonName(reasonCode))
  }

  becomes(phase: Connected<Connection>, identity: Identity): void {
    phase.identity = identity
    phase.receiver.becomes(identity)
    this.#host.loggedIn(phase.session, identity)
    this.rulesChanged() // about its will
  }

  welcome(phase: Authenticating, identity: Identity, data: Uint8Array | undefined, now: number): void {
    const host = this.#host
    const { packet, clientId } = phase
    this.#silence.heard(now) // the Keep Alive begins when the client has its answer
    const again = () => {
      if (this.isIn(phase)) this.goOn(now, (time) => this.welcome(phase, identity, data, time))
    }
    const accepted = accept<Connection>(host, this, phase, identity, data, now, again)
    if (accepted === "later") return
    this.loginOver() // it may have waited behind its login, and counted
    const { connected, connack, sessionPresent, keepAlive } = accepted
    const { session } = connected
    this.#phase = connected
    this.#intake.begin(session, packet.mqtt31, this.told, now)
    // [MQTT-3.1.4-5], [MQTT-3.2.0-1] CONNACK comes before anything else
    this.writer.packet(connack)
    host.counters.connectsAccepted++
    host.events({
      event: "client connected",
      peer: this.peer,
      clientId,
      user: identity.user,
      mqtt: packet.protocolVersion === 5 ? "5.0" : packet.mqtt31 ? "3.1" : "3.1.1",
      cleanStart: packet.cleanStart,
      sessionPresent,
      keepAlive,
    })
    host.cost(connectCost)
    session.attach(new Link<Connection>(host, this, packet.receiveMaximum), now)
    if (this.#gone !== undefined) session.leave()
  }

  // --- the end ---

  disconnected({ session, sessionExpiryInterval }: Connected<Connection>, packet: DisconnectPacket, now: number): void {
    const expiry = packet.sessionExpiryInterval
    if (expiry !== undefined) {
      // Section 3.14.2.2.2: a session that was to end with its connection cannot be kept by DISCONNECT
      if (sessionExpiryInterval === 0 && expiry !== 0) {
        throw protocolError("3.14.2.2.2", "DISCONNECT sets a Session Expiry Interval that CONNECT had as 0")
      }
      session.expiryInterval = Math.min(expiry, this.told.maximumSessionExpiryInterval)
    }
    // [MQTT-3.14.4-3] Reason Code 0x00 discards the Will Message
    const publishWill = packet.reasonCode !== ReasonCode.Success
    this.#finish(now, { publishWill }, "client", packet.reasonCode === 0 ? "normal" : reasonName(packet.reasonCode))
  }

  /** A CONNECT whose login nobody has decided about: the client may try again. */
  #unchecked(now: number, reason: string): void {
    this.fail(new PacketError(ReasonCode.ServerUnavailable, "MQTT-3.1.4-1", reason), now)
  }

  fail(error: PacketError, now: number): void {
    if (this.#phase.name === "connected") {
      this.#disconnect(now, error.reasonCode, error.message)
      return
    }
    if (this.#phase.name === "closed") return
    if (this.#phase.name === "expect connect") this.#readVersion()
    const answer = refusalFor(error, this.#told, this.#phase.name)
    if (answer !== undefined && this.#intake.framer.bodyStart > 0) this.writer.packet(answer)
    this.#host.counters.connectsRefused++
    this.#refuseSilently(now, error.message, reasonName(error.reasonCode))
  }

  /** `label` is the same for all errors of a kind and is what is counted; `reason` is for the log. */
  #refuseSilently(now: number, reason: string, label: string = reason): void {
    if (this.closed) return
    const user = this.#user ?? this.peer.certificateIdentity
    this.#host.events({ event: "client refused", peer: this.peer, clientId: this.#clientId, user, reason })
    this.#host.counters.disconnected(label)
    this.#close(now, { publishWill: false })
  }

  #goodbye(reasonCode: number, reason?: string): void {
    const packet = this.outflow.forgotConnack
      ? refusalFor(notAnswered, this.#told, "authenticating")
      : goodbyeFor(reasonCode, reason, this.#told, this.#phase)
    if (packet !== undefined) this.writer.packet(packet)
  }

  get #told(): Told {
    return { version: this.#version, redirect: this.#host.redirect }
  }

  #finish(
    now: number,
    ending: Ending,
    by: "client" | "network" | "broker",
    reason: string,
    label: string = reason,
  ): void {
    if (this.closed) return
    if (this.#connected === undefined) {
      this.#refuseSilently(now, reason, label)
      return
    }
    this.#host.events({ event: "client disconnected", peer: this.peer, clientId: this.#clientId, by, reason })
    if (by !== "client" || reason !== "normal") this.#host.counters.disconnected(label)
    this.#close(now, ending)
  }

  #close(now: number, ending: Ending): void {
    if (this.closed) return
    const host = this.#host
    const phase = this.#connected
    // Each step happens whatever becomes of the others: nothing of a connection that has ended may stay behind.
    const step = (work: () => void) => host.faults.attempt(work, { peer: this.peer.address, clientId: this.#clientId })
    step(() => this.#intake.stop(now))
    this.loginOver()
    this.#phase = closed
    host.counters.connectionsClosed++
    // The writer of one that has gone has nothing more to end.
    if (!step(() => this.outflow.close()) || this.#gone !== undefined) step(() => this.#sink.destroy())
    step(() => this.#intake.drop(now))
    step(() => host.closed(this))
    if (phase === undefined) return
    const { session, will } = phase
    step(() => session.detach())
    step(() => host.ended(this, session, will, ending, now))
  }
}
