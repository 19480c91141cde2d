// The protocol machine of one network connection (MQTT 5.0 and 3.1.1, server side): CONNECT rules, keep-alive, the
// receiving side of QoS 1 and 2, aliases, and what is written. Bytes and time come in by calls; output goes to a Sink.
// No call of the transport or the login throws: what throws inside is a `fault`, which ends this connection. So it is with
// what the broker calls at the end of a turn and once a second: see the broker's boundary.

import type { Decision, Identity } from "../access/access.ts"
import { readClientPacket, readConnect } from "../packet/codec.ts"
import { PacketError, protocolError } from "../packet/errors.ts"
import { Framer } from "../packet/framer.ts"
import type { Message } from "../packet/message.ts"
import type { Will } from "../packet/packets.ts"
import {
  type ConnectPacket,
  type DisconnectPacket,
  PacketType,
  type ProtocolVersion,
  type Qos,
} from "../packet/packets.ts"
import { ReasonCode, reasonName, returnCodeOf } from "../packet/reason-codes.ts"
import type { PeerInfo, Sink } from "../transport/peer.ts"
import { chooseClientId, connackCode, versionOf } from "./connect-rules.ts"
import type { Ending, Host } from "./host.ts"
import { PauseBudget } from "./pause-budget.ts"
import { Receiver } from "./receiver.ts"
import { publishRefusal, shorten, tellRefusal } from "./refusals.ts"
import type { Session, SessionLink } from "./session.ts"
import { Writer } from "./writer.ts"

type Phase = "expect connect" | "authenticating" | "connected" | "closed"

/** What a cheap packet costs at most, in the units of routing. */
const cheapPacket = 100

/** What a CONNECT costs, in the units of routing. */
const connectCost = 20

/** Bytes of a frame's head, and of the frame before it that ended in the same chunk. */
const frameOverhead = 65_536

export class Connection implements SessionLink {
  readonly peer: PeerInfo
  readonly openedAt: number
  readonly #host: Host
  readonly #sink: Sink
  readonly #framer: Framer
  readonly writer: Writer
  #phase: Phase = "expect connect"
  #version: ProtocolVersion = 4
  #clientId = ""
  /** The User Name of CONNECT, for the log. */
  #user: string | undefined
  #session: Session | undefined
  #identity: Identity | undefined
  #will: Will | undefined
  /** Bytes that its CONNECT counts for while its login is decided. */
  #loginBytes = 0
  #sendQuota = 0
  #expiryOfConnect = 0
  #requestProblemInformation = true
  /** Milliseconds without a packet after which the client counts as gone; 0: never. */
  #patience = 0
  #lastReceived: number
  #receiver: Receiver | undefined
  /** The congested session this publisher waits for. */
  #waitsFor: Session | undefined
  #pausedAt = 0
  #pauseEnds = 0
  #pauses: PauseBudget | undefined
  #processing = false
  /** Bytes that the broker knows to be held for packets that have not come to their end. */
  #held = 0
  /** A packet has come to its end since then. */
  #ended = false
  #resting = false
  /** What its packets have cost lately, the last ones most; of a new one nobody knows. */
  #dearness = 20 * cheapPacket
  /** Bytes that the transport holds for a frame that has not come to its end. */
  #framed = 0
  #sinkPaused = false

  constructor(host: Host, peer: PeerInfo, sink: Sink, now: number) {
    this.#host = host
    this.peer = peer
    this.#sink = sink
    this.openedAt = now
    this.#lastReceived = now
    this.#framer = new Framer(host.limits.maximumConnectSize)
    this.writer = new Writer(host.limits, host.counters, sink, () => host.dirty(this), host.outbound)
  }

  get clientId(): string {
    return this.#clientId
  }

  /** Its packets have been cheap lately: it does not stand behind those whose packets are not. */
  get cheap(): boolean {
    return this.#dearness < cheapPacket
  }

  get session(): Session | undefined {
    return this.#session
  }

  /** Who logged in; undefined before that. */
  get identity(): Identity | undefined {
    return this.#identity
  }

  get version(): ProtocolVersion {
    return this.#version
  }

  get phase(): Phase {
    return this.#phase
  }

  // --- what the transport calls ---

