// A bridge while it is connected: a client of the other broker and one of this broker, joined by two lanes. No I/O: bytes of the
// other broker and the time go in, bytes for it come out. It lasts as long as both connections do; whoever drives it makes another.
//
// The other broker is connected to first, as what it takes (CONNACK) is what this one may send: its Receive Maximum becomes that of the
// client here. Its Maximum Packet Size does not: this broker would drop what is larger, and nobody would know what that was; a lane
// does it ([MQTT-3.2.2-15]). While nobody is connected this broker keeps the session, and what waits in it.

import type { ByteLink } from "../embed/byte-link.ts"
import { MqttClient } from "../mqtt-client/client.ts"
import { MqttClientError } from "../mqtt-client/errors.ts"
import type { AcknowledgementCame, ClientEvent, MessageCame } from "../mqtt-client/events.ts"
import { largestPacket, type MqttClientOptions } from "../mqtt-client/options.ts"
import { PropertyId } from "../packet/properties.ts"
import { ReasonCode, reasonName } from "../packet/reason-codes.ts"
import { Lane, lasting, mostWaiting } from "./lane.ts"
import type { LaneMemory } from "./lane-memory.ts"
import { clientOfSession, subscribeTo } from "./local-session.ts"
import { type BridgeTopic, TopicMap } from "./topics.ts"

export type Direction = "out" | "in"

export interface SpliceOptions {
  readonly topics: readonly BridgeTopic[]
  /** The Client Identifier of the session that this broker keeps. */
  readonly localId: string
  /** The client of the other broker: who it is there. */
  readonly remote: Pick<MqttClientOptions, "clientId" | "version" | "keepAlive" | "username" | "password" | "will">
  /** Seconds that the other broker keeps its session; 4,294,967,295: for ever. MQTT 3.1.1 has no word for it. */
  readonly sessionExpiry: number
  /** Messages of QoS 1 and 2 that may be under way in each direction. */
  readonly maximumInflight: number
  /** Bytes of the largest packet that this broker takes. */
  readonly maximumPacketSize: number
  /** How often a message is offered that finds no room, or that the connection ends for, before it is dropped. */
  readonly attempts: number
  readonly memory: Readonly<Record<Direction, LaneMemory>>
  /** The name of this broker; see origin.ts. */
  readonly origin: string
  /** Opens the way to this broker, after whose changes `turn` is to be called. Undefined: it takes no more connections. */
  readonly openLocal: () => ByteLink | undefined
  /** Filters that the session has here of rules that are no more. */
  readonly staleFilters: (wanted: ReadonlySet<string>) => readonly string[]
  readonly onEvent: (event: SpliceEvent) => void
}

export type SpliceEvent =
  /** Both brokers have let the bridge in, and taken its subscriptions. */
  | { readonly event: "up"; readonly sessionPresent: boolean }
  /** A message was not handed on and will not be; the others are. `topic` is that at the broker that it comes from. */
  | { readonly event: "dropped"; readonly direction: Direction; readonly topic: string; readonly reason: string }
  /** Something was not subscribed to, and the rest is. */
  | { readonly event: "warning"; readonly text: string }
  /** What is kept on both sides goes on with another splice. */
  | { readonly event: "closed"; readonly reason: string }

/** Bytes that may wait for the other broker's transport before this broker is not asked for more. */
const enough = 65_536

/** Of DISCONNECT: what has nothing to do with a message. */
const ofNoMessage: ReadonlySet<number> = new Set([
  ReasonCode.Success,
  ReasonCode.ServerBusy,
  ReasonCode.ServerShuttingDown,
  ReasonCode.KeepAliveTimeout,
  ReasonCode.SessionTakenOver,
  ReasonCode.ReceiveMaximumExceeded,
  ReasonCode.MessageRateTooHigh,
  ReasonCode.AdministrativeAction,
  ReasonCode.UseAnotherServer,
  ReasonCode.ServerMoved,
  ReasonCode.ConnectionRateExceeded,
  ReasonCode.MaximumConnectTime,
])

export class Splice {
  readonly #options: SpliceOptions
  readonly #out: TopicMap
  readonly #in: TopicMap
  readonly #remote: MqttClient
  #local: MqttClient | undefined
  #link: ByteLink | undefined
  #outLane: Lane | undefined
  #inLane: Lane | undefined
  /** What the other broker said before this one had let us in. */
  #early: (MessageCame | AcknowledgementCame)[] = []
  #state: "connecting" | "joining" | "subscribing" | "up" | "closed" = "connecting"
  /** By Packet Identifier: what was asked for, and has no answer. */
  #asked: Readonly<Record<"local" | "remote", Map<number, readonly string[]>>> = { local: new Map(), remote: new Map() }
  #now = 0
  #pumping = false

