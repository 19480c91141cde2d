// What the broker does on Deno for itself, as Deno's layer of Node.js does not.

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
