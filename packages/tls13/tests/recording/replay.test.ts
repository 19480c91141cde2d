// A connection that was recorded is the same connection again: docs/record-and-replay.md.

import { describe, expect, it } from "vitest"
import { acceptOverStreams, connectOverStreams } from "../../src/adapters/streams.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { type RecordingError, redact, replay } from "../../src/recording/index.ts"
import { Tape } from "../../src/recording/tape.ts"
import { received } from "../../src/testing/pair.ts"
import { clientOptions, serverOptions } from "../support.ts"
import { Lines, provider, record, recordedPair, recorderInto, scenarios, start } from "./scenes.ts"

const fast = createFastProvider()

describe("every byte of both ends is the same again", () => {
  it.each(Object.entries(scenarios))("%s", async (name, { fails }) => {
    const { pair, client, server } = await record(name)
    const isOver = [pair.client, pair.server].some(({ connection }) => connection.failure !== undefined)
    expect(isOver).toBe(fails ?? name.includes("close"))
    for (const { text } of [client, server]) {
      // Of another provider: whose keys and whose random bytes they were makes no difference.
      const result = replay(text, { provider: fast })
      expect(result.difference).toBeUndefined()
      expect(result.cut).toBeUndefined()
      expect(result.steps.length).toBeGreaterThan(0)
      const calls = text.split("\n").filter((line) => line.startsWith('{"do"'))
      expect(result.steps).toHaveLength(calls.length)
    }
  })
})

/** What a replay throws, which is a RecordingError and nothing else. */
function refusal(text: string): RecordingError {
  try {
    replay(text, { provider })
  } catch (error) {
    expect(error).toMatchObject({ name: "RecordingError" })
    return error as RecordingError
  }
  throw new Error("it was run")
}

/** The recording with another text in the first line that has `of` in it. */
function withChange(text: string, of: string, change: (line: string) => string): string {
  const lines = text.split("\n")
  const at = lines.findIndex((line) => line.includes(of))
  expect(at).toBeGreaterThan(0)
  lines[at] = change(lines[at]!)
  return lines.join("\n")
}

