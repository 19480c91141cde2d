// How long a client has said nothing (MQTT 5.0 section 3.1.2.10). What it has sent while it was not read from lies in its
// transport and comes as soon as it is read: so its silence is known at moments when it is read, and only then.

/** Milliseconds in which what lies in a transport has come, once it is read. */
const enough = 250

export class Silence {
  /** Milliseconds: when the last packet came. */
  #heardAt: number
  /** Since when it is read from; undefined while it is not. */
  #readSince: number | undefined
  /** Until then it had said nothing. */
  #knownUntil: number
  /** When it last took what it is sent. */
  #tookAt = Number.NEGATIVE_INFINITY

  constructor(now: number) {
    this.#heardAt = now
    this.#readSince = now
    this.#knownUntil = now
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
    this.#look(now)
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
    this.#look(now)
    if (stuck && this.#readSince === undefined) return now - Math.max(this.#heardAt, this.#tookAt)
    return Math.max(0, this.#knownUntil - this.#heardAt)
  }

  #look(now: number): void {
    if (this.#readSince !== undefined && now - this.#readSince >= enough) this.#knownUntil = now
  }
}
