// Changes by a seed: any that can be, and histories such as a broker makes.

import type { Change, Owner } from "../../src/packet/change.ts"
import type { Qos, Will } from "../../src/packet/packets.ts"
import { Image } from "../../src/stores/image.ts"

/** A small generator of numbers (mulberry32). */
export class Seeded {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  chance(share: number): boolean {
    return this.below(1000) < share * 1000
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)]
    if (value === undefined) throw new Error("nothing to pick from")
    return value
  }
}

const texts = [
  "",
  "a",
  "sensor/17/temp",
  "Ä€𝄞",
  "\u0000\n\u007f\ufffe",
  "x".repeat(127),
  "x".repeat(128),
  "é".repeat(9000),
]
const integers = [
  0,
  1,
  127,
  128,
  16_383,
  16_384,
  2 ** 21,
  0xffff_ffff,
  2 ** 31,
  2 ** 32,
  2 ** 49,
  Number.MAX_SAFE_INTEGER,
]
const times = [Number.POSITIVE_INFINITY, 0, 1, 1.5, -1, 1_795_910_400_000, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]

/** Any Change, edges of its fields included. */
export function anyChange(random: Seeded): Change {
  const clientId = random.pick(texts)
  const integer = () => (random.chance(0.5) ? random.pick(integers) : random.below(2 ** 16))
  const optional = () => (random.chance(0.5) ? undefined : random.pick([0, 1, 268_435_455, 0xffff_ffff]))
  const time = () => random.pick(times)
  const text = () => random.pick(texts)
  const flag = () => random.chance(0.5)
  const bytes = () => Uint8Array.from({ length: random.pick([0, 1, 48, 49, 200]) }, () => random.below(256))
  const qos = (): Qos => random.pick([0, 1, 2] as const)
  const owner = (): Owner => ({
    user: text(),
    source: random.pick(["anonymous", "password", "certificate", "token", "hook", "bridge"]),
    account: text(),
    ...(flag() && { ownRights: true }),
  })
  const will = (): Will => ({
    ...{ topic: text(), payload: bytes(), qos: qos(), retain: flag(), properties: bytes() },
    ...{ delayInterval: integer(), messageExpiryInterval: optional() },
  })
  const identifiers = () => Array.from({ length: random.below(4) }, integer)
  return random.pick<() => Change>([
    () => ({
      ...{ type: "message", sequence: integer(), topic: text(), qos: qos(), retain: flag(), expiresAt: time() },
      ...{ properties: bytes(), payload: bytes(), ...(flag() && { account: text() }) },
    }),
    () => ({
      ...{ type: "queued", clientId, place: integer(), sequence: integer(), qos: qos(), retain: flag() },
      ...{ identifiers: identifiers(), share: flag() ? undefined : text() },
    }),
    () => ({ type: "sent", clientId, place: integer(), packetId: integer() }),
    () => ({ type: "released", clientId, place: integer() }),
    () => ({ type: "done", clientId, place: integer() }),
    () => ({ type: "opened", clientId, owner: owner(), expiryInterval: integer() }),
    () => ({ type: "attended", clientId, expiryInterval: integer() }),
    () => ({ type: "owned", clientId, owner: owner() }),
    () => ({ type: "left", clientId, endsAt: time() }),
    () => ({ type: "ended", clientId }),
    () => ({
      ...{ type: "subscribed", clientId, filter: text(), qos: qos(), noLocal: flag(), retainAsPublished: flag() },
      identifier: optional(),
    }),
    () => ({ type: "unsubscribed", clientId, filter: text() }),
    () => ({ type: "received", clientId, packetId: integer() }),
    () => ({ type: "freed", clientId, packetId: integer() }),
    () => ({ type: "retained", topic: text(), sequence: integer() }),
    () => ({ type: "walk begun", clientId, filter: text(), before: integer(), sent: identifiers() }),
    () => ({ type: "walk ended", clientId, filter: text() }),
    () => ({ type: "will set", clientId, owner: owner(), will: will(), dueAt: time() }),
    () => ({ type: "will cleared", clientId }),
    () => ({ type: "clock", now: time(), wall: time(), until: time() }),
  ])()
}

function clock(random: Seeded): Change {
  return { type: "clock", now: random.below(1000), wall: random.below(1000), until: random.below(1000) }
}

/** Turns in which few sessions, topics and messages meet often, also in ways in which no broker makes them. */
export function anyTurns(random: Seeded, count: number): Change[][] {
  let sequence = 0
  const changes: Change[][] = []
  for (let i = 0; i < count; i++) {
    const turn: Change[] = []
    for (let n = 1 + random.below(6); n > 0; n--) turn.push(meeting(random, () => ++sequence, sequence))
    changes.push(turn)
  }
  return changes
}

