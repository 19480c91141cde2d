// The configuration of a broker, as values: files are read and checked before (load.ts), so nothing here names one.

import type { IdentityRule, RevocationMode } from "@puremq/tls13/x509"
import type { LogEvent } from "../admin/log.ts"
import type { Limits } from "../session/limits.ts"
import type { RenewedCertificate } from "../transport/listener.ts"
import type { ClientCertificateMode } from "../transport/tls.ts"

interface Address {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined
  /** 0 takes a free port. */
  readonly port: number
}

interface TlsSettings {
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
  /** Who does the cryptography: our own kernels (fast, the default), the audited packages alone, or node:crypto. */
  readonly crypto?: "fast" | "noble" | "host" | undefined
  /** Milliseconds, default 10,000. */
  readonly handshakeTimeout?: number | undefined
  /** Handshakes under way, in all and of one address (IPv6: of a /64), default 1024 and 64. */
  readonly maxPendingHandshakes?: number | undefined
  readonly maxPendingHandshakesPerAddress?: number | undefined
  /** Connections that wait for theirs, default 4096 and 1024; more are closed. 0: none waits. */
  readonly maxWaitingHandshakes?: number | undefined
  readonly maxWaitingHandshakesPerAddress?: number | undefined
  /** Milliseconds that one waits, default 30,000. */
  readonly handshakeWaitTimeout?: number | undefined
}

interface WebSocketSettings {
  /** Path of the WebSocket; any when absent. */
  readonly path?: string | undefined
  /** Origins that browsers may come from; "*" is any. When absent: pages of the same origin. Others than browsers have none. */
  readonly origins?: readonly string[] | undefined
  /** Host names that a listener on a loopback address is known by, beside localhost, its addresses and the hosts of `origins`. */
  readonly hosts?: readonly string[] | undefined
}

/** What is said of who connects by somebody in between. */
interface BehindProxy {
  /**
   * Connections come from these proxies (addresses and networks such as 10.0.0.0/8) and begin with a header of the PROXY
   * protocol, version 1 or 2; from elsewhere they are closed.
   */
  readonly proxyProtocol?: { readonly trusted: readonly string[] } | undefined
}

export interface TcpListenerConfig extends Address, BehindProxy {
  readonly type: "tcp"
}

export interface TlsListenerConfig extends Address, BehindProxy, TlsSettings {
  readonly type: "tls"
}

export interface WsListenerConfig extends Address, BehindProxy, WebSocketSettings {
  readonly type: "ws"
}

export interface WssListenerConfig extends Address, BehindProxy, TlsSettings, WebSocketSettings {
  readonly type: "wss"
}

export type ListenerConfig = TcpListenerConfig | TlsListenerConfig | WsListenerConfig | WssListenerConfig

export interface LoginConfig {
  /** May clients without certificate and user name connect? Default: true when nothing else is configured. */
  readonly anonymous?: boolean | undefined
  /** Text of a password file (see access/password-file.ts). */
  readonly passwords?: string | undefined
  /** Is a verified client certificate a login? Default true. */
  readonly certificates?: boolean | undefined
}

export interface BrokerConfig {
  /** Default: none; connections then come through `attach`. */
  readonly listeners?: readonly ListenerConfig[] | undefined
  readonly login?: LoginConfig | undefined
  /** Text of an access control list (see access/acl.ts). Without one, everybody may use every topic. */
  readonly acl?: string | undefined
  /**
   * Does `reload` disconnect clients whose user was deleted or has another password, whose certificate would be refused now,
   * or one of whose subscriptions is not allowed any more? Default false: they stay, without the rights they have lost.
   */
  readonly disconnectRevoked?: boolean | undefined
  readonly limits?: Partial<Limits> | undefined
  /** Where to serve Prometheus metrics over HTTP; off when absent. */
  readonly metrics?: (Address & { readonly hosts?: readonly string[] | undefined }) | undefined
  /** Seconds between two rounds of $SYS topics, default 10; 0 turns them off. */
  readonly sysInterval?: number | undefined
  /** Sent to MQTT 5.0 clients that ask, with %c as the Client Identifier (section 3.2.2.3.15). */
  readonly responseInformation?: string | undefined
  /** Called for each event; see admin/log.ts for lines to print. */
  readonly onEvent?: ((event: LogEvent) => void) | undefined
}

/** Of each listener with TLS; times in milliseconds. */
export const defaultHandshakeLimits = {
  handshakeTimeout: 10_000,
  maxPendingHandshakes: 1024,
  maxPendingHandshakesPerAddress: 64,
  maxWaitingHandshakes: 4096,
  maxWaitingHandshakesPerAddress: 1024,
  handshakeWaitTimeout: 30_000,
} as const

/** What a running broker can be given anew; what is absent stays as it is. */
export interface ReloadConfig {
  /** For every TLS listener, or a list: for each listener of the configuration the one in its place. */
  readonly certificates?: RenewedCertificate | readonly (RenewedCertificate | undefined)[] | undefined
  readonly login?: LoginConfig | undefined
  /** Text of an access control list. */
  readonly acl?: string | undefined
}

/** A configuration that cannot be used, in one line. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "ConfigError"
  }
}
