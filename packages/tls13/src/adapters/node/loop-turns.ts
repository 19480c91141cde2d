// Work for a turn of the event loop to come, on each of the runtimes that have Node's event loop.

/** Milliseconds that turns may follow each other without a look at the sockets. */
const longestChain = 10

export interface TurnTimers {
  readonly now: () => number
  readonly immediate: (work: () => void) => void
  readonly later: (work: () => void) => void
}

const deno: TurnTimers = {
  now: () => performance.now(),
  immediate: (work) => void setImmediate(work),
  later: (work) => void setTimeout(work, 0),
}

/**
 * `setImmediate` for work that asks for its next turn in the last one. Deno (2.9.6) looks at no socket while an immediate is due: a
 * chain of them held up every other client for seconds. A timer, which costs a millisecond, lets it look: once in ten is enough.
 */
export function turnsOfDeno({ now, immediate, later }: TurnTimers = deno): (work: () => void) => void {
  let isTurn = false
  let began = 0
  const turn = (work: () => void) => () => {
    isTurn = true
    try {
      work()
    } finally {
      isTurn = false
    }
  }
  return (work) => {
    if (!isTurn) began = now()
    if (now() - began < longestChain) immediate(turn(work))
    else
      later(() => {
        began = now()
        turn(work)()
      })
  }
}

/** `setImmediate`, and on Deno one that lets the sockets be looked at all the same. Each user of it makes one of its own. */
export function loopTurns(): (work: () => void) => void {
  return process.versions["deno"] === undefined ? setImmediate : turnsOfDeno()
}
