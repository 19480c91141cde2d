// Logins with passwords: each costs the broker 32 MiB and a fifth of a second, and anybody may ask.

import { randomBytes, scryptSync } from "node:crypto"
import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { openWire } from "../wire/wire.ts"

/** As `puremq passwd` writes it, with its default cost. */
export function passwordFile(users: Readonly<Record<string, string>>): string {
  const unpadded = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replace(/=+$/, "")
  const lines = Object.entries(users).map(([user, password]) => {
    const salt = randomBytes(16)
    const hash = scryptSync(password, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 28 })
    return `${user}:$scrypt$ln=15,r=8,p=1$${unpadded(salt)}$${unpadded(hash)}`
  })
  return `${lines.join("\n")}\n`
}

const users = { alice: "wonderland", neighbour: "fence" } as const
const alice = { username: "alice", password: users.alice } as const

function withPasswords(scene: Scene): Promise<Server> {
  return scene.broker({ args: ["--password-file", scene.file("passwords", passwordFile(users))] })
}

interface Login {
  readonly username: string
  readonly password: string
}

/** @returns the code of CONNACK; undefined when the connection ends or stays silent instead */
async function attempt(
  server: Server,
  login: Login,
  milliseconds: number,
  options: { version?: 4 | 5; from?: string } = {},
) {
  const { version = 5, from } = options
  const client = new Client(await openWire("tcp", server.port("tcp"), from === undefined ? {} : { from }), version)
  const code = await client.login(login, milliseconds)
  client.wire.destroy()
  return code
}

/** The floods come from another address than those who are at home here; Linux has all of 127.0.0.0/8. */
const elsewhere: { readonly from?: string } = process.platform === "linux" ? { from: "127.0.0.2" } : {}

/** A connected client has at least one in so many of the round trips that it has when nobody else is there. */
const mostTimes = 15

/** PINGREQ after PINGREQ: how many are answered in a second. */
async function roundTrips(client: Client, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds
  let count = 0
  while (performance.now() < end && (await client.ping(milliseconds))) count++
  return count / (milliseconds / 1000)
}

/** Addresses that guess. */
const guessers = 40

/** Milliseconds of patience that a client has. */
const patience = 30_000

