// For how long this process answers nobody: a byte goes round and round between two ends of a connection of its own, and the
// time from one arrival to the next is what a client would have waited. So it takes in all that is done between two looks at
// sockets, whatever timers say. What the process waited for a processor is not its own doing (Linux tells).

import { once } from "node:events"
import { readFileSync } from "node:fs"
import net, { type AddressInfo, type Socket } from "node:net"

export class HoldUps {
  readonly #ends: readonly Socket[]
  #since = 0
  #waited = 0
  #longest = 0
  #watching = false

  private constructor(ends: readonly Socket[]) {
    this.#ends = ends
    for (const end of ends) {
      end.setNoDelay(true)
      end.on("data", () => this.#arrived(end))
    }
  }

  static async start(): Promise<HoldUps> {
    const server = net.createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const near = net.connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port })
    const [far] = (await once(server, "connection")) as [Socket]
    server.close()
    return new HoldUps([near, far])
  }

  /** Watches from here on. */
  begin(): void {
    this.#longest = 0
    this.#note()
    if (this.#watching) return
    this.#watching = true
    this.#ends[0]!.write("x")
  }

  /** Milliseconds. */
  get longest(): number {
    return this.#longest
  }

  end(): void {
    this.#watching = false
  }

  #arrived(end: Socket): void {
    const [since, waited] = [this.#since, this.#waited]
    this.#note()
    this.#longest = Math.max(this.#longest, this.#since - since - (this.#waited - waited))
    if (this.#watching) end.write("x")
  }

  #note(): void {
    this.#since = performance.now()
    this.#waited = waitedForProcessor()
  }
}

/** Milliseconds that the main thread could have gone on and was not let; 0 where nobody says. */
function waitedForProcessor(): number {
  if (process.platform !== "linux") return 0
  try {
    return Number(readFileSync("/proc/self/schedstat", "latin1").split(" ")[1]) / 1e6
  } catch {
    return 0
  }
}
