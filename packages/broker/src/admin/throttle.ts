// Refusals come as fast as clients can ask, and a log that is full of them hides the rest. In each ten seconds the first
// of a kind is told at once and the others of that kind in one more line at the end, with their number; so many kinds of
// one address, and so many in all, and what is beyond them as a number only.

import type { AccessRefused, ClientRefused, HandshakeFailed, MessageRefused } from "../ports/events.ts"
import { sourceOf } from "../session/source.ts"

export type Refused = AccessRefused | ClientRefused | MessageRefused | HandshakeFailed

const refusals: ReadonlySet<string> = new Set<Refused["event"]>([
  "access refused",
  "client refused",
  "message refused",
  "tls failure",
])

/** What clients can bring about. A handshake that fails by a fault of ours is told each time, as other faults are. */
export function isRefusal(event: { readonly event: string; readonly fault?: string }): event is Refused {
  return refusals.has(event.event) && event.fault !== "server"
}

/** Milliseconds. */
const period = 10_000
/** Kinds of refusals that are told in a period: of one address, and of all. */
export const kindsOfAnAddress = 10
export const kindsInAll = 100

interface Told {
  last: Refused
  more: number
}

export class Throttle {
  readonly #tell: (event: Refused) => void
  readonly #kinds: Map<string, Told> = new Map()
  /** By address: how many kinds were told, and what was not. */
  readonly #addresses: Map<string, Told & { kinds: number }> = new Map()
  #others: Told | undefined
  #since: number | undefined

  constructor(tell: (event: Refused) => void) {
    this.#tell = tell
  }

  take(event: Refused, now: number): void {
    this.pass(now)
    this.#since ??= now
    const kind = kindOf(event)
    const known = this.#kinds.get(kind)
    if (known !== undefined) {
      known.last = event
      known.more++
      return
    }
    const source = sourceOfPeer(event)
    const address = this.#addresses.get(source)
    if (address !== undefined && address.kinds >= kindsOfAnAddress) {
      address.last = event
      address.more++
    } else if (this.#kinds.size >= kindsInAll) {
      this.#others = { last: event, more: (this.#others?.more ?? 0) + 1 }
    } else {
      this.#kinds.set(kind, { last: event, more: 0 })
      if (address === undefined) this.#addresses.set(source, { last: event, more: 0, kinds: 1 })
      else address.kinds++
      this.#tell(event)
    }
  }

  /** Called about once a second: ends a period whose time is over. */
  pass(now: number): void {
    if (this.#since !== undefined && now - this.#since >= period) this.end()
  }

  /** Tells what was held back. */
  end(): void {
    const told = [
      ...[...this.#kinds.values()].map((one) => withMore(one, "like this")),
      ...[...this.#addresses.values()].map((one) => withMore(one, "of other kinds from this address")),
      ...(this.#others === undefined ? [] : [withMore(this.#others, "from other addresses")]),
    ]
    this.#kinds.clear()
    this.#addresses.clear()
    this.#others = undefined
    this.#since = undefined
    for (const event of told) if (event !== undefined) this.#tell(event)
  }
}

function withMore({ last, more }: Told, what: string): Refused | undefined {
  if (more === 0) return undefined
  return { ...last, more: `${more} more ${what} in ${period / 1000} s` }
}

function sourceOfPeer({ peer }: Refused): string {
  return sourceOf(typeof peer === "string" ? peer : peer.address)
}

function kindOf(event: Refused): string {
  if (event.event === "tls failure") {
    const { listener, fault, alert = "", reason } = event
    return [event.event, sourceOfPeer(event), listener, fault, alert, reason].join("\n")
  }
  const { clientId, user = "" } = event
  const what = event.event === "access refused" ? [event.action, event.topic] : [sourceOfPeer(event), event.reason]
  return [event.event, clientId, user, ...what].join("\n")
}
