// What Wireshark makes of the captures that we write: they open decrypted, all is in them, and nothing of them is malformed.

import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { alertName } from "../src/bytes/alerts.ts"
import { codePointName, HandshakeType } from "../src/bytes/code-points.ts"
import { MemorySessionStore } from "../src/session/client-store.ts"
import { PcapngWriter } from "../src/trace/pcapng.ts"
import { clientCertificate, early, start, takesEarlyData, ticketer } from "./support.ts"
import { type CaptureCast, capturedRun, mqtt, mqttPublish, speakMqtt, usualEnds } from "./tools/captured-run.ts"

const folder = mkdtempSync(join(tmpdir(), "tls13-tshark-"))
afterAll(() => rmSync(folder, { recursive: true }))

const isThere = spawnSync("tshark", ["--version"]).status === 0
const patience = 60_000

interface Seen {
  readonly handshake: readonly string[]
  readonly alerts: readonly string[]
  readonly mqtt: readonly string[]
  /** Topic and payload. */
  readonly published: readonly string[]
  /** Source ports of packets with the flag. */
  readonly ended: readonly string[]
  readonly reset: readonly string[]
  /** Packets that are not as they should be: cut, with a wrong checksum, out of order, never acknowledged. */
  readonly faults: readonly string[]
}

const controlPackets = ["", "CONNECT", "CONNACK", "PUBLISH", "", "", "", "", "SUBSCRIBE", "SUBACK"]
const fields = [
  "tls.handshake.type",
  "tls.alert_message.desc",
  "mqtt.msgtype",
  "mqtt.topic",
  "mqtt.msg",
  "tcp.srcport",
  "tcp.flags.fin",
  "tcp.flags.reset",
  "tcp.checksum.status",
  "ip.checksum.status",
  "tcp.analysis.flags",
  "_ws.malformed",
  "_ws.unreassembled",
] as const

