// What clients do in their lives, over each transport, spoken on plain sockets with node:tls and ws: enough of MQTT to walk
// the paths of a broker's connection. A life ends early when the broker ends the connection.

import { createHmac } from "node:crypto"
import { connect as connectTcp } from "node:net"
import type { Duplex } from "node:stream"
import { connect as connectTls } from "node:tls"
import { createWebSocketStream, WebSocket } from "ws"
import { ScramClient } from "../../src/access/scram-client.ts"
import {
  type ConnectRequest,
  writeConnect,
  writeServerPacket,
  writeSubscribe,
  writeUnsubscribe,
} from "../../src/codecs/mqtt-packet.ts"
import { readServerPacket } from "../../src/codecs/plain-answers.ts"
import type { ListenerAddress } from "../../src/index.ts"
import { writeAcknowledgement } from "../../src/packet/acknowledgements.ts"
import { Framer } from "../../src/packet/framer.ts"
import type { ProtocolVersion } from "../../src/packet/packets.ts"
import { pbkdf2 } from "../../src/platform/node-pbkdf2.ts"
import { publishBytes, userProperty } from "../harness.ts"

export type Transport = "tcp" | "tls" | "ws" | "wss"

export interface Where {
  /** The port of the admin API. */
  readonly admin: number
  readonly listeners: readonly ListenerAddress[]
  readonly ca: string
  /** A client certificate that the TLS listener trusts. */
  readonly client: { readonly cert: string; readonly key: string }
}

/** Milliseconds after which a client that is neither answered nor cut off counts as left hanging. */
export const patience = 10_000

/** The broker neither answered nor closed. */
export class LeftHanging extends Error {}
/** The broker closed the connection. */
export class CutOff extends Error {}

export class RawClient {
  readonly version: ProtocolVersion
  readonly #stream: Duplex
  readonly #framer = new Framer(0x1000_0004)
  readonly #types: number[] = []
  #authenticationData: Uint8Array = new Uint8Array(0)
  #closed = false
  #news: () => void = () => undefined

  constructor(transport: Transport, where: Where, version: ProtocolVersion, from: From = {}, stream?: Duplex) {
    this.version = version
    this.#stream = stream ?? open(transport, where, from)
    this.#framer.connectOnly = false
    this.#stream.on("data", (chunk: Uint8Array) => {
      this.#framer.push(Uint8Array.from(chunk))
      while (this.#framer.next()) this.#took(this.#framer)
      this.#news()
    })
    this.#stream.on("error", () => undefined)
    for (const event of ["end", "close"]) {
      this.#stream.on(event, () => {
        this.#closed = true
        this.#news()
      })
    }
  }

  /** Acknowledges what has to be, and remembers the type of what came. */
  #took({ header, bytes, bodyStart, end }: Framer): void {
    const type = header >> 4
    // CONNACK that refuses: what the broker does after it is close.
    const refused = type === 2 && bytes[bodyStart + 1] !== 0
    this.#types.push(refused ? 0 : type)
    if (refused) this.#closed = true
    if (type === 15) {
      const packet = readServerPacket(type, bytes, bodyStart, end, this.version)
      this.#authenticationData = (packet.type === "auth" && packet.authenticationData) || new Uint8Array(0)
    }
    const qos = (header >> 1) & 3
    if (type === 3 && qos > 0) {
      const at = bodyStart + 2 + ((bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!)
      this.#acknowledge(qos === 1 ? 4 : 5, (bytes[at]! << 8) | bytes[at + 1]!)
    } else if ((type === 5 || type === 6) && end - bodyStart >= 2) {
      this.#acknowledge(type === 5 ? 6 : 7, (bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!)
    }
  }

  #acknowledge(type: 4 | 5 | 6 | 7, packetId: number): void {
    const out = new Uint8Array(5)
    this.send(out.subarray(0, writeAcknowledgement(out, 0, type, packetId, 0, this.version)))
  }

  /** Of the last AUTH. */
  get authenticationData(): Uint8Array {
    return this.#authenticationData
  }

  get closed(): boolean {
    return this.#closed
  }

  send(bytes: Uint8Array): void {
    if (!this.#stream.writableEnded && !this.#stream.destroyed) this.#stream.write(bytes)
  }

  /** Waits for a packet of that type. Throws CutOff or LeftHanging. */
  async until(type: number): Promise<void> {
    await this.#wait(`waiting for packet type ${type}`, () => {
      const at = this.#types.indexOf(type)
      if (at >= 0) this.#types.splice(at, 1)
      else if (this.#closed) throw new CutOff()
      return at >= 0
    })
  }

  /** Waits for the broker to close. Throws LeftHanging. */
  untilClosed(): Promise<void> {
    return this.#wait("waiting for the end", () => this.#closed)
  }

  async #wait(what: string, done: () => boolean): Promise<void> {
    const deadline = Date.now() + patience
    while (!done()) {
      if (Date.now() > deadline) throw new LeftHanging(what)
      await new Promise<void>((resolve) => {
        this.#news = resolve
        setTimeout(resolve, 100)
      })
    }
  }

  destroy(): void {
    this.#stream.destroy()
  }

  end(): void {
    this.#stream.end()
  }
}

