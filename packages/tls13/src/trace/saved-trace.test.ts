import { describe, expect, it } from "vitest"
import { clientOptions, serverOptions, start } from "../../tests/support.ts"
import { everyKindOfEvent } from "../../tests/tools/trace-events.ts"
import { ClientConnection } from "../connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../connection/config.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import { Pair } from "../testing/pair.ts"
import type { TraceEvent } from "./events.ts"
import { TraceFileError } from "./file-error.ts"
import { longestSavedTrace, readSavedTrace, type SavedTrace, savedEvent, writeSavedTrace } from "./saved-trace.ts"

const saved: SavedTrace = {
  role: "server",
  started: start + 0.25,
  events: everyKindOfEvent.map((event, i) => ({ at: i / 8, event })),
  omitted: 7,
}
const text = writeSavedTrace(saved)

function refusal(file: string): string {
  try {
    readSavedTrace(file)
  } catch (error) {
    if (error instanceof TraceFileError) return error.message
    throw error
  }
  return "is read"
}

/** The text with one event, changed. */
function withEvent(change: (event: Record<string, unknown>) => void, index = 2): string {
  const whole = JSON.parse(text)
  change(whole.events[index])
  return JSON.stringify(whole)
}

function withField(name: string, value: unknown): string {
  return JSON.stringify({ ...JSON.parse(text), [name]: value })
}

describe("what is written", () => {
  it("is read as it was, each kind of event", () => {
    expect(readSavedTrace(text)).toEqual(saved)
    expect(writeSavedTrace(readSavedTrace(text))).toBe(text)
    const empty = { ...saved, events: [] }
    expect(readSavedTrace(writeSavedTrace(empty))).toEqual(empty)
  })

  it("is JSON with an event a line", () => {
    const lines = text.split("\n")
    expect(lines[0]).toBe(`{"format":"tls13-trace","version":1,"role":"server","started":${start}.25,"events":[`)
    expect(lines[2]).toBe(
      '{"at":0.125,"type":"message","direction":"sent","name":"client_hello","message":"0100000100"},',
    )
    expect(lines.slice(-2)).toEqual(['],"omitted":7}', ""])
    expect(savedEvent(everyKindOfEvent[0]!, 1.23456)).toContain('"at":1.235,')
  })

  it("of a handshake has all of its events", () => {
    const events: { at: number; event: TraceEvent }[] = []
    const lines: string[] = []
    const trace = (event: TraceEvent) => {
      lines.push(savedEvent(event, lines.length))
      events.push({ at: 0, event })
    }
    const client = new ClientConnection(createClientConfig({ ...clientOptions, trace }), start)
    new Pair(client, new ServerConnection(createServerConfig(serverOptions), start), start).handshake()
    const read = readSavedTrace(writeSavedTrace({ role: "client", started: start, events, omitted: 0 }))
    expect(read.events.map(({ event }) => event.type)).toEqual(events.map(({ event }) => event.type))
    expect(new Set(read.events.map(({ event }) => event.type)).size).toBeGreaterThan(4)
    expect(lines).toHaveLength(read.events.length)
  })
})

describe("what is no saved trace is refused in one line", () => {
  it.each([
    ["", "no saved trace: it is not JSON"],
    ["[".repeat(1_000_000), "no saved trace: it is not JSON"],
    [text.slice(0, -4), "no saved trace: it is not JSON"],
    ["[]", "no saved trace: the trace is no object"],
    ["null", "no saved trace: the trace is no object"],
    ["{}", 'no saved trace: its "format" is not "tls13-trace"'],
    [withField("format", "other"), 'no saved trace: its "format" is not "tls13-trace"'],
    [withField("version", 2), "a trace of version 2, of which 1 is read: use the version that wrote it"],
    [withField("version", "1"), 'a trace of version "1", of which 1 is read: use the version that wrote it'],
    [withField("role", "peer"), 'a broken trace: "role" of the trace is "peer", not one of client, server'],
    [withField("started", -1), 'a broken trace: "started" of the trace is -1, not a number of milliseconds'],
    [withField("events", {}), 'a broken trace: its "events" are no list'],
    [withField("events", [1]), "no saved trace: event 1 is no object"],
    [
      withField("omitted", 1.5),
      'a broken trace: "omitted" of the trace is 1.5, not a whole number from 0 to 9007199254740991',
    ],
    [withField("more", 1), 'a broken trace: the trace has a field "more" that there is none of'],
    [
      text.replace("{", '{"__proto__":{"role":"client"},'),
      'a broken trace: the trace has a field "__proto__" that there is none of',
    ],
  ])("%#: as a whole", (file, message) => {
    expect(refusal(file)).toBe(message)
  })

  it.each<[number, string, unknown, string]>([
    [2, "type", "packet", '"packet", not one of record, message, inner-hello, alert, secret, keys, transcript, state'],
    [2, "at", null, "null, not a number of milliseconds"],
    [2, "direction", "both", '"both", not one of sent, received'],
    [2, "contentType", 256, "256, not a whole number from 0 to 255"],
    [2, "protected", "no", '"no", not true or false'],
    [2, "record", "0", '"0", not 65540 bytes at most, in hexadecimal'],
    [2, "record", "0G", '"0G", not 65540 bytes at most, in hexadecimal'],
    [2, "record", "AB", '"AB", not 65540 bytes at most, in hexadecimal'],
    [2, "record", [1], "a list, not 65540 bytes at most, in hexadecimal"],
    [2, "content", "00".repeat(65_541), `"${"0".repeat(40)}...", not 65540 bytes at most, in hexadecimal`],
    [1, "name", "toString", '"toString", not a name that it can have'],
    [0, "message", "hello_retry_request", '"hello_retry_request", not a name that it can have'],
    [0, "from", "a\u001b[2J\nb", '"a\\u001b[2J\\nb", not a name'],
    [6, "name", "password", '"password", not a name that it can have'],
    [6, "generation", 1e300, "1e+300, not a whole number from 0 to 9007199254740991"],
    [7, "key", "00".repeat(33), `"${"0".repeat(40)}...", not 32 bytes at most, in hexadecimal`],
    [8, "description", "<script>", '"<script>", not a name'],
  ])("event %i, %s: %j", (index, name, value, message) => {
    const file = withEvent((event) => {
      event[name] = value
    }, index)
    expect(refusal(file)).toBe(`a broken trace: "${name}" of event ${index + 1} is ${message}`)
  })

  it("each field of each event is wanted, and no other", () => {
    everyKindOfEvent.forEach((event, index) => {
      for (const name of Object.keys(event)) {
        const without = withEvent((each) => delete each[name], index)
        if (name === "message" && event.type === "state") expect(refusal(without)).toBe("is read")
        else
          expect(refusal(without)).toMatch(
            new RegExp(`^a broken trace: "${name}" of event ${index + 1} is absent, not `),
          )
      }
      const more = withEvent((each) => Object.assign(each, { note: "x" }), index)
      expect(refusal(more)).toBe(`a broken trace: event ${index + 1} has a field "note" that there is none of`)
    })
  })

  it("and no text is read that is longer than a trace", () => {
    expect(refusal(" ".repeat(longestSavedTrace + 1))).toMatch(/^67108865 characters are more than a trace has/)
    expect(refusal(`${text}${" ".repeat(1000)}`)).toBe("is read")
  })
})
