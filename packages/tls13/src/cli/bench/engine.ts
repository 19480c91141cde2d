// What both client engines are to the load: something that makes one handshake after the other, each with all that is known of it.

import type { PathCounts } from "./byte-path.ts"

/** All times on the clock of this process (performance.now), in milliseconds. */
export interface Attempt {
  readonly began: number
  /** TCP was connected; undefined: it never was. */
  readonly reached: number | undefined
  /** The client had verified the server's Finished and sent its own; undefined: it never came to that. */
  readonly done: number | undefined
  /** Both sides had closed, or nobody waited any longer. */
  readonly ended: number
  /** Spent in TLS calls of this connection until `done`; undefined: the engine does not tell. */
  readonly own: number | undefined
  /** Spent in those of other connections from `reached` to `done`, while this one may have had bytes to read. */
  readonly behind: number | undefined
  /** Why it does not count; one sentence, the same for the same cause. */
  readonly failure: string | undefined
  readonly wire: { readonly handshake: PathCounts; readonly all: PathCounts } | undefined
  readonly closedByServer: boolean
  readonly agreed: Readonly<Record<string, string>>
  /** Undefined: it is who it should be. */
  readonly unverified: string | undefined
}

export interface Engine {
  /** Makes sure that the next attempt has what it needs, a ticket; undefined: it has it. @throws why there is none */
  prepare(): Promise<void> | undefined
  attempt(localAddress: string | undefined): Promise<Attempt>
  /** The first one, before all others and alone, after `prepare`: more is seen of it than of the others. */
  look(): Promise<Attempt>
  /** Full handshakes that `prepare` made. */
  readonly primings: number
  /** One ticket is used for many handshakes, as resumed ones bring no new ones. */
  readonly reusesTickets: boolean
}

/** Milliseconds that a server has to close once the client has. */
export const partingPatience = 1000

/** Milliseconds from now on; the same moment on the clock of the load. */
export const now = (): number => performance.now()

/** An error in one line that is the same for each connection that has it: no port, no time. */
export function reasonText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .split("\n")[0]!
    .replace(/:\d{4,5}\b/g, "")
    .slice(0, 300)
}