interface From {
  /** With a client certificate. */
  readonly certificate?: boolean
  readonly localAddress?: string
}

function open(transport: Transport, where: Where, { certificate = false, localAddress = "127.0.0.1" }: From): Duplex {
  const { port } = where.listeners.find(({ type }) => type === transport)!
  const host = "127.0.0.1"
  const tls = { ca: where.ca, servername: "localhost", ...(certificate && where.client) }
  const noDelay = true
  if (transport === "tcp") return connectTcp({ host, port, localAddress, noDelay })
  if (transport === "tls")
    return connectTls({ socket: connectTcp({ host, port, localAddress, noDelay }), ALPNProtocols: ["mqtt"], ...tls })
  const socket = new WebSocket(`${transport}://localhost:${port}/`, ["mqtt"], { ca: where.ca, localAddress })
  socket.on("error", () => undefined)
  return createWebSocketStream(socket)
}

const encoder = new TextEncoder()

export function connectAs(clientId: string, version: ProtocolVersion, more: Partial<ConnectRequest> = {}): Uint8Array {
  return writeConnect({
    protocolVersion: version,
    clientId,
    cleanStart: true,
    keepAlive: 60,
    username: "user",
    password: encoder.encode("password"),
    ...more,
  })
}

const every = { qos: 2, noLocal: false, retainAsPublished: true, retainHandling: 0 } as const

let strangers = 0

/** Everything a client may do, up to a DISCONNECT. */
async function wholeLife(transport: Transport, where: Where, version: ProtocolVersion): Promise<void> {
  const clients: RawClient[] = []
  const opened = (from: From = { certificate: transport === "tls" }): RawClient => {
    const client = new RawClient(transport, where, version, from)
    clients.push(client)
    return client
  }
  try {
    // What a life that ended early left behind is gone.
    const zero = opened()
    zero.send(connectAs("victim", version))
    await zero.until(2)
    zero.destroy()
    const one = opened()
    const will = { topic: "victim/will", payload: Uint8Array.of(1), qos: 1, retain: true, delayInterval: 1 } as const
    const kept = { cleanStart: false, sessionExpiryInterval: 2, topicAliasMaximum: 5, will }
    one.send(connectAs("victim", version, kept))
    await one.until(2)
    const filters = ["victim/#", "victim/+/a", "$share/group/victim/shared", "forbidden/#"]
    one.send(
      writeSubscribe(
        1,
        filters.map((filter) => ({ filter, ...every })),
        version,
        version === 5 ? 7 : undefined,
      ),
    )
    await one.until(9)
    for (const qos of [0, 1, 2] as const) {
      for (const retain of [false, true]) {
        const packetId = 10 + qos * 2 + (retain ? 1 : 0)
        const properties = version === 5 ? [0x02, 0, 0, 0, 60, 0x23, 0, 1, ...userProperty("a", "b")] : []
        const payload = new Uint8Array(retain ? 5000 : 10)
        one.send(publishBytes(version, `victim/${qos}`, payload, { qos, retain, packetId, properties }))
        await one.until(3)
        if (qos > 0) await one.until(qos === 1 ? 4 : 7)
      }
    }
    one.send(publishBytes(version, "victim/shared", "x", { qos: 1, packetId: 30 }))
    await one.until(4)
    one.send(publishBytes(version, "forbidden/topic", "x", { qos: 1, packetId: 31 }))
    await one.until(4)
    one.send(publishBytes(version, "victim/0", "", { retain: true }))
    one.send(writeUnsubscribe(2, ["victim/+/a", "nothing"], version))
    await one.until(11)
    one.send(Uint8Array.of(0xc0, 0))
    await one.until(13)
    // Somebody else takes the session over, gets what waits, and is cut off: the will goes out.
    const two = opened()
    two.send(connectAs("victim", version, kept))
    await two.until(2)
    await one.untilClosed()
    two.send(publishBytes(version, "victim/x", "x", { qos: 2, packetId: 1 }))
    await two.until(3)
    two.destroy()
    // A client that breaks the protocol, one that may not come in, one that says good-bye.
    const three = opened()
    three.send(connectAs("victim", version, kept))
    await three.until(2)
    three.send(Uint8Array.of(0x82, 3, 0, 1, 0))
    await three.untilClosed()
    // Somebody else from somewhere else each time: failed logins hold up the next ones of their name and address.
    strangers++
    const stranger = opened({ localAddress: `127.0.${1 + (strangers >> 7)}.${1 + (strangers & 127)}` })
    stranger.send(
      connectAs("stranger", version, { username: `stranger ${strangers}`, password: encoder.encode("wrong") }),
    )
    await stranger.untilClosed()
    const four = opened()
    four.send(connectAs("victim", version))
    await four.until(2)
    four.send(writeServerPacket({ type: "disconnect", reasonCode: 0 }, version))
    await four.untilClosed()
  } finally {
    for (const client of clients) client.destroy()
  }
}

