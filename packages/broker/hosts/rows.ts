// What has to hold on each host, in this order: later rows find what earlier ones have left.

import { connect as connectTcp, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import mqtt from "mqtt"
import { Client, pause } from "../hostile/wire/client.ts"
import { connect, packetType, property, publish, uint32 } from "../hostile/wire/mqtt.ts"
import { openStream, type Transport, transports } from "../hostile/wire/wire.ts"
import { joinsCluster } from "./cluster-row.ts"
import { asksServers } from "./hooks-row.ts"
import { check, type Row, soon, until } from "./row.ts"
import { expect, mostHandshakes, times, type World } from "./world.ts"

/** Subscribes by mosquitto_sub; `publishing` begins once the broker knows of it. */
async function exchanged(world: World, where: readonly string[], qos: number): Promise<void> {
  const topic = `mosquitto/${where.length}/${qos}`
  const before = await world.metric("puremq_subscriptions")
  const { ended } = world.mosquitto("sub", [...where, "-t", topic, "-q", String(qos), "-C", "1", "-v"])
  await until(
    async () => (await world.metric("puremq_subscriptions")) > before,
    () => "mosquitto_sub does not subscribe",
  )
  const sent = world.mosquitto("pub", [...where, "-t", topic, "-m", `hello ${qos}`, "-q", String(qos)])
  expect(await sent.ended, { status: 0 })
  expect(await ended, { status: 0, out: `${topic} hello ${qos}\n` })
}

const overTls: Row = {
  name: "mosquitto over TLS 1.3 with client certificates: QoS 0, 1, 2 and retained",
  needs: "mosquitto_pub",
  async run(world) {
    const where = world.mosquittoTls()
    for (const qos of [0, 1, 2]) await exchanged(world, where, qos)
    const kept = world.mosquitto("pub", [...where, "-t", "kept/tls", "-m", "retained", "-q", "1", "-r"])
    expect(await kept.ended, { status: 0 })
    const read = world.mosquitto("sub", [...where, "-t", "kept/+", "-C", "1", "-v"])
    expect(await read.ended, { status: 0, out: "kept/tls retained\n" })
    check(/client connected .*transport=tls .*user=device-1/.test(world.broker.log), "the log names no user device-1")
    return undefined
  },
}

const refusesStrangers: Row = {
  name: "no certificate, a stranger's certificate and TLS 1.2 are refused, each with its alert",
  async run(world) {
    const ended = async (options: object) => {
      const socket = connectTls({ host: "127.0.0.1", port: world.port("tls"), rejectUnauthorized: false, ...options })
      const code = await new Promise<string>((resolve) => {
        socket.on("error", (error) => resolve("code" in error ? String(error.code) : error.message))
        socket.on("close", () => resolve("closed"))
        socket.on("data", () => undefined)
      })
      socket.destroy()
      return code
    }
    const stranger = { cert: world.read(".puremq/server.pem"), key: world.read(".puremq/server-key.pem") }
    const [none, strange, old] = [await ended({}), await ended(stranger), await ended({ maxVersion: "TLSv1.2" })]
    check(/CERTIFICATE_REQUIRED/.test(none), `without a certificate: ${none}`)
    check(/ALERT/.test(strange) && strange !== none, `with a server's certificate: ${strange}`)
    check(/PROTOCOL_VERSION/.test(old), `TLS 1.2: ${old}`)
    return undefined
  },
}

const overTcp: Row = {
  name: "mosquitto over TCP with a password; a wrong password is refused",
  needs: "mosquitto_pub",
  async run(world) {
    const where = ["-h", "127.0.0.1", "-p", String(world.port("tcp")), "-u", "alice"]
    for (const qos of [0, 1, 2]) await exchanged(world, [...where, "-P", "wonderland"], qos)
    const { status, err } = await world.mosquitto("pub", [...where, "-P", "wrong", "-t", "t", "-m", "m"]).ended
    check(status !== 0 && /user name or password/i.test(err), `a wrong password: status ${status}, ${err}`)
    return undefined
  },
}

const overWebSocket: Row = {
  name: "MQTT.js over WebSocket, and over WebSocket over TLS: 1 MB both ways at QoS 2",
  async run(world) {
    const payload = Buffer.alloc(1_000_000, "w")
    for (const transport of ["ws", "wss"] as const) {
      const url = `${transport}://localhost:${world.port(transport)}/mqtt`
      const client = await mqtt.connectAsync(url, { ca: world.identity.ca, protocolVersion: 5, reconnectPeriod: 0 })
      const heard = new Promise<Buffer>((resolve) => client.on("message", (_, message) => resolve(message)))
      await client.subscribeAsync(`web/${transport}`, { qos: 2 })
      await client.publishAsync(`web/${transport}`, payload, { qos: 2 })
      check(payload.equals(await heard), `${transport}: other bytes came back`)
      await client.endAsync()
    }
    return undefined
  },
}

const ownCommands: Row = {
  name: "puremq pub and sub on the host: TLS with a client certificate, TCP, WebSocket",
  async run(world) {
    const files = ["--cafile", ".puremq/ca.pem", "--cert", ".puremq/client.pem", "--key", ".puremq/client-key.pem"]
    const ways = { tls: files, tcp: ["--tcp"], ws: ["--ws"], wss: ["--wss", "--cafile", ".puremq/ca.pem"] }
    for (const [name, options] of Object.entries(ways)) {
      const where = ["-p", String(world.port(name)), ...options, "-t", `own/${name}`]
      expect(await world.command(["pub", ...where, "-m", `by ${name}`, "-q", "2", "-r"]), {
        status: 0,
        out: "",
        err: "",
      })
      const read = await world.command(["sub", ...where, "-C", "1", "-v"])
      expect(read, { status: 0, out: `own/${name} by ${name}\n`, err: "" })
    }
    return undefined
  },
}

const reloads: Row = {
  name: "SIGHUP: a new user gets in, connections stay",
  needsSignals: true,
  async run(world) {
    const stays = await world.client("tls")
    const bob = { clientId: "bob", username: "bob", password: "builder" }
    const refused = await world.client("tcp", bob).catch((error: Error) => error.message)
    check(refused === "CONNACK 0x86", `before it bob gets ${typeof refused === "string" ? refused : "in"}`)
    await world.addUser("bob", "builder")
    world.broker.child.kill("SIGHUP")
    check((await world.broker.prints(/ reloaded text=.*users: 2, 1 added/)) !== undefined, "the log has no reload")
    await world.client("tcp", bob)
    check(await stays.ping(soon), "a client that was connected is not any more")
    return undefined
  },
}

const watches: Row = {
  name: "$SYS and the metrics",
  async run(world) {
    const client = await world.client("tcp")
    const seen = new Set<string>()
    client.onPacket = ({ type, body }) => {
      if (type !== packetType.publish) return
      const length = body[0]! * 256 + body[1]!
      seen.add(Buffer.from(body.subarray(2, 2 + length)).toString())
    }
    await client.subscribe(["$SYS/#"])
    await until(
      () => seen.has("$SYS/broker/version") && seen.has("$SYS/broker/uptime"),
      () => `only ${[...seen].join(", ")}`,
    )
    check((await world.metric("puremq_clients_connected")) > 0, "the metrics have no client")
    check((await world.metric("puremq_heap_bytes")) > 1_000_000, "the metrics have a heap that is none")
    return undefined
  },
}

/** Requests over one TLS connection, or as many as the broker wants, each once the one before is answered. Resolves with what came back in all. */
async function asked(world: World, requests: readonly string[], wanted: RegExp): Promise<string> {
  let text = ""
  const open = () => {
    const next = connectTls({ host: "localhost", port: world.port("admin"), ca: world.read(".puremq/ca.pem") })
    next.on("data", (data) => {
      text += data
    })
    return next.on("error", () => undefined)
  }
  let socket = open()
  try {
    let answers = 0
    for (const request of requests) {
      if (/connection: close/i.test(text.slice(text.lastIndexOf("HTTP/1.1 ")))) {
        socket.destroy()
        socket = open()
      }
      const [line = "", body = ""] = request.split("\n")
      const head = `Host: localhost\r\nAuthorization: Bearer ${world.token}\r\nContent-Type: application/json`
      socket.write(`${line} HTTP/1.1\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      answers++
      await until(
        () => (text.match(/HTTP\/1\.1 \d/g) ?? []).length >= answers,
        () => `no answer to ${line.slice(0, 60)}: ${text.slice(-200)}`,
      )
    }
    await until(
      () => wanted.test(text),
      () => `not ${wanted}: ${text.slice(-300)}`,
    )
    return text
  } finally {
    socket.destroy()
  }
}

const administers: Row = {
  name: "the admin API over TLS 1.3: several requests on a connection, a body, a long topic, events",
  async run(world) {
    const client = await world.client("tcp")
    const long = `long/${"x".repeat(60_000)}`
    const requests = [
      "GET /health",
      "GET /api/v1/clients?limit=5",
      'POST /api/v1/publish\n{"topic":"admin/said","text":"hello","retain":true}',
      "GET /api/v1/retained-message?topic=admin/said",
      `POST /api/v1/publish\n${JSON.stringify({ topic: long, text: "hello", retain: true })}`,
      `GET /api/v1/retained-message?topic=${long}`,
      `DELETE /api/v1/retained-message?topic=${long}`,
      "DELETE /api/v1/retained-message?topic=admin/said",
      "GET /api/v1/openapi.json",
      "POST /api/v1/ticket-keys/rotate\n{}",
      "GET /api/v1/broker",
    ]
    const text = await asked(world, requests, /"runtime":"/)
    const bad = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)]
      .map(([, status]) => status)
      .filter((status) => status !== "200")
    check(bad.length === 0, `statuses ${bad.join(", ")}`)
    check(text.includes('"listeners":["tls","wss","admin"]'), "the keys of not all listeners were exchanged")
    const events = asked(world, ["GET /api/v1/events?events=client%20connected"], /event: client connected/)
    await pause(200)
    await world.client("ws")
    await events
    check(await client.ping(soon), "a client was cut off")
    return /"runtime":"([^"]+)"/.exec(text)?.[1]
  },
}

const locks: Row = {
  name: "a second broker, and a command, are refused a store that is in use",
  async run(world) {
    const second = await world.command(["start", "--no-tls", "--tcp", "0", "--data", "store"])
    for (const { status, err } of [second, await world.command(["store", "check", "store"])]) {
      check(
        status === 1 && /^puremq: another broker has the store .* open; stop it/.test(err),
        `status ${status}: ${err}`,
      )
    }
    return undefined
  },
}

const gates: Row = {
  name: "the handshake gate holds, and who says nothing, or a byte now and then, is closed in time",
  async run(world) {
    // Of the TLS listener; the other one has its own, and one is silent there.
    const allowed = mostHandshakes + 1
    const silent = await Promise.all(Array.from({ length: 2 * mostHandshakes }, () => opened(world.port("tls"))))
    const others = [await opened(world.port("tcp")), await opened(world.port("ws")), await opened(world.port("wss"))]
    const slow = await openStream("tcp", world.port("tcp"))
    const drops = connect({ clientId: "slow" })
    let at = 0
    const dripping = setInterval(() => slow.write(drops.subarray(at, ++at)), times.connect / 8)
    const open = (sockets: readonly { readonly destroyed: boolean }[]) =>
      sockets.filter(({ destroyed }) => !destroyed).length
    try {
      let most = 0
      const look = async () => {
        most = Math.max(most, await world.metric("puremq_tls_handshakes_pending"))
      }
      const full = async () => {
        await look()
        return most >= allowed
      }
      await until(full, () => `${most} handshakes under way`)
      // It waits for its turn, behind those that are silent.
      const behind = world.client("tls")
      const all = [...silent, ...others, slow]
      const closed = async () => {
        await look()
        return open(all) === 0
      }
      await until(closed, () => `${open(all)} are still open`, 4 * times.handshake + 2 * times.connect)
      check(most === allowed, `${most} handshakes were under way at once`)
      await behind
    } finally {
      clearInterval(dripping)
      for (const socket of [...silent, ...others, slow]) socket.destroy()
    }
    return undefined
  },
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: "127.0.0.1", port }, () => resolve(socket))
    socket.on("error", reject)
    socket.on("data", () => undefined)
    socket.on("end", () => socket.destroy())
  })
}

const messages = 1000
const messageBytes = 65_000
/** MiB beside what the process had before: half of what a subscriber that does not read is sent. */
const mostGrowth = 128

const stoppedReaders: Row = {
  name: "a subscriber on each transport stops reading: others get all of 250 MB, memory is bounded, and it goes on after",
  async run(world) {
    const stopped: Client[] = []
    for (const transport of transports) {
      const client = await world.client(transport, { clientId: `stopped-${transport}` })
      await client.subscribe(["flood/#"])
      client.wire.pause()
      stopped.push(client)
    }
    const readers = new Map<Transport, Client>()
    for (const transport of transports) {
      const reader = await world.client(transport, { clientId: `reader-${transport}` })
      await reader.subscribe(["flood/#"])
      readers.set(transport, reader)
    }
    const publisher = await world.client("tcp", { clientId: "flooder" })
    const payload = Buffer.alloc(messageBytes, "f")
    const before = world.mebibytes
    let most = before ?? 0
    for (let i = 1; i <= messages; i++) {
      publisher.wire.send(publish(5, "flood/x", payload))
      if (i % 10 !== 0) continue
      check(await publisher.ping(soon), `the publisher gets no PINGRESP after ${i} messages`)
      const behind = () => [...readers].filter(([, { published }]) => published < i).map(([name]) => name)
      await until(
        () => behind().length === 0,
        () => `readers over ${behind().join(", ")} did not get all of ${i} messages`,
      )
      most = Math.max(most, world.mebibytes ?? 0)
    }
    for (const client of stopped) client.wire.resume()
    for (const [at, client] of stopped.entries()) {
      check(await client.ping(soon), `over ${transports[at]} it does not go on`)
      const next = client.next(({ type, body }) => type === packetType.publish && body.length < 100, soon)
      publisher.wire.send(publish(5, "flood/end", "the end"))
      check((await next) !== undefined, `over ${transports[at]} nothing comes any more`)
      check(client.published < messages, `over ${transports[at]} everything was kept for it`)
    }
    if (before === undefined) return undefined
    check(most - before <= mostGrowth, `${most - before} MiB more than the ${before} MiB before`)
    return `${before} MiB, at most ${most}`
  },
}

const badClients: Row = {
  name: "random bytes, cut handshakes and resets on every port: a neighbour notices nothing",
  async run(world) {
    const neighbour = await world.client("tls", { clientId: "neighbour" })
    for (let round = 0; round < 10; round++) {
      for (const transport of transports) {
        const socket = await opened(world.port(transport))
        socket.on("error", () => undefined)
        const head = transport === "tls" || transport === "wss" ? [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3] : [16, 200, 1]
        socket.write(
          Uint8Array.from([
            ...(round % 2 === 0 ? head : []),
            ...Array.from({ length: 300 }, () => Math.random() * 256),
          ]),
        )
        if (round % 3 === 0) socket.resetAndDestroy()
        else if (round % 3 === 1) socket.end()
      }
      const asked = performance.now()
      check(await neighbour.ping(soon), "the neighbour gets no PINGRESP")
      check(performance.now() - asked < 2000, "the neighbour waited for more than 2 s")
    }
    return undefined
  },
}

const descriptors = 100

const lacksDescriptors: Row = {
  name: "no descriptor is left for connections: it is told, connected clients stay, and new ones get in once there are some",
  needs: "bash",
  async run(world) {
    const { program, port } = await world.cramped(descriptors)
    try {
      const stays = await Client.connect("tcp", port)
      const crowd = Array.from({ length: 2 * descriptors }, () => {
        const socket = connectTcp({ host: "127.0.0.1", port })
        return socket.on("error", () => undefined).resume()
      })
      check((await program.prints(/no listener can take a connection/)) !== undefined, "the log says nothing")
      check(await stays.ping(soon), "who was connected is not any more")
      for (const socket of crowd) socket.destroy()
      const back = async () =>
        await Client.connect("tcp", port, { wire: { timeout: 2000 }, patience: 2000 }).then(
          ({ wire }) => {
            wire.destroy()
            return true
          },
          () => false,
        )
      await until(back, () => "nobody gets in any more")
      check(await stays.ping(soon), "who was connected is not any more")
      stays.wire.destroy()
    } finally {
      await program.stop()
    }
    return undefined
  },
}

const absent = { clientId: "absent", properties: [Uint8Array.of(property.sessionExpiry, ...uint32(3600))] }

const survives: Row = {
  name: "kill -9 and start: retained messages, and what waits at QoS 1 for an absent session, are there; store check",
  async run(world) {
    const session = await world.client("tls", absent)
    await session.subscribe(["waits/#"], 1)
    session.wire.destroy()
    const publisher = await world.client("tcp")
    for (let i = 1; i <= 20; i++) {
      const acknowledged = publisher.next(({ type }) => type === packetType.puback, soon)
      publisher.wire.send(publish(5, `waits/${i}`, `message ${i}`, { qos: 1, packetId: i }))
      check((await acknowledged) !== undefined, "no PUBACK")
    }
    const kept = publisher.next(({ type }) => type === packetType.puback, soon)
    publisher.wire.send(publish(5, "kept/killed", "still here", { qos: 1, retain: true, packetId: 30 }))
    check((await kept) !== undefined, "no PUBACK")
    await world.kill()
    const checked = await world.command(["store", "check", "store"])
    check(checked.status === 0 && /is whole/.test(checked.out), `store check: ${checked.out}${checked.err}`)
    await world.start()
    const reader = await world.client("ws")
    await reader.subscribe(["kept/#"])
    await until(
      () => reader.published >= 1,
      () => "the retained message is gone",
    )
    const again = await world.client("tls", { ...absent, cleanStart: false })
    await until(
      () => again.published === 20,
      () => `${again.published} of 20 messages were kept`,
    )
    return undefined
  },
}

const stops: Row = {
  name: "SIGTERM: clients get DISCONNECT 0x8B, the process ends with status 0, nothing was a defect",
  needsSignals: true,
  async run(world) {
    const clients = await Promise.all(transports.map((transport) => world.client(transport)))
    const told = clients.map((client) => client.next(({ type }) => type === packetType.disconnect, soon))
    check((await world.metric("puremq_faults_total")) === 0, "puremq_faults_total is not 0")
    world.broker.child.kill("SIGTERM")
    for (const [at, each] of told.entries()) {
      const code = (await each)?.body[0]
      check(code === 0x8b, `over ${transports[at]} the reason is ${code}`)
    }
    check(await world.broker.endsWithin(soon), "it does not end")
    check(world.broker.status === 0, world.broker.end ?? "")
    check(world.broker.errors === "", `it printed: ${world.broker.errors.slice(0, 300)}`)
    check(
      !/ fault | error /.test(world.broker.output),
      `its log has a fault: ${/.*( fault | error ).*/.exec(world.broker.output)?.[0]}`,
    )
    expect(await world.command(["store", "check", "store"]), { status: 0 })
    return undefined
  },
}

export const rows: readonly Row[] = [
  overTls,
  refusesStrangers,
  overTcp,
  overWebSocket,
  ownCommands,
  reloads,
  watches,
  administers,
  locks,
  gates,
  stoppedReaders,
  badClients,
  lacksDescriptors,
  asksServers,
  joinsCluster,
  survives,
  stops,
]
