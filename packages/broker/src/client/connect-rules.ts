// Rules of CONNECT that need no connection (MQTT 5.0 section 3.1): which version speaks, which Client Identifier is meant.

import { PacketError } from "../packet/errors.ts"
import type { ConnectPacket, ProtocolVersion } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Limits } from "../session/limits.ts"

/** The Client Identifier of this CONNECT, or a new one where it may leave that to us. Throws PacketError with 0x85. */
export function chooseClientId(
  packet: ConnectPacket,
  host: { readonly limits: Limits; newClientId(): string },
): string {
  const { clientId } = packet
  if (clientId === "") {
    // MQTT 3.1.1 [MQTT-3.1.3-7], [MQTT-3.1.3-8]: an empty Client Identifier needs CleanSession 1
    // MQTT 3.1 (its section 3.1) knows none that is empty.
    if (packet.protocolVersion === 4 && (packet.mqtt31 || !packet.cleanStart)) {
      const what = packet.mqtt31 ? "an empty Client Identifier" : "an empty Client Identifier with CleanSession 0"
      throw new PacketError(ReasonCode.ClientIdentifierNotValid, "MQTT-3.1.3-8", what)
    }
    return host.newClientId() // [MQTT-3.1.3-6]
  }
  const bytes = clientId.length > host.limits.maximumClientIdLength ? clientId.length : utf8Length(clientId)
  if (bytes > host.limits.maximumClientIdLength) {
    const what = `the Client Identifier has more than ${host.limits.maximumClientIdLength} bytes`
    throw new PacketError(ReasonCode.ClientIdentifierNotValid, "MQTT-3.1.3-8", what)
  }
  return clientId
}

/** The version a CONNECT claims, for the answer to one that cannot be read. */
export function versionOf(bytes: Uint8Array, bodyStart: number, end: number): ProtocolVersion {
  const nameLength = ((bytes[bodyStart] ?? 0) << 8) | (bytes[bodyStart + 1] ?? 0)
  const at = bodyStart + 2 + nameLength
  return at < end && bytes[at]! >= 5 && bytes[at]! < 0x80 ? 5 : 4
}

/** [MQTT-3.2.2-8] CONNACK has its own set of Reason Codes. */
export function connackCode(code: number): number {
  switch (code) {
    case ReasonCode.TopicFilterInvalid:
    case ReasonCode.TopicAliasInvalid:
    case ReasonCode.ReceiveMaximumExceeded:
      return ReasonCode.ProtocolError
    default:
      return code
  }
}

function utf8Length(text: string): number {
  let length = 0
  for (const character of text) {
    const code = character.codePointAt(0)!
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4
  }
  return length
}
