// The 0-RTT data of one connection: RFC 9846 sections 4.3.10 and 4.6 (how much, and until when) and 7.5 (its exporter). This
// object is the only one that counts it.

import { LimitExceeded, Misuse } from "../bytes/errors.ts"
import type { EarlyExporter } from "../schedule/exporter.ts"

export class EarlyData {
  /** Bytes that may still be sent (by a client) or come (to a server); undefined: none. */
  #left: number | undefined
  /** Until it is known to be refused, also when it has ended. */
  #exporter: EarlyExporter | undefined

  constructor(exporter: EarlyExporter) {
    this.#exporter = exporter
  }

  /** It may be sent, or is taken, from now on: at most so many bytes. It ends with the sending keys, and with `end`. */
  begin(maxBytes: number): void {
    this.#left = maxBytes
  }

  end(): void {
    this.#left = undefined
  }

  refuse(): void {
    this.end()
    this.wipe()
  }

  /** Whether any may be sent, or come, now. */
  get isOpen(): boolean {
    return this.#left !== undefined
  }

  /** Bytes that may still be sent, or come. */
  get left(): number {
    return this.#left ?? 0
  }

  /** A client sends so many bytes, which are no more than are left. */
  sent(length: number): void {
    if (this.#left !== undefined) this.#left -= length
  }

  /**
   * So many bytes have come to a server.
   * Section 4.7.1: "A server receiving more than max_early_data_size bytes of 0-RTT data SHOULD terminate the connection with an
   * "unexpected_message" alert." @throws LimitExceeded
   */
  received(length: number): void {
    if (length > this.left) {
      throw new LimitExceeded("unexpected_message", "earlyData", "client sent more early data than it may")
    }
    this.sent(length)
  }

  /** Section 7.5. @throws Misuse when it was refused */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    if (this.#exporter === undefined) throw new Misuse("early keying material is that of 0-RTT data, and there is none")
    return this.#exporter.export(label, context, length)
  }

  /** Forgets the exporter. */
  wipe(): void {
    this.#exporter?.wipe()
    this.#exporter = undefined
  }
}
