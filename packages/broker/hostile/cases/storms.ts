// Handshakes and records of many TLS clients at the same moment, on the broker's listener and on `tls13 serve`.

import type { Duplex } from "node:stream"
import { ClientConnection, createClientConfig } from "@puremq/tls13"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { acceptAnyCertificate } from "@puremq/tls13/dangerous"
import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { each, pause } from "../wire/client.ts"
import { rawClientHello } from "../wire/client-hello.ts"
import { connect, pingreq, publish } from "../wire/mqtt.ts"
import { openStream } from "../wire/wire.ts"

type Target = "puremq start" | "tls13 serve"

async function start(scene: Scene, target: Target): Promise<Server> {
  if (target === "tls13 serve") return scene.tlsServer(["--echo"])
  return scene.broker({ listeners: ["tcp", "tls"] })
}

/** Those who are there already: on TLS, and where there is one on the listener beside it. */
async function neighbours(scene: Scene, server: Server, target: Target): Promise<void> {
  if (target === "tls13 serve") await scene.neighbour(server, { asks: "echo" })
  else {
    await scene.neighbour(server, { transport: "tls", topic: "tls" })
    await scene.neighbour(server, { transport: "tcp", topic: "tcp" })
  }
}

/* ------------------------------------------------------------ records */

const config = createClientConfig({
  provider: createHostProvider(),
  serverName: "localhost",
  verifier: acceptAnyCertificate(),
})

interface Speaker {
  readonly stream: Duplex
  readonly connection: ClientConnection
}

/** A client of ours that is connected, and with the broker logged in; its records can be made without being sent. */
async function speaker(scene: Scene, server: Server, target: Target, i: number): Promise<Speaker> {
  const stream = await openStream("tcp", server.port("tls"))
  stream.on("error", () => undefined)
  scene.atEnd(() => stream.destroy())
  const connection = new ClientConnection(config, Date.now())
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no handshake in time")), 20_000)
    const take = ({ output, events }: ReturnType<ClientConnection["start"]>) => {
      if (output.length > 0) stream.write(output)
      for (const event of events) {
        if (event.type === "failed") reject(event.error)
        const login = target === "puremq start"
        if (event.type === "connected" && login) stream.write(connection.send(connect({ clientId: `t${i}` })).output)
        if (event.type !== (login ? "data" : "connected")) continue
        clearTimeout(timer)
        stream.off("data", heard).resume()
        resolve()
      }
    }
    const heard = (bytes: Uint8Array) => take(connection.receive(bytes, Date.now()))
    stream.on("data", heard)
    take(connection.start())
  })
  return { stream, connection }
}

const storms = {
  // Data in between, or it would be too many.
  "2,000 KeyUpdates": ({ connection }: Speaker) =>
    Array.from({ length: 2000 }, (_, i) =>
      i % 30 === 29
        ? [connection.updateKeys("update_requested").output, connection.send(pingreq()).output]
        : [connection.updateKeys("update_requested").output],
    ).flat(),
  "6,000 records of one byte": ({ connection }: Speaker) =>
    Array.from({ length: 6000 }, (_, i) => connection.send(pingreq().subarray(i % 2, (i % 2) + 1)).output),
}

function recordStorm(target: Target, what: keyof typeof storms): Case {
  return {
    name: `${what} by each of 20 clients, ${target}`,
    ...(target === "puremq start" && what === "2,000 KeyUpdates" && { when: "first" as const }),
    seconds: 120,
    async run(scene) {
      const server = await start(scene, target)
      const speakers: Speaker[] = []
      for (let i = 0; i < 20; i++) speakers.push(await speaker(scene, server, target, i))
      const bytes = speakers.map((one) => Buffer.concat(storms[what](one)))
      await neighbours(scene, server, target)
      for (const [i, { stream }] of speakers.entries()) stream.write(bytes[i]!)
      await pause(3000)
      const gone = speakers.filter(({ stream }) => stream.destroyed).length
      scene.check(gone === 0, `${gone} clients are ended, who did what they may`)
    },
  }
}

/* ------------------------------------------------------------ handshakes */

const addresses = 16
const perAddress = 60

function helloStorm(target: Target): Case {
  return {
    name: `${addresses * perAddress} ClientHellos at once, ${target}`,
    ...(target === "tls13 serve" && { when: "first" as const }),
    seconds: 120,
    addresses: true,
    async run(scene) {
      const server = await start(scene, target)
      await neighbours(scene, server, target)
      const open: Duplex[] = []
      let answered = 0
      await each(Array.from({ length: addresses * perAddress }).keys(), 64, async (i) => {
        const stream = await openStream("tcp", server.port("tls"), { from: `127.0.5.${1 + (i % addresses)}` })
        scene.atEnd(() => stream.destroy())
        stream.on("error", () => undefined).once("data", () => answered++)
        open.push(stream)
      })
      const hello = rawClientHello(0x001d)
      for (const stream of open) stream.write(hello)
      const end = performance.now() + 15_000
      while (answered < open.length && performance.now() < end) await pause(50)
      scene.check(answered > 0, "no ClientHello is answered")
    },
  }
}

/* ------------------------------------------------------------ output */

const outputStorm: Case = {
  name: "5 messages of 1 MB to each of 200 readers, puremq start",
  when: "first",
  seconds: 120,
  async run(scene) {
    const server = await start(scene, "puremq start")
    await each(Array.from({ length: 200 }).keys(), 16, async (i) => {
      const client = await scene.client(server, "tls", { clientId: `r${i}`, patience: 60_000 })
      await client.subscribe(["big"])
      client.wire.onBytes = () => undefined
    })
    await neighbours(scene, server, "puremq start")
    await pause(500)
    const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
    for (let i = 0; i < 5; i++) {
      publisher.wire.send(publish(5, "big", Buffer.alloc(1_000_000, "x")))
      await pause(200)
    }
    await pause(4000)
  },
}

const targets: readonly Target[] = ["puremq start", "tls13 serve"]

export const stormCases: readonly Case[] = [
  ...targets.flatMap((target) => [
    helloStorm(target),
    recordStorm(target, "2,000 KeyUpdates"),
    recordStorm(target, "6,000 records of one byte"),
  ]),
  outputStorm,
]
