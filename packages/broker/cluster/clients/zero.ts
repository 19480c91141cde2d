// A publisher of QoS 0: what it says may be lost, and comes no more than once, in order as long as nobody moves.

import { KeptClient, type Opened } from "../../crash/clients.ts"
import { packetType, publish, type Received, type Version } from "../../hostile/wire/mqtt.ts"
import { Connections } from "./connections.ts"
import type { Recorder } from "./recorder.ts"

/** Milliseconds from one message to the next. */
const pace = 50

export class ZeroPublisher extends KeptClient {
  readonly connections: Connections
  stopped = false
  readonly #recorder: Recorder
  #count = 0
  #speaking: NodeJS.Timeout | undefined

  constructor(id: string, version: Version, recorder: Recorder) {
    super(id, version)
    this.#recorder = recorder
    this.connections = new Connections(id, version, recorder)
    this.mayBeRefused = true
  }

  protected begin(): void {
    clearInterval(this.#speaking)
    this.#speaking = setInterval(() => this.#speak(), pace)
  }

  #speak(): void {
    if (this.stopped || !this.connected) return
    const [by, count, at] = [this.id, ++this.#count, this.#recorder.now]
    const what = { topic: `messages/${by}/0`, qos: 0 as const, retain: false, removal: false }
    this.#recorder.history.said.push({ by, count, ...what, at, connection: this.connection, times: 1 })
    this.send(publish(this.version, what.topic, `${by} 0 ${count}`))
  }

  protected heard({ type, body }: Received): void {
    if (type === packetType.disconnect) this.ended(body[0] ?? 0)
  }

  protected override opened(opened: Opened): void {
    this.connections.opened(opened)
  }

  protected override closed(number: number): void {
    this.connections.closed(number)
    if (!this.connected) clearInterval(this.#speaking)
  }

  protected override replaced(packet: Received, number: number): void {
    this.connections.replacedHeard(packet, number)
  }

  protected override ended(code: number): void {
    const wrong = this.connections.ended(code)
    if (wrong !== undefined) this.wrong.push(wrong)
  }
}

/** Who said a payload of QoS 0, and the how manieth it is. */
export function zeroIn(payload: string): { by: string; count: number } | undefined {
  const match = /^(z\d) 0 (\d+)$/.exec(payload)
  return match === null ? undefined : { by: match[1]!, count: Number(match[2]) }
}
