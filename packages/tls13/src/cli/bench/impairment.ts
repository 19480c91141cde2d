// A network that is worse than the one at hand, in the client's own byte path and so without root: `--rtt` and `--loss`.
//
// What is modelled: each byte arrives half the round-trip time later in its direction, in order; a TCP connection is there one
// round trip later. Each segment of 1,460 bytes, and each SYN and SYN-ACK, is lost with the given probability, independently. What
// was lost comes when TCP's retransmission timer has run out: 1 s for a SYN (RFC 6298 section 2.1), 200 ms (the least of Linux) and
// the round-trip time for data, twice as long each time it is lost again (section 5.5); all that follows in its direction waits for
// it. Not modelled: bandwidth, the congestion window (a flight of more than 10 segments would need another round trip), fast
// retransmissions and tail loss probes (which need more segments under way than most flights have, and would shorten the wait),
// and lost acknowledgements (which cost a handshake nothing).

export interface Impairment {
  /** Milliseconds. */
  readonly rtt: number
  /** 0 to 1, of segments. */
  readonly loss: number
}

const segment = 1460
const leastTimeout = 200
const synTimeout = 1000
/** A segment that is lost more often than this comes all the same: else it might never. */
const mostLosses = 6

/** Milliseconds that a connection is there later than it really was. */
export function connectDelay({ rtt, loss }: Impairment, uniform: () => number): number {
  return rtt + retransmissions(loss, synTimeout, uniform) + retransmissions(loss, synTimeout, uniform)
}

/** Milliseconds that so many bytes in one direction come later. */
export function transferDelay({ rtt, loss }: Impairment, bytes: number, uniform: () => number): number {
  let longest = 0
  for (let left = bytes; left > 0 && loss > 0; left -= segment)
    longest = Math.max(longest, retransmissions(loss, leastTimeout + rtt, uniform))
  return rtt / 2 + longest
}

function retransmissions(loss: number, timeout: number, uniform: () => number): number {
  let delay = 0
  for (let times = 0; times < mostLosses && loss > 0 && uniform() < loss; times++) delay += timeout * 2 ** times
  return delay
}

/** One direction of a connection: whatever goes in comes out later, in the same order. */
export class DelayLine {
  readonly #waiting: { readonly due: number; readonly deliver: () => void }[] = []
  #timer: NodeJS.Timeout | undefined
  #last = 0
  readonly #onLate: (milliseconds: number) => void

  /** @param onLate told how much later than it should each delivery was: timers are of whole milliseconds */
  constructor(onLate: (milliseconds: number) => void) {
    this.#onLate = onLate
  }

  push(delay: number, deliver: () => void): void {
    this.#last = Math.max(this.#last, performance.now() + delay)
    this.#waiting.push({ due: this.#last, deliver })
    this.#await()
  }

  /** What waits is forgotten. */
  stop(): void {
    this.#waiting.length = 0
    this.#last = 0
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #await(): void {
    const [head] = this.#waiting
    if (head === undefined || this.#timer !== undefined) return
    const wait = Math.max(0, Math.ceil(head.due - performance.now()))
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#deliverDue()
      this.#await()
    }, wait)
  }

  #deliverDue(): void {
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      const late = performance.now() - head.due
      if (late < 0) return
      this.#waiting.shift()
      this.#onLate(late)
      head.deliver()
    }
  }
}