describe("the first difference is told", async () => {
  const { client, server } = await record("full")

  it("a byte of output", () => {
    const changed = withChange(client.text, '"output":"1603', (line) =>
      line.replace('"output":"1603', '"output":"1604'),
    )
    const { difference, steps } = replay(changed, { provider })
    expect(difference).toEqual({
      line: 2,
      call: "start",
      message: expect.stringMatching(
        /^byte 2 of the output \(byte 2 of record 1, handshake\) is 0x03; recorded is 0x04 \(\d+ bytes, and \d+ then\)$/,
      ),
    })
    expect(steps).toHaveLength(1)
    expect(steps[0]?.difference).toBe(difference)
  })

  it("output that is longer", () => {
    const changed = withChange(client.text, '"output":"1603', (line) =>
      line.replace(/"output":"([0-9a-f]+)"/, '"output":"$100"'),
    )
    expect(replay(changed, { provider }).difference?.message).toMatch(/behind 1 records.* is the end; recorded is 0x00/)
  })

  it("another answer: what was received does not fit it", () => {
    const changed = withChange(client.text, '"ask":"keyExchange.complete"', (line) =>
      line.replace(/"bytes":"(.)/, (_, first) => `"bytes":"${first === "f" ? "0" : "f"}`),
    )
    expect(replay(changed, { provider }).difference).toMatchObject({
      call: "receive",
      message: expect.stringMatching(/^it ends with PeerMisbehaved: a record could not be decrypted/),
    })
  })

  it("a key that the peer's signature is not of: signatures are computed again", () => {
    const changed = withChange(client.text, '"ask":"verifier.leafKey"', (line) =>
      line.replace(/"bytes":"(\w+)(\w)"/, (_, bytes, last) => `"bytes":"${bytes}${last === "0" ? "1" : "0"}"`),
    )
    expect(replay(changed, { provider }).difference?.message).toMatch(/^it ends with PeerMisbehaved: /)
  })

  it("a question that is not asked any more, and one that was not asked then", () => {
    const [without, added] = [
      withChange(server.text, '"ask":"credentials.resolve"', () => '{"ask":"random","answer":{"bytes":"00"}}'),
      withChange(server.text, '"ask":"signer.sign"', (line) => `${line}\n{"ask":"padding","answer":1}`),
    ]
    expect(replay(without, { provider }).difference?.message).toMatch(
      /^this connection asks credentials.resolve, and the recorded one asked random \(line \d+\)$/,
    )
    expect(replay(added, { provider }).difference?.message).toMatch(
      /^this connection asks random, and the recorded one asked padding|^the recorded connection asked padding/,
    )
  })

  it("an event, and what it waits for", () => {
    const events = withChange(client.text, '"connected"', (line) => line.replace('"connected"', '"end"'))
    expect(replay(events, { provider }).difference?.message).toBe("the events: connected; recorded: end")
    const waits = withChange(client.text, '"waitsFor":"bytes"', (line) => line.replace('"bytes"}', '"Sign"}'))
    expect(replay(waits, { provider }).difference?.message).toBe("what it waits for: bytes; recorded: Sign")
  })

  it("a failure that there was, or was not", async () => {
    const refused = await record("a certificate that is refused")
    const changed = refused.client.text.replace('"message":"no anchor"}}', '"message":"no anchors"}}')
    expect(changed).not.toBe(refused.client.text)
    expect(replay(changed, { provider }).difference?.message).toMatch(/^it ends with CertificateRejected: no anchors; /)
  })
})

describe("a step at a time", () => {
  it("tells what was called, asked and told", async () => {
    const { client } = await record("full")
    const seen: string[] = []
    const { steps, role, started } = replay(client.text, { provider, trace: ({ type }) => seen.push(type) })
    expect({ role, started }).toEqual({ role: "client", started: start })
    expect(steps.map(({ call }) => call).slice(0, 2)).toEqual(["start", "receive"])
    expect(steps[0]?.asked.map(({ what }) => what)).toContain("keyExchange.start")
    expect(steps[0]?.output.length).toBeGreaterThan(100)
    const messages = steps.flatMap(({ traced }) =>
      traced.flatMap((event) => (event.type === "message" ? event.name : [])),
    )
    expect(messages).toEqual([
      ...["client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify"],
      ...["finished", "finished"],
    ])
    expect(seen).toHaveLength(steps.reduce((sum, { traced }) => sum + traced.length, 0))
  })
})

describe("how a recording ends", () => {
  it("one that was cut short, as by a process that died, runs up to there", async () => {
    const { server } = await record("full")
    const whole = replay(server.text, { provider }).steps.length
    for (let length = server.text.length - 1; length > server.text.indexOf("\n"); length -= 977) {
      const { difference, cut, steps } = replay(server.text.slice(0, length), { provider })
      expect(difference).toBeUndefined()
      expect(steps.length).toBeLessThanOrEqual(whole)
      const isAtLineEnd = server.text[length - 1] === "\n"
      expect(cut).toBe(isAtLineEnd ? undefined : "the last line is cut short")
    }
  })

  it("nothing is written past the limit, and the file says so", async () => {
    const { client, pair } = await record("full", { limit: 5000 })
    expect(client.text.length).toBeLessThanOrEqual(5000)
    expect(client.text).toMatch(/\{"end":"the limit of 5000 characters was reached"\}\n$/)
    expect(received(pair.client).length).toBeGreaterThan(0)
    const { difference, cut } = replay(client.text, { provider })
    expect({ difference, cut }).toEqual({ difference: undefined, cut: "the limit of 5000 characters was reached" })
  })

  it.each([
    [3896, "written"],
    [3897, "left out"],
  ])("a line that ends at character %d of 4,096, of which 200 are for the end, is %s", (length, expected) => {
    const lines = new Lines()
    new Tape(lines, 4096, true).write({ ask: "x".repeat(length - '{"ask":""}\n'.length) })
    expect(lines.text.startsWith('{"ask"') ? "written" : "left out").toBe(expected)
    expect(lines.text.length).toBeLessThanOrEqual(4096)
  })

  it("no more than a replay makes is left out", () => {
    const lines = new Lines()
    const tape = new Tape(lines, 4096, false)
    tape.write({ do: "send", length: 67_108_863 }, 67_108_863)
    tape.ask("padding", () => 1)
    expect(lines.text).not.toContain('"end"')
    tape.ask("padding", () => 1)
    expect(lines.text).toMatch(/"answer":1\}\n\{"end":"more payload and padding was left out than a replay makes"\}\n$/)
  })

  it.each([4095, 67_108_865])("a limit of %d is refused", (limit) => {
    expect(() => recorderInto(new Lines(), { limit })).toThrow(
      `limit of a recorder is ${limit}; it must be a whole number from 4096 to 67108864`,
    )
  })

  it("a sink that fails ends the recording, not the connection", () => {
    let left = 3
    const sink = {
      write() {
        if (left-- <= 0) throw new Error("disk full")
      },
    }
    const { pair } = recordedPair({}, {}, undefined, sink)
    expect(pair.handshake().client.connection.info?.cipherSuite).toBe("TLS_AES_128_GCM_SHA256")
    expect(left).toBe(-1)
  })

  it("what the application sends can stay out of it", async () => {
    const { client, server } = await record("full", { payload: false })
    expect(client.text).toContain('{"do":"send","length":26}')
    const hex = Buffer.from("a question that is private").toString("hex")
    expect(client.text).not.toContain(hex)
    for (const { text } of [client, server]) expect(replay(text, { provider }).difference).toBeUndefined()
  })

  it("a callback that destroys the connection", () => {
    const lines = new Lines()
    const { pair } = recordedPair(
      {
        verifier: {
          verify: () => {
            pair.client.connection.destroy()
            return { accepted: false, alert: "unknown_ca", reason: "x", message: "x" }
          },
        },
      },
      {},
      undefined,
      lines,
    )
    pair.handshake()
    expect(pair.client.connection.failure?.message).toBe("the connection was destroyed")
    expect(lines.text).toContain('"destroys":true')
    expect(replay(lines.text, { provider }).difference).toBeUndefined()
  })

  it("a misuse is one again", () => {
    const lines = new Lines()
    const { pair } = recordedPair({}, {}, undefined, lines)
    expect(() => pair.client.connection.send(Uint8Array.of(1))).toThrow("the handshake is not complete")
    pair.handshake()
    expect(lines.text).toContain('"threw"')
    expect(replay(lines.text, { provider }).difference).toBeUndefined()
  })
})

describe("what is no recording is refused by one typed error", () => {
  it.each([
    ["", "no recording: its first line is not there, or is cut short"],
    ['{"format":', "no recording: its first line is not there, or is cut short"],
    ["hello\n", "no recording: its first line is not JSON"],
    ["[1]\n", "the head is no object"],
    ['{"format":"tls13-trace"}\n', 'no recording: its first line has no "format" of "tls13-recording"'],
    [
      '{"format":"tls13-recording","version":2}\n',
      "a recording of version 2, of which 1 is read: use the version that wrote it",
    ],
    ['{"format":"tls13-recording","version":1,"role":"both"}\n', 'line 1: its "role" is neither client nor server'],
    ['{"format":"tls13-recording","version":1,"role":"client"}\n', 'line 1 has no "now" in milliseconds since 1970'],
  ])("%j", (text, message) => {
    expect(refusal(text).message).toBe(message)
  })

  it.each([
    ['{"x":1}', "line 2 is neither a call, nor a question, nor what came of a call"],
    ['{"do":"fly"}', "line 2 is of no call that a connection has"],
    ['{"do":"receive","now":1}', 'line 2: receive has no "bytes"'],
    ['{"do":"receive","now":-1,"bytes":""}', 'line 2 has no "now" in milliseconds since 1970'],
    ['{"do":"receive","now":1,"bytes":"1g"}', "line 2 has bytes that are not in hexadecimal"],
    ['{"do":"send","length":67108865}', '"length" of line 2 is no whole number from 0 to 67108864'],
    ['{"do":"send"}', 'line 2: send has neither "bytes" nor "length", or both'],
    ['{"do":"abort","alert":"boredom"}', "line 2 has no known alert"],
    [
      '{"do":"reject","now":1,"error":{"kind":1}}',
      "line 2 has an error without kind and message, or of no known alert",
    ],
    ['{"ask":1}', '"ask" of line 2 is no name'],
    ['{"gave":7}', '"gave" of line 2 is no object'],
    ['{"gave":{"events":[1]}}', '"events" of line 2 are no list of names'],
    ['{"gave":{}}', "line 2 is not the call that is due there"],
    ['{"do":"requestCertificate"}', "line 2: requestCertificate is a call of servers"],
    ["null", "line 2 is no object"],
    ['{"end":"x"}\n{"do":"start"}', "line 3 comes after the end"],
  ])("%j", async (line, message) => {
    const head = (await record("full")).client.text.split("\n")[0]
    expect(refusal(`${head}\n${line}\n`).message).toBe(message)
  })

  it("a configuration that cannot be", async () => {
    const { client, server } = await record("full")
    const other = (text: string, from: string, to: string) => refusal(text.replace(from, to)).message
    expect(other(client.text, '"maxFragment":16384', '"maxFragment":1')).toBe(
      "line 1: its configuration cannot be made again: maxFragment is 1; it must be a whole number from 64 to 16384",
    )
    expect(other(client.text, '"maxFragment"', '"__proto__"')).toBe('line 1: "__proto__" is no option that is recorded')
    expect(other(server.text, '"chosen":{"cipherSuites":[', '"chosen":{"cipherSuites":[1,')).toBe(
      'line 1: "cipherSuites" is no list of names',
    )
    expect(other(client.text, '"name":"TLS_AES_128_GCM_SHA256"', '"name":"TLS_NEW"')).toMatch(
      /^the provider has no TLS_NEW \(it has TLS_.*\): replay with one that has$/,
    )
  })

  it.each([
    [8_640_000_000_000_000, "line 2 is not the call that is due there"],
    [8_640_000_000_000_001, 'line 1 has no "now" in milliseconds since 1970'],
  ])("made at %d, past which there is no date", async (time, message) => {
    const head = (await record("full")).client.text.split("\n")[0]!
    expect(refusal(`${head.replace(/"now":\d+/, `"now":${time}`)}\n{"gave":{}}\n`).message).toBe(message)
  })

  it.each([
    [67_108_863, undefined],
    [67_108_864, "line 4: more than 67108864 bytes would be made that are not in the file"],
  ])("one that makes %d bytes and one more that are not in it", async (made, message) => {
    const head = (await record("full")).client.text.split("\n")[0]!
    const paddings = [-9, made].map((answer) => `{"ask":"padding","answer":${answer}}`)
    const text = `${head}\n{"do":"send","length":1}\n${paddings.join("\n")}\n`
    if (message === undefined) expect(replay(text, { provider }).difference?.message).toMatch(/asked padding/)
    else expect(refusal(text).message).toBe(message)
  })

  it.each([
    [8, "line 1: its configuration cannot be made again: "],
    [9, "line 1 nests too deeply"],
  ])("a value %d deep in an option", async (depth, message) => {
    const { text } = (await record("full")).client
    const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`
    expect(refusal(text.replace(/"maxFragment":\d+/, `"maxFragment":${nested}`)).message).toContain(message)
  })

  it("one that is too long", () => {
    expect(refusal("x".repeat(67_108_865)).message).toBe(
      "67108865 characters are more than a recording has (67108864 at most)",
    )
  })

  it.each(['""', "5", "[]", "{}"])(
    "one whose decrypted hello is no bytes, but %s: nothing is told of it",
    async (put) => {
      const { text } = (await record("Encrypted Client Hello")).server
      const changed = text.replace(/("ask":"ech.read","answer":{"inner":){"bytes":"[0-9a-f]+"}/, `$1${put}`)
      expect(changed).not.toBe(text)
      expect(replay(changed, { provider: fast }).difference?.message).toContain("it ends with Closed")
      expect(redact(changed, { provider: fast })).toContain('{"end":"the replay differs"}')
    },
  )

  it("whatever was done to it: it runs, or is refused, and always ends", async () => {
    const texts = (
      await Promise.all(["full", "everything answered later", "Encrypted Client Hello"].map((name) => record(name)))
    ).flatMap(({ client, server }) => [client.text, server.text])
    let seed = 7
    const draw = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return (seed >>> 8) % below
    }
    const puts = ["0", "null", '"', "{}", "[]", "true", "}", ",", "\n", "9007199254740993", '"bytes"', "ff", "-1"]
    for (let i = 0; i < 600; i++) {
      const text = texts[draw(texts.length)]!
      const at = draw(text.length)
      const changed =
        i % 3 === 0
          ? text.slice(0, at) + puts[draw(puts.length)]! + text.slice(at + 1 + draw(8))
          : i % 3 === 1
            ? text
                .split("\n")
                .flatMap((line) => (draw(20) === 0 ? (draw(2) === 0 ? [] : [line, line]) : [line]))
                .join("\n")
            : text.replace(/"answer":[^\n]*/g, (answer) => (draw(8) === 0 ? `"answer":${puts[draw(6)]}}` : answer))
      try {
        replay(changed, { provider: fast })
        redact(changed, { provider: fast })
      } catch (error) {
        expect(error).toMatchObject({ name: "RecordingError" })
      }
    }
  }, 60_000)
})

describe("the stream adapters", () => {
  it("make their connections with a recorder", async () => {
    const [ours, theirs] = [new Lines(), new Lines()]
    const [up, down] = [new TransformStream<Uint8Array, Uint8Array>(), new TransformStream<Uint8Array, Uint8Array>()]
    const client = connectOverStreams(
      { readable: down.readable, writable: up.writable },
      createClientConfig(clientOptions),
      { recorder: recorderInto(ours) },
    )
    const server = acceptOverStreams(
      { readable: up.readable, writable: down.writable },
      createServerConfig(serverOptions),
      {
        recorder: recorderInto(theirs),
      },
    )
    await Promise.all([client.opened, server.opened])
    await Promise.all([client.close(), server.close()])
    for (const { text } of [ours, theirs]) {
      expect(text).toContain('"connected"')
      expect(replay(text, { provider }).difference).toBeUndefined()
    }
  })
})
