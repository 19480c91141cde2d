// A connection of a timeline as a pcapng file with its secrets inside: Wireshark opens it decrypted.

import { PcapngWriter } from "@puremq/tls13/trace"
import { otherEnd } from "../run/meddling.ts"
import type { End, Timeline, WireRecord } from "../run/step.ts"

const client = { address: "192.0.2.1", port: 50_000 }
const server = { address: "192.0.2.2", port: 8883 }

/** Milliseconds between two records: the scenarios have no time of their own. */
const interval = 1

/** What goes over the wire: as it arrives or, at somebody who only stands in an end's place, as it was sent. */
function capturedOf({ from, sent, arrives }: WireRecord, isThere: (end: End) => boolean): Uint8Array | undefined {
  if (arrives.length > 0) return arrives
  return isThere(otherEnd(from)) || sent.length === 0 ? undefined : sent
}

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
    const isThere = (of: End) => steps.some(({ connection, end }) => connection === number && end === of)
    for (const { connection, happening, end } of steps) {
      if (connection !== number) continue
      const bytes = happening.type === "wire" ? capturedOf(happening.record, isThere) : undefined
      if (happening.type === "wire" && bytes !== undefined) {
        at += interval
        capture.data(happening.record.from, bytes, at)
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
