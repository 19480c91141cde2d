// Connections looked at from outside: traces of RFC 8448 give the RFC's secrets, and a run of ours with its key log is what it was.

import { beforeAll, describe, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Happening, Timeline } from "../src/run/step.ts"
import { engineTime, loadEngine } from "./engine.ts"
import { printed, traces } from "./rfc8448-text.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

function happenings<Type extends Happening["type"]>({ steps }: Timeline, type: Type) {
  return steps.filter(({ happening }) => happening.type === type) as (Timeline["steps"][number] & {
    happening: Extract<Happening, { type: Type }>
  })[]
}

/** The RFC's words for a secret, and ours. */
const secretLabels: Readonly<Record<string, string>> = {
  'extract secret "early"': "early_secret",
  'extract secret "handshake"': "handshake_secret",
  'extract secret "master"': "main_secret",
  'derive secret "tls13 c e traffic"': "client_early_traffic_secret",
  'derive secret "tls13 e exp master"': "early_exporter_secret",
  'derive secret "tls13 c hs traffic"': "client_handshake_traffic_secret",
  'derive secret "tls13 s hs traffic"': "server_handshake_traffic_secret",
  'derive secret "tls13 c ap traffic"': "client_application_traffic_secret",
  'derive secret "tls13 s ap traffic"': "server_application_traffic_secret",
  'derive secret "tls13 exp master"': "exporter_secret",
  'derive secret "tls13 res master"': "resumption_secret",
}

describe.each(traces)("the trace of RFC 8448 section $section, pasted", (trace) => {
  const seen = () => {
    const { chunks, known } = engine.readPasted(printed(trace))
    return engine.observe(chunks, known, engine.noble())
  }

  it("gives the RFC's secrets, each of them", () => {
    const ours = new Map(happenings(seen(), "secret").map(({ happening }) => [happening.name, hex(happening.secret)]))
    let compared = 0
    for (const { label, fields } of trace.steps) {
      const name = secretLabels[label]
      const value = (fields?.["expanded"] ?? fields?.["secret"])?.hex
      if (name === undefined || value === undefined) continue
      expect({ name, value: ours.get(name as never) }).toEqual({ name, value })
      compared++
    }
    expect(compared).toBeGreaterThan(7)
  })

  it("has the key exchange at both ends, from which all secrets are computed again", () => {
    const timeline = seen()
    const input = trace.steps.find(({ label, fields }) => label === 'extract secret "handshake"' && fields?.["IKM"])
    const exchanges = happenings(timeline, "exchange")
    expect(exchanges.map(({ end, happening }) => ({ end, secret: hex(happening.secret) }))).toEqual([
      { end: "server", secret: input!.fields!["IKM"]!.hex },
      { end: "client", secret: input!.fields!["IKM"]!.hex },
    ])
    for (const end of ["client", "server"] as const) {
      const { nodes, lacksExchange } = engine.scheduleOf(timeline, 0, end)
      expect(lacksExchange).toBe(false)
      const told = nodes.filter(({ told: secret, kind }) => secret !== undefined && kind !== "input")
      expect(told.length).toBeGreaterThan(7)
      for (const { id, kind, value, told: secret } of told)
        expect({ id, kind, value }).toEqual({ id, kind, value: secret })
      expect(nodes.find(({ id }) => id === "dhe")?.value).toBeDefined()
    }
  })

  it("has the binder's key, and the binder that it makes", () => {
    const timeline = seen()
    const binders = engine.hashUsesOf(timeline, 0, "client").filter(({ id }) => id.startsWith("binder"))
    expect(binders).toHaveLength(trace.section === 4 ? 1 : 0)
    const node = engine.nodeOf(engine.scheduleOf(timeline, 0, "client"), "binder_key")!
    expect(engine.stateAt(node, 100_000)).toBe(trace.section === 4 ? "known" : "never")
    for (const use of binders) expect(use.kind === "mac" && engine.isRight(use)).toBe(true)
    const printedKey = trace.steps.find(({ label }) => label === "calculate PSK binder")?.fields?.["PRK"]?.hex
    if (trace.section === 4) expect(hex(node.value!)).toBe(printedKey)
  })

  it("is read to the last record", () => {
    const timeline = seen()
    expect(happenings(timeline, "event")).toEqual([])
    const contents = happenings(timeline, "record").filter(({ happening }) => happening.direction === "sent")
    const payloads = trace.steps.flatMap(({ fields }) => (fields?.["complete record"] ? [fields["payload"]!.hex] : []))
    expect(contents.map(({ happening }) => hex(happening.content))).toEqual(payloads)
  })

  it("takes both ends to CONNECTED", () => {
    const ends = happenings(seen(), "state").filter(({ happening }) => happening.to === "CONNECTED")
    expect(new Set(ends.map(({ end }) => end))).toEqual(new Set(["client", "server"]))
  })
})

