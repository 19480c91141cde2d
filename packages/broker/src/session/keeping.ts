// What of one session is kept beyond its connection and a restart: all of it, nothing, or only what it is entrusted with by
// Shared Subscriptions (MQTT 5.0 sections 4.1, 4.8.2). Who keeps it is told each change.

import type { Change, Place } from "../packet/change.ts"
import type { Queued } from "./queue.ts"
import { forgetful, type Recorder } from "./recorder.ts"

export class Keeping {
  /** The last turn that changed something of it that is kept. */
  turn = 0
  readonly #clientId: string
  /** Is told what changes; of a session that ends with its connection nobody is, but of what it is entrusted with. */
  #recorder: Recorder = forgetful
  /** Places of what others are to get when the session ends; undefined: all of the session is kept, or nothing. */
  #entrusted: Set<Place> | undefined

  constructor(clientId: string) {
    this.#clientId = clientId
  }

  /** What changes from here on is kept. */
  keepBy(recorder: Recorder): void {
    this.#recorder = recorder
  }

  /**
   * The session ends with its connection, and by a restart. Of what comes to it by Shared Subscriptions from here on is kept what
   * becomes of it, so that others get it then too.
   */
  entrust(recorder: Recorder): void {
    this.#recorder = recorder
    this.#entrusted = new Set()
  }

  /** True when what changes of it is kept. */
  get all(): boolean {
    return this.#recorder !== forgetful && this.#entrusted === undefined
  }

  /** From here on nobody is told. */
  forget(): void {
    this.#recorder = forgetful
    this.#entrusted = undefined
  }

  /** True when it is kept, or some of what it is to be sent. */
  get any(): boolean {
    return this.#recorder !== forgetful
  }

  /** Whether so many bytes more of it have room where it is kept. */
  mayGrow(bytes: number): boolean {
    return !this.all || this.#recorder.mayGrow(bytes)
  }

  record(change: Change): void {
    if (!this.any) return
    this.#recorder.record(change)
    this.turn = this.#recorder.turn
  }

  /** A message that it is to be sent. */
  queued({ place, message, qos, retain, identifiers, share }: Queued): void {
    if (!this.any || (this.#entrusted !== undefined && share === undefined)) return
    this.#entrusted?.add(place)
    const sequence = this.#recorder.keep(message)
    this.record({ type: "queued", clientId: this.#clientId, place, sequence, qos, retain, identifiers, share })
  }

  sent(place: Place, packetId: number): void {
    if (this.has(place)) this.record({ type: "sent", clientId: this.#clientId, place, packetId })
  }

  /** The message goes, and its Packet Identifier stays in use. */
  released(place: Place): void {
    if (this.has(place)) this.record({ type: "released", clientId: this.#clientId, place })
  }

  done(place: Place): void {
    if (!this.has(place)) return
    this.record({ type: "done", clientId: this.#clientId, place })
    this.#entrusted?.delete(place)
  }

  /** What is at this place is kept. */
  has(place: Place): boolean {
    return this.#entrusted === undefined ? this.any : this.#entrusted.has(place)
  }
}
