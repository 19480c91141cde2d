import { describe, expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import { AnswerReader, maximumFields, maximumHead, type Progress } from "./answer-reader.ts"

/** What becomes of these bytes, in pieces of this length, and then the end of the connection. */
function read(text: string, piece = text.length, most = 1000): Progress {
  const reader = new AnswerReader(most)
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
  for (let at = 0; at < bytes.length; at += piece) {
    const lent = bytes.slice(at, at + piece)
    const progress = reader.push(lent)
    lent.fill(0xee) // the memory of a transport
    if (progress !== "more") return progress
  }
  return reader.end()
}

const shown = (progress: Progress) =>
  progress === "more" || "problem" in progress
    ? progress
    : { ...progress, body: new TextDecoder().decode(progress.body) }

const good: [string, string, object][] = [
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", { status: 200, body: "hello", reusable: true }],
  ["no reason", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", { status: 404, body: "", reusable: true }],
  ["nothing", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204, body: "", reusable: true }],
  ["the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\ncontent-length:1\r\n\r\na", { body: "a" }],
  ["the end of the connection", "HTTP/1.1 200 OK\r\n\r\nhello", { body: "hello", reusable: false }],
  [
    "chunks",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nx: y\r\n\r\n",
    { body: "hello", reusable: true },
  ],
  [
    "an interim answer",
    "HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    { status: 200 },
  ],
  ["a wish to close", "HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n", { reusable: false }],
  ["version 1.0", "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", { reusable: false }],
]

describe("the answer to a request", () => {
  it.each(good)("with %s, whole and byte by byte", (_name, text, expected) => {
    for (const piece of [text.length, 1, 7]) expect(shown(read(text, piece))).toMatchObject(expected)
  })

  it.each<[string, string, RegExp]>([
    ["garbage", "\x16\x03\x01\x00", /no HTTP$/],
    ["HTTP/2", "HTTP/2 200\r\n\r\n", /no HTTP\/1.1/],
    ["HTTP/0.9", "hello", /no HTTP/],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", /no HTTP\/1.1/],
    ["nothing", "", /closed the connection$/],
    ["half a head", "HTTP/1.1 200 OK\r\ncontent", /closed the connection within/],
    ["half a body", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na", /closed the connection within/],
    [
      "half of chunks",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
      /closed the connection within/,
    ],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", /no usable Content-Length/],
    ["a length below 0", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", /no usable Content-Length/],
    ["both", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", /both/],
    ["gzip", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n", /coding other than chunked/],
    ["a chunk without size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n", /no size/],
    [
      "a chunk that is longer",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
      /does not end where it says/,
    ],
    ["a chunk of 4 GiB", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n", /more than 1000 bytes/],
    ["a bare line end", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\na", /no proper end/],
    ["a folded field", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", /field of its answer is none/],
    ["a space before the colon", "HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n", /field of its answer is none/],
    ["a field with a line end", "HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n", /field of its answer is none/],
    ["another protocol", "HTTP/1.1 101 Switching\r\n\r\n", /changes the protocol/],
    ["interim answers without end", "HTTP/1.1 100 Go\r\n\r\n".repeat(9), /without end/],
    ["a body past the bound", `HTTP/1.1 200 OK\r\n\r\n${"a".repeat(1001)}`, /more than 1000 bytes/],
  ])("%s is none", (_name, text, problem) => {
    for (const piece of [text.length || 1, 1])
      expect(shown(read(text, piece))).toEqual({ problem: expect.stringMatching(problem) })
  })

  it("has its bounds for what is before the body, behind it, and in it", () => {
    const head = (bytes: number) => `HTTP/1.1 200 OK\r\na: ${"b".repeat(bytes - 24)}\r\n\r\n`
    expect(head(maximumHead)).toHaveLength(maximumHead)
    expect(read(head(maximumHead))).toMatchObject({ status: 200 })
    expect(read(head(maximumHead + 1))).toMatchObject({ problem: expect.stringMatching(/more than 16384 bytes/) })
    expect(read(`HTTP/1.1 200 OK\r\na: ${"b".repeat(maximumHead)}`)).toMatchObject({ problem: expect.any(String) })
    const fields = (count: number) => `HTTP/1.1 204 OK\r\n${"a: b\r\n".repeat(count)}\r\n`
    expect(read(fields(maximumFields))).toMatchObject({ status: 204 })
    expect(read(fields(maximumFields + 1))).toMatchObject({ problem: expect.stringMatching(/100 fields/) })
    const chunks = (trailer: number) =>
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${`a: ${"b".repeat(97)}\r\n`.repeat(trailer)}\r\n`
    expect(read(chunks(40))).toMatchObject({ status: 200 })
    expect(read(chunks(41))).toMatchObject({ problem: expect.stringMatching(/behind its last chunk/) })
    for (const [length, isFine] of [
      [1000, true],
      [1001, false],
    ] as const) {
      const told = read(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${"a".repeat(length)}`)
      expect("problem" in Object(told)).toBe(!isFine)
    }
  })

  it("of any bytes is an answer, a problem or not whole, and nothing is thrown", () => {
    let seed = 7
    const below = (most: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * most)
    }
    for (let n = 0; n < 3000; n++) {
      const [, text = ""] = good[below(good.length)]!
      const bytes = encodeText(text)
      for (let i = below(4); i > 0; i--) bytes[below(bytes.length)] = below(256)
      const reader = new AnswerReader(100)
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + below(20)
        if (reader.push(bytes.subarray(at, end)) !== "more") break
        at = end
      }
      reader.end()
    }
  })
})