  /** Throws PacketError for rules, MqttClientError for options that make no CONNECT. */
  constructor(options: SpliceOptions) {
    this.#options = options
    this.#out = new TopicMap(options.topics, "out")
    this.#in = new TopicMap(options.topics, "in")
    const { maximumInflight, maximumPacketSize, sessionExpiry, remote } = options
    this.#remote = new MqttClient(
      {
        ...remote,
        cleanStart: false,
        byHand: true,
        receiveMaximum: maximumInflight,
        // Of ours the other broker says how many; bytes that wait are bounded by what is read.
        maximumInFlight: 0xffff,
        maximumWaiting: Number.POSITIVE_INFINITY,
        // A broker of MQTT 3.1.1 cannot be told, and would send a message again and again that nobody reads to its end.
        maximumPacketSize: remote.version === 4 ? Math.max(maximumPacketSize, mostWaiting) : maximumPacketSize,
        properties: remote.version === 4 ? [] : [{ id: PropertyId.SessionExpiryInterval, value: sessionExpiry }],
      },
      (event) => this.#ofRemote(event),
    )
  }

  get state(): "connecting" | "joining" | "subscribing" | "up" | "closed" {
    return this.#state
  }

  /** Begins: there is a transport to the other broker. */
  start(now: number): void {
    this.#now = now
    this.#remote.connect(now)
  }

  /** False: bytes of the other broker are best left where they are for now. */
  get reads(): boolean {
    return this.#state !== "joining" && this.#link?.reads !== false
  }

  /** Takes what came from the other broker. Never throws. */
  receive(bytes: Uint8Array, now: number): void {
    this.#at(now, () => this.#remote.receive(bytes, now))
  }

  /** What is to be sent to the other broker. */
  take(now: number): Uint8Array {
    const bytes = this.#remote.take()
    this.turn(now)
    return bytes
  }

  /** Carries what this broker has; to be called when there is something in the way to it, and never from within a call of that. */
  turn(now: number): void {
    this.#at(now, () => undefined)
  }

  get waiting(): number {
    return this.#remote.waiting
  }

  get tickAt(): number {
    return Math.min(this.#remote.tickAt, this.#local?.tickAt ?? Number.POSITIVE_INFINITY)
  }

  tick(now: number): void {
    this.#at(now, () => {
      this.#remote.tick(now)
      this.#local?.tick(now)
    })
  }

  /** The transport has ended. @param by the other broker; undefined: the network, or this side of it */
  lost(reason: string, by?: "peer"): void {
    if (by === "peer") this.#outLane?.ended()
    this.#close(reason)
  }

  /** Takes its leave of both: `take` then gives what is to be sent before the transport is ended. */
  stop(now: number): void {
    this.#at(now, () => {
      this.#remote.disconnect()
      this.#close("the bridge was stopped")
    })
  }

  // --- inside ---

  #at(now: number, work: () => void): void {
    if (this.#state === "closed") return
    this.#now = now
    try {
      work()
      this.#pump()
    } catch (error) {
      if (!(error instanceof MqttClientError)) throw error
      this.#close(error.message)
    }
  }

  /** Carries bytes between the client here and this broker, as long as there are any. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (let more = true; more; ) {
        const [local, link] = [this.#local, this.#link]
        more = false
        if (local === undefined || link === undefined) return
        if (local.waiting > 0) {
          link.receive(local.take())
          more = true
        }
        if (link.waiting > 0 && this.#remote.waiting < enough) {
          local.receive(link.take(), this.#now)
          more = true
        } else if (link.state === "closed") local.lost()
      }
    } finally {
      this.#pumping = false
    }
  }

  #ofRemote(event: ClientEvent): void {
    switch (event.event) {
      case "connected":
        this.#join()
        return
      case "message":
        if (this.#inLane === undefined) this.#early.push(lasting(event))
        else this.#inLane.message(event)
        return
      case "acknowledgement":
        if (this.#outLane === undefined) this.#early.push(event)
        else this.#remoteSays(event)
        return
      case "subscribed":
        this.#subscribed("remote", event.packetId, event.reasonCodes)
        this.#outLane?.goOn()
        return
      case "closed":
        if (isForMessage(event.error)) this.#outLane?.ended()
        this.#close(event.error?.message ?? "the bridge was stopped")
    }
  }

  #remoteSays(event: AcknowledgementCame): void {
    if (event.type === "pubrel") this.#inLane?.released(event)
    else this.#answered(this.#outLane, event, "the other broker")
  }

  #ofLocal(event: ClientEvent): void {
    switch (event.event) {
      case "connected":
        this.#joined()
        return
      case "message":
        this.#outLane?.message(event)
        return
      case "acknowledgement":
        if (event.type === "pubrel") this.#outLane?.released(event)
        else this.#answered(this.#inLane, event, "this broker")
        return
      case "subscribed":
      case "unsubscribed":
        this.#subscribed("local", event.packetId, event.reasonCodes)
        this.#inLane?.goOn()
        return
      case "closed":
        if (isForMessage(event.error)) this.#inLane?.ended()
        this.#close(`this broker: ${event.error?.message ?? "closed"}`)
    }
  }

  #answered(lane: Lane | undefined, event: AcknowledgementCame, who: string): void {
    const { reasonCode, reasonString } = event
    if (lane?.answered(event) === "again")
      this.#close(`${who} does not take a message yet: ${reasonString ?? reasonName(reasonCode)}`)
    else lane?.goOn()
  }

  /** The other broker has let us in. */
  #join(): void {
    const { localId, maximumInflight, openLocal } = this.#options
    const { receiveMaximum = 0xffff } = this.#remote.connack
    this.#state = "joining"
    const link = openLocal()
    if (link === undefined) {
      this.#close("this broker takes no more connections")
      return
    }
    this.#link = link
    const local = clientOfSession(
      {
        localId,
        receiveMaximum: Math.min(maximumInflight, receiveMaximum),
        maximumPacketSize: largestPacket,
      },
      (event) => this.#ofLocal(event),
    )
    this.#local = local
    this.#outLane = this.#lane("out", local, this.#remote)
    local.connect(this.#now)
  }

  /** This broker has let us in. */
  #joined(): void {
    const [local, remote] = [this.#local!, this.#remote]
    const { memory, staleFilters } = this.#options
    const [here, there] = [local.connack.sessionPresent, remote.connack.sessionPresent]
    this.#inLane = this.#lane("in", remote, local)
    // A session that is new knows of no message; the other may know of some by the same identifiers.
    if (!there) memory.out.free = undefined
    else if (!here) memory.out.free = new Set()
    if (!here) memory.in.free = undefined
    else if (!there) memory.in.free = new Set()
    this.#outLane!.begin()
    this.#inLane.begin()
    this.#state = "subscribing"
    this.#asked = {
      local: new Map(subscribeTo(local, this.#out, staleFilters, remote.connack.maximumQos)),
      remote: new Map(subscribeTo(remote, this.#in, undefined, local.connack.maximumQos)),
    }
    const early = this.#early
    this.#early = []
    for (const event of early) {
      if (event.event === "message") this.#inLane.message(event)
      else this.#remoteSays(event)
    }
    this.#settled()
  }

  #lane(direction: Direction, from: MqttClient, to: MqttClient): Lane {
    const { origin, attempts, maximumInflight: window, memory, onEvent } = this.#options
    const map = direction === "out" ? this.#out : this.#in
    const { dropped } = memory[direction]
    const onDropped = (topic: string, reason: string, why: string) => {
      dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
      onEvent({ event: "dropped", direction, topic, reason: why })
    }
    return new Lane({ map, from, to, origin, attempts, window, memory: memory[direction], onDropped })
  }

  #subscribed(side: "local" | "remote", packetId: number, codes: readonly number[]): void {
    const filters = this.#asked[side].get(packetId) ?? []
    this.#asked[side].delete(packetId)
    const who = side === "local" ? "this broker" : "the other broker"
    codes.forEach((code, index) => {
      if (code >= 0x80) this.#warn(`${who} refuses the subscription to ${filters[index]}: ${reasonName(code)}`)
    })
    this.#settled()
  }

  #settled(): void {
    const { local, remote } = this.#asked
    if (this.#state !== "subscribing" || local.size + remote.size > 0) return
    this.#state = "up"
    this.#options.onEvent({ event: "up", sessionPresent: this.#remote.connack.sessionPresent })
  }

  #warn(text: string): void {
    this.#options.onEvent({ event: "warning", text })
  }

  #close(reason: string): void {
    if (this.#state === "closed") return
    this.#state = "closed"
    this.#early = []
    // What was answered before does not come again.
    const [local, link] = [this.#local, this.#link]
    if (local?.state === "connected" && local.waiting > 0) link?.receive(local.take())
    link?.lost("the bridge has ended")
    this.#options.onEvent({ event: "closed", reason })
  }
}

/** Whether a broker may have ended a connection for what was sent by it. */
function isForMessage(error: MqttClientError | undefined): boolean {
  if (error === undefined) return false
  const { kind, reasonCode = ReasonCode.Success } = error
  return kind === "malformed" || (kind === "disconnected" && !ofNoMessage.has(reasonCode))
}