describe("a run of ours, looked at from outside with its key log", () => {
  it.each(["full", "hello-retry", "client-certificate", "key-update", "compression", "hybrid"])(
    "is the same: %s",
    (scenario) => {
      const run = engine.play({ scenario, provider: engine.noble(), seed: 3 })
      const chunks = happenings(run, "wire").map(({ happening: { record } }) => ({
        from: record.from,
        bytes: record.sent,
      }))
      const lines = happenings(run, "secret").flatMap(({ happening }) => engine.keyLogLine(happening) ?? [])
      const seen = engine.observe(chunks, engine.readKeyLog(lines.join("\n")), engine.noble())
      const states = (timeline: Timeline, end: string) =>
        happenings(timeline, "state")
          .filter((step) => step.end === end)
          .map(({ happening: { from, message, to } }) => ({ from, message, to }))
      for (const end of ["client", "server"]) expect(states(seen, end)).toEqual(states(run, end))
      const received = (timeline: Timeline) =>
        happenings(timeline, "message")
          .filter(({ happening }) => happening.direction === "received")
          .map(({ end, happening: { name, message } }) => ({ end, name, message }))
      const byEnd = (timeline: Timeline) =>
        [...received(timeline)].sort((a, b) => (a.end ?? "").localeCompare(b.end ?? ""))
      expect(byEnd(seen)).toEqual(byEnd(run))
      const data = (timeline: Timeline) =>
        happenings(timeline, "data").map(({ end, happening }) => ({ end, data: happening.data }))
      expect(data(seen)).toEqual(data(run))
      expect(happenings(seen, "event")).toEqual([])
    },
  )

  it("says that a key log has no secret of the key exchange", () => {
    const run = engine.play({ scenario: "full", provider: engine.noble(), seed: 3 })
    const chunks = happenings(run, "wire").map(({ happening: { record } }) => ({
      from: record.from,
      bytes: record.sent,
    }))
    const lines = happenings(run, "secret").flatMap(({ happening }) => engine.keyLogLine(happening) ?? [])
    const seen = engine.observe(chunks, engine.readKeyLog(lines.join("\n")), engine.noble())
    expect(happenings(seen, "exchange")).toEqual([])
    expect(engine.scheduleOf(seen, 0, "client").lacksExchange).toBe(true)
    // A run of ours has it, and a connection of which nothing is known has nothing that comes of it.
    expect(engine.scheduleOf(run, 0, "client").lacksExchange).toBe(false)
    const nothing = engine.observe(chunks, engine.nothingKnown, engine.noble())
    expect(engine.scheduleOf(nothing, 0, "client").lacksExchange).toBe(false)
  })

  it("shows what is in the clear when nothing is known, and says what cannot be read", () => {
    const run = engine.play({ scenario: "full", provider: engine.noble(), seed: 3 })
    const chunks = happenings(run, "wire").map(({ happening: { record } }) => ({
      from: record.from,
      bytes: record.sent,
    }))
    const seen = engine.observe(chunks, engine.nothingKnown, engine.noble())
    const names = happenings(seen, "message").map(({ happening }) => happening.name)
    expect(new Set(names)).toEqual(new Set(["client_hello", "server_hello"]))
    expect(happenings(seen, "event")[0]!.happening.text).toMatch(/no secret that opens it is known/)
  })
})

it("shows 5,000 records, and says that there are more", () => {
  const empty = Uint8Array.of(20, 3, 3, 0, 1, 1)
  const seenOf = (count: number) => {
    const bytes = new Uint8Array(count * empty.length)
    for (let i = 0; i < count; i++) bytes.set(empty, i * empty.length)
    return engine.observe([{ from: "client", bytes }], engine.nothingKnown, engine.noble())
  }
  expect(happenings(seenOf(5_000), "wire")).toHaveLength(5_000)
  expect(happenings(seenOf(5_000), "event")).toEqual([])
  const more = seenOf(5_001)
  expect(happenings(more, "wire")).toHaveLength(5_000)
  expect(happenings(more, "event").map(({ happening }) => happening.text)).toEqual([
    "the client sends more than 5000 records: the rest is not shown",
  ])
})

