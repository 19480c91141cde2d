// What a TLSSocket shows of its handshake, in the words of node:tls: protocol, cipher, the peer's certificate, keying material,
// and what TLS 1.3 has no more. Nothing in here changes the connection.

import { Misuse } from "../../bytes/errors.ts"
import type { Connection } from "../../connection/connection.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import type { HandshakeInfo } from "../../handshake/info.ts"
import type { Certificate } from "../../x509/certificate/certificate.ts"
import { type PeerCertificate, peerCertificate, readableChain } from "./peer-certificate.ts"
import { SocketFace } from "./socket-face.ts"

export interface HandshakeFaceSetup {
  readonly role: "client" | "server"
  readonly provider: CryptoProvider
}

export abstract class HandshakeFace extends SocketFace {
  /** What the handshake agreed, in this stack's own words; undefined until it is over. */
  abstract get info(): HandshakeInfo | undefined

  protected abstract get setup(): HandshakeFaceSetup

  /** Undefined until bytes can flow. */
  protected abstract get connection(): Connection | undefined

  /** The newest session that the server gave, as one Buffer. */
  protected abstract get session(): Buffer | undefined

  getProtocol(): "TLSv1.3" | null {
    return this.info?.protocol ?? null
  }

  getCipher(): { readonly name: string; readonly standardName: string; readonly version: string } | undefined {
    const suite = this.info?.cipherSuite
    return suite === undefined ? undefined : { name: suite, standardName: suite, version: "TLSv1.3" }
  }

  /**
   * An empty object when the peer showed none, or one that only a verifier of one's own can read. Never throws for what the
   * peer sent. @param detailed links the chain by `issuerCertificate`, up to the first certificate that cannot be read
   */
  getPeerCertificate(detailed: boolean = false): PeerCertificate | Record<string, never> {
    const chain = this.info?.peerCertificateType === "X509" ? this.info.peerChain : []
    return peerCertificate(chain, this.setup.provider, detailed)
  }

  /**
   * The peer's certificates as `./x509` reads them, leaf first. One behind the leaf that cannot be read is left out, as the
   * search for a path leaves it out (`info.peerChain` has the DER of all); without a readable leaf the list is empty. Never
   * throws for what the peer sent.
   */
  getPeerX509Chain(): readonly Certificate[] {
    return this.info?.peerCertificateType === "X509" ? readableChain(this.info.peerChain) : []
  }

  /** The group of the key exchange; null for psk_ke, and on servers, as in node:tls. */
  getEphemeralKeyInfo(): { readonly type: "ECDH"; readonly name: string; readonly size: number } | null {
    const group = this.info?.group
    if (group === undefined || this.setup.role === "server") return null
    const [name, size] = groupNames[group] ?? [group, 0]
    return { type: "ECDH", name, size }
  }

  isSessionReused(): boolean {
    return this.info?.resumed ?? false
  }

  /** The newest session that the server gave, for the `session` option of `connect`: each is good for one connection. */
  getSession(): Buffer | undefined {
    return this.session && Buffer.from(this.session)
  }

  /** RFC 9846 section 7.5. @param length bytes, 1 to 255 times the hash's length */
  exportKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array(0)): Buffer {
    if (this.connection === undefined)
      throw new Misuse("keying material can be exported once the handshake is complete")
    return Buffer.from(this.connection.exportKeyingMaterial(label, context, length))
  }

  /**
   * The same from early_exporter_secret, for what goes with early data: see `exportEarlyKeyingMaterial` of the core.
   * @throws Misuse when there is no early data, or it was refused
   */
  exportEarlyKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array(0)): Buffer {
    if (this.connection === undefined)
      throw new Misuse("early keying material is that of 0-RTT data, and there is none")
    return Buffer.from(this.connection.exportEarlyKeyingMaterial(label, context, length))
  }

  /** TLS 1.3 has none: the callback gets an error that says so. */
  renegotiate(_options: unknown, callback?: (error: Error | null) => void): boolean {
    if (callback) process.nextTick(callback, new Misuse("TLS 1.3 has no renegotiation; updateKeys() renews the keys"))
    return false
  }

  /** There is nothing to disable. */
  disableRenegotiation(): void {}
}

const groupNames: Readonly<Record<string, readonly [name: string, bits: number]>> = {
  x25519: ["X25519", 253],
  secp256r1: ["prime256v1", 256],
  secp384r1: ["secp384r1", 384],
  secp521r1: ["secp521r1", 521],
}
