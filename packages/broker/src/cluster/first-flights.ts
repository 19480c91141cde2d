// Each first flight of TLS with early data is taken by one node, once (RFC 9846 section 8.2): its PSK binder is claimed by an append
// that expects no other, and stays for as long as the flight can be fresh somewhere.

import { bytesToHex } from "@noble/hashes/utils.js"
import { Pause } from "../ports/pause.ts"
import { partitionOf } from "./partition.ts"
import type { Streams } from "./streams.ts"

/** Bytes of a binder that name it: it is a MAC, so they are as unlikely to collide as a guess at a 128-bit key. */
const nameLength = 16
/** Seconds that clocks of nodes may differ: one that is behind takes a flight for fresh for so much longer. */
const skew = 60
/** Milliseconds for the servers to answer; a handshake waits for it. */
const patience = 1000

export interface FirstFlightsNeeds {
  readonly streams: Streams
  readonly after: (milliseconds: number, work: () => void) => () => void
}

export class FirstFlights {
  readonly #needs: FirstFlightsNeeds

  constructor(needs: FirstFlightsNeeds) {
    this.#needs = needs
  }

  /**
   * Whether this is the first to take it. False too when the servers do not say so: the data is refused then, the handshake is not.
   * @param binder at least 16 bytes, verified
   * @param expiresAt milliseconds since 1970, as `now`: when it cannot be fresh any more by this node's clock
   */
  take(binder: Uint8Array, expiresAt: number, now: number): Pause<boolean> {
    const { after, streams } = this.#needs
    const taken = new Pause<boolean>()
    const name = bytesToHex(binder.subarray(0, nameLength))
    const partition = partitionOf(name, streams.partitions)
    const lifetime = Math.ceil(Math.max(0, expiresAt - now) / 1000) + skew
    const claim = { subject: `e.${name}`, headers: {}, data: new Uint8Array(0), expected: 0, lifetime }
    const stop = after(patience, () => taken.answer(false))
    streams.append(partition, [claim]).onAnswer((answer) => {
      stop()
      taken.answer("last" in answer)
    })
    return taken
  }
}
