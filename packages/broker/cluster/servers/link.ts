// A way from a node to a server that can be cut: closed, or held, and then what was on its way arrives late.

import { connect, createServer, type Server, type Socket } from "node:net"
import { portOf } from "./ports.ts"

export type Cut = "closed" | "held"

export class Link {
  readonly #server: Server
  readonly #to: number
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  /** Came while nothing goes through. */
  readonly #waiting = new Set<Socket>()
  #cut: Cut | undefined

  private constructor(server: Server, to: number) {
    this.#server = server
    this.#to = to
    server.on("connection", (socket) => this.#came(socket))
  }

  /** @param to a port of loopback */
  static open(to: number): Promise<Link> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true })
      server.once("error", reject).listen(0, "127.0.0.1", () => resolve(new Link(server, to)))
    })
  }

  get port(): number {
    return portOf(this.#server)
  }

  cut(how: Cut): void {
    this.#cut = how
    for (const pair of this.#pairs) for (const socket of pair) how === "held" ? socket.pause() : socket.destroy()
  }

  heal(): void {
    this.#cut = undefined
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
    for (const socket of this.#waiting) this.#through(socket)
    this.#waiting.clear()
  }

  close(): void {
    this.#server.close()
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
    for (const socket of this.#waiting) socket.destroy()
  }

  #came(socket: Socket): void {
    socket.on("error", () => undefined)
    if (this.#cut === undefined) this.#through(socket)
    else if (this.#cut === "closed") socket.destroy()
    else {
      this.#waiting.add(socket)
      socket.once("close", () => this.#waiting.delete(socket))
    }
  }

  #through(socket: Socket): void {
    const far = connect({ host: "127.0.0.1", port: this.#to, noDelay: true })
    const pair = [socket, far] as const
    this.#pairs.add(pair)
    const pass = (from: Socket, to: Socket) => {
      from.on("error", () => undefined)
      from.on("data", (data: Buffer) => {
        // What has been read when the link is cut goes with the rest.
        if (!to.write(data)) {
          from.pause()
          to.once("drain", () => this.#cut !== "held" && from.resume())
        }
      })
      from.once("end", () => to.end())
      from.once("close", () => {
        to.destroy()
        this.#pairs.delete(pair)
      })
    }
    pass(socket, far)
    pass(far, socket)
    if (this.#cut === "held") for (const one of pair) one.pause()
  }
}
