// What has to hold of the broker in workerd.

import { spawn } from "node:child_process"
import { connect as connectTls } from "node:tls"
import mqtt from "mqtt"
import { Client, pause } from "../../hostile/wire/client.ts"
import { packetType, property, publish, uint32 } from "../../hostile/wire/mqtt.ts"
import { frame } from "../../hostile/wire/websocket.ts"
import { openWire } from "../../hostile/wire/wire.ts"
import type { WorkerdBroker } from "./workerd-broker.ts"

export interface WorkerdRow {
  readonly name: string
  /** A program that it needs. */
  readonly needs?: string
  readonly run: (broker: WorkerdBroker) => Promise<string | undefined>
}

/** Milliseconds. */
const soon = 15_000

function check(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Error(problem)
}

async function until(done: () => boolean, problem: () => string, milliseconds = soon): Promise<void> {
  const end = performance.now() + milliseconds
  while (!done()) {
    check(performance.now() < end, problem())
    await pause(20)
  }
}

const logIn = (broker: WorkerdBroker, options: Parameters<typeof Client.connect>[2] = {}) =>
  Client.connect("tls", broker.tcp, { ...options, wire: { tls: broker.client } })

function mosquitto(broker: WorkerdBroker, name: "pub" | "sub", args: readonly string[]): Promise<string> {
  const { ca, cert, key } = broker.files
  const where = ["-h", "localhost", "-p", String(broker.tcp), "--cafile", ca, "--cert", cert, "--key", key, "-V", "5"]
  const child = spawn(`mosquitto_${name}`, [...where, ...args], { timeout: 30_000 })
  let [out, err] = ["", ""]
  child.stdout.on("data", (text) => {
    out += text
  })
  child.stderr.on("data", (text) => {
    err += text
  })
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (status) =>
      status === 0 ? resolve(out) : reject(new Error(`mosquitto_${name}: status ${status}, ${err}`)),
    )
  })
}

async function acknowledged(client: Client, packet: Uint8Array): Promise<void> {
  const answer = client.next(({ type }) => type === packetType.puback, soon)
  client.wire.send(packet)
  check((await answer) !== undefined, "no PUBACK")
}

const absent = { clientId: "absent", properties: [Uint8Array.of(property.sessionExpiry, ...uint32(3600))] }

const messages = 400
/** MiB beside what the process had: a third of what goes to a subscriber that does not read. */
const mostGrowth = 96

