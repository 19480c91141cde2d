// The suite's one address in front of two brokers of one cluster: connections go to one and the other by turns, so a client finds
// what it left on the node that it did not speak to before.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"

export class Turns {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #next = 0
  /** Connections that each has had. */
  readonly counts: number[]

  private constructor(server: Server, ports: readonly number[]) {
    this.#server = server
    this.counts = ports.map(() => 0)
    server.on("connection", (client) => this.#join(client, ports))
  }

  static async listen(ports: readonly number[]): Promise<Turns> {
    const server = createServer({ allowHalfOpen: true })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return new Turns(server, ports)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #join(client: Socket, ports: readonly number[]): void {
    const index = this.#next++ % ports.length
    this.counts[index]!++
    const broker = connect({ port: ports[index]!, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
    client.setNoDelay(true)
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(one)
      one.pipe(other)
      one.once("error", () => other.destroy())
      one.once("close", () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
