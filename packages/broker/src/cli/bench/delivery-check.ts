// Which messages of each stream a receiver has: none may be missing at the end, come twice or overtake another.

interface StreamState {
  /** One past the highest sequence number that came. */
  next: number
  /** Ranges below `next` that have not come: from, to, from, to, ascending; ends are excluded. undefined: none are missing. */
  gaps: number[] | undefined
  /** Of gaps that were given up. */
  forgotten: number
}

/** Numbers of `gaps` of a stream at most. Beyond, the oldest gap is given up: what comes of it late counts as doubled and as lost. */
const mostGaps = 4000

export class DeliveryCheck {
  /** Different messages. */
  delivered = 0
  doubled = 0
  /** Came after one that was published later in the same stream. */
  outOfOrder = 0
  readonly #streams = new Map<number, StreamState>()

  /** Whether it is new. */
  see(stream: number, sequence: number): boolean {
    let state = this.#streams.get(stream)
    if (state === undefined) {
      state = { next: 0, gaps: undefined, forgotten: 0 }
      this.#streams.set(stream, state)
    }
    const { next } = state
    if (sequence >= next) {
      if (sequence > next) openGap(state, sequence)
      state.next = sequence + 1
      this.delivered++
      return true
    }
    if (!fillGap(state, sequence)) {
      this.doubled++
      return false
    }
    this.delivered++
    this.outOfOrder++
    return true
  }

  /** How many have not come of the first `count` of a stream. */
  missing(stream: number, count: number): number {
    const state = this.#streams.get(stream)
    if (state === undefined) return count
    const { next, gaps = [], forgotten } = state
    let missing = forgotten + Math.max(0, count - next)
    for (let i = 0; i < gaps.length; i += 2) missing += gaps[i + 1]! - gaps[i]!
    return missing
  }
}

function openGap(state: StreamState, sequence: number): void {
  state.gaps ??= []
  state.gaps.push(state.next, sequence)
  if (state.gaps.length <= mostGaps) return
  const [from = 0, to = 0] = state.gaps.splice(0, 2)
  state.forgotten += to - from
}

/** Whether it was missing. */
function fillGap({ gaps }: StreamState, sequence: number): boolean {
  if (gaps === undefined) return false
  // The last range that begins at it or before it.
  let [low, high] = [0, gaps.length / 2]
  while (low < high) {
    const middle = (low + high) >> 1
    if (gaps[2 * middle]! <= sequence) low = middle + 1
    else high = middle
  }
  const at = 2 * (low - 1)
  if (at < 0 || sequence >= gaps[at + 1]!) return false
  const [from, to] = [gaps[at]!, gaps[at + 1]!]
  const rest = [...(from < sequence ? [from, sequence] : []), ...(sequence + 1 < to ? [sequence + 1, to] : [])]
  gaps.splice(at, 2, ...rest)
  return true
}