export const passwordCases: readonly Case[] = [
  {
    name: "60 clients at once with one right login",
    seconds: 90,
    async run(scene) {
      const server = await withPasswords(scene)
      const codes = await Promise.all(Array.from({ length: 60 }, () => attempt(server, alice, patience)))
      const silent = codes.filter((code) => code === undefined).length
      const refused = codes.filter((code) => code !== undefined && code !== 0).length
      scene.check(silent === 0, `${silent} of 60 get no CONNACK`)
      scene.check(refused === 0, `${refused} of 60 are refused`)
    },
  },
  {
    name: "a right login behind 100 wrong users",
    when: "first",
    seconds: 90,
    async run(scene) {
      const server = await withPasswords(scene)
      for (let i = 0; i < 100; i++) {
        void attempt(server, { username: `nobody-${i}`, password: "x" }, patience, elsewhere).catch(() => undefined)
      }
      await pause(300)
      const began = performance.now()
      const code = await attempt(server, alice, patience)
      const took = (performance.now() - began) / 1000
      scene.check(
        code === 0,
        `alice ${code === undefined ? `gets no CONNACK in ${took.toFixed(1)} s` : `is refused with code ${code}`}`,
      )
      if (code === 0) scene.check(took <= 10, `alice waits ${took.toFixed(1)} s`)
    },
  },
  {
    name: "who logs in wrongly is answered, 5.0 and 3.1.1",
    seconds: 90,
    async run(scene) {
      const server = await withPasswords(scene)
      const answers = { 4: [3, 4, 5], 5: [0x86, 0x87, 0x88, 0x89, 0x97] } as const
      let silent = 0
      const others = new Set<number>()
      await each(Array.from({ length: 80 }).keys(), 80, async (i) => {
        const version = i % 2 === 0 ? 4 : 5
        const code = await attempt(server, { username: i % 3 === 0 ? "alice" : `u${i}`, password: "wrong" }, patience, {
          version,
        })
        if (code === undefined) silent++
        else if (!answers[version].some((each) => each === code)) others.add(code)
      })
      scene.check(silent === 0, `${silent} of 80 get no CONNACK`)
      scene.check(others.size === 0, `codes ${[...others].join(", ")}`)
    },
  },
  {
    name: "20 wrong logins at a time, beside a connected client",
    async run(scene) {
      const server = await withPasswords(scene)
      const login = { username: "neighbour", password: users.neighbour }
      await scene.neighbour(server, login)
      const client = await scene.client(server, "tcp", { clientId: "busy", ...login })
      await roundTrips(client, 500)
      const quiet = await roundTrips(client, 1000)
      const end = performance.now() + 3200
      const flood = each(Array.from({ length: 20 }).keys(), 20, async (i) => {
        while (performance.now() < end) {
          await attempt(server, { username: `nobody-${i}`, password: "x" }, 5000, elsewhere).catch(() => undefined)
          await pause(20)
        }
      })
      await pause(200)
      const busy = await roundTrips(client, 2500)
      await flood
      const words = `${busy.toFixed(0)} round trips a second instead of ${quiet.toFixed(0)}`
      scene.check(busy * mostTimes >= quiet, words)
    },
  },
  {
    name: "passwords and names of 65,535 bytes, 200 times",
    seconds: 90,
    async run(scene) {
      const server = await withPasswords(scene)
      await scene.neighbour(server, { username: "neighbour", password: users.neighbour })
      const long = "x".repeat(65_535)
      await each(Array.from({ length: 200 }).keys(), 40, (i) =>
        attempt(
          server,
          { username: i % 2 === 0 ? "alice" : long.slice(0, 60_000), password: long },
          3000,
          elsewhere,
        ).catch(() => undefined),
      )
    },
  },
  {
    name: "logins that are given up at once, 500 times",
    async run(scene) {
      const server = await withPasswords(scene)
      await scene.neighbour(server, { username: "neighbour", password: users.neighbour })
      await each(Array.from({ length: 500 }).keys(), 50, async (i) => {
        const client = new Client(await openWire("tcp", server.port("tcp"), elsewhere))
        void client.login({ username: `u${i}`, password: "x" }, 10)
        await pause(5)
        client.wire.destroy()
      })
      await pause(1000)
      // Who is told to come later comes later.
      const end = performance.now() + 15_000
      let code = await attempt(server, alice, 15_000)
      while (code !== 0 && performance.now() < end) {
        await pause(1000)
        code = await attempt(server, alice, 15_000)
      }
      scene.check(code === 0, `alice ${code === undefined ? "gets no CONNACK" : `is refused with code ${code}`}`)
    },
  },
  {
    name: `wrong logins from ${guessers} addresses, again and again, beside right ones`,
    when: "first",
    seconds: 120,
    addresses: true,
    async run(scene) {
      const fresh = Array.from({ length: 3 }, (_, i) => `fresh-${i}`)
      const file = passwordFile(Object.fromEntries(fresh.map((user) => [user, "right"])))
      const server = await scene.broker({ args: ["--password-file", scene.file("passwords", file)] })
      let flooding = true
      let answered = 0
      const began = performance.now()
      for (let i = 1; i <= guessers; i++) {
        const again = async () => {
          for (let times = 0; flooding && server.program.alive; times++) {
            const login = { username: `nobody-${i}`, password: "x" }
            await attempt(server, login, patience, { from: `127.0.1.${i}` }).catch(() => undefined)
            if (times === 0) answered++
            await pause(10)
          }
        }
        void again()
      }
      scene.atEnd(() => {
        flooding = false
      })
      // Who has not been wrong yet is as good as anybody.
      while (answered < guessers && performance.now() - began < 60_000) await pause(20)
      const round = (performance.now() - began) / 1000
      // To stand behind all of them is what is wrong; the few that are under way are not.
      const longest = 1 + round / 4
      for (const [i, username] of fresh.entries()) {
        const asked = performance.now()
        const code = await attempt(server, { username, password: "right" }, patience, { from: `127.0.2.${i + 1}` })
        const took = (performance.now() - asked) / 1000
        const who = "a user whom nobody has seen yet"
        scene.check(code === 0, `${who} gets ${code === undefined ? "no CONNACK" : `code ${code}`}`)
        scene.check(took <= longest, `${who} waits ${took.toFixed(1)} s where all the wrong take ${round.toFixed(1)} s`)
        if (took > longest) break
      }
    },
  },
]
