// Much that becomes due at once: copies of one frame's messages, matches of one topic, wills of one second, rules of all.

import { writeFileSync } from "node:fs"
import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, fromOneOfMany, pause } from "../wire/client.ts"
import { property, publish, uint32 } from "../wire/mqtt.ts"
import { frame } from "../wire/websocket.ts"
import { lasting, send } from "./memory.ts"
import { publishMany } from "./time.ts"

/** Clients that subscribe to one filter and look at nothing that comes. */
async function listeners(scene: Scene, server: Server, count: number, filter: string): Promise<void> {
  await each(Array.from({ length: count }).keys(), 32, async (i) => {
    const client = await scene.client(server, "tcp", { clientId: `listener-${i}` })
    const codes = await client.subscribe([filter])
    if (codes?.[0] !== 0) scene.fell(`SUBACK of ${filter} has code ${codes?.[0]}`)
    client.wire.onBytes = () => undefined
  })
}

/** The filters of so many levels, each `a` or `+`, which all match one topic. */
function overlapping(levels: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const path = Array.from({ length: levels }, (_, bit) => ((n >> bit) & 1 ? "a" : "+"))
    return `${path.join("/")}/#`
  })
}

/** Sessions with 1,000 filters each that all match topics of `dearTopic`, and look at nothing that comes. */
export async function overlappingSessions(scene: Scene, server: Server, count: number): Promise<void> {
  const filters = overlapping(10, 1000)
  for (let i = 0; i < count; i++) {
    const client = await scene.client(server, "tcp", { clientId: `s${i}` })
    const codes = await client.subscribe(filters)
    scene.check(codes?.every((code) => code < 0x80) === true, "filters are refused")
    client.wire.onBytes = () => undefined
  }
}

/** Each a topic of its own, whose subscribers nobody has looked up before. */
export function dearTopic(i: number): string {
  return `${"a/".repeat(10)}${i}`
}

const filtersHeld = 200_000

/** Sessions of several addresses, as one has three quarters at most. @returns how many filters they hold */
async function holdFilters(scene: Scene, server: Server): Promise<number> {
  let held = 0
  for (let i = 0; i < 60 && held < filtersHeld; i++) {
    const wire = process.platform === "linux" ? { from: `127.0.1.${1 + (i % 10)}` } : {}
    const client = await scene.client(server, "tcp", { clientId: `holder-${i}`, wire })
    for (let at = 0; at < 10_000; at += 1000) {
      const codes = await client.subscribe(Array.from({ length: 1000 }, (_, n) => `h/${i}/${at + n}`))
      const granted = codes?.filter((code) => code < 0x80).length ?? 0
      held += granted
      if (granted === 0) break
    }
  }
  return held
}

const wills = 6000
const readers = 30

