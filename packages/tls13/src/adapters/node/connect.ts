// `connect` in the shape of node:tls: over a new TCP connection, or over any Duplex.

import { connect as connectTcp, isIP, type NetConnectOpts, type TcpNetConnectOpts } from "node:net"
import type { Duplex } from "node:stream"
import { Misuse } from "../../bytes/errors.ts"
import { atOnce } from "../../bytes/pause.ts"
import { ClientConnection } from "../../connection/client-connection.ts"
import { type ClientConfig, createClientConfig } from "../../connection/config.ts"
import type { ClientOptions } from "../../handshake/options.ts"
import { withDefaults } from "../../handshake/settings.ts"
import type { ClientSessionStore } from "../../session/session.ts"
import { sniResolver } from "../../x509/certificate/credential.ts"
import type { CertificateVerifier, CredentialResolver } from "../../x509/interfaces.ts"
import { refuseMisplaced } from "./misplaced-options.ts"
import { type CommonTlsOptions, commonOptions, externalPsk, type PskOption, traceSink } from "./options.ts"
import { createSecureContext, type SecureContext } from "./secure-context.ts"
import { decodeClientSession, withSession } from "./session-buffer.ts"
import { TLSSocket } from "./tls-socket.ts"
import {
  type CheckServerIdentity,
  certificateTypes,
  createVerification,
  type ExtendVerifier,
  type Verification,
  wantsOcsp,
} from "./verification.ts"

export interface ConnectOptions
  extends CommonTlsOptions,
    Pick<ClientOptions, "keyShares">,
    Partial<Omit<TcpNetConnectOpts, "onread">> {
  /** Default `localhost`. */
  readonly host?: string
  readonly port?: number
  /** A Unix domain socket, instead of host and port. */
  readonly path?: string
  /** The stream to speak TLS over, instead of a new TCP connection. */
  readonly socket?: Duplex | undefined
  /** The name that the certificate must be for, and that is sent to the server; default: `host`. Empty: none is sent. */
  readonly servername?: string | undefined
  /** false: a server that cannot be verified is talked to, with `authorized` false. */
  readonly rejectUnauthorized?: boolean | undefined
  /** In the place of the check that the certificate is for the server's name. */
  readonly checkServerIdentity?: CheckServerIdentity | undefined
  /** In the place of the usual verifier, and so of `ca`. */
  readonly verifier?: CertificateVerifier | undefined
  readonly extendVerifier?: ExtendVerifier | undefined
  /** Asks the server for a stapled OCSP response; default: when `revocation` requires one. */
  readonly requestOCSP?: boolean | undefined
  /** Chooses the client certificate, in the place of `cert` and `key`. */
  readonly credentials?: CredentialResolver | undefined
  /** What `getSession()` or the `session` event gave: resumes that session. */
  readonly session?: Uint8Array | undefined
  /** Sessions of several servers; resumes what it has. */
  readonly sessionStore?: ClientSessionStore | undefined
  readonly externalPsks?: readonly PskOption[] | undefined
  /** As in node:tls; `hint` is null, as TLS 1.3 has none. */
  readonly pskCallback?:
    | ((hint: null) => { readonly identity: string; readonly psk: Uint8Array } | null | undefined)
    | undefined
  /**
   * Sent as 0-RTT data when the session allows it, else as the first data after the handshake. It can be replayed by
   * anybody who sees it: RFC 9846 section 8. When the server refuses it (`earlyDataDecided` with false, and
   * `info.earlyData` is "rejected") it is not sent again, nor for the first time when the session had no room for it: section
   * 4.3.10 leaves that to the application.
   */
  readonly earlyData?: Uint8Array | undefined
  readonly allowHalfOpen?: boolean
  /** What this stack has and node:tls has no word for; goes before what the other options say. */
  readonly core?: Partial<ClientOptions> | undefined
}

