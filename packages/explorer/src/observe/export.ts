// A connection of a timeline as a pcapng file with its secrets inside: Wireshark opens it decrypted.

import { PcapngWriter } from "@puremq/tls13/trace"
import type { Timeline } from "../run/step.ts"

const client = { address: "192.0.2.1", port: 50_000 }
const server = { address: "192.0.2.2", port: 8883 }

/** Milliseconds between two records: the scenarios have no time of their own. */
const interval = 1

/** @param now when the first packet was, milliseconds since 1970 */
export function pcapngOf({ steps }: Timeline, now: number): Uint8Array {
  const blocks: Uint8Array[] = []
  const writer = new PcapngWriter((block) => void blocks.push(block), { program: "TLS 1.3 explorer" })
  const connections = new Set(steps.map(({ connection }) => connection))
  for (const number of connections) {
    // Each connection of a scenario from a port of its own, a second after the one before.
    const capture = writer.connection({ ...client, port: client.port + number }, server)
    let at = now + 1000 * number
    capture.opened(at)
    for (const { connection, happening, end } of steps) {
      if (connection !== number) continue
      if (happening.type === "wire" && happening.record.arrives.length > 0) {
        at += interval
        capture.data(happening.record.from, happening.record.arrives, at)
      } else if (happening.type === "secret" && end === "client") capture.trace(happening)
    }
    capture.ended("client", at + interval)
    capture.ended("server", at + interval)
    capture.flush()
  }
  const whole = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0))
  let at = 0
  for (const block of blocks) {
    whole.set(block, at)
    at += block.length
  }
  return whole
}
