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

export class WebConnection {
  readonly #link: ByteLink
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #turnSoon: () => void
  #waiting: (() => void)[] = []

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
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }

  /** Until both ends are done with it. */
  async run(): Promise<void> {
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
        link.receive(value) // one that is ending takes no notice, and its peer's end can be seen
        this.#turnSoon()
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
        if (bytes.length > 0) await this.#writer.write(bytes)
        this.#turnSoon()
        if (link.state === "closed") break
      }
    } catch {
      link.lost("connection closed while sending")
      this.#turnSoon()
    }
    await within(lingerMilliseconds, this.#writer.close())
    await this.#writer.abort().catch(() => undefined)
    await within(lingerMilliseconds, this.#reader.cancel())
  }
}

/** When the work is over, however it ends, or the time is. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work.catch(() => undefined), late])
  clearTimeout(timer)
}
