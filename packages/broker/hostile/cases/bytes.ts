// Fields at the edge of their 16 bits in every packet, and what is no MQTT, no TLS and no WebSocket at all.

import { randomBytes } from "node:crypto"
import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import {
  acknowledge,
  auth,
  type Content,
  connect,
  disconnect,
  property,
  publish,
  subscribe,
  textProperty,
  unsubscribe,
  userProperty,
  type Version,
} from "../wire/mqtt.ts"
import { frame, upgradeRequest } from "../wire/websocket.ts"
import { openStream, openWire, type Transport, transports } from "../wire/wire.ts"

const edge = 65_535

/** Contents of 65,535 bytes, and of one less. */
const contents: Readonly<Record<string, Uint8Array>> = {
  letters: Buffer.alloc(edge, "a"),
  "one byte less": Buffer.alloc(edge - 1, "a"),
  slashes: Buffer.alloc(edge, "/"),
  "three-byte characters": Buffer.from("\u20ac".repeat(edge / 3)),
  "control characters": Buffer.alloc(edge, "\u0001"),
  "U+0000": Buffer.alloc(edge, 0),
  "bad UTF-8": Buffer.alloc(edge, 0xff),
  quotes: Buffer.alloc(edge, '"'),
}

/** CONNECT packets, each with one field of this content. */
function connects(version: Version, content: Content): Uint8Array[] {
  const will = { topic: "will", payload: "gone" }
  const packets = [
    connect({ version, clientId: content }),
    connect({ version, clientId: "e", username: content }),
    connect({ version, clientId: "e", username: "u", password: content }),
    connect({ version, clientId: "e", will: { ...will, topic: content } }),
    connect({ version, clientId: "e", will: { ...will, payload: content } }),
    connect({ version, clientId: "e", protocolName: content }),
  ]
  if (version !== 5) return packets
  const properties = [
    textProperty(property.authenticationMethod, content),
    textProperty(property.authenticationData, content),
    userProperty(content, "v"),
    userProperty("n", content),
    // None of these belongs into a CONNECT.
    textProperty(property.reasonString, content),
    textProperty(property.serverReference, content),
  ]
  const willProperties = [
    textProperty(property.contentType, content),
    textProperty(property.responseTopic, content),
    textProperty(property.correlationData, content),
    userProperty(content, content),
  ]
  return [
    ...packets,
    ...properties.map((one) => connect({ version, clientId: "e", properties: [one] })),
    ...willProperties.map((one) => connect({ version, clientId: "e", will: { ...will, properties: [one] } })),
    connect({
      version,
      clientId: "e",
      properties: [
        textProperty(property.authenticationMethod, content),
        textProperty(property.authenticationData, content),
      ],
    }),
  ]
}

/** What a client may send once it is in, each with one field of this content. */
function others(version: Version, content: Content): Uint8Array[] {
  const packets = [
    subscribe(version, 1, [{ filter: content }]),
    subscribe(version, 2, [{ filter: "a" }, { filter: content }]),
    unsubscribe(version, 3, [content]),
    publish(version, content, "m"),
    publish(version, content, "m", { qos: 1, packetId: 4, retain: true }),
    publish(version, content, content, { qos: 2, packetId: 5 }),
  ]
  if (version !== 5) return packets
  const text = (identifier: number) => textProperty(identifier, content)
  return [
    ...packets,
    subscribe(version, 6, [{ filter: "a" }], [userProperty(content, content)]),
    subscribe(version, 7, [{ filter: Buffer.concat([Buffer.from("$share/g/"), bytesUpTo(content, edge - 9)]) }]),
    unsubscribe(version, 8, ["a"], [userProperty(content, "v")]),
    ...[property.contentType, property.responseTopic, property.correlationData, property.reasonString].map((one) =>
      publish(version, "t", "m", { properties: [text(one)] }),
    ),
    publish(version, "t", "m", { properties: [userProperty(content, content), userProperty(content, content)] }),
    ...([4, 5, 6, 7] as const).flatMap((type) => [
      acknowledge(version, type, 9, 0x80, [text(property.reasonString)]),
      acknowledge(version, type, 9, 0x80, [userProperty(content, content)]),
    ]),
    disconnect(version, 4, [text(property.reasonString)]),
    disconnect(version, 4, [userProperty(content, content)]),
    disconnect(version, 4, [text(property.serverReference)]),
    auth(0x18, [text(property.authenticationMethod), text(property.authenticationData)]),
    auth(0x19, [text(property.authenticationMethod), text(property.reasonString), userProperty(content, content)]),
  ]
}

function bytesUpTo(content: Content, length: number): Uint8Array {
  return (typeof content === "string" ? Buffer.from(content) : content).subarray(0, length)
}

const versions = [4, 5] as const

/** Milliseconds that a connection is left open for an answer. */
const moment = 60

async function sendAlone(
  server: Server,
  transport: Transport,
  login: Version | undefined,
  bytes: Uint8Array,
): Promise<void> {
  const wire = await openWire(transport, server.port(transport))
  try {
    if (login !== undefined && (await new Client(wire, login).login({ clientId: "" })) !== 0) return
    wire.send(bytes)
    await Promise.race([wire.closed, pause(moment)])
  } finally {
    wire.destroy()
  }
}

async function sendEdges(scene: Scene, transport: Transport, phase: "before" | "after"): Promise<void> {
  const server = await scene.broker({ listeners: ["tcp", ...(transport === "tcp" ? [] : [transport])] })
  await scene.neighbour(server)
  const attempts = versions.flatMap((version) =>
    Object.values(contents).flatMap((content) =>
      (phase === "before" ? connects : others)(version, content).map((bytes) => ({ version, bytes })),
    ),
  )
  await each(attempts, 8, async ({ version, bytes }) => {
    if (!server.program.alive) return
    // Who is refused was answered.
    await sendAlone(server, transport, phase === "before" ? undefined : version, bytes).catch(() => undefined)
  })
}

