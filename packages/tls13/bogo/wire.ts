// The socket to the runner, read in pieces when the test wants it.

import { createConnection, type Socket } from "node:net"

export class Wire {
  readonly #socket: Socket
  readonly #chunks: Uint8Array[] = []
  #ended = false
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(new Uint8Array(chunk))
      this.#wake()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on("end", end)
    socket.on("close", end)
    socket.on("error", end)
  }

  /** Connects, and says which test it is: 64 bits, little-endian. */
  static open(port: number, ipv6: boolean, shimId: string, gone: AbortSignal): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ port, host: ipv6 ? "::1" : "127.0.0.1", noDelay: true, allowHalfOpen: true })
      socket.once("error", reject)
      socket.once("connect", () => {
        const id = Buffer.alloc(8)
        id.writeBigUInt64LE(BigInt(shimId))
        socket.write(id)
        resolve(new Wire(socket))
      })
      gone.addEventListener("abort", () => socket.destroy())
    })
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > 0 && this.#socket.writable) this.#socket.write(bytes)
  }

  /** At most so many bytes, as soon as there is one; undefined at the end. */
  async read(most: number): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const first = this.#chunks.shift()!
    if (first.length <= most) return first
    this.#chunks.unshift(first.subarray(most))
    return first.subarray(0, most)
  }

  /** Ends our half and waits for the runner's, so that nothing that was written is lost. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#socket.destroy()
        resolve()
      }
      const timer = setTimeout(done, 5000)
      if (this.#ended) return void this.#socket.end(done)
      this.#socket.on("end", done)
      this.#socket.on("close", done)
      this.#socket.end()
    })
  }
}
