// One network connection by its bytes, for a transport that is not a Node stream: what came goes in, what is to leave is taken out,
// and both sides can stop the other.

import type { Connection } from "../client/connection.ts"
import { joined } from "../packet/bytes.ts"
import type { Sink } from "../ports/peer.ts"

export interface ByteLink {
  /**
   * Gives the broker what has come from the client; the array is the caller's again afterwards. Never throws. What comes while
   * `reads` is false is taken, too, but kept in memory.
   */
  receive(bytes: Uint8Array): void
  /** What is to be sent now: a new array that is the caller's, empty when there is nothing. */
  take(): Uint8Array
  /** Bytes that `take` would give. The broker goes on adding to them until there are 65,536. */
  readonly waiting: number
  /** False: what comes from the client is best left where it is for now. */
  readonly reads: boolean
  /** "ending": what `take` gives is the last. "closed": the transport is to be closed. */
  readonly state: "open" | "ending" | "closed"
  /** The transport has ended, or was lost: the client's will is published unless it has taken its leave. */
  lost(reason?: string): void
}

/** Bytes that may wait for `take` before the broker holds back the rest in its own queues. */
const enough = 65_536

/** @param accept gives a connection that writes to the sink; undefined: it is refused */
export function openLink(
  accept: (sink: Sink) => Connection | undefined,
  now: () => number,
  changed: () => void = () => {},
): ByteLink | undefined {
  let chunks: Uint8Array[] = []
  let waiting = 0
  let reads = true
  let full = false
  let state: ByteLink["state"] = "open"
  const sink: Sink = {
    write(more) {
      for (const chunk of more) {
        chunks.push(chunk)
        waiting += chunk.length
      }
      full = waiting >= enough
      changed()
      return !full
    },
    end() {
      state = waiting === 0 ? "closed" : "ending"
      changed()
    },
    destroy() {
      state = "closed"
      chunks = []
      waiting = 0
      changed()
    },
    pause() {
      reads = false
    },
    resume() {
      reads = true
      changed()
    },
  }
  const connection = accept(sink)
  if (connection === undefined) return undefined
  return {
    receive(bytes) {
      if (state === "open") connection.receive(bytes, now())
    },
    take() {
      const bytes = joined(chunks)
      chunks = []
      waiting = 0
      if (state === "ending") state = "closed"
      if (full) {
        full = false
        connection.drained(now())
      }
      return bytes
    },
    get waiting() {
      return waiting
    },
    get reads() {
      return reads
    },
    get state() {
      return state
    },
    lost(reason = "connection closed by the client") {
      connection.transportClosed(now(), reason)
      sink.destroy()
    },
  }
}
