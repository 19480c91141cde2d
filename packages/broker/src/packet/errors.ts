import { ReasonCode } from "./reason-codes.ts"

/** A packet that breaks the protocol. Carries what an MQTT 5.0 peer is told and the rule that was broken. */
export class PacketError extends Error {
  /** Reason Code for CONNACK or DISCONNECT, 0x80 to 0xff. */
  readonly reasonCode: number
  /** The conformance statement ("MQTT-1.5.4-2") or the section ("3.1.2.11.3") of MQTT 5.0. */
  readonly rule: string

  constructor(reasonCode: number, rule: string, message: string) {
    super(`${message} [${rule}]`)
    this.name = "PacketError"
    this.reasonCode = reasonCode
    this.rule = rule
  }
}

/** Bytes that cannot be read as the packet they claim to be (Reason Code 0x81). */
export function malformed(rule: string, message: string): PacketError {
  return new PacketError(ReasonCode.MalformedPacket, rule, message)
}

/** A readable packet that the protocol does not allow here (Reason Code 0x82). */
export function protocolError(rule: string, message: string): PacketError {
  return new PacketError(ReasonCode.ProtocolError, rule, message)
}