export const workerdRows: readonly WorkerdRow[] = [
  {
    name: "mosquitto over its TCP port and our TLS 1.3, with client certificates: QoS 0, 1, 2 and retained",
    needs: "mosquitto_pub",
    async run(broker) {
      for (const qos of ["0", "1", "2"]) {
        const before = broker.log.length
        const heard = mosquitto(broker, "sub", ["-t", `q/${qos}`, "-q", qos, "-C", "1", "-v", "-i", `sub-${qos}`])
        heard.catch(() => undefined)
        await until(
          () => broker.log.slice(before).includes(`"clientId":"sub-${qos}"`),
          () => "mosquitto_sub does not come in",
        )
        await pause(300) // its SUBSCRIBE is on its way
        await mosquitto(broker, "pub", ["-t", `q/${qos}`, "-m", `hello ${qos}`, "-q", qos])
        check((await heard) === `q/${qos} hello ${qos}\n`, `other words: ${await heard}`)
      }
      await mosquitto(broker, "pub", ["-t", "kept/a", "-m", "retained", "-q", "1", "-r"])
      check((await mosquitto(broker, "sub", ["-t", "kept/+", "-C", "1", "-v"])) === "kept/a retained\n", "not retained")
      check(broker.log.includes('"user":"device-1"'), "the log names no user device-1")
      return undefined
    },
  },
  {
    name: "no certificate and a stranger's certificate are refused, each with its alert",
    async run(broker) {
      const ended = (options: object) =>
        new Promise<string>((resolve) => {
          const socket = connectTls({ host: "127.0.0.1", port: broker.tcp, rejectUnauthorized: false, ...options })
          socket.on("error", (error) => resolve("code" in error ? String(error.code) : error.message))
          socket.on("close", () => resolve("closed"))
          socket.on("data", () => undefined)
        })
      const none = await ended({})
      check(/CERTIFICATE_REQUIRED/.test(none), `without a certificate: ${none}`)
      const old = await ended({ maxVersion: "TLSv1.2" })
      check(/PROTOCOL_VERSION/.test(old), `TLS 1.2: ${old}`)
      return undefined
    },
  },
  {
    name: "MQTT.js over WebSocket, where the host ends TLS: 1 MB both ways at QoS 2",
    async run(broker) {
      const payload = Buffer.alloc(1_000_000, "w")
      const client = await mqtt.connectAsync(`ws://127.0.0.1:${broker.http}/mqtt`, {
        protocolVersion: 5,
        reconnectPeriod: 0,
      })
      const heard = new Promise<Buffer>((resolve) => client.on("message", (_, message) => resolve(message)))
      await client.subscribeAsync("web", { qos: 2 })
      await client.publishAsync("web", payload, { qos: 2 })
      check(payload.equals(await heard), "other bytes came back")
      await client.endAsync()
      return undefined
    },
  },
  {
    name: "a subscriber stops reading: others get all of 26 MB, memory is bounded, and it goes on after",
    async run(broker) {
      const stopped = await logIn(broker, { clientId: "stopped" })
      await stopped.subscribe(["flood/#"])
      stopped.wire.pause()
      const reader = await logIn(broker, { clientId: "reader" })
      await reader.subscribe(["flood/#"])
      const publisher = await logIn(broker, { clientId: "publisher" })
      const before = broker.mebibytes
      const payload = Buffer.alloc(65_000, "f")
      for (let i = 1; i <= messages; i++) {
        publisher.wire.send(publish(5, "flood/x", payload))
        if (i % 10 !== 0) continue
        await until(
          () => reader.published >= i,
          () => `the reader has ${reader.published} of ${i} messages`,
        )
      }
      const most = broker.mebibytes
      stopped.wire.resume()
      check(await stopped.ping(soon), "it does not go on")
      check(stopped.published < messages, "everything was kept for it")
      for (const { wire } of [stopped, reader, publisher]) wire.destroy()
      if (before === undefined || most === undefined) return undefined
      check(most - before <= mostGrowth, `${most - before} MiB more than the ${before} MiB before`)
      return `${before} MiB, then ${most}; of ${messages} messages it was sent ${stopped.published}`
    },
  },
  {
    name: "who stops reading, and who keeps its half open, is let go of when the broker has ended its connection",
    async run(broker) {
      const stopped = await logIn(broker, { clientId: "held", keepAlive: 1 })
      await stopped.subscribe(["held/#"])
      stopped.wire.pause()
      const half = await logIn(broker, { clientId: "half", keepAlive: 1 })
      half.wire.stream.removeAllListeners("end").allowHalfOpen = true
      const publisher = await logIn(broker)
      const payload = Buffer.alloc(65_000, "h")
      for (let i = 0; i < 20; i++) {
        for (let j = 0; j < 10; j++) publisher.wire.send(publish(5, "held/x", payload))
        check(await publisher.ping(soon), "the publisher gets no PINGRESP")
      }
      await until(
        () =>
          /"clientId":"held"[^\n]*keep alive/.test(broker.log) && /"clientId":"half"[^\n]*keep alive/.test(broker.log),
        () => "no keep alive timeout",
      )
      const held = [stopped, half]
      // What is let go of answers by a reset.
      const knocking = setInterval(() => {
        for (const { wire } of held) wire.send(Uint8Array.of(0xc0, 0))
      }, 200)
      try {
        await until(
          () => held.every(({ wire }) => wire.isClosed),
          () => `still there: ${held.map(({ wire }) => !wire.isClosed)} (who does not read, who keeps its half open)`,
        )
      } finally {
        clearInterval(knocking)
        for (const { wire } of [...held, publisher]) wire.destroy()
      }
      return undefined
    },
  },
  {
    name: "a WebSocket's text, its messages of more than 2 MiB, and what is no MQTT end it; a neighbour notices nothing",
    async run(broker) {
      const neighbour = await logIn(broker, { clientId: "neighbour" })
      const attacks = [
        frame({ opcode: 1, payload: Buffer.from("text") }),
        frame({ payload: Buffer.alloc(8_000_000, Buffer.of(0xc0, 0)) }),
        frame({ payload: Buffer.of(0xf1, 0) }),
        Buffer.of(0xf2, 5, 1, 2, 3, 4, 5),
      ]
      for (const [i, bytes] of attacks.entries()) {
        const { stream, closed } = await openWire("ws", broker.http)
        stream.write(bytes)
        const late = pause(soon).then(() => true)
        check((await Promise.race([closed, late])) !== true, `attack ${i} is still there`)
        check(await neighbour.ping(soon), "the neighbour gets no PINGRESP")
      }
      neighbour.wire.destroy()
      return undefined
    },
  },
  {
    name: "random bytes, cut handshakes and resets: a neighbour notices nothing",
    async run(broker) {
      const neighbour = await logIn(broker, { clientId: "neighbour" })
      const { connect } = await import("node:net")
      for (let round = 0; round < 9; round++) {
        const socket = connect(broker.tcp, "127.0.0.1")
        socket.on("error", () => undefined)
        socket.write(Uint8Array.from([...(round % 2 === 0 ? [22, 3, 1, 2, 0] : []), ...Array(300).fill(round * 7)]))
        if (round % 3 === 0) setTimeout(() => socket.resetAndDestroy(), 20)
        else if (round % 3 === 1) socket.end()
        check(await neighbour.ping(soon), "the neighbour gets no PINGRESP")
        socket.destroy()
      }
      neighbour.wire.destroy()
      return undefined
    },
  },
  {
    name: "kill -9 and start: retained messages, and what waits at QoS 1 for an absent session, are there",
    async run(broker) {
      const session = await logIn(broker, absent)
      await session.subscribe(["waits/#"], 1)
      session.wire.destroy()
      const publisher = await logIn(broker)
      for (let i = 1; i <= 20; i++)
        await acknowledged(publisher, publish(5, `waits/${i}`, `message ${i}`, { qos: 1, packetId: i }))
      await acknowledged(publisher, publish(5, "kept/killed", "still here", { qos: 1, retain: true, packetId: 30 }))
      await broker.kill()
      await broker.start()
      const reader = await logIn(broker)
      await reader.subscribe(["kept/killed"])
      await until(
        () => reader.published >= 1,
        () => "the retained message is gone",
      )
      const again = await logIn(broker, { ...absent, cleanStart: false })
      await until(
        () => again.published === 20,
        () => `${again.published} of 20 messages were kept`,
      )
      for (const { wire } of [reader, again]) wire.destroy()
      return undefined
    },
  },
]
