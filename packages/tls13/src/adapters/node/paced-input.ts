// The bytes that come in on one socket of a server, worked on piece by piece in the turns that all of its sockets share.

import type { Connection } from "../../connection/connection.ts"
import type { Driver, Taken, Transport } from "../driver.ts"
import type { InputTurns, Line } from "./input-turns.ts"

/** Bytes of a piece at first, and of one whose like have cost much: 4,096 bytes can hold 140 KeyUpdates. */
const leastPiece = 4096
/** Bytes of a piece at most: as many as a read of a socket gives. */
const mostPiece = 65_536
/** Milliseconds that a piece may cost before the next ones are the least. */
const dearPiece = 2

/** It stands between a connection's driver and the transport. Every idle connection has one, so it is small. */
export class PacedInput implements Transport {
  readonly #turns: InputTurns
  readonly #transport: Transport
  readonly #connection: Pick<Connection, "info">
  readonly #guard: (work: () => void) => void
  #driver: Pick<Driver, "receive" | "receiveEnd"> | undefined
  readonly #waiting: Uint8Array[] = []
  #piece = leastPiece
  #isDear = false
  #isWanted = true
  /** What the stream below was told. */
  #isReading = true
  #ended: "no" | "yes" | "told" = "no"
  #scheduled = false
  #afterwards: (() => void)[] | undefined

  /** @param guard the boundary around what happens later: it never throws */
  constructor(
    turns: InputTurns,
    transport: Transport,
    connection: Pick<Connection, "info">,
    guard: (work: () => void) => void,
  ) {
    this.#turns = turns
    this.#transport = transport
    this.#connection = connection
    this.#guard = guard
  }

  /** Before any bytes come. */
  begin(driver: Pick<Driver, "receive" | "receiveEnd">): void {
    this.#driver = driver
  }

  write(bytes: Uint8Array, taken: Taken): void {
    this.#transport.write(bytes, taken)
  }

  /** Whether more is to be read; while something waits here no more is, and while it is not nothing is worked on. */
  setReading(wanted: boolean): void {
    this.#isWanted = wanted
    if (!wanted) this.#read(false)
    else if (this.#waiting.length === 0) this.#read(true)
    else this.#workLater()
  }

  /** The bytes are kept while they wait. */
  push(bytes: Uint8Array): void {
    this.#waiting.push(bytes)
    if (this.#waiting.length > 1) return
    for (
      let line = this.#line;
      this.#waiting.length > 0 && this.#isWanted && !this.#turns.isOver(line);
      line = this.#line
    )
      this.#turns.spend(line, this.#work())
    if (this.#waiting.length === 0) {
      this.#allDone()
      return
    }
    this.#read(false)
    this.#workLater()
  }

  /** The peer ended its half: told when all that came before it has had its turn. */
  end(): void {
    this.#ended = "yes"
    if (this.#waiting.length === 0) this.#allDone()
    else this.#workLater()
  }

  /** Does it when all that has come has had its turn. It may not throw. */
  afterwards(work: () => void): void {
    this.#afterwards ??= []
    this.#afterwards.push(work)
    if (this.#waiting.length === 0) this.#allDone()
    else this.#workLater()
  }

  get #line(): Line {
    if (this.#connection.info === undefined) return "handshakes"
    return this.#isDear ? "dear" : "connected"
  }

  /** When no more can come, what has come is worked on whoever wants it. */
  get #mayWork(): boolean {
    return this.#isWanted || this.#ended === "yes" || this.#afterwards !== undefined
  }

  #workLater(): void {
    if (this.#scheduled || !this.#mayWork) return
    this.#scheduled = true
    this.#turns.later(this.#line, () => {
      this.#scheduled = false
      if (this.#waiting.length === 0 || !this.#mayWork) return
      this.#work()
      if (this.#waiting.length > 0) this.#workLater()
      else this.#allDone()
    })
  }

  #allDone(): void {
    if (this.#ended === "yes") {
      this.#ended = "told"
      this.#guard(() => this.#driver?.receiveEnd())
    } else if (this.#isWanted) this.#read(true)
    const afterwards = this.#afterwards
    if (afterwards === undefined) return
    this.#afterwards = undefined
    for (const work of afterwards) work()
  }

  #read(wanted: boolean): void {
    if (wanted === this.#isReading) return
    this.#isReading = wanted
    this.#guard(() => this.#transport.setReading(wanted))
  }

  /** @returns how many milliseconds that took */
  #work(): number {
    const bytes = this.#waiting[0]
    if (bytes === undefined) return 0
    const piece = bytes.length <= this.#piece ? bytes : bytes.subarray(0, this.#piece)
    const began = performance.now()
    this.#guard(() => this.#driver?.receive(piece))
    const spent = performance.now() - began
    this.#isDear = spent > dearPiece
    this.#piece = this.#isDear ? leastPiece : Math.min(mostPiece, this.#piece * 2)
    if (piece.length === bytes.length) this.#waiting.shift()
    else this.#waiting[0] = bytes.subarray(piece.length)
    return spent
  }
}
