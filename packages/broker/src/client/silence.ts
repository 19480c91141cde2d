// How long a client has said nothing (MQTT 5.0 section 3.1.2.10). What it has sent while it was not read from lies in its
// transport: so only the time counts in which it is read from.

export class Silence {
  /** Milliseconds: when the last packet came. */
  #heardAt: number
  /** Since when it is read from; undefined while it is not. */
  #readSince: number | undefined
  /** When it last took what it is sent. */
  #tookAt = Number.NEGATIVE_INFINITY

  constructor(now: number) {
    this.#heardAt = now
    this.#readSince = now
  }

  /** When the last packet came, or the time began anew. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** A packet has come, or the time begins anew. */
  heard(now: number): void {
    this.#heardAt = now
  }

  /** From here on it is read from, or not. */
  reads(reading: boolean, now: number): void {
    if (!reading) this.#readSince = undefined
    else this.#readSince ??= now
  }

  /** It has taken what it is sent. */
  took(now: number): void {
    this.#tookAt = now
  }

  /**
   * Milliseconds that it is known to have said nothing.
   * @param stuck it is not read from as it does not take what it is sent: then it lives if it takes
   */
  milliseconds(now: number, stuck: boolean): number {
    if (this.#readSince !== undefined) return now - Math.max(this.#heardAt, this.#readSince)
    return stuck ? now - Math.max(this.#heardAt, this.#tookAt) : 0
  }
}
