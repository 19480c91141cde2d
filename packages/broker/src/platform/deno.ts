// What the broker does on Deno for itself, as Deno's layer of Node.js does not.

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

/** The handle below a net.Server, which it has while it listens. */
interface Handle {
  listen(backlog: number): unknown
}

/**
 * Once the process had no descriptor for a connection, a net.Server of Deno (2.9.6) takes none any more, and tells nobody: a crowd
 * of a second would shut the door for good. Told to listen again, its handle takes those that wait and goes on; to one that has not
 * stopped that does nothing.
 */
export class StoppedServers {
  readonly #servers: object[] = []

  /** @param server one that listens */
  add(server: object): void {
    this.#servers.push(server)
  }

  /** Called about once a second. */
  wake(backlog: number): void {
    for (const server of this.#servers) handleOf(server)?.listen(backlog)
  }
}

/** undefined: it is closed, or this Deno has another inside, which `npm run hosts -- deno` tells. */
function handleOf(server: object): Handle | undefined {
  const handle: unknown = "_handle" in server ? server._handle : undefined
  return isHandle(handle) ? handle : undefined
}

function isHandle(value: unknown): value is Handle {
  return typeof value === "object" && value !== null && "listen" in value && typeof value.listen === "function"
}
