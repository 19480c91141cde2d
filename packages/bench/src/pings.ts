// For how long clients that are connected wait for an answer: many of them send PINGREQ in turn, a fixed number a second whether
// the last one was answered or not, so that a broker that is held up is not asked less.

import type { Socket } from "node:net"
import { type Address, connectMqtt } from "./mqtt.ts"

const pingreq = Uint8Array.of(0xc0, 0)

export interface Pings {
  /** The p99 of milliseconds from when a PINGREQ was due to its PINGRESP, over so many milliseconds. */
  p99(duration: number): Promise<number>
  stop(): void
}

/** @param every milliseconds between one client's PINGREQ and the next one's */
export async function connectPings(address: Address, clients: number, every: number): Promise<Pings> {
  const sockets: Socket[] = []
  let waits: number[] = []
  const due: number[][] = []
  for (let i = 0; i < clients; i++) {
    const socket = await connectMqtt(address, { clientId: `ping-${i}`, keepAlive: 3600 })
    const own: number[] = []
    // PINGRESP has two bytes, and answers come in order.
    let bytes = 0
    socket.on("data", (data: Uint8Array) => {
      for (bytes += data.length; bytes >= 2; bytes -= 2) waits.push(performance.now() - own.shift()!)
    })
    sockets.push(socket)
    due.push(own)
  }
  return {
    async p99(duration) {
      waits = []
      const from = performance.now()
      const count = Math.floor(duration / every)
      for (let sent = 0; sent < count; ) {
        const dueNow = Math.min(count, Math.floor((performance.now() - from) / every))
        for (; sent < dueNow; sent++) {
          due[sent % clients]!.push(from + sent * every)
          sockets[sent % clients]!.write(pingreq)
        }
        await new Promise((resolve) => setTimeout(resolve, every))
      }
      for (const until = performance.now() + 20_000; waits.length < count && performance.now() < until; ) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      if (waits.length < count) throw new Error(`${count - waits.length} of ${count} PINGREQ have no answer after 20 s`)
      const sorted = [...waits].sort((a, b) => a - b)
      return sorted[Math.floor(0.99 * (sorted.length - 1))]!
    },
    stop: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