const edges: Case[] = transports.flatMap((transport) =>
  (["before", "after"] as const).map((phase) => ({
    name: `fields of 65,535 bytes, ${transport}, ${phase} the login`,
    seconds: 120,
    ...(transport === "tcp" ? { when: "first" } : transport === "ws" ? { beside: true } : { when: "last" }),
    run: (scene: Scene) => sendEdges(scene, transport, phase),
  })),
)

const authenticationMethod: Case[] = transports.map((transport) => ({
  name: `Authentication Method of 65,535 bytes, ${transport}`,
  ...(transport === "tcp" || transport === "wss" ? { when: "first" as const } : { beside: true }),
  async run(scene) {
    const server = await scene.broker({ listeners: ["tcp", ...(transport === "tcp" ? [] : [transport])] })
    await scene.neighbour(server)
    const method = textProperty(property.authenticationMethod, contents["letters"]!)
    const client = new Client(await openWire(transport, server.port(transport)))
    const code = await client.login({ clientId: "e", properties: [method] })
    if (server.program.alive)
      scene.check(
        code !== undefined && code >= 0x80,
        `CONNACK ${code === undefined ? "does not come" : `has code ${code}`}`,
      )
  },
}))

const garbage: Case[] = [
  {
    name: "2,000 connections of random bytes, tcp and tls",
    when: "first",
    async run(scene) {
      const server = await scene.broker({ listeners: ["tcp", "tls"] })
      await scene.neighbour(server)
      await each(Array.from({ length: 2000 }).keys(), 40, async (i) => {
        const stream = await openStream("tcp", server.port(i % 2 === 0 ? "tcp" : "tls")).catch(() => undefined)
        stream?.write(randomBytes(1 + (i % 900)))
        await pause(2)
        stream?.destroy()
      })
    },
  },
  {
    name: "HTTP that is no upgrade: long, many and cut headers",
    beside: true,
    async run(scene) {
      const server = await scene.broker({ listeners: ["tcp", "ws"] })
      await scene.neighbour(server)
      const { text } = upgradeRequest()
      const requests = [
        `GET /${"a".repeat(200_000)} HTTP/1.1\r\n\r\n`,
        `GET / HTTP/1.1\r\n${"x: y\r\n".repeat(5000)}\r\n`,
        `GET / HTTP/1.1\r\nHost: localhost\r\nx: ${"\u00ff".repeat(100_000)}\r\n\r\n`,
        upgradeRequest({ protocol: "mqtt,".repeat(3000) }).text,
        text.replace("Sec-WebSocket-Key: ", "Sec-WebSocket-Key: x"),
        text.replace("13", "12"),
        text.slice(0, -7),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        text.repeat(50),
        "\u0000".repeat(1000),
      ]
      await each([...requests, ...requests, ...requests], 5, async (request) => {
        const stream = await openStream("ws", server.port("ws"))
        stream.write(Buffer.from(request, "latin1"))
        await pause(50)
        stream.destroy()
      })
    },
  },
  {
    name: "WebSocket frames that no client may send",
    beside: true,
    async run(scene) {
      const server = await scene.broker({ listeners: ["tcp", "ws"] })
      await scene.neighbour(server)
      const hello = connect({ clientId: "" })
      const empty = new Uint8Array(0)
      const sequences: readonly (readonly Uint8Array[])[] = [
        [frame({ payload: hello, masked: false })],
        [frame({ payload: hello, opcode: 1 })],
        [frame({ payload: Buffer.alloc(99, 0xff), opcode: 1 })],
        [frame({ payload: hello, reserved: 7 })],
        [frame({ payload: hello, opcode: 0 })],
        [frame({ payload: hello, fin: false }), frame({ payload: hello, fin: false })],
        [frame({ payload: Buffer.alloc(200), opcode: 9 })],
        [frame({ payload: empty, opcode: 9, fin: false })],
        [frame({ payload: Uint8Array.of(3), opcode: 8 })],
        [frame({ payload: Uint8Array.of(3, 237), opcode: 8 })],
        [frame({ payload: Uint8Array.of(255, 255, 0xff), opcode: 8 }), frame({ payload: hello })],
        [frame({ payload: hello, opcode: 3 })],
        [frame({ payload: empty, form: 64, length: Number.MAX_SAFE_INTEGER })],
        [frame({ payload: empty, form: 64, length: 2 ** 31 })],
        [frame({ payload: hello, form: 64 })],
        [
          frame({ payload: hello }),
          ...Array.from({ length: 20_000 }, () => frame({ payload: empty, fin: false, opcode: 0 })),
        ],
        [frame({ payload: hello }), ...Array.from({ length: 20_000 }, () => frame({ payload: empty }))],
        [frame({ payload: hello }), ...Array.from({ length: 20_000 }, () => frame({ payload: empty, opcode: 9 }))],
        [...hello].map((byte) => frame({ payload: Uint8Array.of(byte) })),
      ]
      await each([...sequences, ...sequences], 4, async (frames) => {
        const wire = await openWire("ws", server.port("ws"))
        wire.stream.write(Buffer.concat(frames))
        await Promise.race([wire.closed, pause(150)])
        wire.destroy()
      })
    },
  },
]

export const byteCases: readonly Case[] = [...authenticationMethod, ...edges, ...garbage]
