import type { ConnackPacket } from "../packet/packets.ts"
import type { MqttClientError } from "./errors.ts"
import type { Received } from "./received.ts"

/** The broker has let the client in. `connack` says what it offers. */
export interface Connected {
  readonly event: "connected"
  readonly connack: ConnackPacket
}

/** A message has come. Its payload and Binary Data are views of bytes that are used again after the call. */
export interface MessageCame extends Received {
  readonly event: "message"
}

/** The broker has taken a message of QoS 1 or 2, or refuses it: then `reasonCode` is 0x80 or above. */
export interface Acknowledged {
  readonly event: "acknowledged"
  readonly packetId: number
  readonly reasonCode: number
  readonly reasonString: string | undefined
}

/** The packets of a message at QoS 1 (PUBACK) and at QoS 2. */
export type AcknowledgementType = "puback" | "pubrec" | "pubrel" | "pubcomp"

/** With `byHand`, instead of `Acknowledged`: each acknowledgement, whatever it is about. */
export interface AcknowledgementCame {
  readonly event: "acknowledgement"
  readonly type: AcknowledgementType
  readonly packetId: number
  readonly reasonCode: number
  readonly reasonString: string | undefined
}

/** SUBACK, or UNSUBACK: a Reason Code for each filter in its order; for UNSUBACK MQTT 3.1.1 has none. */
export interface Answered {
  readonly event: "subscribed" | "unsubscribed"
  readonly packetId: number
  readonly reasonCodes: readonly number[]
  readonly reasonString: string | undefined
}

/** AUTH of the Authentication Method that CONNECT has named: `authenticate` answers it. */
export interface AuthenticationAsked {
  readonly event: "authentication"
  readonly reasonCode: number
  readonly data: Uint8Array | undefined
}

/** The end of the connection; undefined: by `disconnect`. No event comes after it. */
export interface ConnectionClosed {
  readonly event: "closed"
  readonly error: MqttClientError | undefined
}

export type ClientEvent =
  | Connected
  | MessageCame
  | Acknowledged
  | AcknowledgementCame
  | Answered
  | AuthenticationAsked
  | ConnectionClosed

/** What it returns counts for a message only: one that gets `false` is not acknowledged, so a session keeps it. */
export type ClientEventSink = (event: ClientEvent) => unknown
