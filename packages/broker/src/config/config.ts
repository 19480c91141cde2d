// The configuration of a broker, as values: files are read and checked before (load.ts), so nothing here names one.

import type { EchServerKey } from "@puremq/tls13/ech"
import type { IdentityRule, RevocationMode } from "@puremq/tls13/x509"
import type { AccessList } from "../access/acl.ts"
import type { ListenerLogin } from "../access/login.ts"
import type { MeansName } from "../access/opinion.ts"
import type { PasswordEntry } from "../access/password-file.ts"
import type { LogEvent } from "../admin/log.ts"
import type { WebhookEventName } from "../admin/webhook-events.ts"
import type { BridgeTopic } from "../bridge/topics.ts"
import type { HandshakeLimits, RenewedCertificate } from "../listen/listener.ts"
import type { ClientCertificateMode } from "../listen/tls.ts"
import type { Group, ProviderName, SignatureScheme, Suite } from "../listen/tls-choices.ts"
import type { Features } from "../session/features.ts"
import type { Limits, ListenerLimits } from "../session/limits.ts"

export interface Address {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined
  /** 0 takes a free port. */
  readonly port: number
}

/** What of TLS 1.3 is offered. */
export interface TlsChoices {
  /** There is one. */
  readonly versions?: readonly "TLSv1.3"[] | undefined
  /** Cipher suites, the preferred first. Default: all of the provider. */
  readonly suites?: readonly Suite[] | undefined
  /** Groups, the preferred first. Default: x25519 and secp256r1. */
  readonly groups?: readonly Group[] | undefined
  /** The preferred first. Default: all of the provider. */
  readonly signatureSchemes?: readonly SignatureScheme[] | undefined
  /** There is none. */
  readonly earlyData?: false | undefined
}

export interface TicketSettings {
  /** For a client that has connected, 0 to 16; default 2. 0: none. */
  readonly count?: number | undefined
  /** Seconds, 1 to 604,800; default 7200. */
  readonly lifetime?: number | undefined
}

export interface TlsSettings extends Optional<HandshakeLimits>, TlsChoices {
  /** PEM text: the certificate chain, leaf first. */
  readonly cert: string
  /** PEM text of the private key. */
  readonly key: string
  /** PEM text of the authorities that client certificates must come from. */
  readonly ca?: string | undefined
  /** Default "none". With "request" and "require" a certificate that is shown and not valid ends the handshake. */
  readonly clientCertificate?: ClientCertificateMode | undefined
  /** Which part of a client's certificate is its user name. Default "subject-cn", the common name. */
  readonly identity?: IdentityRule | undefined
  /** PEM text of revocation lists that client certificates are looked up in. */
  readonly crl?: string | undefined
  /** "ifPresent" (the default): a list that is there must be usable; "require": there must be one of each issuer; "off". */
  readonly revocation?: RevocationMode | undefined
  /** DER of an OCSP response to staple. */
  readonly ocsp?: Uint8Array | undefined
  readonly tickets?: (TicketSettings & { readonly keys?: Uint8Array | undefined }) | undefined
  /** Keys of Encrypted Client Hello, the best first: clients may hide the name that they ask for (RFC 9849). Default: none. */
  readonly ech?: { readonly keys: readonly EchServerKey[] } | undefined
  /**
   * Who does the cryptography: our own kernels (fast); those, but node:crypto for long records (mixed, the default); the audited packages alone; or node:crypto.
   */
  readonly provider?: ProviderName | undefined
  /** Threads, 0 to 64, that do the public-key operations of handshakes; default 0: the broker's own. */
  readonly workers?: number | undefined
  /** Writes each connection down, with ALL ITS SECRETS, to be run again by `tls13 replay`. Default: none is. For finding faults. */
  readonly dangerousRecording?: RecordingSettings | undefined
}

export interface RecordingSettings {
  /** Made when it is not there. */
  readonly directory: string
  /** Files of this listener in it, 1 to 10,000, those of earlier starts counted; default 100. What connects then is in none. */
  readonly files?: number | undefined
  /** Bytes of a file, 4,096 to 67,108,864; default 1,048,576. What comes later on that connection is not in it. */
  readonly bytes?: number | undefined
}

