// One connection over WHATWG streams: a loop from the stream to the link, and one from the link to the stream. Each waits for the
// other side, so nothing is read that has no place and nothing piles up for a client that does not take it.

import type { ByteLink } from "../embed/byte-link.ts"

/** A byte stream each way. */
export interface WebStreams {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
}

/** Milliseconds that a peer has to take the last bytes. */
const lingerMilliseconds = 1000
/** Bytes that are received in one turn: what a stream gives at once may be of any length, a whole WebSocket message of them. */
const longestPiece = 65_536

export class WebConnection {
  readonly #link: ByteLink
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #turnSoon: () => void
  #waiting: (() => void)[] = []
  /** Since the link has ended: its peer has so much time to take what is left. */
  #lingering: ReturnType<typeof setTimeout> | undefined
  #isLate = false
  /** Gives up what is being written. */
  #giveUp = () => {}

  /** @param turnSoon asks for a turn of the broker */
  constructor(link: ByteLink, { readable, writable }: WebStreams, turnSoon: () => void) {
    this.#link = link
    this.#reader = readable.getReader()
    this.#writer = writable.getWriter()
    this.#turnSoon = turnSoon
    // Told by the read or the write that fails.
    this.#reader.closed.catch(() => undefined)
    this.#writer.closed.catch(() => undefined)
  }

  /** The link has something to send, has ended, or reads again. */
  changed(): void {
    if (this.#link.state !== "open") this.#linger()
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }

  /** Until both ends are done with it. */
  async run(): Promise<void> {
    this.changed() // it may have ended already
    await Promise.all([this.#receive(), this.#send()])
  }

  async #until(ready: () => boolean): Promise<void> {
    while (!ready()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }

  async #receive(): Promise<void> {
    const link = this.#link
    let reason = "connection closed by the client"
    try {
      for (;;) {
        await this.#until(() => link.reads || link.state !== "open")
        const { done, value } = await this.#reader.read()
        if (done) break
        for (let at = 0; at < value.length; at += longestPiece) {
          if (at > 0) await nextTurn()
          await this.#until(() => link.reads || link.state !== "open")
          link.receive(value.subarray(at, at + longestPiece)) // one that is ending takes no notice, and its peer's end can be seen
          this.#turnSoon()
        }
      }
    } catch {
      reason = "connection failed"
    }
    link.lost(reason)
    this.changed()
    this.#turnSoon()
  }

  async #send(): Promise<void> {
    const link = this.#link
    try {
      for (;;) {
        await this.#until(() => link.waiting > 0 || link.state !== "open")
        const bytes = link.take()
        if (bytes.length > 0) await this.#written(this.#writer.write(bytes))
        this.#turnSoon()
        if (link.state === "closed") break
      }
    } catch {
      link.lost("connection closed while sending")
      this.#turnSoon()
    }
    this.#linger()
    await this.#written(this.#writer.close()).catch(() => undefined)
    clearTimeout(this.#lingering)
    // Nobody waits for these: `abort` waits for a write, and that for a peer that may never read.
    this.#writer.abort().catch(() => undefined)
    this.#reader.cancel().catch(() => undefined)
  }

  #linger(): void {
    this.#lingering ??= setTimeout(() => {
      this.#isLate = true
      this.#giveUp()
    }, lingerMilliseconds)
  }

  /** Rejects when the link has ended and the peer does not take the rest in time. */
  #written(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => reject(new Error("the peer does not take the last bytes"))
      if (this.#isLate) this.#giveUp()
      work.then(resolve, reject)
    })
  }
}

/** Others have had their turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
