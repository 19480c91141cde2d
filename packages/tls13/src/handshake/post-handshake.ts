// What may come after the handshake (RFC 9846 section 4.7), as a table: a row for each message that leads from CONNECTED to
// CONNECTED in appendix A. The rows are in `client/post-handshake.ts` and `server/post-handshake.ts`.

import { HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"
import type { HandshakeMessage } from "../codec/message.ts"
import type { Connected } from "./connected.ts"
import type { Decides } from "./coroutine.ts"
import type { AcceptedIn, Role } from "./transitions.ts"

export interface PostHandshakeRow<R extends Role, Context, State extends Connected> {
  readonly message: AcceptedIn<R, "CONNECTED">
  /** Whether it may come now; left out: always, but in the middle of an answer. */
  readonly isDue?: (context: Context, state: State) => boolean
  /** Takes it. What it returns, if anything, has to be driven to its end: it waits for decisions. */
  readonly take: (context: Context, state: State, message: HandshakeMessage) => Decides<undefined> | undefined
}

/** What may come over one connection's state. */
export interface PostHandshake<State> {
  /** The messages that may come now. */
  accepts(state: State): readonly HandshakeTypeName[]
  /** Takes one of those. */
  take(state: State, message: HandshakeMessage): Decides<undefined> | undefined
}

/** The table of a role over one connection's link and settings: every idle connection has one, so it is small. */
export class PostHandshakeTable<R extends Role, Context, State extends Connected> implements PostHandshake<State> {
  readonly context: Context
  readonly #rows: readonly PostHandshakeRow<R, Context, State>[]

  constructor(rows: readonly PostHandshakeRow<R, Context, State>[], context: Context) {
    this.#rows = rows
    this.context = context
  }

  accepts(state: State): readonly HandshakeTypeName[] {
    return this.#rows
      .filter(({ isDue }) => (isDue === undefined ? state.answer === undefined : isDue(this.context, state)))
      .map(({ message }) => message)
  }

  take(state: State, message: HandshakeMessage): Decides<undefined> | undefined {
    return this.#rows.find((row) => HandshakeType[row.message] === message.type)?.take(this.context, state, message)
  }
}
