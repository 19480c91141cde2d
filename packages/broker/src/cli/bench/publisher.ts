// One publisher: writes what is due as its window and its connection allow.

import { reasonName } from "../../packet/reason-codes.ts"
import type { LoadClient } from "./load-client.ts"
import type { PublishTemplate } from "./payload.ts"

/** Bytes of packets that leave in one write; a packet that is longer leaves alone. */
const batchBytes = 65_536
/** A time of an identifier that stands for no message. */
const unused = -1
/** Writes in one turn: other clients wait. */
const batchesInTurn = 4

export interface PublisherSetup {
  readonly qos: 0 | 1 | 2
  /** Messages that the broker has not answered; of QoS 1 and 2 also the highest Packet Identifier. */
  readonly window: number
  /** When message `index` of this publisher is due, in milliseconds since the load began; undefined: a closed loop, at once. */
  readonly dueOf: ((index: number) => number) | undefined
  /** Milliseconds since the load began. */
  readonly clock: () => number
  readonly log: PublisherLog
}

/** What becomes known of messages. Times are milliseconds since the load began. */
export interface PublisherLog {
  /** Whether a message may begin that is due then: the load is not over. */
  readonly claim: (due: number) => boolean
  /** The last message was claimed. */
  readonly isOver: (due: number) => boolean
  /** In QoS 0, which nobody acknowledges. */
  readonly written: (due: number) => void
  readonly acknowledged: (due: number, written: number) => void
  readonly pong: (sent: number) => void
  readonly refused: (reason: string) => void
}

/** What a stream sent. */
export interface Sent {
  readonly stream: number
  sent: number
  /** The broker said of so many that it does not take them. */
  refused: number
}

export class Publisher {
  /** In turn. */
  readonly sent: readonly Sent[]
  readonly #client: LoadClient
  readonly #templates: readonly PublishTemplate[]
  readonly #setup: PublisherSetup
  /** Messages so far, of all streams. */
  #count = 0
  #inFlight = 0
  /** Of QoS 1 and 2: identifiers that are free. */
  readonly #free: number[] = []
  readonly #dueOfId: Float64Array
  readonly #writtenOfId: Float64Array
  readonly #streamOfId: Uint32Array
  /** Of QoS 0: messages since the last PINGREQ, and those before each that has no answer, with its time. */
  #sincePing = 0
  readonly #pings: { readonly messages: number; readonly at: number }[] = []
  #waitsForDrain = false
  #again = false
  #finished = false
  #onIdle: (() => void) | undefined
  #onAllRead: (() => void) | undefined

  constructor(
    client: LoadClient,
    streams: readonly number[],
    templates: readonly PublishTemplate[],
    setup: PublisherSetup,
  ) {
    this.#client = client
    this.sent = streams.map((stream) => ({ stream, sent: 0, refused: 0 }))
    this.#templates = templates
    this.#setup = setup
    const ids = setup.qos === 0 ? 0 : setup.window
    for (let id = ids; id > 0; id--) this.#free.push(id)
    this.#dueOfId = new Float64Array(ids + 1)
    this.#writtenOfId = new Float64Array(ids + 1).fill(unused)
    this.#streamOfId = new Uint32Array(ids + 1)
  }

  get client(): LoadClient {
    return this.#client
  }

  /** Messages that were begun. */
  get count(): number {
    return this.#count
  }

  /** Writes what is due and may be written. */
  pump(): void {
    for (let i = 0; i < batchesInTurn; i++) if (!this.#batch()) return
    if (this.#again) return
    this.#again = true
    setImmediate(() => {
      this.#again = false
      this.pump()
    })
  }

  /** Resolves when all is answered, or the connection is lost. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      this.#checkIdle()
    })
  }

  /** Asks; resolves when the broker has read all that was written, or the connection is lost. Of those that are finished. */
  allRead(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#client.lost) return resolve()
      this.#onAllRead = resolve
      this.#client.ask()
    })
  }

  /** PUBACK or PUBCOMP, or what refuses. */
  acknowledged(id: number, reasonCode: number): void {
    const written = this.#writtenOfId[id]
    if (written === undefined || written === unused) return // an identifier that is not in use
    this.#writtenOfId[id] = unused
    this.#free.push(id)
    this.#inFlight--
    if (reasonCode >= 0x80) {
      this.sent[this.#streamOfId[id]!]!.refused++
      this.#setup.log.refused(`${this.#setup.qos === 1 ? "PUBACK" : "PUBREC"}: ${reasonName(reasonCode)}`)
    } else this.#setup.log.acknowledged(this.#dueOfId[id]!, written)
    this.#checkIdle()
  }

  pong(): void {
    const ping = this.#pings.shift()
    if (ping === undefined) {
      this.#onAllRead?.()
      return
    }
    this.#inFlight -= ping.messages
    if (ping.messages > 0) this.#setup.log.pong(ping.at)
    this.#checkIdle()
  }

  /** Nothing will be answered any more. */
  lost(): void {
    this.#checkIdle()
    this.#onAllRead?.()
  }

  #checkIdle(): void {
    if (this.#onIdle === undefined || !(this.#client.lost || this.#inFlight === 0)) return
    this.#onIdle()
    this.#onIdle = undefined
  }

  /** Whether another one may follow at once. */
  #batch(): boolean {
    const { qos, window, dueOf, clock, log } = this.#setup
    const client = this.#client
    if (client.lost || this.#finished || this.#waitsForDrain) return false
    if (client.full) {
      this.#waitsForDrain = true
      client.onceDrained(() => {
        this.#waitsForDrain = false
        this.pump()
      })
      return false
    }
    const closed = dueOf === undefined
    const now = clock()
    const room = window - this.#inFlight
    const parts: {
      readonly template: PublishTemplate
      readonly due: number
      readonly id: number
      readonly index: number
    }[] = []
    let [bytes, most] = [0, Math.min(room, 4096)]
    while (most-- > 0) {
      const due = closed ? now : dueOf(this.#count)
      if (due > now || log.isOver(due)) break
      const which = this.#count % this.#templates.length
      const template = this.#templates[which]!
      if (bytes > 0 && bytes + template.packet.length > batchBytes) break
      if (!log.claim(due)) break
      this.#count++
      bytes += template.packet.length
      const id = qos === 0 ? 0 : this.#free.pop()!
      parts.push({ template, due, id, index: which })
    }
    if (parts.length === 0) return false
    const packets = Buffer.allocUnsafe(bytes)
    let at = 0
    for (const { template, due, id, index } of parts) {
      const stream = this.sent[index]!
      at = template.write(packets, at, id, stream.sent++, due, now - due)
      if (qos === 0) log.written(due)
      else {
        this.#dueOfId[id] = due
        this.#writtenOfId[id] = now
        this.#streamOfId[id] = index
      }
    }
    client.write(packets)
    if (qos > 0) this.#inFlight += parts.length
    else if (closed) this.#ask(parts.length, now)
    return true
  }

  /** A PINGREQ behind half of a window: its answer says that the broker has read what was before it. */
  #ask(messages: number, now: number): void {
    this.#inFlight += messages
    this.#sincePing += messages
    if (this.#sincePing < Math.ceil(this.#setup.window / 2)) return
    this.#pings.push({ messages: this.#sincePing, at: now })
    this.#sincePing = 0
    this.#client.ask()
  }

  /** Begins nothing more; in QoS 0 asks for what is left, so that it is answered. */
  finish(): void {
    this.#finished = true
    if (this.#sincePing === 0) return
    this.#pings.push({ messages: this.#sincePing, at: this.#setup.clock() })
    this.#sincePing = 0
    this.#client.ask()
  }
}
