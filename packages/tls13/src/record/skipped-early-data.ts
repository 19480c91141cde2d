// RFC 9846 section 4.3.10: the 0-RTT records of a client whose early data is not accepted are dropped.

import { LimitExceeded } from "../bytes/errors.ts"

export class SkippedEarlyData {
  /**
   * `undecryptable`, of a server that answered without accepting early data: records that do not open, until one opens.
   * `application_data`, of a server that answered with a HelloRetryRequest: records of outer type application_data, until the
   * next handshake record, or keys.
   */
  readonly which: "undecryptable" | "application_data"
  readonly #most: number
  #left: number

  /** @param maxBytes of content to drop at most (max_early_data_size) */
  constructor(which: "undecryptable" | "application_data", maxBytes: number) {
    this.which = which
    this.#most = maxBytes
    this.#left = maxBytes
  }

  /**
   * Drops a record: up to max_early_data_size, which counts content; a record counts as one byte at least.
   * @param length of what is protected. @throws LimitExceeded
   */
  drop(length: number, tagLength: number): void {
    this.#left -= Math.max(1, length - tagLength - 1)
    if (this.#left < 0) {
      throw new LimitExceeded(
        "unexpected_message",
        "skippedEarlyData",
        `more than ${this.#most} bytes of early data that was not accepted`,
      )
    }
  }
}
