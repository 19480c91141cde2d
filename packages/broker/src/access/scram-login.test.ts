// SCRAM against a broker with real sockets, by packets made here and by MQTT.js.

import { randomBytes } from "node:crypto"
import { connect, type Socket } from "node:net"
import { connect as connectMqtt, type IConnackPacket } from "mqtt"
import type { IAuthPacket } from "mqtt-packet"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { packet, text, variable } from "../../tests/harness.ts"
import type { LogEvent } from "../admin/log.ts"
import { readServerPacket } from "../codecs/plain-answers.ts"
import { encodeText } from "../packet/bytes.ts"
import { Framer } from "../packet/framer.ts"
import type { ServerPacket } from "../packet/packets.ts"
import { createBroker, type PureMqBroker } from "../platform/node.ts"
import { pbkdf2 } from "../platform/node-pbkdf2.ts"
import { scrypt } from "../platform/node-scrypt.ts"
import { passwordLine, scramSuffix } from "./password-file.ts"
import { ScramClient } from "./scram-client.ts"

const method = "SCRAM-SHA-256"
let broker: PureMqBroker
let port = 0
const events: LogEvent[] = []
const sockets: Socket[] = []

async function line(user: string, password: string, scram = true): Promise<string> {
  const plain = await passwordLine(user, password, randomBytes(16), { ln: 10, r: 8, p: 1 }, scrypt)
  return scram ? plain + (await scramSuffix(user, password, randomBytes(16), 4096, pbkdf2)) : plain
}

async function start(lines: readonly Promise<string>[], loginTimeout = 60_000): Promise<void> {
  broker = createBroker({
    listeners: [{ type: "tcp", port: 0 }],
    login: { passwords: (await Promise.all(lines)).join("\n") },
    acl: "user alice readwrite home/%u/#",
    limits: { loginTimeout },
    sysInterval: 0,
    onEvent: (event) => events.push(event),
  })
  port = (await broker.listen())[0]!.port
}

beforeEach(() => start([line("alice", "secret"), line("bob", "hidden")]))
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await broker.close()
  events.length = 0
})

interface Said {
  readonly packet: ServerPacket | { readonly type: "pingresp" }
  readonly bytes: string
}

interface Wire {
  readonly socket: Socket
  readonly send: (bytes: Uint8Array) => void
  /** The next packet of the broker with its bytes; undefined when the connection has ended. */
  readonly next: () => Promise<Said | undefined>
}

async function open(): Promise<Wire> {
  const socket = connect(port, "127.0.0.1")
  sockets.push(socket)
  socket.on("error", () => undefined)
  await new Promise((resolve) => socket.once("connect", resolve))
  const framer = new Framer(100_000)
  framer.connectOnly = false
  const arrived: (Said | undefined)[] = []
  let wake: () => void = () => undefined
  socket.on("data", (chunk) => {
    framer.push(chunk)
    while (framer.next()) {
      const { header, bytes, start: begin, bodyStart, end } = framer
      const type = header >> 4
      const read = type === 13 ? ({ type: "pingresp" } as const) : readServerPacket(type, bytes, bodyStart, end, 5)
      arrived.push({ packet: read, bytes: Buffer.from(bytes.subarray(begin, end)).toString("hex") })
    }
    wake()
  })
  socket.once("close", () => {
    arrived.push(undefined)
    wake()
  })
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    async next() {
      while (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return arrived.shift()
    },
  }
}

function properties(data: Uint8Array | undefined): number[] {
  const body = [0x15, ...text(method)]
  if (data !== undefined) body.push(0x16, data.length >> 8, data.length & 0xff, ...data)
  return [...variable(body.length), ...body]
}

let names = 0
/** CONNECT of MQTT 5.0 with Clean Start, with a Client Identifier that no other has. */
function connectBytes(data: Uint8Array | undefined, username?: string): Uint8Array {
  const flags = username === undefined ? 0x02 : 0x82
  const name = username === undefined ? [] : text(username)
  return packet(0x10, [...text("MQTT"), 5, flags, 0, 0, ...properties(data), ...text(`c${names++}`), ...name])
}

function authBytes(reasonCode: number, data: Uint8Array | undefined): Uint8Array {
  return packet(0xf0, [reasonCode, ...properties(data)])
}

const newClient = (user: string, password: string) =>
  new ScramClient(user, password, randomBytes(18).toString("base64"), pbkdf2)

/** The server-first-message that the broker has sent in AUTH. */
async function offer(wire: Wire): Promise<Uint8Array> {
  const said = (await wire.next())?.packet
  expect(said).toMatchObject({ type: "auth", reasonCode: 0x18, authenticationMethod: method })
  return said?.type === "auth" && said.authenticationData !== undefined ? said.authenticationData : new Uint8Array(0)
}