export const turnCases: readonly Case[] = [
  {
    name: "one WebSocket frame of 180,000 PUBLISH with 1,000 subscribers",
    when: "first",
    seconds: 90,
    async run(scene) {
      const server = await scene.broker({ listeners: ["tcp", "ws"] })
      await listeners(scene, server, 1000, "t")
      await scene.neighbour(server, { transport: "tcp" })
      const client = await scene.client(server, "ws", { clientId: "greedy" })
      const payload = Buffer.concat(Array<Uint8Array>(180_000).fill(publish(5, "t", "")))
      client.wire.stream.write(frame({ payload }))
      // Minutes of work: the neighbour's answers come in between.
      await pause(4000)
      client.wire.destroy()
    },
  },
  {
    name: "60 sessions of 1,000 overlapping filters and 10 messages",
    seconds: 90,
    async run(scene) {
      const server = await scene.broker()
      await overlappingSessions(scene, server, 60)
      await scene.neighbour(server)
      const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
      for (let i = 0; i < 10; i++) publisher.wire.send(publish(5, dearTopic(i), "m"))
      scene.check(await publisher.ping(30_000), "the publisher gets no PINGRESP")
    },
  },
  {
    name: "2,000 messages for a share group of 1,500 that may read none",
    seconds: 90,
    async run(scene) {
      const rules = "all readwrite #\nall deny-read secret/#\n"
      const server = await scene.broker({ args: ["--acl", scene.file("acl", rules)] })
      await listeners(scene, server, 1500, "$share/g/#")
      await scene.neighbour(server, { topic: "secret", asks: "ping" })
      await publishMany(scene, server, (i) => `secret/${i % 100}`, 2000)
    },
  },
  {
    name: `${wills.toLocaleString("en")} wills that fall due in one second, ${readers} readers`,
    when: "first",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      const counts = await Promise.all(
        Array.from({ length: readers }, async (_, i) => {
          const reader = await scene.client(server, "tcp", { clientId: `reader-${i}` })
          await reader.subscribe(["gone/#"], 1)
          return reader
        }),
      )
      const delay = Buffer.concat([Uint8Array.of(property.willDelay), uint32(2)])
      const clients: Client[] = []
      await each(Array.from({ length: wills }).keys(), 32, async (i) => {
        const will = { topic: `gone/${i}`, payload: Buffer.alloc(10), qos: 1 as const, properties: [delay] }
        const request = { clientId: `w${i}`, will, properties: lasting }
        clients.push(await Client.connect("tcp", server.port(), request))
      })
      await scene.neighbour(server)
      for (const client of clients) client.wire.destroy()
      const end = performance.now() + 30_000
      while (counts.some(({ published }) => published < wills) && performance.now() < end) await pause(50)
      const least = Math.min(...counts.map(({ published }) => published))
      scene.check(least === wills, `a reader gets ${least} of ${wills} wills`)
    },
  },
  {
    name: `SIGHUP with 100 new rules and ${filtersHeld.toLocaleString("en")} filters held`,
    when: "first",
    seconds: 120,
    async run(scene) {
      const acl = scene.file("acl", "all readwrite #\n")
      const server = await scene.broker({ args: ["--acl", acl] })
      const held = await holdFilters(scene, server)
      scene.check(held >= filtersHeld / 2, `only ${held} filters are held`)
      await scene.neighbour(server)
      await pause(200)
      const rules = Array.from({ length: 50 }, (_, i) => `all deny-read secret/${i}/#\nall deny-read h/+/${i}`)
      writeFileSync(acl, `all readwrite #\nall deny-read secret/x\n${rules.join("\n")}\n`)
      const before = server.program.log.length
      server.program.child.kill("SIGHUP")
      const end = performance.now() + 30_000
      while (!server.program.log.slice(before).includes("reload") && performance.now() < end) await pause(20)
      scene.check(performance.now() < end, "the log says nothing of a reload")
      const client = await scene.client(server, "tcp", { clientId: "later" })
      const codes = await client.subscribe(["secret/x", "open/x"])
      scene.check(codes?.[0] === 0x87 && codes[1] === 0, `after it SUBACK has codes ${codes?.join(", ")}`)
    },
  },
  {
    name: "SIGHUP twice with 100 new rules, and 10 absent sessions of 9,000 messages",
    when: "last",
    seconds: 120,
    async run(scene) {
      const acl = scene.file("acl", "all readwrite #\n")
      const server = await scene.broker({ args: ["--acl", acl] })
      for (let i = 0; i < 10; i++) {
        const request = { clientId: `absent-${i}`, properties: lasting, wire: fromOneOfMany(i * 250) }
        const absent = await scene.client(server, "tcp", request)
        await absent.subscribe(["q/#"], 1)
        absent.wire.destroy()
      }
      const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
      const deep = "a/".repeat(28)
      const message = (_: unknown, i: number) => publish(5, `q/${i}/${deep}`, "", { qos: 1, packetId: i + 1 })
      await send(publisher, Array.from({ length: 9000 }, message))
      await scene.neighbour(server)
      for (const turn of ["one", "two"]) {
        const rules = Array.from(
          { length: 50 },
          (_, i) => `all deny-read ${turn}/${i}/#\nall deny-read ${"+/".repeat(30)}${i}`,
        )
        writeFileSync(acl, `all readwrite #\n${rules.join("\n")}\n`)
        server.program.child.kill("SIGHUP")
        await pause(2000)
      }
    },
  },
]
