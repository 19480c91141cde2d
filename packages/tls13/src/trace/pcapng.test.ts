import { describe, expect, it } from "vitest"
import { capturedRun, speakMqtt, usualEnds } from "../../tests/tools/captured-run.ts"
import { concatBytes } from "../bytes/concat.ts"
import { toHex } from "../bytes/hex.ts"
import { bytesToLatin1, utf8ToBytes } from "../bytes/text.ts"
import { readCaptureFile } from "./capture-file.ts"
import type { SecretName, TraceEvent } from "./events.ts"
import { type ConnectionCapture, PcapngBlock, type PcapngOptions, PcapngWriter } from "./pcapng.ts"
import { checksum, mostInPacket } from "./tcp-packet.ts"
import { unbrokenBytes } from "./tcp-streams.ts"

const [client, server] = usualEnds
const at = 1_800_000_000_123.456

function secret(name: SecretName, generation = 0): TraceEvent {
  return {
    type: "secret",
    name,
    secret: new Uint8Array(32).fill(9),
    clientRandom: new Uint8Array(32).fill(1),
    generation,
  }
}

function capture(
  options?: PcapngOptions,
  ends: readonly [typeof client | Endpoint, typeof client | Endpoint] = [client, server],
) {
  const blocks: Uint8Array[] = []
  const writer = new PcapngWriter((bytes) => blocks.push(bytes), options)
  return { blocks, connection: writer.connection(...ends), file: () => concatBytes(...blocks) }
}

type Endpoint = { readonly address: string; readonly port: number }

/** The types of the blocks that were written. */
function typesOf(blocks: readonly Uint8Array[]): number[] {
  return blocks.map((block) => new DataView(block.buffer, block.byteOffset).getUint32(0))
}

/** The IP packets of a file. */
function packetsOf(blocks: readonly Uint8Array[]): Uint8Array[] {
  return blocks
    .filter((_, i) => typesOf(blocks)[i] === PcapngBlock.enhancedPacket)
    .map((block) => block.subarray(28, 28 + new DataView(block.buffer, block.byteOffset).getUint32(20)))
}

function allSecrets(connection: ConnectionCapture): void {
  connection.trace(secret("client_application_traffic_secret"))
  connection.trace(secret("server_application_traffic_secret"))
}

const { sectionHeader, interfaceDescription, enhancedPacket, decryptionSecrets } = PcapngBlock

describe("a file", () => {
  it("begins with a section of unknown length that says what it is, and an interface of raw IP", () => {
    const { blocks } = capture({ program: "some program" })
    expect(typesOf(blocks)).toEqual([sectionHeader, interfaceDescription])
    expect(toHex(blocks[0]!.subarray(8, 24))).toBe("1a2b3c4d00010000ffffffffffffffff")
    expect(bytesToLatin1(blocks[0]!)).toMatch(/some program.*made up.*secrets.*RFC 9850 section 1\.1/is)
    expect(toHex(blocks[1]!)).toBe("0000000100000014006500000000000000000014")
  })

  it("has blocks of whole words, with their length before and after", () => {
    const { blocks, connection } = capture()
    for (let length = 1; length < 6; length++) connection.data("client", new Uint8Array(length), at)
    allSecrets(connection)
    connection.flush()
    expect(blocks.length).toBeGreaterThan(8)
    for (const block of blocks) {
      const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
      expect([block.length % 4, view.getUint32(4), view.getUint32(block.length - 4)]).toEqual([
        0,
        block.length,
        block.length,
      ])
    }
  })

  it.each([0, -1, 1.5, mostInPacket + 1, Number.NaN])("refuses segments of %s bytes", (maxSegment) => {
    expect(() => capture({ maxSegment })).toThrow(RangeError)
  })

  it.each(["", "localhost", "1.2.3", "1.2.3.4.5", "::1::"])("refuses the address %j", (address) => {
    expect(() => capture({}, [{ address, port: 1 }, server])).toThrow(`"${address}" is no IP address`)
  })
})

describe("what was said comes back from the reader", () => {
  it.each([1, 100, 1460, mostInPacket])("in segments of %s bytes", (maxSegment) => {
    const { connection, file } = capture({ maxSegment })
    const [question, answer] = [
      utf8ToBytes("question".repeat(40)),
      new Uint8Array(maxSegment === 1 ? 10 : 70_000).fill(7),
    ]
    connection.opened(at)
    connection.data("client", question, at + 1)
    connection.data("server", answer, at + 2)
    connection.data("client", new Uint8Array(0), at + 3)
    connection.ended("client", at + 4)
    connection.ended("server", at + 5)
    connection.flush()
    const { connections, notes } = readCaptureFile(file())
    expect(notes).toEqual([])
    expect(connections).toMatchObject([
      { client, server, opened: true, fromClient: { ended: true, missing: [], contradictions: 0 } },
    ])
    const [{ fromClient, fromServer }] = connections as [(typeof connections)[0]]
    expect([unbrokenBytes(fromClient), unbrokenBytes(fromServer)]).toEqual([question, answer])
    expect(fromServer.pieces.every(({ bytes }) => bytes.length <= maxSegment)).toBe(true)
    expect([fromClient.pieces[0]!.at, fromServer.pieces[0]!.at]).toEqual([
      expect.closeTo(at + 1, 3),
      expect.closeTo(at + 2, 3),
    ])
  })

  it("a connection of our stack, its key log too", () => {
    const run = capturedRun()
    run.pair.handshake()
    speakMqtt(run)
    const { connections, keyLog } = readCaptureFile(run.file())
    const { carried } = run.pair
    const lengths = [connections[0]!.fromClient, connections[0]!.fromServer].map(
      (stream) => unbrokenBytes(stream).length,
    )
    expect(lengths).toEqual([carried.clientToServer, carried.serverToClient])
    expect(keyLog.match(/^[A-Z]+_[A-Z_]+(?=0? )/gm)).toEqual([
      "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
      "SERVER_HANDSHAKE_TRAFFIC_SECRET",
      "CLIENT_TRAFFIC_SECRET_",
      "SERVER_TRAFFIC_SECRET_",
      "EXPORTER_SECRET",
    ])
  })
})