export const recordingDefaults = { files: 100, bytes: 1_048_576 } as const

export const defaultHandshakeLimits: HandshakeLimits = {
  handshakeTimeout: 10_000,
  maxPendingHandshakes: 1024,
  maxPendingHandshakesPerAddress: 64,
  maxWaitingHandshakes: 4096,
  maxWaitingHandshakesPerAddress: 1024,
  handshakeWaitTimeout: 30_000,
}

/** As much of it as one likes. */
type Optional<T> = { readonly [Name in keyof T]?: T[Name] | undefined }

export interface WebSocketSettings {
  /** Path of the WebSocket; any when absent. */
  readonly path?: string | undefined
  /** Origins that browsers may come from; "*" is any. When absent: pages of the same origin. Others than browsers have none. */
  readonly origins?: readonly string[] | undefined
  /** Host names that a listener on a loopback address is known by, beside localhost, its addresses and the hosts of `origins`. */
  readonly hosts?: readonly string[] | undefined
}

/** What is said of who connects by somebody in between. */
export interface BehindProxy {
  /**
   * Connections come from these proxies (addresses and networks such as 10.0.0.0/8) and begin with a header of the PROXY
   * protocol, version 1 or 2; from elsewhere they are closed.
   */
  readonly proxyProtocol?: { readonly trusted: readonly string[] } | undefined
}

export interface Named {
  /** What the log and errors call it. Default: its type; of several of a type, the second is `tls-2`, say. */
  readonly name?: string | undefined
}

export interface OwnRules {
  /** Who gets in through this listener, where that is not as everywhere. */
  readonly login?: ListenerLogin | undefined
  /** Below those of the broker, which hold for all listeners together. */
  readonly limits?: ListenerLimits | undefined
}

export interface TcpListenerConfig extends Named, Address, BehindProxy, OwnRules {
  readonly type: "tcp"
}

/** Of a listener with MQTT right over TLS. (Under WebSocket it is "http/1.1", which is what is spoken there.) */
export interface AlpnSettings {
  /**
   * Names of application protocols (RFC 7301) that a client may choose from, 1 to 255 visible ASCII characters each; a client
   * that offers none of them is refused, one that offers no names at all is let in. Default ["mqtt"]; []: names are not looked at.
   */
  readonly alpn?: readonly string[] | undefined
}

export interface TlsListenerConfig extends Named, Address, BehindProxy, OwnRules, TlsSettings, AlpnSettings {
  readonly type: "tls"
}

export interface WsListenerConfig extends Named, Address, BehindProxy, OwnRules, WebSocketSettings {
  readonly type: "ws"
}

export interface WssListenerConfig extends Named, Address, BehindProxy, OwnRules, TlsSettings, WebSocketSettings {
  readonly type: "wss"
}

export type ListenerConfig = TcpListenerConfig | TlsListenerConfig | WsListenerConfig | WssListenerConfig

/** An access control list, with the text that it was read of. */
export interface ReadAcl {
  readonly text: string
  readonly acl: AccessList
}

export interface LoginConfig {
  /** May clients without certificate and user name connect? Default: true when nothing else is configured. */
  readonly anonymous?: boolean | undefined
  /** Text of a password file (see access/password-file.ts), or what was read of it. */
  readonly passwords?: string | ReadonlyMap<string, PasswordEntry> | undefined
  /** Is a verified client certificate a login? Default true. */
  readonly certificates?: boolean | undefined
  /** Who is asked first, of those that there are; one that is left out is none. Default: certificate, jwt, password, http. */
  readonly order?: readonly MeansName[] | undefined
  /** Tokens in the place of passwords, or by the Authentication Method JWT. */
  readonly jwt?: JwtConfig | undefined
  /** A server that is asked who a client is and what it may do. */
  readonly http?: HttpLoginConfig | undefined
}