/** CONNECT, AUTH and AUTH; returns what comes then. */
async function login(wire: Wire, client: ScramClient, username?: string): ReturnType<Wire["next"]> {
  wire.send(connectBytes(client.first(), username))
  wire.send(authBytes(0x18, await client.final(await offer(wire))))
  return wire.next()
}

/** AUTH and AUTH of a client that is connected; returns what comes then. */
async function again(wire: Wire, client: ScramClient): ReturnType<Wire["next"]> {
  wire.send(authBytes(0x19, client.first()))
  wire.send(authBytes(0x18, await client.final(await offer(wire))))
  return wire.next()
}

async function connected(user = "alice", password = "secret"): Promise<Wire> {
  const wire = await open()
  expect((await login(wire, newClient(user, password)))?.packet).toMatchObject({ type: "connack", reasonCode: 0 })
  return wire
}

async function pings(wire: Wire): Promise<void> {
  wire.send(packet(0xc0, []))
  expect((await wire.next())?.packet).toEqual({ type: "pingresp" })
}

describe("MQTT 5.0 section 4.12: a login by SCRAM-SHA-256", () => {
  it.each([undefined, "alice"])(
    "lets in who has the password, and proves the broker; User Name %j",
    async (username) => {
      const wire = await open()
      const client = newClient("alice", "secret")
      const said = (await login(wire, client, username))?.packet
      expect(said).toMatchObject({ type: "connack", reasonCode: 0, authenticationMethod: method })
      client.verify(said?.type === "connack" ? said.authenticationData : undefined)
      // SUBSCRIBE: what the list of rights allows is what the user may
      wire.send(packet(0x82, [0, 1, 0, ...text("home/alice/#"), 0, ...text("home/bob/#"), 0]))
      expect((await wire.next())?.packet).toMatchObject({ type: "suback", reasonCodes: [0, 0x87] })
      expect(events.find(({ event }) => event === "client connected")).toMatchObject({ user: "alice" })
    },
  )

  it("begins without Authentication Data too: the broker asks for the first message", async () => {
    const wire = await open()
    const client = newClient("alice", "secret")
    wire.send(connectBytes(undefined))
    expect(await offer(wire)).toHaveLength(0)
    wire.send(authBytes(0x18, client.first()))
    wire.send(authBytes(0x18, await client.final(await offer(wire))))
    expect((await wire.next())?.packet).toMatchObject({ type: "connack", reasonCode: 0 })
  })

  it("a wrong password, an unknown user and one without keys get the same bytes, and no word why", async () => {
    await broker.close()
    await start([line("alice", "secret"), line("plain", "secret", false)])
    const answers: (string | undefined)[] = []
    for (const user of ["alice", "nobody", "plain"]) {
      const wire = await open()
      const said = await login(wire, newClient(user, "wrong"))
      expect(said?.packet).toMatchObject({ type: "connack", reasonCode: 0x86 })
      expect(said?.packet).not.toHaveProperty("authenticationData", expect.anything())
      answers.push(said?.bytes)
      expect(await wire.next()).toBe(undefined)
    }
    expect(new Set(answers).size).toBe(1)
    const reasons = events.flatMap((event) => (event.event === "client refused" ? [event.reason] : []))
    expect(reasons[0]).toMatch(/^wrong password \(user "alice"\)/)
    expect(reasons[1]).toMatch(/^unknown user name, or one without keys for SCRAM \(user "nobody"\)/)
  })

  it("another User Name in CONNECT is refused", async () => {
    const wire = await open()
    wire.send(connectBytes(newClient("alice", "secret").first(), "bob"))
    expect((await wire.next())?.packet).toMatchObject({ type: "connack", reasonCode: 0x86 })
    expect(await wire.next()).toBe(undefined)
  })

  it("is answered with 0x8C where no user has keys", async () => {
    await broker.close()
    await start([line("alice", "secret", false)])
    const wire = await open()
    wire.send(connectBytes(newClient("alice", "secret").first()))
    expect((await wire.next())?.packet).toMatchObject({ type: "connack", reasonCode: 0x8c })
  })

  it.each([
    ["nothing", new Uint8Array(0)],
    ["no SCRAM", randomBytes(1000)],
    ["channel binding", encodeText("p=tls-unique,,n=alice,r=x")],
    ["as much as MQTT allows", new Uint8Array(65_535).fill(0x2c)],
  ])("whose first message is %s is refused with 0x87", async (_, data) => {
    const wire = await open()
    wire.send(connectBytes(data))
    expect((await wire.next())?.packet).toMatchObject({ type: "connack", reasonCode: 0x87 })
    expect(await wire.next()).toBe(undefined)
  })

  it.each([
    ["no data", () => undefined],
    ["the first message again", () => encodeText("n,,n=alice,r=x")],
    ["a proof for another nonce", () => encodeText(`c=biws,r=other,p=${Buffer.alloc(32).toString("base64")}`)],
    ["as much as MQTT allows", () => new Uint8Array(65_535).fill(0x3d)],
  ])("whose last message is %s is refused with 0x87", async (_, data) => {
    const wire = await open()
    wire.send(connectBytes(encodeText("n,,n=alice,r=x")))
    await offer(wire)
    wire.send(authBytes(0x18, data()))
    expect((await wire.next())?.packet).toMatchObject({ type: "connack", reasonCode: 0x87 })
    expect(await wire.next()).toBe(undefined)
  })

  it("that is abandoned leaves nothing behind", async () => {
    for (let i = 0; i < 20; i++) {
      const wire = await open()
      wire.send(connectBytes(encodeText("n,,n=alice,r=x")))
      await offer(wire)
      wire.socket.destroy()
    }
    await connected()
    await vi.waitFor(
      () => expect(broker.stats()).toMatchObject({ faults: 0, connections: 1, clientsConnected: 1 }),
      20_000,
    )
  })

  it("that stops is answered 0x88 when its time is over", async () => {
    await broker.close()
    await start([line("alice", "secret")], 1000)
    const wire = await open()
    wire.send(connectBytes(encodeText("n,,n=alice,r=x")))
    await offer(wire)
    expect((await wire.next())?.packet).toMatchObject({ type: "connack", reasonCode: 0x88 })
    expect(await wire.next()).toBe(undefined)
  })
})

