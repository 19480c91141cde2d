// A subscriber that writes down what came, and on which connection.

import { type Opened, payloadOf } from "../../crash/clients.ts"
import { saidIn } from "../../crash/said.ts"
import { Subscriber } from "../../crash/subscriber.ts"
import { packetType, type Received, readPublish, type Version } from "../../hostile/wire/mqtt.ts"
import type { Qos, Subscription } from "../history.ts"
import { Connections } from "./connections.ts"
import type { Recorder } from "./recorder.ts"
import { zeroIn } from "./zero.ts"

export class ClusterSubscriber extends Subscriber {
  readonly connections: Connections
  readonly #recorder: Recorder

  constructor({ clientId, filters, share }: Subscription, version: Version, recorder: Recorder) {
    super(clientId, version, share === undefined ? filters : filters.map((filter) => `$share/${share}/${filter}`))
    this.#recorder = recorder
    this.connections = new Connections(clientId, version, recorder)
    this.mayBeRefused = true
  }

  protected override took(topic: string, qos: number, payload: string): void {
    this.#got(this.connection, topic, qos, payload, true)
  }

  #got(connection: number, topic: string, qos: number, payload: string, taken: boolean): void {
    const what = { clientId: this.id, connection, at: this.#recorder.now, topic, qos: qos as Qos, taken }
    this.#recorder.history.got.push({ ...what, payload: payload.trim(), ...(saidIn(payload) ?? zeroIn(payload)) })
  }

  protected override opened(opened: Opened): void {
    this.connections.opened(opened)
  }

  protected override closed(number: number): void {
    this.connections.closed(number)
  }

  protected override replaced(packet: Received, number: number): void {
    this.connections.replacedHeard(packet, number)
    if (packet.type !== packetType.publish) return
    const { topic, qos } = readPublish(packet)
    this.#got(number, topic, qos, payloadOf(packet, this.version), false)
  }

  protected override ended(code: number): void {
    const wrong = this.connections.ended(code)
    if (wrong !== undefined) this.wrong.push(wrong)
  }
}
