import type { Duplex } from "node:stream"
import { serverFirstIn } from "./scram.ts"

/** Hears what the broker answers to SCRAM. */
export class Ear {
  #heard = ""
  #hears: () => void = () => undefined

  constructor(stream: Duplex) {
    stream.on("data", (data: Buffer) => {
      if (this.#heard.length < 100_000) this.#heard += data.toString("latin1")
      if (serverFirstIn(this.#heard) !== undefined) this.#hears()
    })
  }

  /** The broker has proven that it knows the user, since the last question. */
  get isIn(): boolean {
    return /v=[A-Za-z0-9+/]{43}=/.test(this.#heard)
  }

  /** What has come since the last question, or comes in a moment; "": nothing. */
  async serverFirst(closed: Promise<void>): Promise<string> {
    if (serverFirstIn(this.#heard) === undefined) {
      const heard = new Promise<void>((resolve) => {
        this.#hears = resolve
      })
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, 50)
      })
      await Promise.race([heard, closed, late])
      clearTimeout(timer)
    }
    const found = serverFirstIn(this.#heard) ?? ""
    this.#heard = ""
    return found
  }
}