describe("MQTT 5.0 section 4.12.1: re-authentication", () => {
  it("goes on as the same user, beside everything else", async () => {
    const wire = await connected()
    for (let i = 0; i < 2; i++) {
      const client = newClient("alice", "secret")
      const said = (await again(wire, client))?.packet
      expect(said).toMatchObject({ type: "auth", reasonCode: 0, authenticationMethod: method })
      client.verify(said?.type === "auth" ? said.authenticationData : undefined)
      await pings(wire)
    }
  })

  it("[MQTT-4.12.1-2] as another user, or with a wrong password, ends the connection with 0x87", async () => {
    const other = await connected()
    other.send(authBytes(0x19, newClient("bob", "hidden").first()))
    expect((await other.next())?.packet).toMatchObject({ type: "disconnect", reasonCode: 0x87 })
    expect(await other.next()).toBe(undefined)
    const wrong = await connected()
    const said = (await again(wrong, newClient("alice", "wrong")))?.packet
    expect(said).toMatchObject({ type: "disconnect", reasonCode: 0x87, reasonString: undefined })
    expect(await wrong.next()).toBe(undefined)
  })

  it("after a reload goes by the new keys", async () => {
    const [old, changed] = [await connected(), await connected("bob", "hidden")]
    broker.reload({ login: { passwords: [await line("alice", "new"), await line("bob", "hidden")].join("\n") } })
    expect((await again(changed, newClient("bob", "hidden")))?.packet).toMatchObject({ type: "auth", reasonCode: 0 })
    expect((await again(old, newClient("alice", "secret")))?.packet).toMatchObject({
      type: "disconnect",
      reasonCode: 0x87,
    })
    await connected("alice", "new")
  })
})

it("MQTT.js logs in by SCRAM, and again when it reconnects", async () => {
  const client = newClient("alice", "secret")
  const mqtt = connectMqtt(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    manualConnect: true,
    reconnectPeriod: 50,
    properties: { authenticationMethod: method, authenticationData: Buffer.from(client.first()) },
  })
  mqtt.handleAuth = ({ properties: said }, callback) => {
    void client.final(said?.authenticationData ?? new Uint8Array(0)).then(
      (data) => {
        const answer: IAuthPacket = {
          cmd: "auth",
          reasonCode: 0x18,
          properties: { authenticationMethod: method, authenticationData: Buffer.from(data) },
        }
        callback(undefined, answer)
      },
      (error: Error) => callback(error),
    )
  }
  try {
    for (let i = 0; i < 2; i++) {
      const connack = new Promise<IConnackPacket>((resolve, reject) => {
        mqtt.once("connect", resolve)
        mqtt.once("error", reject)
      })
      if (i === 0) mqtt.connect()
      else mqtt.stream.destroy()
      client.verify((await connack).properties?.authenticationData)
    }
    expect(await mqtt.subscribeAsync("home/alice/#")).toMatchObject([{ topic: "home/alice/#", qos: 0 }])
  } finally {
    await mqtt.endAsync(true)
  }
})
