import { describe, expect, it } from "vitest"
import {
  answer,
  block,
  enhancedPacket,
  type Frame,
  here,
  interfaceBlock,
  option,
  packet,
  packetBlock,
  pcapFile,
  pcapngFile,
  type SegmentShape,
  secrets,
  section,
  simplePacket,
  there,
} from "../../tests/tools/capture-builder.ts"
import { bytesToUtf8 } from "../bytes/text.ts"
import { type CaptureFile, mostPackets, readCaptureFile } from "./capture-file.ts"
import { TraceFileError } from "./file-error.ts"
import { TcpFlag } from "./tcp-packet.ts"
import { type CapturedStream, mostConnections, unbrokenBytes } from "./tcp-streams.ts"

const at = 1_800_000_000_123.456
const { SYN, ACK, FIN, RST } = TcpFlag
const orders = [{ little: false }, { little: true }] as const
const hello = packet({ data: "hello" })

function text(stream: CapturedStream): string {
  return bytesToUtf8(unbrokenBytes(stream))!
}

/** What the client of the only connection sent. */
function only(file: CaptureFile): CapturedStream {
  expect(file.connections).toHaveLength(1)
  return file.connections[0]!.fromClient
}

function refusal(file: Uint8Array): string {
  try {
    readCaptureFile(file)
  } catch (error) {
    if (error instanceof TraceFileError) return error.message
    throw error
  }
  return "is read"
}

function bytesOf(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === "number" ? Uint8Array.of(part) : part)))
}

describe("pcap", () => {
  it.each(orders.flatMap(({ little }) => [false, true].map((nanoseconds) => [little, nanoseconds] as const)))(
    "little-endian %s, nanoseconds %s: bytes and times",
    (little, nanoseconds) => {
      const file = readCaptureFile(pcapFile([{ bytes: hello, at }], { little, nanoseconds }))
      const [piece] = only(file).pieces
      expect(text(only(file))).toBe("hello")
      expect(piece!.at).toBeCloseTo(at, 3)
      expect(file).toMatchObject({ keyLog: "", notes: [] })
    },
  )

  it("that ends in the middle of a packet, or of its header: what is whole, and a note", () => {
    const whole = pcapFile([{ bytes: hello }, { bytes: packet({ sequence: 1005, data: " world" }) }])
    for (const cut of [1, 10, 47, 60]) {
      const file = readCaptureFile(whole.subarray(0, whole.length - cut))
      expect([text(only(file)), file.notes]).toEqual(["hello", [expect.stringContaining("in the middle of a packet")]])
    }
    expect(readCaptureFile(pcapFile([]))).toEqual({ connections: [], keyLog: "", notes: [] })
  })

  it("that is none, or another version", () => {
    expect(refusal(new Uint8Array(0))).toBe("no pcap or pcapng file: it has 0 bytes")
    expect(refusal(Buffer.from("GET / HTTP"))).toBe("no pcap or pcapng file: it begins with 0x47455420")
    expect(refusal(Uint8Array.of(0x1f, 0x8b, 8, 0))).toBe("no pcap or pcapng file: it is compressed (gzip); unpack it")
    expect(refusal(pcapFile([]).subarray(0, 23))).toBe("no pcap file: its header has 23 bytes, not 24")
    const old = pcapFile([])
    old[5] = 1
    expect(refusal(old)).toBe("a pcap file of version 1, of which 2 is read")
  })
})