function meeting(random: Seeded, next: () => number, latest: number): Change {
  const clientId = random.pick(["a", "b", "c"])
  const filter = random.pick(["x/#", "+/y", "$share/s/z"])
  const topic = random.pick(["t/1", "t/2", "t/3"])
  const place = 1 + random.below(6)
  const packetId = 1 + random.below(4)
  const sequence = Math.max(1, latest - random.below(4))
  const owner: Owner = { user: "u", source: "password", account: "user u" }
  const [properties, payload] = [new Uint8Array(random.below(3)), Uint8Array.of(random.below(256))]
  const will: Will = {
    ...{ topic, payload, properties, qos: 1, retain: false, delayInterval: 3, messageExpiryInterval: undefined },
  }
  const message = (sequence: number): Change => {
    const qos = random.pick([1, 2] as const)
    return { type: "message", sequence, topic, qos, retain: false, expiresAt: 5, properties, payload }
  }
  const queued: Change = {
    ...{
      type: "queued",
      clientId,
      place,
      sequence: random.chance(0.05) ? 0 : sequence,
      qos: 2,
      retain: random.chance(0.2),
    },
    ...{ identifiers: random.chance(0.2) ? [7, 9] : [], share: random.chance(0.2) ? filter : undefined },
  }
  return random.pick<() => Change>([
    () => message(next()),
    () => message(next()),
    () => message(sequence),
    () => queued,
    () => queued,
    () => queued,
    () => ({ type: "sent", clientId, place, packetId }),
    () => ({ type: "sent", clientId, place, packetId }),
    () => ({ type: "released", clientId, place }),
    () => ({ type: "done", clientId, place }),
    () => ({ type: "opened", clientId, owner, expiryInterval: random.below(100) }),
    () => ({ type: "attended", clientId, expiryInterval: random.below(100) }),
    () => ({ type: "owned", clientId, owner: { ...owner, ...(random.chance(0.5) && { ownRights: true }) } }),
    () => ({ type: "left", clientId, endsAt: random.below(1000) }),
    () => (random.chance(0.3) ? { type: "ended", clientId } : clock(random)),
    () => ({
      type: "subscribed",
      clientId,
      filter,
      qos: 1,
      noLocal: false,
      retainAsPublished: true,
      identifier: place,
    }),
    () => ({ type: "unsubscribed", clientId, filter }),
    () => ({ type: "received", clientId, packetId }),
    () => ({ type: "freed", clientId, packetId }),
    () => ({ type: "retained", topic, sequence: random.chance(0.2) ? 0 : sequence }),
    () => ({ type: "walk begun", clientId, filter, before: sequence, sent: random.chance(0.2) ? [1, 2] : [] }),
    () => ({ type: "walk ended", clientId, filter }),
    () => ({ type: "will set", clientId, owner, will, dueAt: Number.POSITIVE_INFINITY }),
    () => ({ type: "will cleared", clientId }),
  ])()
}

/** A history such as a broker makes: messages go to sessions, and are sent and done, or retained. */
export function orderlyTurns(random: Seeded, count: number): Change[][] {
  const clients = ["a", "b", "c"]
  const owner: Owner = { user: "u", source: "password", account: "user u" }
  const turns: Change[][] = [clients.map((clientId) => ({ type: "opened", clientId, owner, expiryInterval: 60 }))]
  const waiting: { clientId: string; place: number }[] = []
  for (let sequence = 1; sequence < count; sequence++) {
    const [qos, clientId, topic] = [random.pick([1, 2] as const), random.pick(clients), `t/${random.below(5)}`]
    const payload = Uint8Array.from({ length: random.below(40) }, () => random.below(256))
    const message = { sequence, topic, qos, retain: random.chance(0.2), expiresAt: Number.POSITIVE_INFINITY, payload }
    const turn: Change[] = [{ type: "message", ...message, properties: new Uint8Array(0) }]
    const queued = { clientId, place: sequence, sequence, qos, retain: false, identifiers: [], share: undefined }
    turn.push(
      { type: "queued", ...queued },
      { type: "sent", clientId, place: sequence, packetId: sequence % 65_535 || 1 },
    )
    if (message.retain) turn.push({ type: "retained", topic, sequence })
    turns.push(turn)
    waiting.push({ clientId, place: sequence })
    while (waiting.length > 0 && random.chance(0.3)) {
      const [first] = waiting.splice(random.below(waiting.length), 1)
      if (first !== undefined) turn.push({ type: "done", ...first })
    }
  }
  return turns
}

/** The fewest Changes that make what these turns make. */
export function folded(turns: readonly (readonly Change[])[]): Change[] {
  const image = new Image()
  for (const turn of turns) {
    for (const change of turn) image.apply(change)
    while (!image.settle()) {}
  }
  const messages = turns.flat().filter((change) => change.type === "message" && image.takes(change))
  return [...messages, ...image.changes()]
}
