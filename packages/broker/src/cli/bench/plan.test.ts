// What the options of `puremq bench` come to.

import { UsageError } from "@puremq/tls13/command-line"
import { describe, expect, it } from "vitest"
import { PublishTemplate, readStamp } from "./payload.ts"
import { nameOfScenario, nameOfSubject, readBenchArguments, readPlan, windowOf } from "./plan.ts"
import { filterOf, StreamsOfFilter, streamsOf, topicOf } from "./shape.ts"

const plan = (...args: string[]) => readPlan(readBenchArguments(args))
const there = "mqtt://127.0.0.1:1"

function problem(...args: string[]): string {
  try {
    plan(...args)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return "is taken"
}

describe("puremq bench", () => {
  it("has a run of each QoS and size", () => {
    const read = plan(there, "--qos", "0,2", "--size", "24,1024", "--rate", "50", "--publishers", "3")
    expect(read.scenarios.map((each) => nameOfScenario(each, read))).toEqual([
      "3 to 1, QoS 0, 24 bytes, 50/s due",
      "3 to 1, QoS 0, 1024 bytes, 50/s due",
      "3 to 1, QoS 2, 24 bytes, 50/s due",
      "3 to 1, QoS 2, 1024 bytes, 50/s due",
    ])
    const storm = plan(there, "--connect-storm")
    expect(storm.scenarios.map((each) => nameOfScenario(each, storm))).toEqual(["connect storm"])
  })

  it.each([
    [[there], "tcp 127.0.0.1 1"],
    [["mqtts://broker.example"], "tls broker.example 8883"],
    [["wss://broker.example:9001"], "wss broker.example 9001"],
    [["broker.example"], "tls broker.example 8883"],
    [["broker.example:1884", "--tcp"], "tcp broker.example 1884"],
    [["[::1]:8884"], "tls ::1 8884"],
    [["-h", "broker.example", "-p", "7", "--ws"], "ws broker.example 7"],
    [["-L", "mqtt://broker.example"], "tcp broker.example 1883"],
  ])("%j is %s", (args, expected) => {
    const [subject] = plan(...args).subjects
    if (subject?.kind !== "given") throw new Error("it is a broker of ours")
    const { transport, host, port } = subject.address.place
    expect(`${transport} ${host} ${port}`).toBe(expected)
  })

  it("has several brokers, by their names", () => {
    const { subjects } = plan(there, "mqtt://[::1]:2", "--name", "one")
    expect(subjects.map(nameOfSubject)).toEqual(["one", "[::1]:2"])
  })

  it.each([
    [[], "give HOST[:PORT], a URL, or --loopback"],
    [["--loopback", there], "--loopback starts a broker"],
    [["--loopback", "-p", "1883"], "--loopback starts a broker"],
    [[there, "-h", "x"], "one of them at most"],
    [["a:b:c"], '"a:b:c" is no address'],
    [["a:99999"], '"a:99999" is no address'],
    [
      ["mqtt://me:secret@h:x"],
      'must be mqtt(s)://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC, or ws(s)://, not "mqtt://...@h:x"',
    ],
    [["mqtt://h", "--cafile", "ca.pem"], "--cafile is about TLS, which mqtt:// is without"],
    [[there, "--pid", "1", "--pid", "2"], "2 --pid but 1 broker"],
    [[there, "--pid", "x"], "--pid must be the number of a process"],
    [[there, "--size", "23"], "--size must be of whole numbers from 24 to"],
    [[there, "--qos", "0,3"], '--qos must be of whole numbers from 0 to 2, not "3"'],
    [[there, "--rate", "0"], "--rate must be a number from"],
    [[there, "--count", "1", "--duration", "1"], "exclude each other"],
    [[there, "--workers", "4", "--concurrency", "3"], "is not one connection for each of 4 --workers"],
    [[there, "--topic", "a/+"], '--topic "a/+"'],
    [[there, "--topic", "a", "--topic-count", "2"], "--topic-count counts %i, which is not in --topic a"],
    [[there, "--filter", "b/#"], "--filter b/# matches none of the topics that --topic puremq-bench/%i makes"],
    [[there, "--share", "a/b"], "--share"],
    [[there, "--filter", "$share/g/#"], "--share GROUP makes that"],
    [[there, "--connect-storm", "--size", "64"], "--size is about messages"],
    [[there, "--connect-storm", "--retain"], "--retain is about messages"],
    [[there, "--publishers", "3000", "--subscribers", "3000"], "more than 5000000 pairs"],
  ])("%j is not taken", (args, words) => {
    expect(problem(...args)).toContain(words)
  })

  it("MQTT 5.0 section 4.9: has no more messages unanswered than the broker takes", () => {
    const window = (qos: 0 | 1 | 2, version: 4 | 5, most: number, ...args: string[]) =>
      windowOf(plan(there, ...args), qos, version, most)
    expect(window(1, 5, 0xffff)).toBe(100)
    expect(window(1, 4, 0xffff)).toBe(20)
    expect(window(2, 5, 7, "--inflight", "50")).toBe(7)
    expect(window(0, 5, 7, "-M", "50")).toBe(50)
    expect(window(1, 5, 0xffff, "--rate", "1")).toBe(1000)
    expect(window(0, 5, 0xffff, "--rate", "1")).toBeUndefined()
  })
})

describe("who gets what", () => {
  const reached = (...args: string[]) => {
    const { shape } = plan(there, ...args)
    const streams = new StreamsOfFilter(shape)
    return Array.from({ length: shape.subscribers }, (_, i) =>
      streams.of(filterOf(shape, i)).map((stream) => topicOf(shape, stream)),
    )
  }

  it("all of it, unless it is told otherwise", () => {
    expect(reached("--publishers", "3", "--subscribers", "2", "-t", "a/%i/b%i")).toEqual([
      ["a/0/b0", "a/1/b1", "a/2/b2"],
      ["a/0/b0", "a/1/b1", "a/2/b2"],
    ])
  })

  it("each its own topic", () => {
    const pairs = ["--publishers", "3", "--subscribers", "4", "-t", "a/%i", "--filter", "a/%i"]
    expect(reached(...pairs)).toEqual([["a/0"], ["a/1"], ["a/2"], ["a/0"]])
  })

  it("publishers have the topics in turn, or share them", () => {
    const streams = (...args: string[]) => {
      const { shape } = plan(there, ...args)
      return Array.from({ length: shape.publishers }, (_, i) =>
        streamsOf(shape, i).map((stream) => topicOf(shape, stream)),
      )
    }
    const topics = ["-t", "%i", "--publishers"]
    expect(streams(...topics, "2", "--topic-count", "5")).toEqual([
      ["0", "2", "4"],
      ["1", "3"],
    ])
    expect(streams(...topics, "3", "--topic-count", "2")).toEqual([["0"], ["1"], ["0"]])
  })
})

describe("a message", () => {
  it.each([
    [0, 4],
    [1, 4],
    [2, 4],
    [0, 5],
    [1, 5],
    [2, 5],
  ] as const)("of QoS %i in MQTT version %i says what it is", (qos, version) => {
    const payload = new Uint8Array(300).fill(7)
    const topic = "a/b"
    const template = new PublishTemplate(
      { run: 0xfedc_ba98, stream: 70_000 },
      { topic, qos, retain: true, payload },
      version,
    )
    const out = new Uint8Array(template.packet.length + 5)
    expect(template.write(out, 5, qos === 0 ? 0 : 0x1234, 80_000, 12.5, 0.25)).toBe(out.length)
    // MQTT 5.0 section 3.3: the fixed header, Topic Name, Packet Identifier, properties, payload.
    const head = [
      0x31 | (qos << 1),
      0,
      0,
      0,
      3,
      0x61,
      0x2f,
      0x62,
      ...(qos === 0 ? [] : [0x12, 0x34]),
      ...(version === 5 ? [0] : []),
    ]
    const remaining = head.length - 3 + payload.length
    head[1] = (remaining & 0x7f) | 0x80
    head[2] = remaining >> 7
    expect([...out.subarray(5, 5 + head.length)]).toEqual(head)
    expect(out.length).toBe(5 + head.length + payload.length)
    expect(readStamp(new DataView(out.buffer), 5 + head.length, out.length)).toEqual({
      run: 0xfedc_ba98,
      stream: 70_000,
      sequence: 80_000,
      due: 12.5,
      late: 0.25,
    })
    expect(out[out.length - 1]).toBe(7)
  })

  it("is none of a benchmark when it is too short", () => {
    expect(readStamp(new DataView(new ArrayBuffer(23)), 0, 23)).toBeUndefined()
  })
})