describe("pcapng", () => {
  it.each(orders)("%j: each kind of packet block, interfaces with times of their own, and the key log", (order) => {
    const micro = Math.round(at * 1000)
    const [decimal, binary] = [Uint8Array.of(9), Uint8Array.of(0x80 | 20)]
    const offset = Buffer.alloc(8)
    if (order.little) offset.writeBigInt64LE(-5n)
    else offset.writeBigInt64BE(-5n)
    const world = packet({ sequence: 1005, data: " world" })
    const file = readCaptureFile(
      pcapngFile(
        [
          interfaceBlock(order, {
            options: bytesOf(option(2, Uint8Array.of(65, 66, 67), order), option(9, decimal, order)),
          }),
          interfaceBlock(order, {
            options: bytesOf(option(9, binary, order), option(14, offset, order), option(0, new Uint8Array(0))),
          }),
          secrets("CLIENT_RANDOM 00 11", order),
          enhancedPacket(hello, order, { ticks: micro }),
          enhancedPacket(world, order, { ticks: micro * 1000, at: 1 }),
          enhancedPacket(packet({ sequence: 1011, data: "!" }), order, { ticks: 2 ** 20 * 10, at: 2 }),
          packetBlock(packet({ sequence: 1012, data: "?" }), order, micro),
          simplePacket(packet({ sequence: 1013, data: "." }), order),
          block(0x0bad, Uint8Array.of(1, 2, 3, 4), order),
          secrets("# second\n", order),
        ],
        order,
      ),
    )
    expect(text(only(file))).toBe("hello world!?.")
    const times = only(file).pieces.map((piece) => piece.at)
    // Times of one stream do not go back: the third packet says 5 seconds after 1970, the last nothing.
    for (const time of times) expect(time).toBeCloseTo(at, 2)
    expect(file.keyLog).toBe("CLIENT_RANDOM 00 11\n# second\n")
    expect(file.notes).toEqual([])
  })

  it("the unit and the offset of an interface's times", () => {
    const options = bytesOf(option(9, Uint8Array.of(0x80 | 20)), option(14, Buffer.from("fffffffffffffffb", "hex")))
    const blocks = [section(), interfaceBlock({}, { options }), enhancedPacket(hello, {}, { ticks: 2 ** 20 * 10 })]
    expect(only(readCaptureFile(Buffer.concat(blocks))).pieces[0]!.at).toBe(5000)
  })

  it("sections of both orders, one after the other, each with its own interfaces", () => {
    const [big, little] = orders
    const second = pcapngFile([enhancedPacket(packet({ sequence: 1005, data: " world" }), little)], little)
    const file = readCaptureFile(bytesOf(pcapngFile([enhancedPacket(hello, big)], big), second))
    expect(text(only(file))).toBe("hello world")
    const without = bytesOf(
      pcapngFile([enhancedPacket(hello, big)], big),
      section(little),
      enhancedPacket(hello, little),
    )
    expect(refusal(without)).toMatch(
      /^a broken pcapng file: the block at byte \d+ cannot be read \(there is no interface 0\)$/,
    )
  })

  it("that ends in the middle of a block: what is whole, and a note", () => {
    const whole = pcapngFile([enhancedPacket(hello), enhancedPacket(packet({ sequence: 1005, data: "!" }))])
    for (const cut of [1, 50, 68]) {
      const file = readCaptureFile(whole.subarray(0, whole.length - cut))
      expect([text(only(file)), file.notes]).toEqual(["hello", [expect.stringContaining("in the middle of a packet")]])
    }
  })

  it("a simple packet of an interface that captures the beginnings only", () => {
    const bytes = packet({ data: "hello world" })
    const file = Buffer.concat([
      section(),
      interfaceBlock({}, { longest: 45 }),
      simplePacket(bytes.subarray(0, 45), {}, bytes.length),
    ])
    expect(only(readCaptureFile(file))).toMatchObject({
      pieces: [{ bytes: Buffer.from("hello") }],
      missing: [{ offset: 5, length: 6 }],
    })
  })

  it("with blocks that cannot be", () => {
    const place = (length: number) => `a broken pcapng file: the block at byte ${length} cannot be read`
    const head = pcapngFile([])
    const change = (bytes: Uint8Array, index: number, value: number) => {
      const changed = Uint8Array.from(bytes)
      changed[index] = value
      return changed
    }
    const good = enhancedPacket(hello)
    expect(refusal(bytesOf(head, change(good, 7, 13)))).toBe(`${place(head.length)} (its length is 13)`)
    expect(refusal(bytesOf(head, change(good, 7, 8)))).toBe(`${place(head.length)} (its length is 8)`)
    expect(refusal(bytesOf(head, change(good, good.length - 1, 0)))).toBe(
      `${place(head.length)} (its two lengths differ)`,
    )
    expect(refusal(bytesOf(head, change(good, 11, 9)))).toBe(`${place(head.length)} (there is no interface 9)`)
    expect(refusal(bytesOf(head, change(good, 22, 9)))).toBe(
      `${place(head.length)} (it is too short for what it has to hold)`,
    )
    expect(refusal(bytesOf(head, block(1, new Uint8Array(4))))).toMatch(/too short/)
    expect(refusal(bytesOf(head, interfaceBlock({}, { options: Uint8Array.of(0, 9, 0, 99) })))).toMatch(/too short/)
    expect(refusal(change(head, 8, 0))).toBe(`${place(0)} (its byte order is neither big nor little)`)
    expect(refusal(section({}, 2))).toBe("a pcapng file of version 2, of which 1 is read")
    for (const strange of [secrets("x", {}, 0x57474b4c), secrets("é")]) {
      expect(readCaptureFile(bytesOf(head, strange)).notes).toEqual(["secrets that are no key log of TLS are left out"])
    }
  })
})

