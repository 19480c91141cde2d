// A redacted recording has the structure of the connection, and no byte, name or text of it.

import { describe, expect, it } from "vitest"
import { AlertDescription } from "../../src/bytes/alerts.ts"
import { ContentType, ExtensionType, HandshakeType } from "../../src/bytes/code-points.ts"
import { transitions } from "../../src/handshake/transitions.ts"
import { RecordingError, redact, replay } from "../../src/recording/index.ts"
import type { TraceEvent } from "../../src/trace/events.ts"
import { provider, record, scenarios } from "./scenes.ts"

/** Everything of a connection that must not be in it: bytes that went over the wire or came out of it, secrets, keys, names. */
function privateOf(text: string): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  replay(text, {
    provider,
    trace(event: TraceEvent) {
      for (const value of Object.values(event)) if (value instanceof Uint8Array) found.push(new Uint8Array(value))
    },
  })
  for (const [, hex] of text.matchAll(/"([0-9a-f]{8,})"/g)) found.push(new Uint8Array(Buffer.from(hex!, "hex")))
  for (const name of ["server.test", "public.example", "CN=test", "device 7", "no anchor", "the HSM is away"])
    found.push(Buffer.from(name))
  return found
}

/** Pieces of eight bytes in any notation that bytes are written in. */
function piecesOf(bytes: Uint8Array): readonly string[] {
  const pieces: string[] = []
  for (let at = 0; at + 8 <= bytes.length; at += 3) {
    const piece = Buffer.from(bytes.subarray(at, at + 8))
    pieces.push(piece.toString("hex"), piece.toString("base64"), piece.toString("latin1"), piece.join(","))
  }
  return pieces
}

/** What strings may be in it: names of the protocol and of the format. */
const words = new Set<string>([
  ...Object.keys(AlertDescription),
  ...Object.keys(ContentType),
  ...Object.keys(ExtensionType),
  ...Object.keys(HandshakeType),
  ...Object.values(transitions).flatMap((rows) => rows.flatMap(({ from, to }) => [from, to])),
])
const grammar =
  /^(tls13-recording-redacted|client|server|sent|received|bytes|nothing|at once|later|by throwing|cut|[A-Z][A-Za-z]+|[a-z]+(_[a-z]+)*_secret|[a-z]+(-[a-z]+)*( (\d+|true|false))?|[a-zA-Z.]+|hello_retry_request|(legacy_)?[a-z_]+|0x[0-9a-f]{4}|(unknown|extension|\()[\w() ]{0,24})$/

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value]
  if (typeof value !== "object" || value === null) return []
  return Object.values(value).flatMap(stringsOf)
}

describe("nothing private survives", () => {
  it.each(Object.keys(scenarios))("%s", async (name) => {
    const { client, server } = await record(name)
    for (const { text } of [client, server]) {
      const redacted = redact(text, { provider })
      for (const bytes of privateOf(text)) {
        for (const piece of piecesOf(bytes))
          if (redacted.includes(piece)) throw new Error(`it has ${JSON.stringify(piece)}`)
      }
      const strings = redacted
        .trimEnd()
        .split("\n")
        .flatMap((line) => stringsOf(JSON.parse(line)))
      expect(strings.filter((each) => !words.has(each) && !grammar.test(each))).toEqual([])
      // A name, a key or a digest of 16 bytes is longer.
      expect(Math.max(...strings.map((each) => each.length))).toBeLessThan(40)
    }
  })
})

it("the head of a redacted recording leaves out no name that a recording has", async () => {
  const namesOf = (value: unknown): readonly string[] => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || "bytes" in value) return []
    return Object.entries(value).flatMap(([name, each]) => [name, ...namesOf(each)])
  }
  for (const name of ["full", "client certificate", "0-RTT", "Encrypted Client Hello"]) {
    const { client, server } = await record(name)
    for (const { text } of [client, server]) {
      const [was, is] = [text, redact(text, { provider })].map((each) => JSON.parse(each.split("\n")[0]!))
      const left = namesOf({ ...was.options, ...was.callbacks }).filter((each) => each !== "number")
      const shown = namesOf({ ...is.options, ...is.callbacks })
      expect(left.filter((each) => !shown.includes(each))).toEqual([])
    }
  }
})

it("a name that somebody has put into the head is not in it", async () => {
  for (const [from, to] of [
    ['"verifier":{', '"verifier":{"private":{"private":1},'],
    ['"callbacks":{', '"callbacks":{"private":true,'],
    ['"limits":{', '"limits":{"private":7,'],
    ['"grease":false', '"grease":{"private":7}'],
  ] as const) {
    const { client } = await record("full")
    const changed = client.text.replace(from, to)
    expect(changed).not.toBe(client.text)
    expect(textOf(() => redact(changed, { provider }))).not.toContain("private")
  }
})

/** What comes of it, or why nothing does. */
function textOf(work: () => string): string {
  try {
    return work()
  } catch (error) {
    expect(error).toBeInstanceOf(RecordingError)
    return ""
  }
}

describe("the structure is there", () => {
  it("messages, extensions, records, lengths, times, questions, and how it ended", async () => {
    const { client } = await record("full")
    const lines = redact(client.text, { provider })
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines[0]).toMatchObject({
      format: "tls13-recording-redacted",
      version: 1,
      role: "client",
      options: { maxFragment: 16_384, serverName: { length: 11 }, limits: { chainLength: 32 } },
    })
    expect(lines[1]).toMatchObject({
      do: "start",
      asked: [
        ["random", "at once"],
        ["random", "at once"],
        ["keyExchange.start", "at once"],
      ],
      events: ["offered"],
      waitsFor: "bytes",
    })
    const hello = (lines[1]!["told"] as { type: string; name?: string }[]).find(({ type }) => type === "message")
    expect(hello).toMatchObject({
      name: "client_hello",
      direction: "sent",
      fields: expect.arrayContaining([
        ["random", 32],
        ["extensions", expect.any(Number), expect.arrayContaining([["server_name", 16]])],
      ]),
    })
    expect(lines[2]).toMatchObject({ do: "receive", after: 0, events: ["connected"] })
    expect(lines.at(-1)).toMatchObject({ do: "receive", events: ["data 25"] })
  })

  it("a failure has its kind and its alert, and no sentence", async () => {
    const { client } = await record("a certificate that is refused")
    expect(redact(client.text, { provider })).toContain('"failure":{"kind":"CertificateRejected","alert":"unknown_ca"}')
  })

  it("where the replay is another, it ends and says so; and it cannot be run itself", async () => {
    const { client } = await record("full")
    const redacted = redact(client.text.replace('"output":"1603', '"output":"1604'), { provider })
    expect(redacted).toMatch(/\{"end":"the replay differs"\}\n$/)
    expect(() => replay(redacted, { provider })).toThrow(
      "a redacted recording: its secrets are gone, so it can be read and not run",
    )
    expect(redact(client.text.slice(0, -3), { provider })).toMatch(/\{"end":"cut"\}\n$/)
  })
})
