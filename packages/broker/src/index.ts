// Entry `@puremq/broker`: an MQTT 3.1.1 and 5.0 broker to run or to embed.

export { formatEvent, type LogEvent, type LogFormat } from "./admin/log.ts"
export { toOpenMetrics, toPrometheus } from "./admin/metric-text.ts"
export type { Stats } from "./admin/metrics.ts"
export {
  type BrokerConfig,
  ConfigError,
  type ListenerConfig,
  type LoginConfig,
  type ReloadConfig,
  type TcpListenerConfig,
  type TlsListenerConfig,
  type WsListenerConfig,
  type WssListenerConfig,
} from "./config/config.ts"
export { ListenError, type RenewedCertificate } from "./listen/listener.ts"
export type { Qos } from "./packet/packets.ts"
export { createBroker, type ListenerAddress, type PureMqBroker } from "./platform/node.ts"
export { letSmallHeapGrow } from "./platform/node-collections.ts"
export type { Resumption } from "./platform/node-resumption.ts"
export type { Access, Decision, Identity, LoginAttempt, Refusal } from "./ports/access.ts"
export type { PeerInfo, TransportKind } from "./ports/peer.ts"
export { defaultLimits, type Limits } from "./session/limits.ts"
