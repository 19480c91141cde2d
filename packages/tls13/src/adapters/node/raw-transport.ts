// The stream below a TLSSocket: a TCP socket, or any Duplex.

import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { Clock, Transport } from "../driver.ts"
import type { SharedMemory } from "./shared-memory.ts"

/** Milliseconds that a peer has to take our last bytes and close, before the stream is destroyed. */
const lingering = 1000
/** One that is sending does not look: each so many bytes begin that time anew, but for no longer than this. */
const sendingBytes = 16_384
const longestLingering = 5000

/** @param memory gets back what a socket has taken; another stream may hand on the very bytes that it was given */
export function streamTransport(raw: Duplex, memory?: SharedMemory): Transport {
  const shared = socketOf(raw) === undefined ? undefined : memory
  return {
    write(bytes, taken) {
      if (raw.destroyed || raw.writableEnded) return taken(closedError())
      raw.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), (error) => {
        if (!error) shared?.takeBack(bytes)
        taken(error)
      })
    },
    setReading(wanted) {
      if (wanted) raw.resume()
      else raw.pause()
    },
  }
}

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