/** A client that does not read what it asked for, and then does. */
async function slowLife(where: Where): Promise<void> {
  const slow = connectTcp({ host: "127.0.0.1", port: where.listeners.find(({ type }) => type === "tcp")!.port })
  slow.on("error", () => undefined)
  const version = 5
  const fast = new RawClient("tcp", where, version)
  try {
    slow.write(connectAs("victim-slow", version))
    slow.write(writeSubscribe(1, [{ filter: "victim/bulk", ...every, qos: 1 }], version))
    fast.send(connectAs("victim", version))
    await fast.until(2)
    fast.send(Uint8Array.of(0xc0, 0))
    await fast.until(13)
    slow.pause()
    const payload = new Uint8Array(100_000)
    for (let i = 1; i <= 60; i++) {
      fast.send(publishBytes(version, "victim/bulk", payload, { qos: i % 2 === 0 ? 0 : 1, packetId: i }))
    }
    setTimeout(() => slow.resume(), 300)
    for (let i = 0; i < 30; i++) await fast.until(4)
  } finally {
    slow.destroy()
    fast.destroy()
  }
}

/** Who proves its password, again while it is connected, and after others of its address have failed to. */
async function scramLife(where: Where): Promise<void> {
  const clients: RawClient[] = []
  strangers++
  const localAddress = `127.0.${1 + (strangers >> 7)}.${1 + (strangers & 127)}`
  const authenticationMethod = "SCRAM-SHA-256"
  const login = async (password: string): Promise<RawClient> => {
    const client = new RawClient("tcp", where, 5, { localAddress })
    clients.push(client)
    const scram = new ScramClient("user", password, "nonce", pbkdf2)
    const authenticationData = scram.first()
    const own = { username: undefined, password: undefined }
    client.send(connectAs("victim", 5, { ...own, authenticationMethod, authenticationData }))
    await proves(client, scram)
    return client
  }
  const proves = async (client: RawClient, scram: ScramClient): Promise<void> => {
    await client.until(15)
    const authenticationData = await scram.final(client.authenticationData)
    client.send(writeServerPacket({ type: "auth", reasonCode: 0x18, authenticationMethod, authenticationData }, 5))
  }
  try {
    const one = await login("password")
    await one.until(2)
    const scram = new ScramClient("user", "password", "nonce", pbkdf2)
    const authenticationData = scram.first()
    one.send(writeServerPacket({ type: "auth", reasonCode: 0x19, authenticationMethod, authenticationData }, 5))
    await proves(one, scram)
    await one.until(15)
    for (let i = 0; i < 6; i++) await (await login("wrong")).untilClosed()
    // This one waits for its turn.
    const two = await login("password")
    await two.until(2)
    two.send(writeServerPacket({ type: "disconnect", reasonCode: 0 }, 5))
    await two.untilClosed()
  } finally {
    for (const client of clients) client.destroy()
  }
}

const tokenSecret = "the secret of the tokens of these clients"