  /** Bytes of the client; the transport may use their memory again afterwards. */
  receive(chunk: Uint8Array, now: number): void {
    if (this.#phase === "closed") return
    try {
      this.#host.counters.bytesReceived += chunk.length
      this.#framer.push(chunk)
      this.#process(now)
      this.#framer.settle()
      this.#account(now)
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** So many bytes have come of a frame that is not whole yet. Before CONNECT that is as much as a CONNECT may have. */
  transportHolds(bytes: number, now: number): void {
    if (this.#phase === "closed") return
    try {
      this.#framed = bytes
      this.#account(now)
      const { maximumConnectSize } = this.#host.limits
      if (this.#phase !== "expect connect" || bytes <= maximumConnectSize + frameOverhead) return
      const what = `a WebSocket frame of more than ${maximumConnectSize} bytes before CONNECT`
      this.#fail(new PacketError(ReasonCode.PacketTooLarge, "3.1.4", what), now)
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** The transport can take more bytes. */
  drained(now: number): void {
    if (this.#phase === "closed") return
    try {
      this.#lastReceived = now // it takes what we send, so it lives, even if we do not read from it meanwhile
      this.writer.drained()
      this.#session?.pump(now)
      this.#session?.wake(now)
      if (this.#phase === "connected" && !this.writer.congested) this.#host.resumeSoon(this)
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** The transport is gone, by itself or because we ended it. */
  transportClosed(now: number, reason: string): void {
    try {
      this.#finish(now, { publishWill: true }, "network", reason)
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** Called about once a second: connect timeout and keep-alive. */
  tick(now: number): void {
    const { limits } = this.#host
    if (this.#phase === "expect connect") {
      if (now - this.openedAt >= limits.connectTimeout) this.#refuseSilently(now, "no complete CONNECT in time")
      return
    }
    if (this.#phase === "authenticating") {
      if (now - this.#lastReceived >= limits.loginTimeout) this.#unchecked(now, "the login was not checked in time")
      return
    }
    if (this.#waitsFor !== undefined) {
      this.endPause(now)
      return
    }
    // [MQTT-3.1.2-22] one and a half times the Keep Alive
    if (this.#patience > 0 && now - this.#lastReceived >= this.#patience) {
      this.disconnect(now, ReasonCode.KeepAliveTimeout, "keep alive timeout")
    }
  }

  // --- what the broker calls ---

  /** A new connection with the same Client Identifier was accepted ([MQTT-3.1.4-3]). */
  takenOver(now: number, cleanStart: boolean): void {
    try {
      this.#goodbye(ReasonCode.SessionTakenOver)
      this.#finish(now, { publishWill: true, takenOverBy: { cleanStart } }, "broker", "session taken over")
    } catch (error) {
      this.fault(error, now)
    }
  }

  /** Ends the connection from our side; an MQTT 5.0 client is told why. */
  disconnect(now: number, reasonCode: number, reason: string): void {
    try {
      this.#disconnect(now, reasonCode, reason)
    } catch (error) {
      this.fault(error, now)
    }
  }

  #disconnect(now: number, reasonCode: number, reason: string): void {
    if (this.#phase === "authenticating") {
      this.#unchecked(now, reason)
      return
    }
    if (this.#phase !== "connected") {
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
    this.writer.dropUnfinished()
    const told = faults.attempt(() => {
      if (this.#phase === "connected") {
        this.#disconnect(now, ReasonCode.ImplementationSpecificError, "internal error")
      } else this.#fail(new PacketError(ReasonCode.UnspecifiedError, "4.13", "internal error"), now)
    }, context)
    if (told) return
    faults.attempt(() => this.#close(now, { publishWill: true }), context)
    faults.attempt(() => this.#sink.destroy(), context)
  }

  /** The transport has given up by a fault of its own, which it has told: nothing can be sent any more. Never throws. */
  abandon(): void {
    const { faults } = this.#host
    let now = this.#lastReceived
    faults.attempt(() => {
      now = this.#host.now()
    })
    faults.attempt(() => this.#finish(now, { publishWill: true }, "broker", "internal error"))
    faults.attempt(() => this.#close(now, { publishWill: true }))
  }

  /** The rules of access are others now: also about the will, which is given up when they forbid it. */
  rulesChanged(): void {
    this.#receiver?.rulesChanged()
    const will = this.#will
    if (will === undefined || this.#identity === undefined) return
    const refusal = publishRefusal(this.#host.access, this.#identity, this.#clientId, will.topic)
    if (refusal === undefined) return
    this.#will = undefined
    tellRefusal(this.#host, this, this.#identity, "will", will.topic, refusal)
  }

  /** Stop reading until that session keeps up again. */
  waitFor(session: Session, now: number): void {
    // Not for itself, and not for one that is paused too: its acknowledgements are what would end the wait.
    if (this.#phase !== "connected" || session === this.#session || session.paused) return
    if (now < session.slowUntil || this.#waitsFor !== undefined) return
    this.#pauses ??= new PauseBudget(this.#host.limits.maximumPublisherPause, now)
    const most = Math.floor(this.#pauses.left(now))
    if (most === 0) return
    this.#waitsFor = session
    this.#pausedAt = now
    this.#pauseEnds = now + most
    this.#host.hold(this, most)
    if (this.#session !== undefined) this.#session.paused = true
    session.waiters.add(this)
    this.#host.counters.publishersPaused++
    this.#pauseSink(true)
  }

  /** Goes on if the subscriber has held this publisher as long as it may: from now on its messages wait or are dropped. */
  endPause(now: number): void {
    if (this.#waitsFor === undefined || now < this.#pauseEnds) return
    this.#waitsFor.slowUntil = Number.POSITIVE_INFINITY
    this.#host.resumeSoon(this)
  }

  /** Called by the session waited for. */
  resumeSoon(): void {
    this.#host.resumeSoon(this)
  }

  /** Reads on where a pause stopped. */
  resume(now: number): void {
    if (this.#phase === "closed") return
    this.#resting = false
    this.#stopWaiting(now)
    this.#lastReceived = now
    this.#process(now)
    this.#account(now)
  }

  #account(now: number): void {
    // What waits for a turn of ours is not the client's slowness.
    const held =
      this.#phase === "closed" ? 0 : (this.#resting ? this.#framer.unfinished : this.#framer.held) + this.#framed
    // What is held now is of a packet that has just begun: it stands behind those that began before.
    if (this.#ended && this.#held > 0) this.#host.holds(this, 0, now)
    else if (held === this.#held) return
    this.#ended = false
    this.#held = held
    this.#host.holds(this, held, now)
  }

  #stopWaiting(now: number): void {
    if (this.#waitsFor === undefined) return
    this.#pauses?.use(now - this.#pausedAt, now)
    this.#waitsFor.waiters.delete(this)
    this.#waitsFor = undefined
    if (this.#session !== undefined) this.#session.paused = false
  }

  // --- SessionLink ---

  get sendQuota(): number {
    return this.#sendQuota
  }

  get writable(): boolean {
    return this.writer.writable
  }

  get congested(): boolean {
    return this.writer.congested
  }

  get roomy(): boolean {
    return this.writer.roomy
  }

  retainedSoon(): void {
    this.#host.retainedSoon(this)
  }

  publish(
    message: Message,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifiers: readonly number[],
    now: number,
  ): boolean {
    return this.writer.publish(message, qos, retain, dup, packetId, identifiers, now)
  }

  pubrel(packetId: number, reasonCode: number): void {
    this.writer.acknowledge(PacketType.Pubrel, packetId, reasonCode)
  }

  // --- packets ---

  get #reading(): boolean {
    return (
      this.#phase !== "closed" &&
      this.#phase !== "authenticating" &&
      this.#waitsFor === undefined &&
      !this.#resting &&
      !this.writer.congested
    )
  }

  #process(now: number): void {
    if (this.#processing) return
    const cheap = this.cheap
    if (this.#host.turnOver(cheap) && this.#reading) {
      this.#rest()
      this.#pauseSink(true)
      return
    }
    this.#processing = true
    const begin = this.#host.work
    try {
      const most = begin + this.#host.workEach
      let packets = this.#host.packetsEach
      while (this.#reading && this.#framer.next()) {
        this.#ended = true
        this.#lastReceived = now
        this.#host.counters.packetsReceived++
        const before = this.#host.work
        this.#packet(now)
        this.#dearness += (this.#host.work - before - this.#dearness) / 4
        if (this.#host.work > most || --packets === 0) this.#rest()
      }
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      this.#fail(error, now)
    } finally {
      this.#processing = false
      this.#host.spent(cheap, this.#host.work - begin)
    }
    if (this.#phase === "closed") return
    // Not reading: the client's own answers back up, a login is checked, or a subscriber is slow.
    this.#pauseSink(!this.#reading)
  }

  /** It has had its turn: the others first, then what is left of its packets. */
  #rest(): void {
    if (this.#phase === "closed") return
    this.#resting = true
    this.#host.resumeSoon(this)
  }

  #pauseSink(paused: boolean): void {
    if (paused === this.#sinkPaused) return
    this.#sinkPaused = paused
    if (paused) this.#sink.pause()
    else this.#sink.resume()
  }

  #packet(now: number): void {
    const framer = this.#framer
    const type = framer.header >> 4
    if (this.#phase === "expect connect") {
      this.#connect(now)
      return
    }
    switch (type) {
      case PacketType.Publish:
        this.#receiver!.publish(framer, now)
        return
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubrel:
      case PacketType.Pubcomp:
        this.#receiver!.acknowledgement(type, framer, now)
        return
      case PacketType.Pingreq:
        if (framer.end !== framer.bodyStart) throw protocolError("3.12", "PINGREQ with a body")
        this.writer.pingresp() // [MQTT-3.12.4-1]
        return
      case PacketType.Connect:
        // [MQTT-3.1.0-2] a second CONNECT is a Protocol Error
        throw protocolError("MQTT-3.1.0-2", "a second CONNECT")
      case PacketType.Subscribe:
      case PacketType.Unsubscribe:
      case PacketType.Disconnect:
      case PacketType.Auth: {
        const { bytes, start, bodyStart, end } = framer
        const { maximumFiltersPerPacket } = this.#host.limits
        const packet = readClientPacket(type, bytes, start, bodyStart, end, this.#version, maximumFiltersPerPacket)
        if (packet.type === "subscribe") this.#receiver!.subscribe(packet)
        else if (packet.type === "unsubscribe") this.#receiver!.unsubscribe(packet)
        else if (packet.type === "disconnect") this.#disconnected(packet, now)
        // [MQTT-4.12.0-7] no AUTH without Authentication Method, and we accept no method
        else throw protocolError("MQTT-4.12.0-7", "AUTH without Authentication Method")
        return
      }
      default:
        throw protocolError("2.1.2", `a client may not send packet type ${type}`)
    }
  }

  /** A CONNECT whose login nobody has decided about: the client may try again. */
  #unchecked(now: number, reason: string): void {
    this.#fail(new PacketError(ReasonCode.ServerUnavailable, "MQTT-3.1.4-1", reason), now)
  }

  #connect(now: number): void {
    const { bytes, start, bodyStart, end } = this.#framer
    this.#version = versionOf(bytes, bodyStart, end)
    this.writer.version = this.#version
    const packet = readConnect(bytes, start, bodyStart, end)
    // [MQTT-4.12.0-1] enhanced authentication is not offered
    if (packet.authenticationMethod !== undefined) {
      const what = "the client's Authentication Method is not supported; this broker has none"
      throw new PacketError(ReasonCode.BadAuthenticationMethod, "MQTT-4.12.0-1", what)
    }
    const clientId = chooseClientId(packet, this.#host)
    this.#clientId = clientId
    this.#user = packet.username === undefined ? undefined : shorten(packet.username)
    if (packet.will !== undefined) this.#host.topics.of(packet.will.topic)
    this.#phase = "authenticating"
    const attempt = {
      clientId,
      username: packet.username,
      password: packet.password,
      peer: this.peer,
      abandoned: () => this.#phase === "closed",
    }
    this.#host.access.authenticate(attempt, (decision) => this.#decided(packet, clientId, decision, now))
    if (this.#phase !== "authenticating") return
    if (!this.#host.logins.take(end - start)) {
      throw new PacketError(ReasonCode.ServerBusy, "MQTT-3.1.4-2", "too many logins wait, for a CONNECT of this size")
    }
    this.#loginBytes = end - start
  }

  #decided(packet: ConnectPacket, clientId: string, decision: Decision, before: number): void {
    try {
      this.#goOn(packet, clientId, decision, Math.max(before, this.#host.now()))
    } catch (error) {
      this.fault(error, before)
    }
  }

  #loginOver(): void {
    this.#host.logins.give(this.#loginBytes)
    this.#loginBytes = 0
  }

  #goOn(packet: ConnectPacket, clientId: string, decision: Decision, now: number): void {
    if (this.#phase !== "authenticating") return
    this.#loginOver()
    this.#lastReceived = now // the Keep Alive begins when the client has its answer
    try {
      if (!("identity" in decision)) throw new PacketError(decision.reasonCode, "MQTT-3.1.4-2", decision.why)
      this.#accept(packet, clientId, decision.identity, now)
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      this.#fail(error, now)
      return
    }
    this.#process(now)
  }

  #accept(packet: ConnectPacket, clientId: string, identity: Identity, now: number): void {
    const host = this.#host
    const { limits } = host
    const will = packet.will
    const refusal = will === undefined ? undefined : publishRefusal(host.access, identity, clientId, will.topic)
    if (will !== undefined && refusal !== undefined) {
      tellRefusal(host, this, identity, "will", will.topic, refusal)
      throw new PacketError(ReasonCode.NotAuthorized, "MQTT-3.1.4-2", "the client may not publish to its Will Topic")
    }
    this.#sendQuota = Math.min(packet.receiveMaximum, limits.maximumInflight)
    this.#requestProblemInformation = packet.requestProblemInformation
    this.#expiryOfConnect = packet.sessionExpiryInterval
    if (packet.maximumPacketSize !== undefined) this.writer.maximumPacketSize = packet.maximumPacketSize
    this.writer.useAliases(Math.min(packet.topicAliasMaximum, limits.outboundTopicAliases))
    const opened = host.open(this, packet, clientId, identity, now)
    if (opened === undefined) {
      throw new PacketError(
        ReasonCode.QuotaExceeded,
        "MQTT-3.1.4-2",
        "the broker has no room for another session, or for its will",
      )
    }
    const { session, sessionPresent } = opened
    const v5 = packet.protocolVersion === 5
    let keepAlive = packet.keepAlive
    let serverKeepAlive: number | undefined
    if (v5 && limits.maximumKeepAlive > 0 && (keepAlive === 0 || keepAlive > limits.maximumKeepAlive)) {
      keepAlive = limits.maximumKeepAlive
      serverKeepAlive = keepAlive // [MQTT-3.2.2-21]
    }
    this.#patience = keepAlive * 1500
    this.#session = session
    this.#identity = identity
    this.#receiver = new Receiver(host, this, session, identity)
    this.#will = will
    this.#phase = "connected"
    this.#framer.connectOnly = false
    this.#framer.maximumPacketSize = limits.maximumPacketSize
    const cut = session.expiryInterval !== packet.sessionExpiryInterval
    // [MQTT-3.1.4-5], [MQTT-3.2.0-1] CONNACK comes before anything else
    this.writer.packet({
      type: "connack",
      sessionPresent,
      reasonCode: ReasonCode.Success,
      sessionExpiryInterval: cut ? session.expiryInterval : undefined,
      receiveMaximum: limits.receiveMaximum,
      maximumPacketSize: limits.maximumPacketSize,
      assignedClientIdentifier: packet.clientId === "" ? clientId : undefined, // [MQTT-3.1.3-7], [MQTT-3.2.2-16]
      topicAliasMaximum: limits.topicAliasMaximum,
      serverKeepAlive,
      // [MQTT-3.1.2-28] only when the client asked
      responseInformation: packet.requestResponseInformation ? host.responseInformation(clientId) : undefined,
    })
    host.counters.connectsAccepted++
    host.events({
      event: "client connected",
      peer: this.peer,
      clientId,
      user: identity.user,
      mqtt: v5 ? "5.0" : "3.1.1",
      cleanStart: packet.cleanStart,
      sessionPresent,
      keepAlive,
    })
    const before = this.writer.size
    session.attach(this, now)
    host.cost(connectCost + ((this.writer.size - before) >> 7))
  }

  #disconnected(packet: DisconnectPacket, now: number): void {
    const session = this.#session!
    const expiry = packet.sessionExpiryInterval
    if (expiry !== undefined) {
      // Section 3.14.2.2.2: a session that was to end with its connection cannot be kept by DISCONNECT
      if (this.#expiryOfConnect === 0 && expiry !== 0) {
        throw protocolError("3.14.2.2.2", "DISCONNECT sets a Session Expiry Interval that CONNECT had as 0")
      }
      session.expiryInterval = Math.min(expiry, this.#host.limits.maximumSessionExpiryInterval)
    }
    // [MQTT-3.14.4-3] Reason Code 0x00 discards the Will Message
    const publishWill = packet.reasonCode !== ReasonCode.Success
    this.#finish(now, { publishWill }, "client", packet.reasonCode === 0 ? "normal" : reasonName(packet.reasonCode))
  }

  // --- the end ---

  #fail(error: PacketError, now: number): void {
    if (this.#phase === "connected") {
      this.#disconnect(now, error.reasonCode, error.message)
      return
    }
    if (this.#phase === "closed") return
    // [MQTT-3.1.4-1] a CONNECT that is wrong: CONNACK where the version has a word for it, then close
    const code = this.#version === 5 ? connackCode(error.reasonCode) : returnCodeOf(error.reasonCode)
    if (code !== undefined && this.#framer.bodyStart > 0) {
      const reasonString = this.#version === 5 && !this.#secretive(error) ? error.message : undefined
      // [MQTT-3.2.2-6] Session Present is 0
      this.writer.packet({ type: "connack", sessionPresent: false, reasonCode: code, reasonString })
    }
    this.#host.counters.connectsRefused++
    this.#refuseSilently(now, error.message, reasonName(error.reasonCode))
  }

  /** A client that failed to log in learns no more than the Reason Code. */
  #secretive(error: PacketError): boolean {
    return error.reasonCode === ReasonCode.BadUserNameOrPassword || error.reasonCode === ReasonCode.NotAuthorized
  }

  /** `label` is the same for all errors of a kind and is what is counted; `reason` is for the log. */
  #refuseSilently(now: number, reason: string, label: string = reason): void {
    if (this.#phase === "closed") return
    const user = this.#user ?? this.peer.certificateIdentity
    this.#host.events({ event: "client refused", peer: this.peer, clientId: this.#clientId, user, reason })
    this.#host.counters.disconnected(label)
    this.#close(now, { publishWill: false })
  }

  #goodbye(reasonCode: number, reason?: string): void {
    // MQTT 3.1.1 has no DISCONNECT from the server. [MQTT-3.14.0-1] never before CONNACK.
    if (this.#version !== 5 || this.#phase !== "connected") return
    // [MQTT-3.1.2-29] allows a Reason String on DISCONNECT in any case; a client that wants none gets none
    const more = reason !== reasonName(reasonCode) && this.#requestProblemInformation
    const reasonString = more ? reason : undefined
    this.writer.packet({ type: "disconnect", reasonCode, reasonString })
  }

  #finish(
    now: number,
    ending: Ending,
    by: "client" | "network" | "broker",
    reason: string,
    label: string = reason,
  ): void {
    if (this.#phase === "closed") return
    if (this.#phase !== "connected") {
      this.#refuseSilently(now, reason, label)
      return
    }
    this.#host.events({ event: "client disconnected", peer: this.peer, clientId: this.#clientId, by, reason })
    if (by !== "client" || reason !== "normal") this.#host.counters.disconnected(label)
    this.#close(now, ending)
  }

  #close(now: number, ending: Ending): void {
    if (this.#phase === "closed") return
    const host = this.#host
    const session = this.#session
    const will = this.#will
    // Each step happens whatever becomes of the others: nothing of a connection that has ended may stay behind.
    const step = (work: () => void) => host.faults.attempt(work, { peer: this.peer.address, clientId: this.#clientId })
    step(() => this.#stopWaiting(now))
    this.#loginOver()
    this.#phase = "closed"
    this.#session = undefined
    this.#will = undefined
    host.counters.connectionsClosed++
    if (!step(() => this.writer.close())) step(() => this.#sink.destroy())
    step(() => this.#account(now))
    step(() => host.closed(this))
    if (session === undefined) return
    step(() => session.detach())
    step(() => host.ended(this, session, will, ending, now))
  }
}