describe("link types", () => {
  const six = packet({ from: ["2001:db8::1", 50_000], to: ["2001:db8::2", 8883], data: "hello" })
  const mac = new Uint8Array(12)
  const etherType = (bytes: Uint8Array) => Uint8Array.of(...(bytes === six ? [0x86, 0xdd] : [8, 0]))
  const links: [name: string, linkType: number, wrap: (bytes: Uint8Array) => Uint8Array][] = [
    ["raw", 101, (bytes) => bytes],
    ["DLT_RAW", 12, (bytes) => bytes],
    ["Ethernet", 1, (bytes) => bytesOf(mac, etherType(bytes), bytes)],
    ["Ethernet with padding", 1, (bytes) => bytesOf(mac, etherType(bytes), bytes, new Uint8Array(9).fill(7))],
    ["a VLAN", 1, (bytes) => bytesOf(mac, Uint8Array.of(0x81, 0, 0, 7), etherType(bytes), bytes)],
    [
      "a VLAN in a VLAN",
      1,
      (bytes) => bytesOf(mac, Uint8Array.of(0x88, 0xa8, 0, 7, 0x81, 0, 0, 9), etherType(bytes), bytes),
    ],
    ["Linux cooked", 113, (bytes) => bytesOf(new Uint8Array(14), etherType(bytes), bytes)],
    ["Linux cooked 2", 276, (bytes) => bytesOf(etherType(bytes), new Uint8Array(18), bytes)],
    [
      "Linux cooked 2, a VLAN",
      276,
      (bytes) => bytesOf(Uint8Array.of(0x81, 0), new Uint8Array(18), Uint8Array.of(0, 7), etherType(bytes), bytes),
    ],
    ["null", 0, (bytes) => bytesOf(Uint8Array.of(2, 0, 0, 0), bytes)],
    ["loop", 108, (bytes) => bytesOf(Uint8Array.of(0, 0, 0, 2), bytes)],
  ]

  it.each(links)("%s", (_, linkType, wrap) => {
    for (const bytes of [hello, six]) {
      const file = readCaptureFile(pcapFile([{ bytes: wrap(bytes) }], { linkType }))
      expect([text(only(file)), file.notes]).toEqual(["hello", []])
    }
    for (let length = 0; length < 60; length++) {
      const file = readCaptureFile(pcapFile([{ bytes: wrap(six).subarray(0, length) }], { linkType }))
      expect(file.connections).toEqual([])
    }
  })

  it("others, and what is not TCP: counted in notes", () => {
    const arp = bytesOf(mac, Uint8Array.of(8, 6), new Uint8Array(28))
    const udp = Uint8Array.from(hello)
    udp[9] = 17
    const fragment = Uint8Array.from(hello)
    fragment[6] = 0x20
    const blocks = [interfaceBlock({}, { linkType: 127 }), interfaceBlock({}, { linkType: 1 })]
    const of = (bytes: Uint8Array, index = 0) => enhancedPacket(bytes, {}, { at: index })
    const file = readCaptureFile(
      pcapngFile([...blocks, of(hello, 1), of(hello, 1), of(arp, 2), of(udp), of(fragment), of(hello.subarray(0, 39))]),
    )
    expect(file).toEqual({
      connections: [],
      keyLog: "",
      notes: [
        "2 packets of link types that are not read (127) left out",
        "1 packet left out: fragments of IP are not put together",
        "1 packet left out, as not even their headers were captured",
        "2 packets left out that are not of TCP",
      ],
    })
  })

  it("IPv4 with options, and headers between IPv6 and TCP", () => {
    const long = bytesOf(Uint8Array.of(0x46), hello.subarray(1, 20), new Uint8Array(4), hello.subarray(20))
    long[3] = long.length
    expect(text(only(readCaptureFile(pcapFile([{ bytes: long }]))))).toBe("hello")
    const behind = (header: readonly number[], ...more: number[]) => {
      const bytes = bytesOf(six.subarray(0, 40), Uint8Array.from([...header, ...more]), six.subarray(40))
      bytes[5] = bytes.length - 40
      return bytes
    }
    const hopByHop = behind([6, 0, 1, 4, 0, 0, 0, 0])
    hopByHop[6] = 0
    const atomic = behind([6, 0, 0, 0, 1, 2, 3, 4])
    atomic[6] = 44
    for (const bytes of [hopByHop, atomic]) expect(text(only(readCaptureFile(pcapFile([{ bytes }]))))).toBe("hello")
    const fragment = behind([6, 0, 0, 1, 1, 2, 3, 4])
    fragment[6] = 44
    expect(readCaptureFile(pcapFile([{ bytes: fragment }])).notes).toEqual([expect.stringContaining("fragments")])
  })

  it("packets without a length, as network cards take them that cut them themselves", () => {
    for (const [bytes, index] of [
      [hello, 2],
      [six, 4],
    ] as const) {
      const without = Uint8Array.from(bytes)
      without[index] = 0
      without[index + 1] = 0
      expect(text(only(readCaptureFile(pcapFile([{ bytes: without }]))))).toBe("hello")
    }
  })
})