/** Keys that tokens of these clients are checked with. */
export const jwks: string = JSON.stringify({
  keys: [{ kty: "oct", k: Buffer.from(tokenSecret).toString("base64url") }],
})

/** A token that was never seen before: one that was costs no check. */
function newToken(): Uint8Array {
  strangers++
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const rights = { publish: ["victim/#"], subscribe: ["victim/#"] }
  const claims = { sub: "token", exp: Math.floor(Date.now() / 1000) + 60, jti: String(strangers), ...rights }
  const input = `${part({ alg: "HS256" })}.${part(claims)}`
  return encoder.encode(`${input}.${createHmac("sha256", tokenSecret).update(input).digest("base64url")}`)
}

/** Who has a token, in the place of a password or by the Authentication Method, and renews it; and who is known to a server. */
async function hookedLife(where: Where): Promise<void> {
  const clients: RawClient[] = []
  const opened = (): RawClient => {
    strangers++
    const localAddress = `127.0.${1 + (strangers >> 7)}.${1 + (strangers & 127)}`
    const client = new RawClient("tcp", where, 5, { localAddress })
    clients.push(client)
    return client
  }
  const use = async (client: RawClient): Promise<void> => {
    client.send(writeSubscribe(1, [{ filter: "victim/#", ...every }], 5))
    await client.until(9)
    client.send(publishBytes(5, "victim/x", "x", { qos: 1, packetId: 2 }))
    await client.until(3)
    client.send(writeServerPacket({ type: "disconnect", reasonCode: 0 }, 5))
    await client.untilClosed()
  }
  try {
    const one = opened()
    const token = newToken()
    one.send(connectAs("victim", 5, { username: "whoever", password: token }))
    await one.until(2)
    await use(one)
    const again = opened()
    again.send(
      connectAs("victim", 5, { username: "whoever", password: token, cleanStart: false, sessionExpiryInterval: 2 }),
    )
    await again.until(2)
    again.send(writeSubscribe(1, [{ filter: "victim/#", ...every }], 5))
    await again.until(9)
    again.destroy()
    const authenticationMethod = "JWT"
    const own = { username: undefined, password: undefined }
    const kept = { cleanStart: false, sessionExpiryInterval: 2 }
    const two = opened()
    two.send(connectAs("victim", 5, { ...own, ...kept, authenticationMethod, authenticationData: newToken() }))
    await two.until(2)
    two.send(
      writeServerPacket({ type: "auth", reasonCode: 0x19, authenticationMethod, authenticationData: newToken() }, 5),
    )
    await two.until(15)
    await use(two)
    for (const bad of [newToken().fill(65, 30, 40), newToken().subarray(0, -1)]) {
      const stranger = opened()
      stranger.send(connectAs("stranger", 5, { username: "whoever", password: bad }))
      await stranger.untilClosed()
    }
    for (let i = 0; i < 2; i++) {
      const three = opened()
      three.send(connectAs("hooked", 5, { username: "hooked" }))
      await three.until(2)
      await use(three)
    }
  } finally {
    for (const client of clients) client.destroy()
  }
}

/** Through a proxy, twice: the second TLS connection resumes the session of the first. */
async function proxiedLife(where: Where): Promise<void> {
  const { port } = where.listeners.at(-1)!
  let session: Buffer | undefined
  for (const source of ["192.0.2.7", "192.0.2.8"]) {
    const raw = connectTcp({ host: "127.0.0.1", port, noDelay: true })
    raw.on("error", () => undefined)
    raw.write(`PROXY TCP4 ${source} 192.0.2.1 50000 8883\r\n`)
    const tls = connectTls({ socket: raw, ca: where.ca, servername: "localhost", ALPNProtocols: ["mqtt"], session })
    tls.on("session", (given) => {
      session = given
    })
    const client = new RawClient("tls", where, 5, {}, tls)
    try {
      // A Client Identifier of the broker's choosing, and a request that wants an answer.
      client.send(connectAs("", 5))
      await client.until(2)
      const request = { filter: "victim/asked", ...every }
      client.send(writeSubscribe(1, [request], 5))
      await client.until(9)
      const responseTopic = [0x08, 0, 6, ...encoder.encode("answer")]
      client.send(publishBytes(5, "victim/asked", "x", { qos: 1, packetId: 2, properties: responseTopic }))
      await client.until(3)
      client.send(writeServerPacket({ type: "disconnect", reasonCode: 0 }, 5))
      await client.untilClosed()
    } finally {
      client.destroy()
    }
  }
}

