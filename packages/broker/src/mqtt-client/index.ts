// Entry `@puremq/broker/client`: a client of MQTT 3.1.1 and 5.0 for any engine, by bytes and time.

export type { ConnackPacket, ProtocolVersion, Qos } from "../packet/packets.ts"
export { PropertyId } from "../packet/properties.ts"
export type { PropertyValue } from "../packet/property-values.ts"
export { ReasonCode, reasonName } from "../packet/reason-codes.ts"
export { type HeadOptions, MqttClient, type PublishOptions, type SubscribeOptions } from "./client.ts"
export { MqttClientError, type MqttClientErrorKind } from "./errors.ts"
export type {
  Acknowledged,
  Answered,
  AuthenticationAsked,
  ClientEvent,
  ClientEventSink,
  Connected,
  ConnectionClosed,
  MessageCame,
} from "./events.ts"
export type { MqttClientOptions, WillOptions } from "./options.ts"
export type { Received } from "./received.ts"
