// A publisher that writes down what it said, and what was acknowledged.

import type { Opened } from "../../crash/clients.ts"
import { Publisher } from "../../crash/publisher.ts"
import { isRemoval, isRetained, qosOf, topicOf } from "../../crash/said.ts"
import type { Received, Version } from "../../hostile/wire/mqtt.ts"
import type { Said } from "../history.ts"
import { Connections } from "./connections.ts"
import type { Recorder } from "./recorder.ts"

/** Milliseconds from one message to the next, when answers come in time. */
const pace = 12

export class ClusterPublisher extends Publisher {
  readonly connections: Connections
  readonly #recorder: Recorder
  readonly #said = new Map<number, Said>()

  constructor(id: string, version: Version, recorder: Recorder) {
    super(id, version, 0, pace)
    this.#recorder = recorder
    this.connections = new Connections(id, version, recorder)
    this.mayBeRefused = true
  }

  protected override says(count: number, times: number): void {
    const known = this.#said.get(count)
    if (known !== undefined) {
      known.times = times
      return
    }
    const of = { by: this.id, count }
    const what = { topic: topicOf(of), qos: qosOf(count), retain: isRetained(count), removal: isRemoval(count) }
    const said: Said = { ...of, ...what, at: this.#recorder.now, connection: this.connection, times }
    this.#said.set(count, said)
    this.#recorder.history.said.push(said)
  }

  protected override isKept(count: number): void {
    const said = this.#said.get(count)
    if (said === undefined) return
    said.acknowledgedAt = this.#recorder.now
    said.acknowledgedOn = this.connection
  }

  protected override isRefused(count: number, final: boolean): void {
    const said = this.#said.get(count)
    if (said !== undefined) said.refused = final
  }

  protected override opened(opened: Opened): void {
    this.connections.opened(opened)
  }

  protected override closed(number: number): void {
    this.connections.closed(number)
  }

  protected override replaced(packet: Received, number: number): void {
    this.connections.replacedHeard(packet, number)
  }

  protected override ended(code: number): void {
    const wrong = this.connections.ended(code)
    if (wrong !== undefined) this.wrong.push(wrong)
  }
}