/** What Wireshark shows of a file, without being told anything of it. */
function shown(file: Uint8Array): Seen {
  const path = join(folder, "capture.pcapng")
  writeFileSync(path, file)
  const checks = ["ip.check_checksum", "tcp.check_checksum"].flatMap((name) => ["-o", `${name}:TRUE`])
  const args = ["-r", path, ...checks, "-T", "fields", ...fields.flatMap((field) => ["-e", field])]
  const { status, stdout, stderr } = spawnSync("tshark", args, {
    encoding: "utf8",
    timeout: patience,
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error(`tshark: ${stderr}`)
  const packets = stdout.split("\n").slice(0, -1)
  const rows = packets.map((line) => Object.fromEntries(line.split("\t").map((value, i) => [fields[i], value])))
  const values = (name: (typeof fields)[number]) => rows.flatMap((row) => row[name]?.split(",") ?? []).filter(Boolean)
  const ports = (flag: (typeof fields)[number]) =>
    rows.flatMap((row) => (row[flag] === "1" ? [row["tcp.srcport"]!] : []))
  const isRight = (row: Record<string, string>) =>
    row["tcp.checksum.status"] === "1" &&
    row["ip.checksum.status"] !== "0" &&
    fields.slice(-3).every((name) => !row[name])
  return {
    handshake: values("tls.handshake.type").map((type) => codePointName(HandshakeType, Number(type))),
    alerts: values("tls.alert_message.desc").map((code) => alertName(Number(code))),
    mqtt: values("mqtt.msgtype").map((type) => controlPackets[Number(type)]!),
    published: rows.flatMap((row) => (row["mqtt.msg"] ? [`${row["mqtt.topic"]} ${row["mqtt.msg"]}`] : [])),
    ended: ports("tcp.flags.fin"),
    reset: ports("tcp.flags.reset"),
    faults: packets.filter((_, i) => !isRight(rows[i]!)),
  }
}

const greeting = ["client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify"] as const
const talk = ["CONNECT", "CONNACK", "SUBSCRIBE", "SUBACK", "PUBLISH", "PUBLISH"]

describe.skipIf(!isThere)("tshark (not installed here when skipped)", { timeout: patience }, () => {
  const casts: [what: string, cast: CaptureCast, messages: readonly (keyof typeof HandshakeType)[]][] = [
    ["a handshake, with the client's secrets", {}, [...greeting, "finished", "finished"]],
    ["a handshake, with the server's secrets", { secretsOf: "server" }, [...greeting, "finished", "finished"]],
    [
      "a HelloRetryRequest",
      { client: { groups: ["x25519", "secp256r1"], keyShares: ["x25519"] }, server: { groups: ["secp256r1"] } },
      ["client_hello", "server_hello", ...greeting, "finished", "finished"],
    ],
    [
      "a client certificate and a ticket, over IPv6",
      {
        client: { ...clientCertificate.client, sessionStore: new MemorySessionStore() },
        server: { ...clientCertificate.server, ticketer, tickets: 1 },
        ends: [
          { address: "fe80::1%eth0", port: 49_152 },
          { address: "2001:db8::2", port: 8883 },
        ],
      },
      [
        ...greeting.slice(0, 3),
        "certificate_request",
        ...greeting.slice(3),
        "finished",
        "certificate",
        "certificate_verify",
        "finished",
        "new_session_ticket",
      ],
    ],
    ["packets of at most 100 bytes", { capture: { maxSegment: 100 } }, [...greeting, "finished", "finished"]],
  ]

  it.each(casts)("opens decrypted: %s", (_, cast, messages) => {
    const run = capturedRun(cast)
    run.pair.handshake()
    speakMqtt(run)
    const seen = shown(run.file())
    expect(seen).toMatchObject({ handshake: messages, mqtt: talk, faults: [] })
    const hello = `a/b ${Buffer.from("hello").toString("hex")}`
    expect(seen.published).toEqual([hello, hello])
  })

  it.each([
    ["accepted", early()],
    ["refused", early({ server: { earlyData: { ...takesEarlyData, replayGuard: { take: () => false } } } })],
  ])("0-RTT data, %s", (_, cast) => {
    const run = capturedRun(cast)
    const { client, server } = run.pair
    run.pair.take(client, client.connection.start())
    run.pair.take(client, client.connection.sendEarlyData(mqtt.connect))
    run.pair.run()
    run.pair.take(server, server.connection.send(mqtt.connack))
    run.pair.run()
    expect(shown(run.file())).toMatchObject({ mqtt: ["CONNECT", "CONNACK"], faults: [] })
  })

  it("what comes after KeyUpdates of both sides", () => {
    let updates = 0
    const run = capturedRun({
      secretsOf: "server",
      client: { trace: (event) => void (event.type === "message" && event.name === "key_update" && updates++) },
    })
    run.pair.handshake()
    for (const side of [run.pair.client, run.pair.server, run.pair.client]) {
      run.pair.take(side, side.connection.updateKeys("update_requested"))
      run.pair.run()
    }
    speakMqtt(run)
    const seen = shown(run.file())
    expect(updates).toBeGreaterThan(3)
    expect(seen.handshake.filter((name) => name === "key_update")).toHaveLength(updates)
    expect(seen).toMatchObject({ mqtt: talk, faults: [] })
  })

  it("the end: closure alerts and FINs", () => {
    const run = capturedRun()
    run.pair.handshake()
    for (const side of [run.pair.client, run.pair.server]) {
      run.pair.take(side, side.connection.close())
      run.pair.run()
    }
    run.capture.ended("client", start + 100)
    run.capture.ended("server", start + 101)
    const ended = ["49152", "8883"]
    expect(shown(run.file())).toMatchObject({ alerts: ["close_notify", "close_notify"], ended, reset: [], faults: [] })
  })

  it("the alert of a handshake that failed, and a reset", () => {
    const run = capturedRun({ client: { alpnProtocols: ["h2"] }, server: { alpnProtocols: ["mqtt"] } })
    run.pair.handshake()
    run.capture.reset("server", start + 100)
    const handshake = ["client_hello"]
    expect(shown(run.file())).toMatchObject({ handshake, alerts: ["no_application_protocol"], reset: ["8883"] })
  })

  it("a long transfer one way, without a full window or a wrong number", () => {
    const run = capturedRun()
    run.pair.handshake()
    const { server } = run.pair
    for (let i = 0; i < 50; i++) {
      run.pair.take(server, server.connection.send(mqttPublish("a/b", 60_000)))
      run.pair.run()
    }
    expect(shown(run.file())).toMatchObject({ mqtt: Array.from({ length: 50 }, () => "PUBLISH"), faults: [] })
  })

  it("two connections in one file, each with its secrets", () => {
    const blocks: Uint8Array[] = []
    const writer = new PcapngWriter((block) => blocks.push(block))
    const ports = [49_152, 49_153]
    const runs = ports.map((port) => capturedRun({ writer, ends: [{ ...usualEnds[0], port }, usualEnds[1]] }))
    for (const { pair } of runs) pair.handshake()
    for (const run of runs) speakMqtt(run)
    expect(shown(Buffer.concat(blocks))).toMatchObject({ mqtt: [...talk, ...talk], faults: [] })
  })
})
