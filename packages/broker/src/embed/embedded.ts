// The broker of a program on any engine: bytes, time and randomness are the host's, and so is the loop that calls it.

import { createLocalBus } from "../buses/local.ts"
import { plainCodec } from "../codecs/plain.ts"
import { Broker } from "../hub/broker.ts"
import type { BrokerOptions } from "../hub/options.ts"
import { SteadyClock } from "../hub/steady-clock.ts"
import { encodeText } from "../packet/bytes.ts"
import type { Qos } from "../packet/packets.ts"
import type { Pause } from "../ports/pause.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { Restored } from "../ports/store.ts"
import { createMemoryStore } from "../stores/forgetful.ts"
import { type ByteLink, openLink } from "./byte-link.ts"
import type { Host } from "./host.ts"

type Lent = "now" | "wall" | "schedule" | "wakeAfter" | "randomName"

/** Who may do what has to be said; the codec, the bus and the store have defaults that need nothing: the store keeps nothing. */
export type EmbeddedOptions = Pick<BrokerOptions, "access"> & Partial<Omit<BrokerOptions, Lent | "access">>

/** Milliseconds between looks at what ends by itself: sessions, keep-alive, delayed wills. */
const tickMilliseconds = 1000

/**
 * A broker, and the turns in which it works: give links what has come, call `turn`, send what the links have, and call `turn` again
 * after the milliseconds that it says. Nothing here throws for what a client sends.
 */
export class EmbeddedBroker {
  /** All that it has to tell: counters, sessions, memory; and what can be changed while it runs. */
  readonly broker: Broker
  readonly #clock: SteadyClock
  #due = false
  #tickAt = 0
  #wakeAt: number = Number.POSITIVE_INFINITY

  constructor(host: Host, options: EmbeddedOptions) {
    const clock = new SteadyClock(
      () => host.passed(),
      () => host.wall?.() ?? 0,
    )
    this.#clock = clock
    this.broker = new Broker({
      codec: plainCodec,
      bus: createLocalBus(),
      store: createMemoryStore(),
      ...options,
      now: () => clock.now(),
      wall: () => clock.wall(),
      schedule: () => {
        this.#due = true
        host.soon?.()
      },
      wakeAfter: (milliseconds) => {
        this.#wakeAt = Math.min(this.#wakeAt, clock.now() + milliseconds)
        host.soon?.()
      },
      randomName: () => hex(host.random(16)),
    })
  }

  /** With a store that lasts: reads what it has kept. To be called once, and answered, before the first link. */
  restore(): Restored | Pause<Restored> {
    return this.broker.restore((last) => this.#clock.resume(last))
  }

  /**
   * A new network connection; undefined: it is refused, as there are too many.
   * @param peer what the log and the rules know of it
   * @param changed told when the link has something to send, ends, or reads again: for a host with many links
   */
  open(peer: Partial<PeerInfo> = {}, changed?: () => void): ByteLink | undefined {
    const known: PeerInfo = { transport: "stream", address: "embedded", ...peer }
    const now = () => this.#clock.now()
    return openLink((sink) => this.broker.accept(known, sink, now()), now, changed)
  }

  /** Does what is due. Returns in how many milliseconds it is to be called again at the latest, 0 to 1,000; and after `receive`. */
  turn(): number {
    const { faults } = this.broker
    const now = this.#clock.now()
    if (now >= this.#tickAt || this.#tickAt - now > tickMilliseconds) {
      this.#tickAt = now + tickMilliseconds
      faults.attempt(() => this.broker.tick(now))
    }
    if (now >= this.#wakeAt) {
      this.#wakeAt = Number.POSITIVE_INFINITY
      faults.attempt(() => this.broker.wake(now))
    }
    if (this.#due) {
      this.#due = false
      const flush = () => faults.attempt(() => this.broker.flush(this.#clock.now()))
      // The second time is for what the first has left, if it threw.
      if (!flush()) flush()
    }
    return this.#due ? 0 : Math.max(0, Math.min(this.#tickAt, this.#wakeAt) - this.#clock.now())
  }

  /** Publishes as the broker itself. Default QoS 0, not retained. */
  publish(topic: string, payload: string | Uint8Array, options: { qos?: Qos; retain?: boolean } = {}): void {
    const bytes = typeof payload === "string" ? encodeText(payload) : payload
    this.broker.publishOwn(topic, bytes, options.qos ?? 0, options.retain ?? false)
  }

  /** Ends every connection with Reason Code 0x8B; what the links have then is to be sent. No more are taken. */
  close(): void | Pause<void> {
    return this.broker.close(this.#clock.now())
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