export interface JwtConfig {
  /** Text of a JWK Set (RFC 7517). Either this or `jwksUrl`. */
  readonly jwks?: string | undefined
  /** Where such a set is fetched: https, or plain http of this machine. */
  readonly jwksUrl?: string | undefined
  /** PEM text of the authorities that the certificate of `jwksUrl` must come from. Default: those of the machine. */
  readonly ca?: string | undefined
  /** Seconds between two fetches, default 600, and for which keys are used that cannot be fetched again, default 86,400. */
  readonly jwksRefresh?: number | undefined
  readonly jwksMaximumAge?: number | undefined
  /** What the claim `iss` must be, and one of which `aud` must have. Default: any. */
  readonly issuer?: string | undefined
  readonly audience?: readonly string[] | undefined
  /** The claim that is the user's name. Default "sub". */
  readonly userClaim?: string | undefined
  /** Claims with lists of Topic Filters, in which %u and %c stand for names. Default "publish" and "subscribe". */
  readonly publishClaim?: string | undefined
  readonly subscribeClaim?: string | undefined
  /** Seconds that clocks may differ. Default 30. */
  readonly leeway?: number | undefined
  /** Are tokens without `exp` refused? Default true. */
  readonly requireExpiry?: boolean | undefined
}

export interface HttpLoginConfig {
  /** https, or plain http of this machine. */
  readonly url: string
  /** PEM text of the authorities that its certificate must come from. Default: those of the machine. */
  readonly ca?: string | undefined
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined
  /** Milliseconds for a whole answer. Default 5000. */
  readonly timeout?: number | undefined
  /** Questions under way at once, of one address half as many. Default 32. */
  readonly concurrency?: number | undefined
  /** Seconds that an answer is good for the same question, default 0: it is asked each time; and how many are remembered, default 10,000. */
  readonly cacheTime?: number | undefined
  readonly cacheEntries?: number | undefined
}

export interface WebhookConfig {
  /** https, or plain http of this machine. */
  readonly url: string
  /** What it is told of. Default: all. */
  readonly events?: readonly WebhookEventName[] | undefined
  /** PEM text of the authorities that its certificate must come from. Default: those of the machine. */
  readonly ca?: string | undefined
  /** Key of the signatures (HMAC-SHA256), 16 characters or more. Default: requests are not signed. */
  readonly secret?: string | undefined
  /** Milliseconds for an answer. Default 10,000. */
  readonly timeout?: number | undefined
  /** Events that wait; more push out the oldest. Default 10,000. */
  readonly maximumWaiting?: number | undefined
}

/** Where sessions, retained messages and what waits are kept. */
export interface StoreConfig {
  /** "files", the default: they outlive the process. "memory": they end with it. */
  readonly type?: "memory" | "files" | undefined
  /** For files: a folder, which is made when it is not there. One broker has it at a time. */
  readonly directory?: string | undefined
  /**
   * For files. "process", the default: what was acknowledged outlives the end of the process, `kill -9` included. "power": that
   * of the machine too; each acknowledgement waits for the disk.
   */
  readonly durability?: "process" | "power" | undefined
  /** Milliseconds for which changes are collected before they are written, for flash; 0, the default: none. */
  readonly flushInterval?: number | undefined
  /** Bytes that the folder may have; default: as many as the disk has. When it is full, QoS 1 and 2 are refused. */
  readonly maximumBytes?: number | undefined
}

