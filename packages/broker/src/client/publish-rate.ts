/**
 * How fast one connection may publish: so many messages, and so many bytes of PUBLISH, a second. As much as a second has may come
 * at once. A message may always come whole; what it takes too much, the next one waits for.
 */
export class PublishRate {
  readonly messages: number
  readonly bytes: number
  readonly #buckets: readonly Bucket[]
  readonly #byMessage: Bucket | undefined
  readonly #byByte: Bucket | undefined

  /** @param messages a second; 0: any @param bytes a second; 0: any */
  constructor(messages: number, bytes: number, now: number) {
    this.messages = messages
    this.bytes = bytes
    this.#byMessage = messages > 0 ? new Bucket(messages, now) : undefined
    this.#byByte = bytes > 0 ? new Bucket(bytes, now) : undefined
    this.#buckets = [this.#byMessage, this.#byByte].filter((each) => each !== undefined)
  }

  /** One PUBLISH of so many bytes has come. Returns the milliseconds that the next one has to wait; 0: it may come. */
  take(bytes: number, now: number): number {
    this.#byMessage?.take(1, now)
    this.#byByte?.take(bytes, now)
    return this.wait(now)
  }

  wait(now: number): number {
    let most = 0
    for (const bucket of this.#buckets) most = Math.max(most, bucket.wait(now))
    return most
  }
}

class Bucket {
  readonly #rate: number
  #left: number
  #since: number

  constructor(rate: number, now: number) {
    this.#rate = rate
    this.#left = rate
    this.#since = now
  }

  take(amount: number, now: number): void {
    this.#fill(now)
    this.#left -= amount
  }

  wait(now: number): number {
    this.#fill(now)
    return this.#left >= 1 ? 0 : Math.ceil(((1 - this.#left) * 1000) / this.#rate)
  }

  #fill(now: number): void {
    this.#left = Math.min(this.#rate, this.#left + ((now - this.#since) * this.#rate) / 1000)
    this.#since = now
  }
}
