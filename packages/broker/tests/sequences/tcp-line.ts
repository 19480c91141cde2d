// A network connection over TCP, to any broker.

import { connect, type Socket } from "node:net"
import { setTimeout as after, setImmediate as nextTurn } from "node:timers/promises"
import { type Line, packetEnd } from "./play.ts"

/** Milliseconds for an answer; a busy machine takes its time. */
const patience = 10_000
/** Milliseconds for what should not come, of who cannot be asked. */
const silence = 50

export interface TcpOptions {
  readonly host: string
  readonly port: number
  /** Bytes are written one at a time. */
  readonly pieces: boolean
}

export async function tcpLine({ host, port, pieces }: TcpOptions): Promise<Line> {
  const socket = connect({ host, port, noDelay: true })
  const incoming = new Incoming(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve())
    socket.once("error", reject)
  })
  const write = async (bytes: Uint8Array) => {
    if (!pieces) {
      socket.write(bytes)
      return
    }
    for (const byte of bytes) {
      if (incoming.over) return
      socket.write(Uint8Array.of(byte))
      await nextTurn()
    }
  }
  return {
    send: write,
    next: () => incoming.next(patience),
    async rest(served) {
      if (!served) return incoming.next(silence)
      await write(Uint8Array.of(0xc0, 0))
      const got = await incoming.next(patience)
      if (typeof got === "string") return got === "nothing" ? "end" : got
      return got.length === 2 && got[0] === 0xd0 ? "nothing" : got
    },
    async cut() {
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()))
      socket.end()
      // The broker has seen it when it has ended its own side.
      await Promise.race([closed, after(patience)])
      socket.destroy()
    },
  }
}

/** What comes, packet by packet. */
class Incoming {
  over = false
  #bytes: Uint8Array = new Uint8Array(0)
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    socket.on("data", (chunk: Uint8Array) => {
      const all = new Uint8Array(this.#bytes.length + chunk.length)
      all.set(this.#bytes)
      all.set(chunk, this.#bytes.length)
      this.#bytes = all
      this.#wake()
    })
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.over = true
        this.#wake()
      })
    }
  }

  async next(milliseconds: number): Promise<Uint8Array | "end" | "nothing"> {
    const stop = new AbortController()
    const timeout = after(milliseconds, "late", { signal: stop.signal, ref: false }).catch(() => "late")
    try {
      for (;;) {
        const end = packetEnd(this.#bytes, 0)
        if (end !== undefined) {
          const packet = this.#bytes.subarray(0, end)
          this.#bytes = this.#bytes.subarray(end)
          return packet
        }
        if (this.over) return this.#bytes.length > 0 ? this.#bytes : "end"
        const more = new Promise<string>((resolve) => {
          this.#wake = () => resolve("more")
        })
        if ((await Promise.race([more, timeout])) === "late") return "nothing"
      }
    } finally {
      stop.abort()
    }
  }
}