export function connect(options: ConnectOptions, onSecureConnect?: () => void): TLSSocket
export function connect(port: number, options?: ConnectOptions, onSecureConnect?: () => void): TLSSocket
export function connect(
  port: number,
  host: string,
  options?: ConnectOptions | (() => void),
  onSecureConnect?: () => void,
): TLSSocket
/** @throws Misuse or X509Error for options that make no sense; what goes wrong later is an `error` event */
export function connect(...args: readonly unknown[]): TLSSocket {
  const { options, onSecureConnect } = readArguments(args)
  refuseMisplaced("connect", options)
  const prepared = prepareClient(options)
  const raw = options.socket ?? connectTcp(tcpOptions(options))
  const socket = new TLSSocket(raw, {
    role: "client",
    provider: prepared.context.provider,
    verification: prepared.verification,
    servername: prepared.config.sendServerName ? prepared.config.serverName : undefined,
    allowHalfOpen: options.allowHalfOpen,
    highWaterMark: options.highWaterMark,
    earlyData: options.earlyData,
    begin(socket) {
      const keylog = socket.listenerCount("keylog") > 0
      const trace = traceSink(
        [options.trace],
        [options.keylog, keylog ? (line) => socket.emit("keylog", Buffer.from(`${line}\n`)) : undefined],
      )
      const [config, now] = [{ ...prepared.config, trace }, Date.now()]
      const connection = options.recorder?.client(config, now) ?? new ClientConnection(config, now)
      return { connection, first: [connection.start()] }
    },
  })
  if (onSecureConnect) socket.once("secureConnect", onSecureConnect)
  if (options.timeout) socket.setTimeout(options.timeout)
  return socket
}

export interface PreparedClient {
  readonly context: SecureContext
  readonly verification: Verification
  readonly config: ClientConfig
}

/** What the options come to: for all connections that have them. @throws Misuse or X509Error for options that make no sense */
export function prepareClient(options: ConnectOptions): PreparedClient {
  const context = options.secureContext ?? createSecureContext(options)
  const host = options.host ?? "localhost"
  const serverName = options.servername || host
  const verification = createVerification(context, { ...options, role: "server", serverName, identity: undefined })
  const externalPsks = [...(options.externalPsks ?? []), ...fromCallback(options)].map(externalPsk)
  const session = options.session && decodeClientSession(options.session)
  const credentials =
    options.credentials ?? (context.credentials.length > 0 ? sniResolver(context.credentials) : undefined)
  const usual = {
    ...commonOptions(options, context),
    serverName,
    sendServerName: options.servername !== "" && isIP(serverName) === 0,
    verifier: verification.verifier,
    requestOcspResponse: options.requestOCSP ?? wantsOcsp(options),
    credentials,
    certificateTypes: certificateTypes("client", context, options),
    sessionStore: withSession(session, options.sessionStore),
    sessionKey: `${serverName}:${options.port ?? options.path ?? ""}`,
    resumptionPartition: options.resumptionPartition ?? verification.partition,
    externalPsks,
    earlyData: options.earlyData !== undefined,
    keyShares: options.keyShares,
  } satisfies ClientOptions
  return { context, verification, config: createClientConfig(withDefaults(options.core ?? {}, usual)) }
}

function fromCallback({ pskCallback }: ConnectOptions): PskOption[] {
  const found = atOnce("pskCallback", pskCallback?.(null))
  return found ? [{ identity: found.identity, key: found.psk }] : []
}

function tcpOptions(options: ConnectOptions): NetConnectOpts {
  // The idle timer is the TLS socket's own, and the connection below is ended by us, after close_notify or an alert.
  const { path, timeout: _, host = "localhost", port, ...rest } = options
  if (path !== undefined) return { path, allowHalfOpen: true }
  if (port === undefined) throw new Misuse("connect needs a port (or a path, or a socket)")
  return { ...rest, host, port, allowHalfOpen: true, noDelay: true }
}

function readArguments(args: readonly unknown[]): {
  readonly options: ConnectOptions
  readonly onSecureConnect: (() => void) | undefined
} {
  let options: ConnectOptions = {}
  let onSecureConnect: (() => void) | undefined
  for (const argument of args) {
    if (
      typeof argument === "number" ||
      (typeof argument === "string" && /^\d+$/.test(argument) && options.port === undefined)
    )
      options = { ...options, port: Number(argument) }
    else if (typeof argument === "string") options = { ...options, host: argument }
    else if (isCallback(argument)) onSecureConnect = argument
    else if (typeof argument === "object" && argument !== null) options = { ...options, ...argument }
  }
  return { options, onSecureConnect }
}

function isCallback(value: unknown): value is () => void {
  return typeof value === "function"
}