describe("TCP", () => {
  const read = (...packets: Uint8Array[]) =>
    readCaptureFile(pcapFile(packets.map((bytes, i): Frame => ({ bytes, at: 1000 * (i + 1) }))))
  const at1000 = (shape: SegmentShape) => packet({ ...shape, sequence: 1000 + (shape.sequence ?? 0) })

  it("both ends, both streams, and when each byte could be read", () => {
    const { connections } = read(
      packet({ sequence: 999, flags: SYN }),
      answer({ sequence: 4_999, flags: SYN | ACK }),
      packet({ sequence: 1000 }),
      at1000({ data: "ping" }),
      answer({ sequence: 5_000, data: "pong" }),
      at1000({ sequence: 4, flags: ACK | FIN, data: "!" }),
      answer({ sequence: 5_004, flags: FIN | ACK }),
    )
    expect(connections).toEqual([
      {
        client: { address: "10.0.0.1", port: 50_000 },
        server: { address: "10.0.0.2", port: 8883 },
        opened: true,
        fromClient: {
          pieces: [
            { offset: 0, bytes: Buffer.from("ping"), at: 4000, packet: 4 },
            { offset: 4, bytes: Buffer.from("!"), at: 6000, packet: 6 },
          ],
          missing: [],
          ended: true,
          contradictions: 0,
        },
        fromServer: {
          pieces: [{ offset: 0, bytes: Buffer.from("pong"), at: 5000, packet: 5 }],
          missing: [],
          ended: true,
          contradictions: 0,
        },
      },
    ])
  })

  it("segments out of order: their bytes could be read when the last of those before them had come", () => {
    const stream = only(
      read(at1000({ sequence: 6, data: "six" }), at1000({ sequence: 3, data: "333" }), at1000({ data: "000" })),
    )
    expect(text(stream)).toBe("000333six")
    expect(stream.pieces.map(({ packet }) => packet)).toEqual([3, 3, 3])
    expect(stream.pieces.map((piece) => piece.at)).toEqual([3000, 3000, 3000])
  })

  it("segments that come again, in part or longer: what came first counts, and a contradiction is told", () => {
    const again = only(
      read(at1000({ data: "abcdef" }), at1000({ data: "abc" }), at1000({ sequence: 3, data: "defghi" })),
    )
    expect([text(again), again.contradictions]).toEqual(["abcdefghi", 0])
    const other = only(read(at1000({ data: "abcdef" }), at1000({ data: "abX" }), at1000({ sequence: 4, data: "Yfgh" })))
    expect([text(other), other.contradictions]).toEqual(["abcdefgh", 2])
  })

  it("segments that are missing: where, and how many bytes; before a FIN too, and of a packet that was cut", () => {
    const stream = only(
      read(
        packet({ sequence: 999, flags: SYN }),
        at1000({ sequence: 2, data: "cd" }),
        at1000({ sequence: 6, data: "g" }),
        at1000({ sequence: 9, flags: FIN | ACK }),
      ),
    )
    expect(stream).toMatchObject({
      missing: [
        { offset: 0, length: 2 },
        { offset: 4, length: 2 },
        { offset: 7, length: 2 },
      ],
      ended: true,
    })
    expect(text(stream)).toBe("")
    const whole = at1000({ data: "hello world" })
    const cut = readCaptureFile(
      pcapFile([
        { bytes: whole.subarray(0, 45), length: whole.length },
        { bytes: at1000({ sequence: 11, data: "!" }) },
      ]),
    )
    expect([text(only(cut)), only(cut).missing]).toEqual(["hello", [{ offset: 5, length: 6 }]])
  })

  it("sequence numbers that begin again at 0, in and out of order", () => {
    const begin = 2 ** 32 - 4
    const parts = [
      packet({ sequence: begin - 1, flags: SYN }),
      packet({ sequence: begin, data: "abc" }),
      packet({ sequence: 2 ** 32 - 1, data: "def" }),
      packet({ sequence: 2, data: "ghi" }),
    ]
    expect(text(only(read(...parts)))).toBe("abcdefghi")
    expect(text(only(read(parts[0]!, parts[3]!, parts[2]!, parts[1]!)))).toBe("abcdefghi")
    expect(text(only(read(parts[3]!, parts[2]!, parts[1]!)))).toBe("abcdefghi")
  })

  it("a keep-alive, a pure acknowledgement and a reset carry nothing", () => {
    const syn = packet({ sequence: 999, flags: SYN })
    const reset = at1000({ sequence: 77, flags: RST, data: "why" })
    const stream = only(
      read(packet({ sequence: 5 }), syn, at1000({ data: "ab" }), at1000({ sequence: 1, data: "b" }), reset),
    )
    expect(stream).toMatchObject({ pieces: [{ bytes: Buffer.from("ab") }], missing: [], ended: true })
  })

  it("ports that are in use again are another connection; a SYN that comes again is not", () => {
    const syn = packet({ sequence: 999, flags: SYN })
    const later = [packet({ sequence: 70_000, flags: SYN }), packet({ sequence: 70_001, data: "two" })]
    const { connections } = read(syn, syn, at1000({ data: "one" }), ...later)
    expect(connections.map(({ fromClient }) => text(fromClient))).toEqual(["one", "two"])
    const unopened = read(at1000({ data: "one" }), ...later)
    expect(unopened.connections.map(({ fromClient, opened }) => [text(fromClient), opened])).toEqual([
      ["one", false],
      ["two", true],
    ])
    const roles = read(syn, answer({ sequence: 5, flags: SYN }), answer({ sequence: 6, data: "x" }))
    expect(roles.connections.map(({ client, fromServer }) => [client.address, text(fromServer)])).toEqual([
      ["10.0.0.1", "x"],
    ])
  })

  it("who the client is, without a SYN: by what they say, else by their ports", () => {
    const hellos = {
      client: Uint8Array.of(22, 3, 1, 0, 5, 1, 0, 0, 1, 0),
      server: Uint8Array.of(22, 3, 3, 0, 5, 2, 0, 0, 1, 0),
    }
    const addresses = (...packets: Uint8Array[]) => read(...packets).connections.map(({ client }) => client.address)
    expect(addresses(packet({ from: there, to: here, data: hellos.client }))).toEqual(["10.0.0.2"])
    expect(addresses(packet({ data: hellos.server }))).toEqual(["10.0.0.2"])
    expect(addresses(answer({ data: "x" }), packet({ data: hellos.client }))).toEqual(["10.0.0.1"])
    expect(addresses(answer({ data: "x" }))).toEqual(["10.0.0.1"])
    expect(addresses(packet({ data: "x" }))).toEqual(["10.0.0.1"])
    expect(addresses(answer({ sequence: 3, flags: SYN | ACK }))).toEqual(["10.0.0.1"])
  })

  it("a connection to itself is one stream", () => {
    expect(text(only(read(packet({ from: here, to: here, data: "me" }))))).toBe("me")
  })
})

