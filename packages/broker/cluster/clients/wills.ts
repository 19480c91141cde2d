// Clients that come to leave a will, and are lost, say good-bye, or come back on another node before its delay has passed.

import type { Random } from "../../../tls13/fuzz/random.ts"
import { expiresIn } from "../../crash/clients.ts"
import { pause } from "../../crash/world.ts"
import { Client } from "../../hostile/wire/client.ts"
import { disconnect, property, uint32 } from "../../hostile/wire/mqtt.ts"
import type { Will } from "../history.ts"
import type { Node } from "../servers/node.ts"
import type { Recorder } from "./recorder.ts"

/** Seconds of a Will Delay Interval: of a will that comes, and of one whose client is back before. */
const shortDelay = 2
const longDelay = 8
/** Seconds of a session that does not end before. */
const sessionExpiry = 600
/** Milliseconds in which an answer must come. */
const patience = 5000
/** Milliseconds that they stay, at most; and that one is away which comes back. */
const longestStay = 4000
const longestAway = 2000

type Kind = "lost" | "delayed" | "good-bye" | "comes back"
const kinds: readonly Kind[] = ["lost", "lost", "delayed", "good-bye", "good-bye", "comes back", "comes back"]

export class WillVisits {
  readonly #recorder: Recorder
  readonly #nodes: readonly Node[]
  readonly #random: Random
  #number = 0

  constructor(recorder: Recorder, nodes: readonly Node[], random: Random) {
    this.#recorder = recorder
    this.#nodes = nodes
    this.#random = random
  }

  /** Resolves when the client has gone, and never rejects. */
  async visit(): Promise<void> {
    const random = this.#random
    const [kind, node, qos] = [random.pick(kinds), this.#up(), random.pick([1, 2, 2] as const)]
    const [stay, away] = [random.integer(longestStay), random.integer(longestAway)]
    const number = ++this.#number
    const retain = random.oneIn(3)
    if (node?.port === undefined) return
    const delay = kind === "delayed" ? shortDelay : kind === "comes back" ? longDelay : 0
    const what = {
      clientId: `will-${number}`,
      topic: `wills/${number}`,
      payload: `will ${number}, ${kind}`,
      qos,
      retain,
    }
    const will = { ...what, delay: delay * 1000, node: node.name }
    const known = await this.#leave(will, kind, node.port, stay)
    this.#recorder.history.wills.push(
      kind === "comes back" ? { ...known, ...(await this.#comeBack(known, away)) } : known,
    )
  }

  #up(): Node | undefined {
    const up = this.#nodes.filter(({ port }) => port !== undefined)
    return up.length === 0 ? undefined : this.#random.pick(up)
  }

  async #leave(will: Will, kind: Kind, port: number, stay: number): Promise<Will> {
    const recorder = this.#recorder
    const { clientId, topic, payload, qos, retain, delay } = will
    const properties = delay === 0 ? [] : [Buffer.concat([Uint8Array.of(property.willDelay), uint32(delay / 1000)])]
    const session = delay === 0 ? {} : { cleanStart: false, properties: [expiresIn(sessionExpiry)] }
    const options = { clientId, ...session, will: { topic, payload, qos, retain, properties }, patience }
    const client = await Client.connect("tcp", port, options).catch(() => undefined)
    if (client === undefined) return will
    const connectedAt = recorder.now
    await Promise.race([pause(stay), client.wire.closed])
    const isLost = client.wire.isClosed
    const at = recorder.now
    if (isLost || kind !== "good-bye") {
      client.wire.destroy()
      return { ...will, connectedAt, end: { how: "lost", at } }
    }
    client.wire.send(disconnect(5))
    await Promise.race([pause(patience), client.wire.closed])
    client.wire.destroy()
    return { ...will, connectedAt, end: { how: "good-bye", at } }
  }

  /** [MQTT-3.1.3-9]: on any node. */
  async #comeBack({ clientId, connectedAt }: Will, away: number): Promise<Pick<Will, "backAt">> {
    if (connectedAt === undefined) return {}
    await pause(away)
    const port = this.#up()?.port
    if (port === undefined) return {}
    const options = { clientId, cleanStart: false, properties: [expiresIn(sessionExpiry)], patience }
    const client = await Client.connect("tcp", port, options).catch(() => undefined)
    // Without CONNACK nobody knows whether it is back.
    if (client === undefined) return { backAt: Number.POSITIVE_INFINITY }
    const backAt = this.#recorder.now
    await pause(200)
    client.wire.send(disconnect(5))
    await Promise.race([pause(patience), client.wire.closed])
    client.wire.destroy()
    return { backAt }
  }
}
