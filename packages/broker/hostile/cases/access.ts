// Identities that are claimed, rules that are bent, rights that were taken away.

import { writeFileSync } from "node:fs"
import type { Identity } from "@puremq/tls13/devcert"
import { nameConstraints } from "@puremq/tls13/devcert"
import type { Case } from "../case.ts"
import { authority, clientOf, pemsOf, selfSigned, serverOf } from "../certificates.ts"
import type { Program } from "../programs.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, pause } from "../wire/client.ts"
import { type Connect, packetType, property, publish, uint32, type Version } from "../wire/mqtt.ts"
import { openWire, type WireOptions } from "../wire/wire.ts"
import { passwordFile } from "./passwords.ts"

const hour = 3_600_000

/** What the log says of a client's identity. */
function identities({ log }: Program): string[] {
  return [...log.matchAll(/\b(?:identity|user)=("(?:[^"\\]|\\.)*"|\S+)/g)].map(([, name]) => name!.replaceAll('"', ""))
}

/** Shows a certificate and tries to log in without a name: nobody, by any right. */
async function pretend(scene: Scene, server: Server, what: string, shown: Identity, above: readonly Identity[] = []) {
  const { cert, key } = pemsOf(shown)
  const chain = cert + above.map((each) => pemsOf(each).cert).join("")
  const before = server.program.log.length
  let code: number | undefined
  try {
    const client = new Client(await openWire("tls", server.port("tls"), { tls: { cert: chain, key } }))
    code = await client.login({ clientId: "" }, 5000)
    client.wire.destroy()
  } catch {
    // Refused in the handshake.
  }
  await pause(100)
  scene.check(code !== 0, `${what}: let in`)
  const said = identities(server.program).filter((name) => name.includes("admin"))
  scene.check(said.length === 0, `${what}: logged as identity=${said[0]}`)
  scene.check(server.program.log.length > before, `${what}: no word in the log`)
}

const forged: Case[] = (["request", "require"] as const).map((when) => ({
  name: `a certificate of CN=admin that does not verify, --client-cert ${when}`,
  when: "first",
  beside: true,
  async run(scene: Scene) {
    const ca = authority({ subject: { commonName: "Devices CA" } })
    const server = await scene.broker({
      listeners: ["tls"],
      args: ["--ca", scene.file("ca.pem", pemsOf(ca).cert), "--client-cert", when],
      tls: pemsOf(clientOf(ca, "health")),
    })
    const now = Date.now()
    const impostor = authority({ subject: { commonName: "Devices CA" } })
    const admin = { commonName: "admin" }
    const attempts: Readonly<Record<string, Identity>> = {
      "signed by itself": selfSigned("admin"),
      expired: clientOf(ca, "admin", { notBefore: now - 48 * hour, notAfter: now - 24 * hour }),
      "not valid yet": clientOf(ca, "admin", { notBefore: now + 24 * hour, notAfter: now + 48 * hour }),
      "for servers": serverOf(ca, { subject: admin }),
      "of an authority of the same name": clientOf(impostor, "admin"),
      "of a device": clientOf(clientOf(ca, "device"), "admin"),
    }
    for (const [what, shown] of Object.entries(attempts)) await pretend(scene, server, what, shown)
    const tenant = authority({
      issuer: ca,
      subject: { commonName: "Tenant 1" },
      extensions: (usual) => [...usual, nameConstraints([{ type: "dns", value: "tenant1.example" }])],
    })
    await pretend(scene, server, "of an authority for tenant1.example", clientOf(tenant, "admin"), [tenant])
  },
}))

async function subscribes(scene: Scene, server: Server, options: Connect, filter: string): Promise<boolean> {
  try {
    const client = await scene.client(server, "tcp", options)
    const codes = await client.subscribe([filter])
    client.wire.destroy()
    return codes?.every((code) => code < 0x80) ?? false
  } catch {
    return false
  }
}

const rules: Case[] = [
  {
    name: "client ids that make a rule %c/# mean more",
    beside: true,
    async run(scene) {
      const server = await scene.broker({ args: ["--acl", scene.file("acl", "all readwrite %c/#\n")] })
      scene.check(await subscribes(scene, server, { clientId: "dev1" }, "dev1/#"), "dev1 may not read dev1/#")
      for (const clientId of ["$SYS", "$SYS/broker", "$share", "#", "+", "+/+", "", "dev1/#", "/"]) {
        for (const filter of [`${clientId}/#`, "$SYS/#", "$SYS/broker/#", "#"]) {
          const read = await subscribes(scene, server, { clientId }, filter)
          scene.check(!read, `client id ${JSON.stringify(clientId)} may read ${filter}`)
        }
      }
    },
  },
  {
    name: "user names that make a rule %u/# mean more",
    beside: true,
    async run(scene) {
      const server = await scene.broker({
        args: [
          ...["--acl", scene.file("acl", "all readwrite %u/#\n")],
          ...["--password-file", scene.file("passwords", passwordFile({ $SYS: "x", "+": "x" }))],
        ],
      })
      for (const username of ["$SYS", "+"]) {
        for (const filter of ["$SYS/#", "+/#", "#"]) {
          const read = await subscribes(scene, server, { clientId: "c", username, password: "x" }, filter)
          scene.check(!read, `user ${username} may read ${filter}`)
        }
      }
    },
  },
  {
    name: "WebSocket from a foreign page, ws",
    beside: true,
    async run(scene) {
      const server = await scene.broker({ listeners: ["ws"] })
      const port = server.port("ws")
      const opens = async (upgrade: WireOptions["upgrade"]): Promise<boolean> => {
        try {
          const wire = await openWire("ws", port, { ...(upgrade && { upgrade }) })
          const code = await new Client(wire).login({ clientId: "" }, 5000)
          wire.destroy()
          return code === 0
        } catch {
          return false
        }
      }
      const own = `localhost:${port}`
      const welcome = [
        { host: own },
        { host: `127.0.0.1:${port}` },
        { host: own, origin: `http://${own}` },
        { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` },
      ]
      for (const upgrade of welcome) scene.check(await opens(upgrade), `refused: ${JSON.stringify(upgrade)}`)
      const foreign = [
        { host: own, origin: "https://evil.example" },
        { host: own, origin: "null" },
        { host: own, origin: `http://${own}.evil.example` },
        { host: own, origin: `http://localhost:${port + 1}` },
        { host: "evil.example" },
        { host: `evil.example:${port}`, origin: `http://evil.example:${port}` },
      ]
      for (const upgrade of foreign) scene.check(!(await opens(upgrade)), `let in: ${JSON.stringify(upgrade)}`)
    },
  },
  {
    name: "users and rules that are gone at SIGHUP",
    when: "first",
    beside: true,
    async run(scene) {
      const all = passwordFile({ alice: "a", mallory: "m" })
      const passwords = scene.file("passwords", all)
      const acl = scene.file("acl", "all readwrite #\n")
      const server = await scene.broker({ args: ["--password-file", passwords, "--acl", acl] })
      const enters = (username: string, password: string): Promise<boolean> =>
        Client.connect("tcp", server.port(), { clientId: "", username, password }).then(
          ({ wire }) => {
            wire.destroy()
            return true
          },
          () => false,
        )
      const reload = async () => {
        const before = server.program.log.length
        server.program.child.kill("SIGHUP")
        // When it says nothing of it, the time is enough.
        for (let i = 0; i < 60 && !server.program.log.slice(before).includes("reload"); i++) await pause(25)
      }
      scene.check(await enters("mallory", "m"), "mallory is kept out before")
      writeFileSync(passwords, `${all.split("\n")[0]}\n`)
      writeFileSync(acl, "all readwrite public/#\n")
      await reload()
      scene.check(!(await enters("mallory", "m")), "mallory logs in though deleted")
      scene.check(await enters("alice", "a"), "alice is kept out")
      const reads = await subscribes(scene, server, { clientId: "", username: "alice", password: "a" }, "private/#")
      scene.check(!reads, "alice reads what her rule does not allow any more")
      writeFileSync(passwords, "this is no password file\n")
      writeFileSync(acl, "all readwrite other/#\n")
      await reload()
      scene.check(await enters("alice", "a"), "a broken file keeps alice out")
      const still = await subscribes(scene, server, { clientId: "", username: "alice", password: "a" }, "public/#")
      scene.check(still, "half of a reload was taken")
    },
  },
]

/** Session Expiry Interval: a week. */
const lasting = Buffer.concat([Uint8Array.of(property.sessionExpiry), uint32(7 * 24 * 3600)])

async function leaveSession(scene: Scene, server: Server, version: Version, options: Connect): Promise<void> {
  const properties = version === 5 ? [lasting] : []
  const client = await scene.client(server, "tcp", { ...options, version, cleanStart: false, properties })
  client.wire.destroy()
  await pause(200)
}

/** @returns the code of CONNACK; undefined when none came */
async function codeOf(server: Server, options: Connect): Promise<number | undefined> {
  const client = new Client(await openWire("tcp", server.port()), options.version ?? 5)
  const code = await client.login(options)
  client.wire.destroy()
  return code
}

const owners: Case[] = [
  {
    name: "an anonymous client takes alice-phone before alice does",
    when: "first",
    beside: true,
    async run(scene) {
      const passwords = scene.file("passwords", passwordFile({ alice: "a" }))
      const server = await scene.broker({ args: ["--password-file", passwords, "--anonymous"] })
      for (const version of [4, 5] as const) {
        const clientId = `alice-phone-${version}`
        await leaveSession(scene, server, version, { clientId })
        const properties = version === 5 ? [lasting] : []
        const alice = { version, clientId, username: "alice", password: "a", cleanStart: false, properties }
        const code = await codeOf(server, alice)
        scene.check(code === 0, `alice is refused with code ${code}, MQTT ${version}`)
        const later = await codeOf(server, { version, clientId })
        scene.check(later !== 0, `the anonymous client takes it back, MQTT ${version}`)
      }
    },
  },
  {
    name: "whose a client id is, between users",
    beside: true,
    async run(scene) {
      const passwords = scene.file("passwords", passwordFile({ alice: "a", bob: "b" }))
      const server = await scene.broker({ args: ["--password-file", passwords] })
      for (const version of [4, 5] as const) {
        const clientId = `phone-${version}`
        await leaveSession(scene, server, version, { clientId, username: "alice", password: "a" })
        const code = await codeOf(server, { version, clientId, username: "bob", password: "b" })
        const wanted = version === 5 ? 0x85 : 2
        scene.check(
          code === wanted,
          `bob's CONNACK for alice's id has code ${code} instead of ${wanted}, MQTT ${version}`,
        )
        const again = await codeOf(server, { version, clientId, username: "alice", password: "a" })
        scene.check(again === 0, `alice is refused her own id, MQTT ${version}`)
      }
      scene.check(
        /phone-5.*(alice|owner|another user|belongs)/.test(server.program.log),
        "the log does not say whose it is",
      )
    },
  },
  {
    name: "one user fills the session table",
    when: "last",
    seconds: 240,
    async run(scene) {
      const passwords = scene.file("passwords", passwordFile({ mallory: "m", alice: "a" }))
      const server = await scene.broker({ args: ["--password-file", passwords] })
      const mallory = { username: "mallory", password: "m", properties: [lasting] }
      // From now on the password is known to be right, and costs nothing.
      await codeOf(server, { ...mallory, clientId: "first" })
      let next = 0
      const work = async () => {
        while (next < 100_001 && server.program.alive) {
          const clientId = `m${next++}`
          const client = new Client(await openWire("tcp", server.port()))
          const code = await client.login({ ...mallory, clientId })
          client.wire.destroy()
          if (code !== 0) return
        }
      }
      await Promise.all(Array.from({ length: 64 }, work))
      const code = await codeOf(server, { clientId: "stranger", username: "alice", password: "a" })
      scene.check(code === 0, `a stranger is refused with code ${code}`)
    },
  },
]

/** Publishing to $SYS, where only the broker speaks. */
const sys: Case = {
  name: "messages to $SYS from clients",
  beside: true,
  async run(scene) {
    const server = await scene.broker()
    const reader = await scene.client(server, "tcp", { clientId: "reader" })
    await reader.subscribe(["$SYS/forged/#"])
    const writer = await scene.client(server, "tcp", { clientId: "writer" })
    for (const retain of [false, true]) writer.wire.send(publish(5, "$SYS/forged/x", "lie", { retain }))
    const heard = await reader.next(({ type }) => type === packetType.publish, 700)
    scene.check(heard === undefined, "it is passed on")
  },
}

export const accessCases: readonly Case[] = [...forged, ...rules, sys, ...owners]
