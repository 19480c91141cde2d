// Three nats-servers and three nodes on them; or one broker alone, with its files.

import { mkdirSync } from "node:fs"
import type { Recorder } from "../clients/recorder.ts"
import type { Plant } from "../planted/front.ts"
import { NatsServer } from "./nats-server.ts"
import { Node } from "./node.ts"

export class Stage {
  nodes: readonly Node[] = []
  servers: readonly NatsServer[] = []
  readonly folder: string
  readonly #nats: string | undefined
  readonly #recorder: Recorder
  readonly #plant: Plant | undefined

  /**
   * @param folder an empty one; logs are in it
   * @param nats the program of nats-server; undefined: one broker alone
   * @param plant it stands before each node
   */
  constructor(folder: string, nats: string | undefined, recorder: Recorder, plant?: Plant) {
    this.#plant = plant
    this.folder = folder
    this.#nats = nats
    this.#recorder = recorder
  }

  /** @returns what is wrong */
  async start(): Promise<readonly string[]> {
    const nats = this.#nats
    mkdirSync(this.folder, { recursive: true })
    if (nats !== undefined) {
      this.servers = await NatsServer.three(nats, this.folder)
      for (const server of this.servers) server.start()
      const ready = await Promise.all(this.servers.map((server) => server.ready()))
      if (ready.includes(false)) return [`a nats-server does not start: see ${this.folder}`]
    }
    const names = nats === undefined ? ["A"] : ["A", "B", "C"]
    const create = (name: string) => Node.create(name, this.folder, this.servers, this.#recorder, this.#plant)
    this.nodes = await Promise.all(names.map(create))
    await Promise.all(this.nodes.map((node) => node.start()))
    return this.found()
  }

  /** What nodes said and did since they were asked, that they must not. */
  found(): readonly string[] {
    return this.nodes.flatMap((node) => node.findings.splice(0))
  }

  /** Nodes that have ended by themselves start again. */
  async lookAfter(): Promise<void> {
    for (const node of this.nodes) await node.lookAfter()
  }

  /** As their owner ends them. */
  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop()
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node.close()
    for (const server of this.servers) await server.kill()
  }
}
