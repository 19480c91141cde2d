import { TlsError } from "../bytes/errors.ts"

/**
 * The server has answered ClientHelloOuter, and has shown that it is the server of the public name: what it says of ECH can be
 * believed (RFC 9849 section 6.1.6). There is no connection: connect anew, with `retryConfigs`, or without ECH when there are
 * none. A second time, to a connection that was made with retry configurations, something is wrong with the server.
 */
export class EncryptedClientHelloRejected extends TlsError {
  override readonly kind = "EncryptedClientHelloRejected"
  /** An ECHConfigList to connect anew with, and for nothing else; undefined: the server has turned ECH off. */
  readonly retryConfigs: Uint8Array | undefined

  constructor(publicName: string, retryConfigs: Uint8Array | undefined) {
    const advice =
      retryConfigs === undefined ? "has turned it off: connect without" : "has sent other ones to connect anew with"
    super("ech_required", `${publicName} does not take the configuration of Encrypted Client Hello, and ${advice}`)
    this.retryConfigs = retryConfigs
  }
}
