// Clients that come to leave a will: what has to be published in the end, what may be, and what must not.

import type { Random } from "../../tls13/fuzz/random.ts"
import {
  type Connect,
  connect,
  disconnect,
  PacketReader,
  packetType,
  property,
  uint32,
  type Version,
} from "../hostile/wire/mqtt.ts"
import { openWire, type Wire } from "../hostile/wire/wire.ts"
import { cannotBeKept, expiresIn } from "./clients.ts"
import type { Subscriber } from "./subscriber.ts"

/** Seconds of a Will Delay Interval: of a will that comes, and of one whose client is back before. */
const shortDelay = 1
const longDelay = 4
/** Milliseconds by which it may be late. */
const margin = 300
/** Seconds of a session that does not end before. */
const sessionExpiry = 120

/** What becomes of the connection: the broker is killed, after a DISCONNECT, or it is killed and the client comes back in time. */
type Kind = "killed" | "delayed" | "said good-bye" | "came back"

interface Will {
  readonly clientId: string
  readonly topic: string
  readonly payload: string
  readonly qos: 1 | 2
  readonly retain: boolean
  readonly kind: Kind
  /** Milliseconds of the process: its client was not lost before. */
  readonly notBefore: number
  /** Milliseconds of the process: it was lost by then. */
  lostBefore: number
  /** Until more is known it may be published, or not. */
  fate: "must" | "may" | "never"
}

/** What a life of the broker tells those who leave a will in it. */
export interface Life {
  readonly number: number
  readonly port: number
  /** Milliseconds of the process when it was started. */
  readonly startedAt: number
  /** It is about to be killed, or was. */
  readonly isOver: () => boolean
  /** Messages acknowledged so far. */
  readonly acknowledged: () => number
}

export class Wills {
  readonly wrong: string[] = []
  /** The broker may say that nothing can be kept. */
  mayBeRefused = false
  readonly #wills: Will[] = []
  readonly #random: Random
  /** Those whose client comes back in the next life. */
  #expected: Will[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** Wills that have to be published. */
  get left(): number {
    return this.#of("must").length
  }

