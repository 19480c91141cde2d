// A client that is somewhere: where its node ends, or does not answer, it goes to another; and it moves when it is told to.

import type { Random } from "../../../tls13/fuzz/random.ts"
import { pause } from "../../crash/world.ts"
import type { Node } from "../servers/node.ts"
import type { ClusterPublisher } from "./publisher.ts"
import type { ClusterSubscriber } from "./subscriber.ts"
import type { ZeroPublisher } from "./zero.ts"

/** Milliseconds in which CONNACK must come; else it goes elsewhere. */
const patience = 4000
/** Milliseconds between two looks. */
const step = 50

type Wanderer = ClusterPublisher | ClusterSubscriber | ZeroPublisher

export class Traveller {
  readonly client: Wanderer
  /** It wants to be connected. */
  present = true
  /** Moves by which it came elsewhere. */
  moves = 0
  readonly #nodes: readonly Node[]
  readonly #random: Random
  #node: Node
  #connecting: Promise<void> | undefined
  #over = false

  constructor(client: Wanderer, nodes: readonly Node[], home: number, random: Random) {
    this.client = client
    this.#nodes = nodes
    this.#node = nodes[home % nodes.length]!
    this.#random = random
  }

  /** Looks after its connection until it is over. */
  async live(): Promise<void> {
    while (!this.#over) {
      if (this.present && !this.client.connected && this.#connecting === undefined) {
        if (this.#node.port === undefined) this.#node = this.#another()
        await this.#connect()
      }
      await pause(step)
    }
  }

  /** Goes to another node. @param beside it leaves the old connection as it is: the cluster has to end it */
  async move(beside: boolean): Promise<void> {
    const end = performance.now() + patience
    while (!this.client.connected && this.present && performance.now() < end) await pause(step)
    await this.#connecting
    if (!this.present) return
    if (!beside) this.client.leave()
    this.#node = this.#another()
    const before = this.client.connections.count
    await this.#connect()
    if (this.client.connected && before > 0) this.moves++
  }

  away(): void {
    this.present = false
    this.client.leave()
  }

  end(): void {
    this.#over = true
    this.client.leave()
  }

  #another(): Node {
    const others = this.#nodes.filter((node) => node !== this.#node && node.port !== undefined)
    return others.length === 0 ? this.#node : this.#random.pick(others)
  }

  async #connect(): Promise<void> {
    const { port } = this.#node
    if (port === undefined) return
    const attempt = this.client.connect(port, patience).catch(() => {
      // Killed, cut off, or refused: there are others.
      if (!this.client.connected) this.#node = this.#another()
    })
    this.#connecting = attempt
    await attempt
    this.#connecting = undefined
  }
}