describe("packets", () => {
  const addresses: [what: string, client: string, server: string, version: number][] = [
    ["IPv4", "192.0.2.1", "192.0.2.2", 4],
    ["IPv6", "2001:db8::1", "fe80::1%eth0", 6],
    ["IPv4 that is written as IPv6", "::ffff:192.0.2.1", "192.0.2.2", 4],
    ["IPv4 with IPv6", "192.0.2.1", "2001:db8::1", 6],
  ]
  it.each(addresses)("of %s: right checksums and lengths", (_, from, to, version) => {
    const { blocks, connection } = capture({}, [
      { ...client, address: from },
      { ...server, address: to },
    ])
    for (const length of [1, 2, 1000, mostInPacket]) connection.data("server", new Uint8Array(length).fill(255), at)
    connection.flush()
    const packets = packetsOf(blocks)
    expect(packets).toHaveLength(7)
    for (const packet of packets) {
      const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
      expect(packet[0]! >>> 4).toBe(version)
      const header = version === 4 ? 20 : 40
      expect(version === 4 ? view.getUint16(2) : 40 + view.getUint16(4)).toBe(packet.length)
      if (version === 4) expect(checksum(packet.subarray(0, 20))).toBe(0)
      const length = packet.length - header
      const pseudo = Uint8Array.of(0, 6, 0, length >>> 16, length >>> 8, length)
      const ends = packet.subarray(version === 4 ? 12 : 8, header)
      expect(checksum(ends, pseudo, packet.subarray(header))).toBe(0)
    }
  })

  it("a reset, after which nothing comes; nor behind the end of a half", () => {
    const { connection, file } = capture()
    connection.data("client", utf8ToBytes("a"), at)
    connection.ended("client", at)
    connection.ended("client", at)
    connection.data("client", utf8ToBytes("b"), at)
    connection.data("server", utf8ToBytes("c"), at)
    connection.reset("server", at)
    connection.reset("client", at)
    connection.data("server", utf8ToBytes("d"), at)
    connection.ended("server", at)
    connection.flush()
    const [{ fromClient, fromServer }] = readCaptureFile(file()).connections as [
      ReturnType<typeof readCaptureFile>["connections"][0],
    ]
    expect([fromClient, fromServer].map((stream) => bytesToLatin1(unbrokenBytes(stream)))).toEqual(["a", "c"])
    expect(fromServer.ended).toBe(true)
  })
})

describe("packets wait for the secrets that they are read with", () => {
  const [client, server] = [secret("client_application_traffic_secret"), secret("server_application_traffic_secret")]
  const written = (blocks: readonly Uint8Array[]) => typesOf(blocks).slice(2)
  const opening = [enhancedPacket, enhancedPacket, enhancedPacket]

  it("and are written behind them; what comes later is written at once, a later secret before the next packet", () => {
    const { blocks, connection } = capture()
    connection.data("client", utf8ToBytes("hello"), at)
    connection.trace(secret("main_secret"))
    connection.trace({ type: "alert", direction: "sent", level: 1, description: "close_notify" })
    connection.trace(client)
    connection.data("server", utf8ToBytes("flight"), at)
    expect(written(blocks)).toEqual([])
    connection.trace(server)
    connection.data("client", utf8ToBytes("finished"), at)
    const first = [decryptionSecrets, ...opening, enhancedPacket, enhancedPacket, enhancedPacket]
    expect(written(blocks)).toEqual(first)
    connection.trace(secret("exporter_secret"))
    connection.data("client", utf8ToBytes("data"), at)
    expect(written(blocks)).toEqual([...first, decryptionSecrets, enhancedPacket])
    expect(bytesToLatin1(blocks[2]!)).toContain(`\nSERVER_TRAFFIC_SECRET_0 ${"01".repeat(32)} ${"09".repeat(32)}\n`)
  })

  it("not for longer than to the next flush, and no more than 1 MiB of them", () => {
    const { blocks, connection } = capture()
    connection.opened(at)
    connection.flush()
    expect(written(blocks)).toEqual(opening)
    connection.flush()
    expect(written(blocks)).toEqual(opening)
    for (let i = 0; i < 15; i++) connection.data("client", new Uint8Array(65_000), at)
    expect(written(blocks)).toEqual(opening)
    for (let i = 0; i < 3; i++) connection.data("client", new Uint8Array(65_000), at)
    expect(written(blocks).length).toBeGreaterThan(17)
  })
})
