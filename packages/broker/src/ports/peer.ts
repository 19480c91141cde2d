// What the broker knows of the other end of a connection, and the byte stream it needs. No runtime is named here.

/** Which listener kind a connection came through; "stream" when the embedding program attached it. */
export type TransportKind = "tcp" | "tls" | "ws" | "wss" | "stream"

/** What a TLS handshake has agreed on. */
export interface TlsFacts {
  readonly version: "1.3"
  /** Such as TLS_AES_128_GCM_SHA256. */
  readonly suite: string
  /** Such as X25519MLKEM768; undefined: there was no key exchange. */
  readonly group: string | undefined
  readonly resumed: boolean
  /** The name that the client asked for. */
  readonly serverName: string | undefined
}

export interface PeerInfo {
  readonly transport: TransportKind
  /** Name of the listener that it came through; undefined: the embedding program attached it. */
  readonly listener?: string | undefined
  readonly tls?: TlsFacts | undefined
  /** Address and port as the transport knows them, e.g. "127.0.0.1:50412". */
  readonly address: string
  /** Identity from a client certificate that the transport has verified; undefined when there was none. */
  readonly certificateIdentity?: string | undefined
  /** Why a client certificate that the transport has verified has no identity. */
  readonly certificateProblem?: string | undefined
  /**
   * Looks at the client's certificate again when authorities or revocation lists have become others since it was last judged:
   * why it would be refused now. `now` in milliseconds since 1970.
   */
  readonly recheckCertificate?: ((now: number) => string | undefined) | undefined
}

/** The output half of a connection, as the protocol machine sees it. */
export interface Sink {
  /** Takes all chunks in order as one write. False: nothing more until `drained` is called. */
  write(chunks: readonly Uint8Array[]): boolean
  /** After `write`: false where it has no use for those bytes any more, so that their memory may be written to. */
  readonly keeps?: boolean
  /** Ends the stream after what was written; must not wait for the peer for long. */
  end(): void
  /** Drops the connection at once. */
  destroy(): void
  /** Stops and restarts the delivery of incoming bytes. */
  pause(): void
  resume(): void
}

/** "ADDRESS:PORT" of the other end. */
export function addressOf(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string {
  const address = socket.remoteAddress ?? "unknown"
  const bracketed =
    address.includes(":") && !address.startsWith("::ffff:") ? `[${address}]` : address.replace("::ffff:", "")
  return socket.remotePort === undefined ? bracketed : `${bracketed}:${socket.remotePort}`
}
