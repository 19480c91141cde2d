import type { TLSSocket } from "../adapters/node/tls-socket.ts"

/** Renews the sending keys after every so many bytes that were sent: `--key-update BYTES`, `--key-update-peer`. */
export class KeyRenewal {
  readonly #socket: TLSSocket
  readonly #every: number
  readonly #peer: boolean
  #sent = 0

  /**
   * @param every bytes; undefined: never
   * @param peer also asks the peer to renew its own
   */
  constructor(socket: TLSSocket, every: number | undefined, peer: boolean) {
    this.#socket = socket
    this.#every = every ?? Number.POSITIVE_INFINITY
    this.#peer = peer
  }

  /** Writes, and renews when it is time; what `socket.write` gives. */
  write(data: Uint8Array): boolean {
    const more = this.#socket.write(data)
    this.#sent += data.length
    if (this.#sent >= this.#every && this.#socket.writable) {
      this.#sent = 0
      this.#socket.updateKeys({ peer: this.#peer })
    }
    return more
  }
}
