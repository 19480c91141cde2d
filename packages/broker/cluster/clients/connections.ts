// The connections of one client: the newest serves it; one that was replaced is asked whether it still is.

import type { Opened } from "../../crash/clients.ts"
import { identifierOf } from "../../crash/clients.ts"
import { packetType, publish, type Received, type Version } from "../../hostile/wire/mqtt.ts"
import type { Connection } from "../history.ts"
import type { Recorder } from "./recorder.ts"

/** Milliseconds after which it is asked. */
const moments = [20, 500, 2500] as const
/** Packet Identifiers that no message of ours gets to. */
const firstIdentifier = 65_000

/** DISCONNECT that a cluster may send: shutting down, taken over, cannot serve it, another server. */
const endings: ReadonlySet<number> = new Set([0x8b, 0x8e, 0x88, 0x9c, 0x9d])

interface Asked {
  readonly what: string
  readonly saidAt: number
}

export class Connections {
  readonly #clientId: string
  readonly #version: Version
  readonly #recorder: Recorder
  readonly #open = new Map<number, { readonly record: Connection; readonly opened: Opened }>()
  readonly #asked = new Map<string, Asked>()

  constructor(clientId: string, version: Version, recorder: Recorder) {
    this.#clientId = clientId
    this.#version = version
    this.#recorder = recorder
  }

  /** How many there are. */
  get count(): number {
    return this.#open.size
  }

  opened(opened: Opened): void {
    const { number, port, present } = opened
    const recorder = this.#recorder
    const node = recorder.nodeAt(port)
    const record: Connection = { clientId: this.#clientId, number, node, openedAt: recorder.now, present }
    recorder.history.connections.push(record)
    for (const older of this.#open.values()) this.#ask(older.opened)
    this.#open.set(number, { record, opened })
  }

  closed(number: number): void {
    const open = this.#open.get(number)
    if (open !== undefined) open.record.closedAt = this.#recorder.now
    this.#open.delete(number)
  }

  /** All but the newest, which a broker has left open. */
  get replaced(): readonly number[] {
    return [...this.#open.keys()].slice(0, -1)
  }

  /** What it says now must not be acknowledged. */
  #ask({ number, wire }: Opened): void {
    for (const [i, moment] of moments.entries())
      setTimeout(() => {
        if (!this.#open.has(number) || wire.isClosed) return
        const packetId = firstIdentifier + i
        const what = `late/${this.#clientId}/${number}/${i}`
        this.#asked.set(`${number} ${packetId}`, { what, saidAt: this.#recorder.now })
        wire.send(publish(this.#version, what, what, { qos: 1, packetId }))
      }, moment).unref()
  }

  /** A packet on one that was replaced. */
  replacedHeard({ type, body }: Received, number: number): void {
    if (type !== packetType.puback || (body[2] ?? 0) >= 0x80) return
    const asked = this.#asked.get(`${number} ${identifierOf(body)}`)
    const { history, now } = this.#recorder
    if (asked !== undefined) history.late.push({ clientId: this.#clientId, connection: number, at: now, ...asked })
  }

  /** What is wrong with a DISCONNECT. */
  ended(code: number): string | undefined {
    return endings.has(code) ? undefined : `${this.#clientId}: DISCONNECT 0x${code.toString(16)}`
  }
}
