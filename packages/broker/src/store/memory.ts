import { RetainedTree } from "../routing/retained-tree.ts"
import type { Session } from "../session/session.ts"
import type { SessionStore, Store } from "./store.ts"

class MemorySessions implements SessionStore {
  readonly #sessions = new Map<string, Session>()

  get size(): number {
    return this.#sessions.size
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId)
  }

  set(session: Session): void {
    this.#sessions.set(session.clientId, session)
  }

  delete(clientId: string): void {
    this.#sessions.delete(clientId)
  }

  values(): Iterable<Session> {
    return this.#sessions.values()
  }
}

/** A store in memory. */
export function createMemoryStore(): Store {
  return { sessions: new MemorySessions(), retained: new RetainedTree() }
}
