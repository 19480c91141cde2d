// Changes as lines of JSON, for people and their tools. Bytes are in base64; a time that never comes is null.

import type { Change, Owner } from "../packet/change.ts"
import { PacketError } from "../packet/errors.ts"
import type { Qos, Will } from "../packet/packets.ts"
import { TopicTable } from "../packet/topic.ts"
import { parseFilter } from "../routing/filter.ts"
import { StoreError } from "../stores/folder.ts"

/** What the last line says, so that what is cut short is known by lacking it. */
export interface End {
  readonly type: "end"
  /** How many lines come before it. */
  readonly lines: number
}

/** Without its line end. */
export function lineOf(change: Change | End): string {
  return JSON.stringify(change, (_name, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64")
    return value === Number.POSITIVE_INFINITY ? null : value
  })
}

/** Throws StoreError with what is wrong in the line. */
export function changeOf(line: string): Change | End {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new StoreError("it is no JSON")
  }
  return readChange(new Fields(value))
}

function readChange(f: Fields): Change | End {
  const type = f.oneOf("type", types)
  switch (type) {
    case "message": {
      const [sequence, topic, qos, retain] = [f.integer("sequence"), f.topic(), f.qos(), f.flag("retain")]
      const [properties, payload] = [f.bytes("properties"), f.bytes("payload")]
      const account = f.optional("account", () => f.text("account"))
      return { type, sequence, topic, qos, retain, expiresAt: f.time("expiresAt"), properties, payload, account }
    }
    case "queued": {
      const [place, sequence, qos, retain] = [f.integer("place"), f.integer("sequence"), f.qos(), f.flag("retain")]
      const [identifiers, share] = [f.integers("identifiers"), f.optional("share", () => f.text("share"))]
      return { type, clientId: f.clientId(), place, sequence, qos, retain, identifiers, share }
    }
    case "sent":
      return { type, clientId: f.clientId(), place: f.integer("place"), packetId: f.packetId() }
    case "released":
    case "done":
      return { type, clientId: f.clientId(), place: f.integer("place") }
    case "opened": {
      const [owner, expiryInterval] = [readOwner(f.object("owner")), f.integer("expiryInterval")]
      return { type, clientId: f.clientId(), owner, expiryInterval }
    }
    case "attended":
      return { type, clientId: f.clientId(), expiryInterval: f.integer("expiryInterval") }
    case "owned":
      return { type, clientId: f.clientId(), owner: readOwner(f.object("owner")) }
    case "left":
      return { type, clientId: f.clientId(), endsAt: f.time("endsAt") }
    case "ended":
    case "will cleared":
      return { type, clientId: f.clientId() }
    case "subscribed": {
      const [filter, qos] = [f.filter(), f.qos()]
      const [noLocal, retainAsPublished] = [f.flag("noLocal"), f.flag("retainAsPublished")]
      const identifier = f.optional("identifier", () => f.integer("identifier"))
      return { type, clientId: f.clientId(), filter, qos, noLocal, retainAsPublished, identifier }
    }
    case "walk begun": {
      const [filter, before, sent] = [f.filter(), f.integer("before"), f.integers("sent")]
      return { type, clientId: f.clientId(), filter, before, sent }
    }
    case "unsubscribed":
    case "walk ended":
      return { type, clientId: f.clientId(), filter: f.filter() }
    case "received":
    case "freed":
      return { type, clientId: f.clientId(), packetId: f.packetId() }
    case "retained":
      return { type, topic: f.topic(), sequence: f.integer("sequence") }
    case "will set": {
      const [owner, will, dueAt] = [readOwner(f.object("owner")), readWill(f.object("will")), f.time("dueAt")]
      return { type, clientId: f.clientId(), owner, will, dueAt }
    }
    case "clock": {
      // Before there were the others a broker said so once a minute.
      const now = f.time("now")
      const wall = f.has("wall") ? f.time("wall") : now
      return { type, now, wall, until: f.has("until") ? f.time("until") : now + 60_000 }
    }
    case "end":
      return { type, lines: f.integer("lines") }
  }
}

