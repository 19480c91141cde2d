// The session of a bridge at its own broker while the other broker cannot be reached: it must be there before the first message
// that is to wait in it, and a session that nobody comes back to ends.

import type { ByteLink } from "../embed/byte-link.ts"
import type { MqttClient } from "../mqtt-client/client.ts"
import { clientOfSession, subscribeTo } from "./local-session.ts"
import type { TopicMap } from "./topics.ts"

export interface KeepSessionOptions {
  readonly localId: string
  /** What is to wait in it. */
  readonly map: TopicMap
  readonly openLocal: () => ByteLink | undefined
  readonly staleFilters: (wanted: ReadonlySet<string>) => readonly string[]
  /** There was none, and is now: what the other broker knows of is not of this one. */
  readonly onNew: () => void
  /** It is there, with its subscriptions; or why not. */
  readonly onDone: (problem: string | undefined) => void
}

/** Comes, subscribes and goes. `turn` is to be called, and not from within the link's `changed`, until it is done. */
export class KeepSession {
  readonly #options: KeepSessionOptions
  readonly #client: MqttClient
  readonly #link: ByteLink | undefined
  #done = false

  constructor(options: KeepSessionOptions, now: number) {
    this.#options = options
    const { localId, map } = options
    this.#client = clientOfSession({ localId, receiveMaximum: 1 }, (event) => {
      if (event.event === "connected") {
        if (!event.connack.sessionPresent) options.onNew()
        subscribeTo(this.#client, map, options.staleFilters)
        if (map.routes.length === 0) this.#end(undefined)
      } else if (event.event === "subscribed") this.#end(undefined)
      else if (event.event === "closed") this.#end(event.error?.message ?? "it was closed")
    })
    this.#link = options.openLocal()
    this.#client.connect(now)
    this.turn(now)
  }

  get done(): boolean {
    return this.#done
  }

  turn(now: number): void {
    const link = this.#link
    if (link === undefined) {
      this.#end("it takes no more connections")
      return
    }
    while (!this.#done && (this.#client.waiting > 0 || link.waiting > 0)) {
      link.receive(this.#client.take())
      this.#client.receive(link.take(), now)
    }
    if (!this.#done && link.state === "closed") this.#client.lost()
  }

  #end(problem: string | undefined): void {
    if (this.#done) return
    this.#done = true
    this.#link?.lost("the bridge has its session")
    this.#options.onDone(problem)
  }
}