describe("bounds", () => {
  it("packets and connections", () => {
    const nothing = pcapFile([{ bytes: new Uint8Array(0) }]).subarray(24)
    const file = new Uint8Array(24 + 16 * (mostPackets + 1))
    file.set(pcapFile([]))
    for (let i = 0; i <= mostPackets; i++) file.set(nothing, 24 + 16 * i)
    expect(refusal(file)).toBe(`more than ${mostPackets} packets: leave in it those that you want to see`)
    expect(refusal(file.subarray(0, file.length - 16))).toBe("is read")
    const many = Array.from({ length: mostConnections + 1 }, (_, i) => ({
      bytes: packet({ from: ["10.0.0.1", i], data: "x" }),
    }))
    expect(refusal(pcapFile(many))).toBe(
      `more than ${mostConnections} connections: leave in it those that you want to see`,
    )
    expect(refusal(pcapFile(many.slice(1)))).toBe("is read")
  })

  it("segments that overlap as often as they can cost what their bytes cost", () => {
    const frames: Frame[] = []
    for (let i = 0; i < 4000; i++) frames.push({ bytes: packet({ sequence: i, data: new Uint8Array(4000) }) })
    for (let i = 0; i < 40_000; i++) frames.push({ bytes: packet({ sequence: 4000 + (i % 3000), data: "x" }) })
    const file = pcapFile(frames.reverse())
    const begun = process.cpuUsage().user
    const stream = only(readCaptureFile(file))
    expect((process.cpuUsage().user - begun) / 1000).toBeLessThan(2500)
    expect([unbrokenBytes(stream).length, stream.contradictions]).toEqual([7999, 40_000])
  })
})