  #of(fate: Will["fate"]): readonly Will[] {
    return this.#wills.filter((will) => will.fate === fate)
  }

  /** In every other life somebody comes with a will; resolves when the connection has ended, and never rejects. */
  async visit(life: Life): Promise<void> {
    const expected = this.#expected
    this.#expected = []
    const visits = expected.map((will) => this.#comeBack(will, life))
    if (this.#random.oneIn(2)) visits.push(this.#leave(this.#drawn(life), life))
    await Promise.all(visits)
  }

  #drawn({ number, startedAt }: Life): Will {
    const kind = this.#random.pick(["killed", "delayed", "said good-bye", "came back", "came back"] as const)
    const qos = this.#random.pick([1, 2] as const)
    const payload = `will ${number}, QoS ${qos}, ${kind}`
    const drawn = { clientId: `will-${number}`, topic: `wills/${number}`, payload, qos, kind }
    return { ...drawn, retain: this.#random.oneIn(3), notBefore: startedAt, lostBefore: 0, fate: "may" }
  }

  async #leave(will: Will, life: Life): Promise<void> {
    this.#wills.push(will)
    const { clientId, topic, payload, qos, retain, kind } = will
    const late = kind === "delayed" || kind === "came back"
    const version = late ? 5 : this.#random.pick([4, 5] as const)
    const delay = uint32(kind === "delayed" ? shortDelay : longDelay)
    const properties = late ? [Buffer.concat([Uint8Array.of(property.willDelay), delay])] : []
    const options: Connect = {
      ...{ clientId, version, cleanStart: !late, will: { topic, payload, qos, retain, properties } },
      ...(late && { properties: [expiresIn(sessionExpiry)] }),
    }
    await this.#connect(life, version, options, async (wire) => {
      // From here on there is a will.
      if (kind === "killed" || kind === "delayed") will.fate = "must"
      else if (kind === "came back") this.#expected.push(will)
      else if (await this.#goodBye(wire, version, life)) will.fate = "never"
    })
  }

  /** DISCONNECT has no answer. What came later is acknowledged: then it is kept, too. */
  async #goodBye(wire: Wire, version: Version, life: Life): Promise<boolean> {
    wire.send(disconnect(version))
    await wire.closed
    const before = life.acknowledged()
    while (!life.isOver() && life.acknowledged() < before + 100) await new Promise((next) => setTimeout(next, 5))
    return life.acknowledged() >= before + 100
  }

  /** [MQTT-3.1.3-9] The will is not sent when its client is back before the delay has passed. */
  async #comeBack(will: Will, life: Life): Promise<void> {
    const options: Connect = { clientId: will.clientId, cleanStart: false, properties: [expiresIn(sessionExpiry)] }
    await this.#connect(life, 5, options, async (_, flags) => {
      if ((flags & 1) === 0) this.wrong.push(`${will.clientId}: its session was lost`)
      will.lostBefore = performance.now()
      if (will.lostBefore < will.notBefore + longDelay * 1000) will.fate = "never"
    })
  }

  /** Calls `entered` with the flags of CONNACK, and ends with the connection. */
  async #connect(
    life: Life,
    version: Version,
    options: Connect,
    entered: (wire: Wire, flags: number) => Promise<void>,
  ): Promise<void> {
    try {
      const wire = await openWire("tcp", life.port)
      const reader = new PacketReader()
      const working: Promise<void>[] = []
      wire.onBytes = (bytes) => {
        for (const { type, body } of reader.push(bytes)) {
          if (type !== packetType.connack) continue
          if (body[1] === 0) working.push(entered(wire, body[0]!))
          else if (!(this.mayBeRefused && cannotBeKept(body[1]!)))
            this.wrong.push(`${options.clientId}: CONNACK with code ${body[1]}`)
        }
      }
      wire.send(connect({ ...options, version }))
      await wire.closed
      await Promise.all(working)
    } catch {
      // It was killed before.
    }
  }

  /** All of them have come that must, and the time is over of those that must not. */
  complete(subscribers: readonly Subscriber[]): boolean {
    const delayed = this.#of("never").filter(({ kind }) => kind === "came back")
    const over = Math.max(0, ...delayed.map(({ lostBefore }) => lostBefore)) + longDelay * 1000
    if (performance.now() < over + margin) return false
    return this.#of("must").every(({ payload }) => subscribers.every(({ others }) => others.has(payload)))
  }

  /** What that subscriber has too little, too often or too much of: one line each. */
  *missed({ id, others }: Subscriber): Generator<string> {
    const lost = this.#of("must").filter(({ payload }) => !others.has(payload))
    if (lost.length > 0) yield `${id}: ${lost.length} wills lost, the first is "${lost[0]!.payload}"`
    for (const { payload } of this.#of("never")) if (others.has(payload)) yield `${id}: "${payload}" was published`
    for (const { payload, qos } of this.#wills) {
      const times = others.get(payload) ?? 0
      if (qos === 2 && times > 1) yield `${id}: "${payload}" came ${times} times`
    }
    const known = new Set(this.#wills.map(({ payload }) => payload))
    for (const payload of others.keys()) if (!known.has(payload)) yield `${id}: nobody has published "${payload}"`
  }

  /** The same of what is retained, by topic. */
  *missedOf(retained: ReadonlyMap<string, string>): Generator<string> {
    for (const { topic, payload, retain, fate } of this.#wills) {
      const found = retained.get(topic)
      if (retain && fate === "must" && found !== payload) yield `"${payload}" is not retained`
      if (found !== undefined && (!retain || fate === "never" || found !== payload))
        yield `"${found}" is retained in ${topic}`
    }
  }
}
