import type { Redirect } from "../client/hub.ts"
import type { Codec } from "../packet/codec.ts"
import type { Access } from "../ports/access.ts"
import type { Bus } from "../ports/bus.ts"
import type { EventSink } from "../ports/events.ts"
import type { Store } from "../ports/store.ts"
import type { Observers } from "../ports/timings.ts"
import type { Features } from "../session/features.ts"
import type { Limits, ListenerLimits } from "../session/limits.ts"
import type { QueuePolicy } from "../session/queue.ts"
import type { Clustering } from "./clustering.ts"
import type { Roster } from "./roster.ts"

/** What a broker is made of. */
export interface BrokerOptions {
  readonly limits?: Partial<Limits> | undefined
  /** Of listeners, by the names that peers come with. */
  readonly listenerLimits?: ReadonlyMap<string, ListenerLimits> | undefined
  /** Bytes of heap for what it works with beside what limits bound; default 512 MiB. */
  readonly heap?: number | undefined
  readonly features?: Partial<Features> | undefined
  /** Is what says that it is text in UTF-8 refused when it is not? Default false. */
  readonly checksPayloadFormat?: boolean | undefined
  /** What becomes of a message for which the queue of a session has no room; default "drop-newest". */
  readonly queuePolicy?: QueuePolicy | undefined
  readonly redirect?: Redirect | undefined
  readonly access: Access
  /** Reads and writes packets other than PUBLISH and acknowledgements. */
  readonly codec: Codec
  readonly bus: Bus
  /** The other brokers that this one is one with; undefined: it is alone. */
  readonly cluster?: Clustering | undefined
  /** Where what outlives connections is kept. */
  readonly store: Store
  readonly events?: EventSink | undefined
  /** Told how long things take, and how much waits. */
  readonly observers?: Observers | undefined
  /** Is told who and what comes and goes, for whoever lists it. */
  readonly roster?: Roster | undefined
  /** Milliseconds, of a clock that neither jumps nor runs backwards. */
  readonly now: () => number
  /** What the machine's clock says, set or not, in milliseconds since 1970; default `now`. */
  readonly wall?: (() => number) | undefined
  /** Asks that `flush` be called at the end of the current turn. */
  readonly schedule: () => void
  /** Asks that `wake` be called in so many milliseconds; without it pauses of publishers end with a tick. */
  readonly wakeAfter?: ((milliseconds: number) => void) | undefined
  /** Text for Assigned Client Identifiers that nobody can guess, e.g. 128 random bits in hex. */
  readonly randomName: () => string
  /** Response Information for a client that asks for it (MQTT 5.0 section 3.2.2.3.15). */
  readonly responseInformation?: ((clientId: string) => string | undefined) | undefined
  /** Sessions that are away and get their copies of one message in one turn; the others have theirs in turns to come. */
  readonly awayPerTurn?: number | undefined
}