/** One that is no MQTT client at all. */
async function strangeLife(where: Where): Promise<void> {
  for (const { type, port } of where.listeners) {
    for (const greeting of ["GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", "\x16\x03\x01\x00\x05hello"]) {
      const socket = connectTcp({ host: "127.0.0.1", port })
      socket.on("error", () => undefined)
      socket.resume()
      const closed = new Promise<boolean>((resolve) => {
        socket.on("close", () => resolve(true))
        setTimeout(() => resolve(false), patience).unref()
      })
      // The broker's half is over with "end"; ours follows.
      socket.end(greeting)
      const done = await closed
      socket.destroy()
      if (!done) throw new LeftHanging(`${type} ${JSON.stringify(greeting)}`)
    }
  }
}

/** Somebody who runs the broker: reads all that there is, does something, and watches for a while. */
async function adminLife(where: Where): Promise<void> {
  const victim = new RawClient("tcp", where, 5)
  try {
    victim.send(connectAs("victim-admin", 5, { cleanStart: false, sessionExpiryInterval: 2 }))
    await victim.until(2)
    victim.send(writeSubscribe(1, [{ filter: "victim/#", ...every }], 5))
    await victim.until(9)
    const reads = [
      "broker",
      "listeners",
      "certificates",
      "metrics",
      "clients",
      "client?clientId=victim-admin",
      "sessions?user=",
    ]
    const more = [
      "session?clientId=victim-admin",
      "subscriptions",
      "topics",
      "retained",
      "handshake-failures",
      "refusals",
      "openapi.json",
    ]
    for (const path of [...reads, ...more, "nothing", "clients?cursor=x"]) await asks(where, `GET /api/v1/${path}`)
    await asks(where, "GET /health", undefined, false)
    await asks(where, "GET /api/v1/broker", undefined, false)
    await asks(where, "POST /api/v1/publish", '{"topic":"victim/said","text":"x","retain":true}')
    await asks(where, "GET /api/v1/retained-message?topic=victim/said")
    await asks(where, "DELETE /api/v1/retained-message?topic=victim/said")
    await asks(where, "POST /api/v1/ticket-keys/rotate", "{}")
    const done = await asks(where, "POST /api/v1/client/disconnect", '{"clientId":"victim-admin"}')
    // It was told that it has not been done.
    if (!done.startsWith("HTTP/1.1 200")) throw new CutOff()
    await victim.untilClosed()
    await asks(where, "DELETE /api/v1/session?clientId=victim-admin")
    await asks(where, "GET /api/v1/events", undefined, true, /events of the broker|^HTTP\/1.1 500/)
  } finally {
    victim.destroy()
  }
}

/** One request on a connection of its own, until its answer or, of a stream, what it begins with. Throws as a life does. */
async function asks(
  where: Where,
  line: string,
  body?: string,
  token = true,
  until = /\r\n\r\n[\s\S]/,
): Promise<string> {
  const socket = connectTcp({ host: "127.0.0.1", port: where.admin })
  socket.on("error", () => undefined)
  const authorization = token ? "Authorization: Bearer puremq_inside_out\r\n" : ""
  const length = body === undefined ? "" : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\n${authorization}${length}\r\n${body ?? ""}`)
  let text = ""
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on("data", (data) => {
        text += data
        if (until.test(text)) resolve()
      })
      socket.on("close", () => reject(new CutOff()))
      setTimeout(() => reject(new LeftHanging(line)), patience).unref()
    })
    return text
  } finally {
    socket.destroy()
  }
}

export interface Life {
  readonly name: string
  /** Throws CutOff when the broker ended it, LeftHanging when the broker did nothing. */
  live(where: Where): Promise<void>
}

export const lives: readonly Life[] = [
  ...(["tcp", "tls", "ws", "wss"] as const).map((transport) => ({
    name: `5.0 over ${transport}`,
    live: (where: Where) => wholeLife(transport, where, 5),
  })),
  { name: "3.1.1 over tcp", live: (where) => wholeLife("tcp", where, 4) },
  { name: "a slow reader", live: slowLife },
  { name: "by SCRAM", live: scramLife },
  { name: "by token, and by a server that is asked", live: hookedLife },
  { name: "through a proxy", live: proxiedLife },
  { name: "no MQTT client", live: strangeLife },
  { name: "by the admin API", live: adminLife },
]
