// What a connection told its trace sink, as a file: what `--explore` writes and the explorer opens. JSON in UTF-8, an event a line:
//
//   {"format":"tls13-trace","version":1,"role":"client","started":1800000000000.125,"events":[
//   {"at":0.25,"type":"message","direction":"sent","name":"client_hello","message":"01000..."},
//   ...
//   ],"omitted":0}
//
// `started` and `at` are milliseconds, since 1970 and since `started`; bytes are in hexadecimal; the other fields are those of
// `TraceEvent`. `omitted` counts the events that came when the file was long enough. All secrets of the connection are in it.

import { HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { bytesOfHex, toHex } from "../bytes/hex.ts"
import { quotedText } from "../bytes/text.ts"
import type { Direction, SecretName, TraceEvent } from "./events.ts"
import { TraceFileError } from "./file-error.ts"

export interface TimedEvent {
  /** Milliseconds since `SavedTrace.started`. */
  readonly at: number
  readonly event: TraceEvent
}

export interface SavedTrace {
  readonly role: "client" | "server"
  /** Milliseconds since 1970. */
  readonly started: number
  readonly events: readonly TimedEvent[]
  /** Events that came after these and are not there. */
  readonly omitted: number
}

const format = "tls13-trace"
const version = 1

/** Characters of a file that is read at most; no longer one is written. */
export const longestSavedTrace: number = 64 * 1_048_576

/* ---------------------------------------------------------------- writing */

/** The text of a file. */
export function writeSavedTrace(trace: SavedTrace): string {
  const events = trace.events.map(({ at, event }) => savedEvent(event, at))
  return `${savedTraceHead(trace)}${events.join(",")}${savedTraceTail(trace.omitted)}`
}

export function savedTraceHead({ role, started }: Pick<SavedTrace, "role" | "started">): string {
  const head = JSON.stringify({ format, version, role, started })
  return `${head.slice(0, -1)},"events":[`
}

/** One event; a comma stands between two. */
export function savedEvent(event: TraceEvent, at: number): string {
  const fields = Object.entries(event).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? toHex(value) : value,
  ])
  return `\n${JSON.stringify({ at: Math.round(1000 * at) / 1000, ...Object.fromEntries(fields) })}`
}

export function savedTraceTail(omitted: number): string {
  return `\n],"omitted":${omitted}}\n`
}

/* ---------------------------------------------------------------- reading */

/**
 * Reads the text of a file that anybody may have written: each event is as a connection could have told it, and that is all that
 * can be said of it.
 * @throws TraceFileError and nothing else: for what is no saved trace, or is one of another version
 */
export function readSavedTrace(text: string): SavedTrace {
  if (text.length > longestSavedTrace)
    throw new TraceFileError(`${text.length} characters are more than a trace has (${longestSavedTrace} at most)`)
  const fields = new Fields(parsed(text), "the trace")
  if (fields.take("format") !== format) throw new TraceFileError(`no saved trace: its "format" is not "${format}"`)
  const found = fields.take("version")
  if (found !== version)
    throw new TraceFileError(
      `a trace of version ${shown(found)}, of which ${version} is read: use the version that wrote it`,
    )
  const role = fields.oneOf("role", roles)
  const started = fields.number("started")
  const list = fields.take("events")
  if (!Array.isArray(list)) throw new TraceFileError('a broken trace: its "events" are no list')
  const events = list.map((each: unknown, i) => timedEvent(new Fields(each, `event ${i + 1}`)))
  const omitted = fields.whole("omitted", Number.MAX_SAFE_INTEGER)
  fields.end()
  return { role, started, events, omitted }
}

/** Engines differ in what they throw for what nests too deeply: all of it means the same. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TraceFileError("no saved trace: it is not JSON")
  }
}

const roles = ["client", "server"] as const
const directions = ["sent", "received"] as const satisfies readonly Direction[]
const handshakeNames = Object.keys(HandshakeType) as HandshakeTypeName[]
const messageNames = [...handshakeNames, "hello_retry_request"] as const
/** All of them, as the compiler sees. */
const secretLabels: Readonly<Record<SecretName, true>> = {
  early_secret: true,
  binder_key: true,
  client_early_traffic_secret: true,
  early_exporter_secret: true,
  handshake_secret: true,
  client_handshake_traffic_secret: true,
  server_handshake_traffic_secret: true,
  main_secret: true,
  client_application_traffic_secret: true,
  server_application_traffic_secret: true,
  exporter_secret: true,
  resumption_secret: true,
}
const secretNames = Object.keys(secretLabels) as SecretName[]
const types = [
  "record",
  "message",
  "inner-hello",
  "alert",
  "secret",
  "keys",
  "transcript",
  "state",
] as const satisfies TraceEvent["type"][]