function readOwner(f: Fields): Owner {
  const source = f.oneOf("source", ["anonymous", "password", "certificate", "token", "hook", "bridge"] as const)
  const owner = { user: f.text("user"), source, account: f.text("account") }
  return f.has("ownRights") && f.flag("ownRights") ? { ...owner, ownRights: true } : owner
}

function readWill(f: Fields): Will {
  const [topic, qos, retain, delayInterval] = [f.topic(), f.qos(), f.flag("retain"), f.integer("delayInterval")]
  const messageExpiryInterval = f.optional("messageExpiryInterval", () => f.integer("messageExpiryInterval"))
  const [payload, properties] = [f.bytes("payload"), f.bytes("properties")]
  return { topic, payload, qos, retain, properties, delayInterval, messageExpiryInterval }
}

const types: readonly (Change | End)["type"][] = [
  ...(["message", "queued", "sent", "released", "done", "opened", "attended", "left", "ended"] as const),
  ...(["subscribed", "unsubscribed", "received", "freed", "retained", "walk begun", "walk ended"] as const),
  ...(["will set", "will cleared", "clock", "owned", "end"] as const),
]

const topics = new TopicTable(Number.POSITIVE_INFINITY, 1)

/** The fields of an object that somebody wrote. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new StoreError("it is no JSON object")
    this.#fields = new Map(Object.entries(value))
  }

  object(name: string): Fields {
    const value = this.#fields.get(name)
    if (typeof value !== "object" || value === null) throw wanted(name, "an object")
    return new Fields(value)
  }

  has(name: string): boolean {
    return this.#fields.has(name)
  }

  text(name: string): string {
    const value = this.#fields.get(name)
    if (typeof value !== "string") throw wanted(name, "a string")
    return value
  }

  clientId(): string {
    return this.text("clientId")
  }

  /** Of any number of levels: how many a broker takes is for its configuration to say. */
  topic(): string {
    return checked("topic", this.text("topic"), "a Topic Name", (text) => topics.of(text))
  }

  filter(): string {
    return checked("filter", this.text("filter"), "a Topic Filter", (text) =>
      parseFilter(text, Number.POSITIVE_INFINITY),
    )
  }

  flag(name: string): boolean {
    const value = this.#fields.get(name)
    if (typeof value !== "boolean") throw wanted(name, "true or false")
    return value
  }

  integer(name: string): number {
    return integerOf(name, this.#fields.get(name))
  }

  packetId(): number {
    const value = this.integer("packetId")
    if (value < 1 || value > 65_535) throw wanted("packetId", "a number from 1 to 65535")
    return value
  }

  integers(name: string): number[] {
    const value = this.#fields.get(name)
    if (!Array.isArray(value)) throw wanted(name, "a list of numbers")
    return value.map((each: unknown) => integerOf(name, each))
  }

  time(name: string): number {
    const value = this.#fields.get(name)
    if (value === null) return Number.POSITIVE_INFINITY
    if (typeof value !== "number" || !Number.isFinite(value)) throw wanted(name, "milliseconds since 1970, or null")
    return value
  }

  qos(): Qos {
    const value = this.#fields.get("qos")
    if (value !== 0 && value !== 1 && value !== 2) throw wanted("qos", "0, 1 or 2")
    return value
  }

  bytes(name: string): Uint8Array {
    const value = this.text(name)
    const bytes = Buffer.from(value, "base64")
    // A regular expression has no room for some ten million groups.
    if (bytes.toString("base64") !== value) throw wanted(name, "base64")
    return new Uint8Array(bytes)
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value {
    const value = this.text(name)
    const found = values.find((each) => each === value)
    if (found === undefined) throw wanted(name, `one of ${values.join(", ")}`)
    return found
  }

  optional<Value>(name: string, read: () => Value): Value | undefined {
    const value = this.#fields.get(name)
    return value === undefined || value === null ? undefined : read()
  }
}

function checked(name: string, text: string, what: string, read: (text: string) => unknown): string {
  try {
    read(text)
    return text
  } catch (error) {
    if (error instanceof PacketError) throw wanted(name, what)
    throw error
  }
}

function integerOf(name: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw wanted(name, "a whole number from 0 on")
  return value
}

function wanted(name: string, what: string): StoreError {
  return new StoreError(`${name} must be ${what}`)
}