describe("what is pasted", () => {
  const hello = () => {
    const run = engine.play({ scenario: "full", provider: engine.noble(), seed: 3 })
    return happenings(run, "wire")[0]!.happening.record.sent
  }
  const read = (text: string) => {
    const { chunks, known } = engine.readPasted(text)
    return happenings(engine.observe(chunks, known, engine.noble()), "message")[0]!.happening
  }

  it("is hexadecimal in any form that tools print", () => {
    const record = hello()
    const bytes = hex(record).match(/../g)!
    const rows = (width: number, form: (row: string[], at: number) => string) =>
      Array.from({ length: Math.ceil(bytes.length / width) }, (_, i) =>
        form(bytes.slice(i * width, (i + 1) * width), i * width),
      ).join("\n")
    const forms = [
      hex(record),
      bytes.join(" "),
      bytes.join(":"),
      bytes.map((byte) => `0x${byte}`).join(", "),
      rows(16, (row, at) => `${at.toString(16).padStart(4, "0")}  ${row.join(" ")}  ................`),
      rows(
        16,
        (row, at) =>
          `${at.toString(16).padStart(8, "0")}: ${row
            .join("")
            .match(/.{1,4}/g)!
            .join(" ")}  abcdef`,
      ),
      hex(record.slice(5)),
      // hexdump -C, with a gap in the middle, and its last offset.
      `${rows(16, (row, at) => `${at.toString(16).padStart(8, "0")}  ${row.slice(0, 8).join(" ")}  ${row.slice(8).join(" ").padEnd(23)}  |${"#".repeat(row.length)}|`)}\n${bytes.length.toString(16).padStart(8, "0")}`,
      // od -t x1, whose offsets are octal, and od -An.
      `${rows(16, (row, at) => `${at.toString(8).padStart(7, "0")} ${row.join(" ")}`)}\n${bytes.length.toString(8).padStart(7, "0")}`,
      rows(16, (row) => ` ${row.join(" ")}`),
      // Wireshark, xxd -p, tcpdump -X.
      rows(16, (row, at) => `${at.toString(16).padStart(4, "0")}   ${row.join(" ")}   ab cd`),
      rows(30, (row) => row.join("")),
      rows(
        16,
        (row, at) =>
          `\t0x${at.toString(16).padStart(4, "0")}:  ${row
            .join("")
            .match(/.{1,4}/g)!
            .join(" ")}  E..<`,
      ),
      // With remarks.
      `# a ClientHello\n${rows(16, (row) => row.join(" "))}`,
      rows(5, (row, at) => `${row.join(" ")} // from ${at}`),
      // Arrays and strings of programs.
      `unsigned char hello[] = {\n${rows(12, (row) => row.map((byte) => `0x${byte}`).join(", "))}\n}; /* all of it */`,
      `hello := []byte{${bytes.map((byte) => `0x${byte}`).join(", ")}}`,
      `const hello = "${bytes.map((byte) => `\\x${byte}`).join("")}"`,
      `let hello = [${bytes.map((byte) => `0x${Number.parseInt(byte, 16).toString(16)}`).join(", ")}];`,
      `0x${hex(record)}`,
      // openssl s_client -msg.
      [
        `>>> TLS 1.0, RecordHeader [length 0005]\n    16 03 01 00 d6`,
        `>>> TLS 1.3, Handshake [length ${(bytes.length - 5).toString(16)}], ClientHello`,
        rows(16, (row) => `    ${row.join(" ")}`).replace(/^( {4})(.. ){5}/, "$1"),
        `<<< TLS 1.3, RecordHeader [length 0005]\n    16 03 03 00 7a`,
      ].join("\n"),
      `\u201c\u00a0${bytes.join("\u00a0")}\u201d`,
    ]
    for (const form of forms) expect({ form, name: read(form).name }).toEqual({ form, name: "client_hello" })
  })

  it("has both hellos of openssl -msg, and whose they are", () => {
    const run = engine.play({ scenario: "full", provider: engine.noble(), seed: 3 })
    const [client, , server] = ["client", "", "server"].map(
      (from) =>
        happenings(run, "wire").find(({ happening: { record } }) => record.from === from)?.happening.record.sent,
    )
    const told = (mark: string, name: string, record: Uint8Array) =>
      `${mark} TLS 1.3, Handshake [length ${(record.length - 5).toString(16).padStart(4, "0")}], ${name}\n    ${hex(record.slice(5)).match(/../g)!.join(" ")}\n`
    for (const [ours, theirs] of [
      [">>>", "<<<"],
      ["<<<", ">>>"],
    ] as const) {
      const text = told(ours, "ClientHello", client!) + told(theirs, "ServerHello", server!)
      const { chunks, known } = engine.readPasted(`CONNECTED(00000003)\n${text}`)
      const seen = happenings(engine.observe(chunks, known, engine.noble()), "message")
      const sent = seen.filter(({ happening }) => happening.direction === "sent")
      expect(sent.map(({ end, happening }) => `${end} ${happening.name}`)).toEqual([
        "client client_hello",
        "server server_hello",
      ])
    }
  })

  it("says in one line what is wrong with it", () => {
    const wrong: [string, RegExp][] = [
      ["", /there is nothing in it/],
      ["16 03 0", /one is missing/],
      ["16 03 01 00 05 01", /the first record is cut short: 10 bytes belong to it, and 6 are there/],
      ["hello", /"h" is no hexadecimal digit/],
      ["de ad be ef", /neither TLS records .* nor one whole handshake message/],
      ["{client}  create an ephemeral x25519 key pair:", /without a "complete record"/],
    ]
    for (const [text, message] of wrong) expect(() => engine.readPasted(text)).toThrow(message)
  })
})
