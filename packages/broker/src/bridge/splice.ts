// A bridge while it is connected: a client of the other broker and one of this broker, joined by two lanes. No I/O: bytes of the
// other broker and the time go in, bytes for it come out. It lasts as long as both connections do; whoever drives it makes another.
//
// The other broker is connected to first, as what it takes (CONNACK) is what this one may send: its Receive Maximum and its Maximum
// Packet Size become those of the client here. While nobody is connected this broker keeps the session, and what waits in it.

import type { ByteLink } from "../embed/byte-link.ts"
import { MqttClient } from "../mqtt-client/client.ts"
import { MqttClientError } from "../mqtt-client/errors.ts"
import type { AcknowledgementCame, ClientEvent, MessageCame } from "../mqtt-client/events.ts"
import type { MqttClientOptions } from "../mqtt-client/options.ts"
import { PropertyId } from "../packet/properties.ts"
import { ReasonCode, reasonName } from "../packet/reason-codes.ts"
import { Lane, lasting } from "./lane.ts"
import { clientOfSession, subscribeTo } from "./local-session.ts"
import { type BridgeTopic, TopicMap } from "./topics.ts"

/** Packet Identifiers that are free in each direction, from one splice of a bridge to the next; undefined: all are. */
export interface Freed {
  out: Set<number> | undefined
  in: Set<number> | undefined
}

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
  /** Bytes of the largest packet that either broker may send. */
  readonly maximumPacketSize: number
  readonly freed: Freed
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
  /** Something was not handed on, or not subscribed to, and the rest is. */
  | { readonly event: "warning"; readonly text: string }
  /** What is kept on both sides goes on with another splice. */
  | { readonly event: "closed"; readonly reason: string }

/** Bytes that may wait for the other broker's transport before this broker is not asked for more. */
const enough = 65_536
/** What a PUBLISH has beside a topic and a User Property of ours, at most, in bytes: a margin. */
const ofOrigin = 512

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
    const room = maximumPacketSize - this.#in.growth - ofOrigin
    this.#remote = new MqttClient(
      {
        ...remote,
        cleanStart: false,
        byHand: true,
        receiveMaximum: maximumInflight,
        // Of ours the other broker says how many; bytes that wait are bounded by what is read.
        maximumInFlight: 0xffff,
        maximumWaiting: Number.POSITIVE_INFINITY,
        maximumPacketSize: Math.max(128, room),
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

  /** The transport has ended. */
  lost(reason: string): void {
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
        this.#close(`this broker: ${event.error?.message ?? "closed"}`)
    }
  }

  /** A broker that is full is not told as an answer, which would be the end of the message: it is asked again later. */
  #answered(lane: Lane | undefined, event: AcknowledgementCame, who: string): void {
    const { reasonCode, reasonString } = event
    if (reasonCode === ReasonCode.QuotaExceeded) {
      this.#close(`${who} has no room for a message: ${reasonString ?? reasonName(reasonCode)}`)
      return
    }
    if (reasonCode >= 0x80 && reasonCode !== ReasonCode.PacketIdentifierNotFound)
      this.#warn(`${who} refuses a message: ${reasonString ?? reasonName(reasonCode)}`)
    lane?.answered(event)
    lane?.goOn()
  }

  /** The other broker has let us in. */
  #join(): void {
    const { localId, maximumInflight, maximumPacketSize, openLocal, origin } = this.#options
    const { receiveMaximum = 0xffff, maximumPacketSize: largest = maximumPacketSize } = this.#remote.connack
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
        maximumPacketSize: Math.max(128, Math.min(maximumPacketSize, largest) - this.#out.growth - ofOrigin),
      },
      (event) => this.#ofLocal(event),
    )
    this.#local = local
    const onDropped = (topic: string, why: string) => this.#warn(`a message on ${topic} is not handed on: ${why}`)
    this.#outLane = new Lane({ map: this.#out, from: local, to: this.#remote, origin, onDropped })
    local.connect(this.#now)
  }

  /** This broker has let us in. */
  #joined(): void {
    const [local, remote] = [this.#local!, this.#remote]
    const { origin, staleFilters } = this.#options
    const [here, there] = [local.connack.sessionPresent, remote.connack.sessionPresent]
    const onDropped = (topic: string, why: string) => this.#warn(`a message on ${topic} is not taken: ${why}`)
    this.#inLane = new Lane({ map: this.#in, from: remote, to: local, origin, onDropped })
    // A session that is new knows of no message; the other may know of some by the same identifiers.
    const { freed } = this.#options
    if (!there) freed.out = undefined
    else if (!here) freed.out = new Set()
    if (!here) freed.in = undefined
    else if (!there) freed.in = new Set()
    this.#outLane!.begin(freed.out)
    this.#inLane.begin(freed.in)
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
    this.#link?.lost("the bridge has ended")
    this.#options.onEvent({ event: "closed", reason })
  }
}