/** Several brokers that are one, around servers of NATS; see docs/cluster.md. Then these keep what `store` keeps of one broker. */
export interface ClusterConfig {
  /** Servers, such as "nats://10.0.0.1:4222"; one is enough to find the others, several outlive it at the start. */
  readonly nats: readonly string[]
  /** What the streams and subjects of the cluster begin with: 1 to 64 letters, digits, - and _. Default "puremq". */
  readonly name?: string | undefined
  /** What this node is called, for people: 1 to 64 letters, digits, ".", - and _. Default: the machine's name. */
  readonly node?: string | undefined
  /** Streams that sessions and messages are divided into, 1 to 64; the same for all nodes, and for ever. Default 4. */
  readonly partitions?: number | undefined
  /** Servers that keep each stream: 1, 3 or 5. Default 1: what is acknowledged does not outlive the disk of a server. */
  readonly replicas?: number | undefined
  /** Seconds that a message is kept for sessions that are away, 60 or more. Default 604,800: a week. */
  readonly retention?: number | undefined
  /** Bytes that a partition may have; above them QoS 1 and 2 are refused, and new sessions that outlive their connections. Default: as many as the servers have. */
  readonly maximumBytes?: number | undefined
  /** Text of a credentials file of NATS (`.creds`). */
  readonly credentials?: string | undefined
  /** PEM of the authorities that the servers' certificates may come from; default: those of this machine. */
  readonly ca?: string | undefined
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface MetricsConfig extends Address {
  /** Host names that a loopback address is known by, beside localhost and its addresses. */
  readonly hosts?: readonly string[] | undefined
  /** PEM text of a certificate chain, leaf first: metrics are served over TLS 1.3. */
  readonly cert?: string | undefined
  /** PEM text of its private key. */
  readonly key?: string | undefined
  /** PEM text of authorities: who asks has to show a certificate of theirs. */
  readonly ca?: string | undefined
  /** Who asks has to show one of them, 16 characters or more, as `Authorization: Bearer TOKEN`. */
  readonly tokens?: readonly string[] | undefined
  /** Serve them on an address that is no loopback one without certificate of the client and token, or without TLS. Default false. */
  readonly open?: boolean | undefined
}

export interface ServerReferenceConfig {
  /** Such as "broker-2.example:8883": one or more, with a space between them; 1,024 characters at most. */
  readonly server: string
  /** "always": every CONNECT is refused with 0x9C and this reference; "closing", the default: clients get it when the broker closes. */
  readonly when?: "always" | "closing" | undefined
}

/** A connection to another broker, over which messages of some topics are handed on. */
export interface BridgeConfig {
  /** 1 to 64 letters, digits, `-`, `_` and `.`: of its session, and in the log. No two bridges have the same. */
  readonly name: string
  /** mqtt://HOST[:PORT], mqtts://HOST[:PORT] for TLS, ws:// or wss:// with a path. */
  readonly address: string
  readonly topics: readonly BridgeTopic[]
  /** Who it is to the other broker. Default: `puremq-` and its name. */
  readonly clientId?: string | undefined
  /** Of MQTT; default "5.0". */
  readonly version?: "5.0" | "3.1.1" | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Seconds, default 60. */
  readonly keepAlive?: number | undefined
  /** Seconds that the other broker keeps its session, and what waits in it, while this one is away. Default 604,800. */
  readonly sessionExpiry?: number | undefined
  /** Messages of QoS 1 and 2 that may be under way in each direction, 1 to 65,535. Default 100. */
  readonly maximumInflight?: number | undefined
  /** How often a message is sent for which there is no room, or for which the connection ends, before it is dropped. Default 10. */
  readonly maximumAttempts?: number | undefined
  /** Milliseconds between two attempts to connect: at first (default 1,000), and at most (default 60,000). */
  readonly retryMinimum?: number | undefined
  readonly retryMaximum?: number | undefined
  /** Of TLS: PEM of the authorities that the other broker's certificate may come from; default: those of this machine. */
  readonly ca?: string | undefined
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name that is asked for, and that the other broker's certificate must have. Default: the host of the address. */
  readonly serverName?: string | undefined
  /** Protocol names (RFC 7301); default `mqtt`, or `http/1.1` under WebSocket. */
  readonly alpn?: readonly string[] | undefined
  /** Instead of certificates: the identity of a pre-shared key, and the key, 16 bytes or more. */
  readonly pskIdentity?: string | undefined
  readonly psk?: Uint8Array | undefined
}

export interface BrokerConfig {
  /** Default: in memory. (`puremq start` has files.) */
  readonly store?: StoreConfig | undefined
  /** The other brokers that this one is one with; default: none. With it there is no `store`. */
  readonly cluster?: ClusterConfig | undefined
  /** Default: none; connections then come through `attach`. */
  readonly listeners?: readonly ListenerConfig[] | undefined
  readonly login?: LoginConfig | undefined
  /** Text of an access control list (see access/acl-file.ts), or what was read of it. Without one, everybody may use every topic. */
  readonly acl?: string | ReadAcl | undefined
  /**
   * Does `reload` disconnect clients whose user was deleted or has another password, whose certificate would be refused now,
   * or one of whose subscriptions is not allowed any more? Default false: they stay, without the rights they have lost.
   */
  readonly disconnectRevoked?: boolean | undefined
  readonly limits?: Partial<Limits> | undefined
  /** What of MQTT is offered; all of it where nothing is said. */
  readonly features?: Partial<Features> | undefined
  /**
   * Is a message whose Payload Format Indicator says UTF-8 refused when its payload is not? Then it gets 0x99, and goes to nobody.
   * Default false: payloads are not looked at.
   */
  readonly checkPayloadFormat?: boolean | undefined
  /**
   * What becomes of a message at QoS 1 or 2 for which a session has no room: it is dropped (the default), the oldest that wait for
   * the session are, or its client is disconnected with 0x97, and the message dropped.
   */
  readonly queuePolicy?: "drop-newest" | "drop-oldest" | "disconnect" | undefined
  /** Sends clients to another server (MQTT 5.0 section 4.11). */
  readonly serverReference?: ServerReferenceConfig | undefined
  /** Where to serve metrics for Prometheus over HTTP; off when absent. */
  readonly metrics?: MetricsConfig | undefined
  /** Connections to other brokers. */
  readonly bridges?: readonly BridgeConfig[] | undefined
  /** HTTP servers that are told of connections, refusals and handshakes that fail. */
  readonly webhooks?: readonly WebhookConfig[] | undefined
  /** Seconds between two rounds of $SYS topics, default 10; 0 turns them off. */
  readonly sysInterval?: number | undefined
  /** Sent to MQTT 5.0 clients that ask, with %c as the Client Identifier (section 3.2.2.3.15). */
  readonly responseInformation?: string | undefined
  /** Serves the admin API; off when absent. */
  readonly admin?: AdminConfig | undefined
  /**
   * Reads the files again that the configuration came of, when the admin API is asked to; resolves with a sentence when nothing of
   * them was taken. Absent: the admin API says that there are none.
   */
  readonly onReload?: (() => Promise<string | undefined>) | undefined
  /** Called for each event; see admin/log.ts for lines to print. */
  readonly onEvent?: ((event: LogEvent) => void) | undefined
}

/** What a running broker can be given anew; what is absent stays as it is. */
export interface ReloadConfig {
  /** For every TLS listener, or a list: for each listener of the configuration the one in its place. */
  readonly certificates?: RenewedCertificate | readonly (RenewedCertificate | undefined)[] | undefined
  readonly login?: LoginConfig | undefined
  /** Text of an access control list, or what was read of it. */
  readonly acl?: string | ReadAcl | undefined
  /** In the place of all that were given before: one that is not here has its default. docs/configuration.md says for whom they hold. */
  readonly limits?: Partial<Limits> | undefined
  readonly disconnectRevoked?: boolean | undefined
  /** Certificates and tokens of the metrics; the other settings are not looked at. Absent: as before. */
  readonly metrics?: MetricsConfig | undefined
  readonly webhooks?: readonly WebhookConfig[] | undefined
  /** Tokens of the admin API, and its certificate where it has one. */
  readonly admin?: Pick<AdminConfig, "tokens" | "cert" | "key"> | undefined
  /** For each listener of the configuration, those with TLS: in the place of all that it was given before. Undefined: as before. */
  readonly handshakes?: readonly (Optional<HandshakeLimits> | undefined)[] | undefined
  /** The same of who gets in through it. */
  readonly listenerLogins?: readonly (ListenerLogin | undefined)[] | undefined
  /** For each listener of the configuration, in the place of all that it was given before. Undefined: as before. */
  readonly listenerLimits?: readonly (ListenerLimits | undefined)[] | undefined
}

/** The admin API. */
export interface AdminConfig extends Address {
  /** PEM texts, both or none: with them it speaks TLS 1.3. An address that others reach needs them. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Text of a file of tokens (see admin/tokens.ts). */
  readonly tokens: string
  /** Names that a loopback address is known by, beside localhost and its addresses. */
  readonly hosts?: readonly string[] | undefined
}

/** A configuration that cannot be used, in one line. */
export class ConfigError extends Error {
  /** The place of the value that it is about, such as `listeners[0].port`; undefined: it is about none. */
  readonly where: string | undefined
  /** What is said where an option of the command line gave that value, instead of the message. */
  readonly onCommandLine: ((flag: string) => string) | undefined

  constructor(message: string, where?: string, onCommandLine?: (flag: string) => string) {
    super(message)
    this.name = "ConfigError"
    this.where = where
    this.onCommandLine = onCommandLine
  }
}
