// Which packets a client may send in which phase of its connection, and who handles them (MQTT 5.0 sections 2.1.2, 3.1.0).

import { protocolError } from "../packet/errors.ts"
import {
  type ClientPacket,
  type ConnectPacket,
  type DisconnectPacket,
  PacketType,
  type SubscribePacket,
} from "../packet/packets.ts"
import type { Authentication, Claimant } from "./authentication.ts"
import type { Hub } from "./hub.ts"
import type { Intake } from "./intake.ts"
import type { Authenticating, Connected, Phase } from "./phases.ts"

/** The connection whose packets these are: what only it can do with them. */
export interface Addressee extends Claimant {
  /** The framer has the first packet, which is to be CONNECT. */
  connect(now: number): void
  subscribe(phase: Connected<this>, packet: SubscribePacket, now: number): void
  disconnected(phase: Connected<this>, packet: DisconnectPacket, now: number): void
  /** The client has given up its login. */
  loginGivenUp(now: number): void
}

export class Dispatch<Client extends Addressee> {
  readonly #hub: Hub<Client>
  readonly #client: Client
  readonly #intake: Intake<Client>
  readonly #authentication: Authentication<Client>

  constructor(hub: Hub<Client>, client: Client, intake: Intake<Client>, authentication: Authentication<Client>) {
    this.#hub = hub
    this.#client = client
    this.#intake = intake
    this.#authentication = authentication
  }

  /** The packet that the framer has. Throws PacketError for what the client did wrong. */
  packet(phase: Phase<Client>, now: number): void {
    const { framer } = this.#intake
    const type = framer.header >> 4
    // Most of what a PUBLISH has may be payload, which costs nothing to read.
    if (type !== PacketType.Publish) this.#hub.cost((framer.end - framer.bodyStart) >> 6)
    if (phase.name === "connected") this.#packetOf(phase, type, now)
    else if (phase.name === "authenticating") this.#packetBefore(phase, type, now)
    else this.#client.connect(now)
  }

  /** Between CONNECT and CONNACK, while our AUTH waits for an answer. */
  #packetBefore(phase: Authenticating, type: number, now: number): void {
    if (type !== PacketType.Auth && type !== PacketType.Disconnect)
      throw protocolError("MQTT-3.1.2-30", "a packet before CONNACK that is neither AUTH nor DISCONNECT")
    const packet = this.read(type)
    if (packet.type === "auth") this.#authentication.answered(phase, packet, now)
    else this.#client.loginGivenUp(now)
  }

  /** A packet of a client that has logged in. */
  #packetOf(phase: Connected<Client>, type: number, now: number): void {
    const { framer } = this.#intake
    const { receiver } = phase
    switch (type) {
      case PacketType.Publish:
        this.#intake.meter(framer.end - framer.start, now)
        // Not behind those that wait: what has no QoS does not keep their order.
        if (this.#intake.postponed && (framer.header & 6) !== 0) this.#intake.postpone(now)
        else if (!receiver.publish(framer, now)) this.#intake.postpone(now)
        return
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubrel:
      case PacketType.Pubcomp:
        receiver.acknowledgement(type, framer, now)
        return
      case PacketType.Pingreq:
        this.#client.writer.pingresp() // [MQTT-3.12.4-1]
        return
      case PacketType.Connect:
        // [MQTT-3.1.0-2] a second CONNECT is a Protocol Error
        throw protocolError("MQTT-3.1.0-2", "a second CONNECT")
      case PacketType.Subscribe:
      case PacketType.Unsubscribe:
      case PacketType.Disconnect:
      case PacketType.Auth: {
        const packet = this.read(type)
        if (packet.type === "subscribe") this.#client.subscribe(phase, packet, now)
        else if (packet.type === "unsubscribe") receiver.unsubscribe(packet)
        else if (packet.type === "disconnect") this.#client.disconnected(phase, packet, now)
        else this.#authentication.again(phase, packet, now)
        return
      }
      default:
        throw protocolError("2.1.2", `a client may not send packet type ${type}`)
    }
  }

  /** What the framer has, which is of this type. */
  read(type: number): Exclude<ClientPacket, ConnectPacket> {
    const { bytes, start, bodyStart, end } = this.#intake.framer
    const { codec, limits } = this.#hub
    const { version } = this.#client
    return codec.readClientPacket(type, bytes, start, bodyStart, end, version, limits.maximumFiltersPerPacket)
  }
}