/** Bytes at most, and what bounds them: a length field of 2 or 3 bytes behind its header, or the longest hash, key and IV. */
const most = { record: 5 + 0xffff, message: 4 + 0xffffff, secret: 64, key: 32, iv: 16 } as const

function timedEvent(fields: Fields): TimedEvent {
  const timed = { at: fields.number("at"), event: eventOf(fields) }
  fields.end()
  return timed
}

function eventOf(fields: Fields): TraceEvent {
  const type = fields.oneOf("type", types)
  switch (type) {
    case "record":
      return {
        type,
        direction: fields.oneOf("direction", directions),
        contentType: fields.whole("contentType", 255),
        innerType: fields.whole("innerType", 255),
        record: fields.bytes("record", most.record),
        content: fields.bytes("content", most.record),
        protected: fields.flag("protected"),
      }
    case "message": {
      const [direction, name] = [fields.oneOf("direction", directions), fields.oneOf("name", messageNames)]
      return { type, direction, name, message: fields.bytes("message", most.message) }
    }
    case "inner-hello": {
      const direction = fields.oneOf("direction", directions)
      return { type, direction, message: fields.bytes("message", most.message) }
    }
    case "alert": {
      const [direction, level] = [fields.oneOf("direction", directions), fields.whole("level", 255)]
      return { type, direction, level, description: fields.word("description") }
    }
    case "secret":
      return {
        type,
        name: fields.oneOf("name", secretNames),
        secret: fields.bytes("secret", most.secret),
        clientRandom: fields.bytes("clientRandom", 32),
        generation: fields.whole("generation", Number.MAX_SAFE_INTEGER),
      }
    case "keys": {
      const [direction, secretName] = [fields.oneOf("direction", directions), fields.oneOf("secretName", secretNames)]
      return { type, direction, secretName, key: fields.bytes("key", most.key), iv: fields.bytes("iv", most.iv) }
    }
    case "transcript":
      return { type, upTo: fields.word("upTo"), hash: fields.bytes("hash", most.secret) }
    case "state": {
      const message = fields.has("message") ? fields.oneOf("message", handshakeNames) : undefined
      return { type, role: fields.oneOf("role", roles), from: fields.word("from"), message, to: fields.word("to") }
    }
  }
}

/** The fields of an object that came from outside: each is asked for once, and none may be left. */
class Fields {
  readonly #left: Map<string, unknown>
  readonly #where: string

  constructor(value: unknown, where: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new TraceFileError(`no saved trace: ${where} is no object`)
    this.#left = new Map(Object.entries(value))
    this.#where = where
  }

  has(name: string): boolean {
    return this.#left.has(name)
  }

  take(name: string): unknown {
    const value = this.#left.get(name)
    this.#left.delete(name)
    return value
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value {
    const value = this.take(name)
    const found = values.find((each) => each === value)
    if (found === undefined)
      throw this.#wrong(name, value, values.length <= 8 ? `one of ${values.join(", ")}` : "a name that it can have")
    return found
  }

  /** Of milliseconds. */
  number(name: string): number {
    const value = this.take(name)
    if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
    throw this.#wrong(name, value, "a number of milliseconds")
  }

  whole(name: string, most: number): number {
    const value = this.take(name)
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most) return value
    throw this.#wrong(name, value, `a whole number from 0 to ${most}`)
  }

  flag(name: string): boolean {
    const value = this.take(name)
    if (typeof value === "boolean") return value
    throw this.#wrong(name, value, "true or false")
  }

  /** The name of a state, an alert or a message. */
  word(name: string): string {
    const value = this.take(name)
    if (typeof value === "string" && /^[\w ().-]{1,64}$/.test(value)) return value
    throw this.#wrong(name, value, "a name")
  }

  bytes(name: string, most: number): Uint8Array {
    const value = this.take(name)
    const bytes = typeof value === "string" && value.length <= 2 * most ? bytesOfHex(value) : undefined
    if (bytes !== undefined) return bytes
    throw this.#wrong(name, value, `${most} bytes at most, in hexadecimal`)
  }

  end(): void {
    const [name] = this.#left.keys()
    if (name !== undefined)
      throw new TraceFileError(`a broken trace: ${this.#where} has a field ${shown(name)} that there is none of`)
  }

  #wrong(name: string, value: unknown, wanted: string): TraceFileError {
    return new TraceFileError(`a broken trace: "${name}" of ${this.#where} is ${shown(value)}, not ${wanted}`)
  }
}

/** What a file has, for a message of one line. */
function shown(value: unknown): string {
  if (value === undefined) return "absent"
  if (typeof value === "string") return quotedText(value.length > 40 ? `${value.slice(0, 40)}...` : value)
  return typeof value === "object" && value !== null ? (Array.isArray(value) ? "a list" : "an object") : String(value)
}
