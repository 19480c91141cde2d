/**
 * What a client cannot do, or why its connection has ended:
 *
 * - `misuse`: what was asked for is no MQTT, such as a wildcard in a Topic Name, or is asked for at the wrong time;
 * - `limit`: it is more than the broker has said that it takes, or than this client keeps; `limit` names it;
 * - `refused`: the broker does not let the client in (CONNACK); `reasonCode` says why;
 * - `disconnected`: the broker has ended the connection (DISCONNECT); `reasonCode` says why;
 * - `malformed`: what came is not MQTT, or not what MQTT allows here; `cause` is a PacketError;
 * - `silent`: nothing came in time;
 * - `lost`: the transport has ended without a word.
 */
export type MqttClientErrorKind = "misuse" | "limit" | "refused" | "disconnected" | "malformed" | "silent" | "lost"

/** Its message is one sentence. */
export class MqttClientError extends Error {
  readonly kind: MqttClientErrorKind
  /** Of CONNACK or DISCONNECT; a return code in MQTT 3.1.1. */
  readonly reasonCode: number | undefined
  /** Of `limit`: whose it is, by the name of the member of ConnackPacket or MqttClientOptions. */
  readonly limit: string | undefined

  constructor(
    kind: MqttClientErrorKind,
    message: string,
    more: { readonly reasonCode?: number; readonly limit?: string; readonly cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = "MqttClientError"
    this.kind = kind
    this.reasonCode = more.reasonCode
    this.limit = more.limit
  }
}
