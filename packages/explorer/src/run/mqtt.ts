// The application data of the scenarios: MQTT 3.1.1, written through the recording Writer so that each byte has its name. Section numbers
// are those of the OASIS MQTT 3.1.1 specification.

import { equalBytes, Writer } from "@puremq/tls13/explore"

export interface MqttPacket {
  readonly name: string
  readonly bytes: Uint8Array
  readonly fields: readonly MqttField[]
}

export interface MqttField {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly value: string
}

class PacketWriter {
  readonly #writer = new Writer(64)
  readonly #fields: MqttField[] = []

  byte(name: string, value: number, text = `${value}`): this {
    return this.#note(name, text, () => this.#writer.uint8(value))
  }

  short(name: string, value: number): this {
    return this.#note(name, `${value}`, () => this.#writer.uint16(value))
  }

  /** A UTF-8 Encoded String (1.5.3) of ASCII. */
  text(name: string, value: string): this {
    return this.#note(name, JSON.stringify(value), () => this.#writer.vector16(ascii(value)))
  }

  payload(name: string, value: string): this {
    return this.#note(name, JSON.stringify(value), () => this.#writer.bytes(ascii(value)))
  }

  /** With the fixed header (2.2) in front. */
  packet(name: string, typeAndFlags: number): MqttPacket {
    const body = this.#writer.finish()
    const bytes = Uint8Array.of(typeAndFlags, body.length, ...body)
    const type = { start: 0, end: 1, name: "Packet Type and flags", value: name }
    const length = { start: 1, end: 2, name: "Remaining Length", value: `${body.length}` }
    const moved = this.#fields.map((field) => ({ ...field, start: field.start + 2, end: field.end + 2 }))
    return { name, bytes, fields: [type, length, ...moved] }
  }

  #note(name: string, value: string, write: () => void): this {
    const start = this.#writer.length
    write()
    this.#fields.push({ start, end: this.#writer.length, name, value })
    return this
  }
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export const mqttConnect: MqttPacket = new PacketWriter()
  .text("Protocol Name", "MQTT")
  .byte("Protocol Level", 4, "4 (3.1.1)")
  .byte("Connect Flags", 2, "Clean Session")
  .short("Keep Alive", 60)
  .text("Client Identifier", "sensor-17")
  .packet("CONNECT", 0x10)

export const mqttConnack: MqttPacket = new PacketWriter()
  .byte("Connect Acknowledge Flags", 0, "no session present")
  .byte("Connect Return code", 0, "0: accepted")
  .packet("CONNACK", 0x20)

export const mqttSubscribe: MqttPacket = new PacketWriter()
  .short("Packet Identifier", 1)
  .text("Topic Filter", "home/+/temperature")
  .byte("Requested QoS", 0)
  .packet("SUBSCRIBE", 0x82)

export const mqttSuback: MqttPacket = new PacketWriter()
  .short("Packet Identifier", 1)
  .byte("Return Code", 0, "0: Maximum QoS 0")
  .packet("SUBACK", 0x90)

export const mqttPublish: MqttPacket = new PacketWriter()
  .text("Topic Name", "home/kitchen/temperature")
  .payload("Application Message", "21.5")
  .packet("PUBLISH", 0x30)

const known = [mqttConnect, mqttConnack, mqttSubscribe, mqttSuback, mqttPublish]

/** The packet that these bytes are, when it is one of the scenarios'. */
export function mqttPacketOf(bytes: Uint8Array): MqttPacket | undefined {
  return known.find((packet) => equalBytes(packet.bytes, bytes))
}
