// Entry `@puremq/broker/core`: the broker for any engine of ES2022, by bytes, time and randomness that its host lends. Nothing here
// knows Node, its types, Buffer, streams, timers or promises.

export { Acl, AclError, type AclRule, parseAcl } from "./access/acl.ts"
export { type AccessRules, createSimpleAccess, type SimpleAccessOptions } from "./access/simple.ts"
export { createLocalBus } from "./buses/local.ts"
export type { Connection } from "./client/connection.ts"
export type { Redirect } from "./client/hub.ts"
export { plainCodec } from "./codecs/plain.ts"
export type { ByteLink } from "./embed/byte-link.ts"
export { EmbeddedBroker, type EmbeddedOptions } from "./embed/embedded.ts"
export type { Host } from "./embed/host.ts"
export { Broker } from "./hub/broker.ts"
export type { Inspect } from "./hub/inspect.ts"
export type { BrokerOptions } from "./hub/options.ts"
export type { Change, Clock } from "./packet/change.ts"
export type { Codec } from "./packet/codec.ts"
export { PacketError } from "./packet/errors.ts"
export type { Message } from "./packet/message.ts"
export type { ProtocolVersion, Qos } from "./packet/packets.ts"
export { ReasonCode, reasonName } from "./packet/reason-codes.ts"
export type { Topic } from "./packet/topic.ts"
export type {
  Access,
  Decision,
  Exchange,
  ExchangeAttempt,
  Identity,
  LoginAttempt,
  Refusal,
  Step,
} from "./ports/access.ts"
export type { Bus, BusReceiver } from "./ports/bus.ts"
export type { BrokerEvent, EventSink } from "./ports/events.ts"
export { Pause } from "./ports/pause.ts"
export type { PeerInfo, Sink, TransportKind } from "./ports/peer.ts"
export type { Committed, Restored, Store, StoreFailed } from "./ports/store.ts"
export type { TopicFilter } from "./routing/filter.ts"
export type { Reach, Subscriber } from "./routing/subscription.ts"
export { allFeatures, type Features } from "./session/features.ts"
export { defaultLimits, type Limits, limitsOfMemory, type ToldLimits } from "./session/limits.ts"
export type { QueuePolicy } from "./session/queue.ts"
export { createMemoryStore } from "./stores/forgetful.ts"
