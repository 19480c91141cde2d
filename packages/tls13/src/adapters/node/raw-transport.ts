// The stream below a TLSSocket: a TCP socket, or any Duplex.

import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { concatBytes } from "../../bytes/concat.ts"
import { type Clock, nobodyWaits, type Taken, type Transport } from "../driver.ts"
import type { SharedMemory } from "./shared-memory.ts"

/** Milliseconds that a peer has to take our last bytes and close, before the stream is destroyed. */
const lingering = 1000
/** One that is sending does not look: each so many bytes begin that time anew, but for no longer than this. */
const sendingBytes = 16_384
const longestLingering = 5000

/**
 * A flight or tickets go in one write of the system's with what else is sent before the loop goes on: the answer to what came
 * with the Finished, say.
 */
export class StreamTransport implements Transport {
  readonly #raw: Duplex
  readonly #guard: (work: () => void) => void
  readonly #memory: SharedMemory | undefined
  #held: Uint8Array | undefined

  /**
   * @param guard the boundary around what happens later: it never throws
   * @param memory gets back what a socket has taken; another stream may hand on the very bytes that it was given
   */
  constructor(raw: Duplex, guard: (work: () => void) => void, memory?: SharedMemory) {
    this.#raw = raw
    this.#guard = guard
    this.#memory = socketOf(raw) === undefined ? undefined : memory
  }

  write(bytes: Uint8Array, taken: Taken): void {
    const held = this.#held
    const all = held === undefined ? bytes : this.#joined(held, bytes)
    if (taken === nobodyWaits) {
      this.#held = all
      // Behind all that `process.nextTick` is to do, the end of a stream among it.
      if (held === undefined) void done.then(() => this.#guard(() => this.flush()))
    } else {
      this.#held = undefined
      this.#write(all, taken)
    }
  }

  #joined(held: Uint8Array, bytes: Uint8Array): Uint8Array {
    const both = concatBytes(held, bytes)
    for (const each of [held, bytes]) this.#memory?.takeBack(each)
    return both
  }

  /** Before the stream is ended by somebody else. */
  flush(): void {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.#write(held, nobodyWaits)
  }

  #write(bytes: Uint8Array, taken: Taken): void {
    const raw = this.#raw
    if (raw.destroyed || raw.writableEnded) {
      taken(closedError())
      return
    }
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const memory = this.#memory
    if (memory === undefined) {
      raw.write(buffer, taken)
      return
    }
    let isBack = false
    raw.write(buffer, (error) => {
      this.#guard(() => {
        if (!error && !isBack) memory.takeBack(bytes)
        taken(error)
      })
    })
    // The system has copied all of it, which Node tells later: until then others would take memory anew.
    isBack = raw.writableLength === 0 && !raw.destroyed
    if (isBack) memory.takeBack(bytes)
  }

  setReading(wanted: boolean): void {
    if (wanted) this.#raw.resume()
    else this.#raw.pause()
  }
}

const done = Promise.resolve()

function closedError(): Error {
  return Object.assign(new Error("the stream below TLS is closed"), { code: "EPIPE" })
}

/**
 * Ends the stream so that the peer gets our last bytes, an alert say: a socket that is closed with bytes unread resets the
 * connection, and the peer's system may then throw away what it had received. What still comes is read and dropped.
 * `guard` is the boundary around what happens later.
 */
export function closeGently(raw: Duplex, guard: (work: () => void) => void): void {
  if (raw.destroyed) return
  // The system has all that we sent, and nothing is unread: it sends the end of our half when a socket is closed.
  if (raw.readableEnded && raw.writableLength === 0 && socketOf(raw) !== undefined) {
    raw.destroy()
    return
  }
  if (!raw.writableEnded) raw.end()
  if (raw.readableEnded && raw.writableFinished) {
    raw.destroy()
    return
  }
  const destroy = () => guard(() => raw.destroy())
  const timers = [lingering, longestLingering].map((time) => setTimeout(destroy, time).unref())
  let dropped = 0
  raw.on("data", (bytes: Uint8Array) => {
    guard(() => {
      dropped += bytes.length
      if (dropped < sendingBytes) return
      dropped = 0
      timers[0]?.refresh()
    })
  })
  const over = () => {
    guard(() => {
      if (raw.readableEnded && raw.writableFinished) raw.destroy()
    })
  }
  raw.on("end", over).on("finish", over)
  raw.once("close", () => timers.forEach(clearTimeout))
  raw.resume()
}

/** What only TCP sockets have. */
export function socketOf(raw: Duplex): Socket | undefined {
  return raw instanceof Socket ? raw : undefined
}

/** Its timers do not keep the process alive: the socket does, unless it is told not to. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds).unref()
    return () => clearTimeout(timer)
  },
}
