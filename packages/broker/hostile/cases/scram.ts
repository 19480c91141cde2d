// Logins by SCRAM: each costs the broker some hashes, keeps a place while the client thinks, and anybody may begin one.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { auth, type Content, connect, packetType, type Received } from "../wire/mqtt.ts"
import {
  authenticationDataOf,
  clientFinal,
  clientFirst,
  type Derived,
  freshNonce,
  scramKeys,
  scramProperties,
} from "../wire/scram.ts"
import { openWire } from "../wire/wire.ts"
import { passwordFile } from "./passwords.ts"

const users = { alice: "wonderland", bob: "builder", neighbour: "fence" } as const

/** Reason Codes of AUTH. */
const [goOn, again] = [0x18, 0x19]

function withScram(scene: Scene, args: readonly string[] = []): Promise<Server> {
  const lines = passwordFile(users).trimEnd().split("\n")
  const all = lines.map((line, i) => line + scramKeys(Object.values(users)[i]!))
  const file = scene.file("passwords", `${all.join("\n")}\n`)
  return scene.broker({ args: ["--password-file", file, ...args] })
}

const isAnswer = ({ type }: Received) => type === packetType.auth || type === packetType.connack
const patience = 30_000

/** What clients of this process have derived of their passwords. */
const derived = new Map<string, Derived>()

/** Milliseconds that a right login may take beside others. */
const mostMilliseconds = 10_000

async function open(server: Server, from?: string): Promise<Client> {
  return new Client(await openWire("tcp", server.port("tcp"), from === undefined ? {} : { from }))
}

/** Sends CONNECT with this. @returns the answer, AUTH or CONNACK; undefined: none came */
function begin(client: Client, data: Content | undefined, method?: Content): Promise<Received | undefined> {
  const answer = client.next(isAnswer, patience)
  client.wire.send(connect({ properties: scramProperties(data, method) }))
  return answer
}

function say(client: Client, code: number, data: Content | undefined): Promise<Received | undefined> {
  const answer = client.next(({ type }) => type !== packetType.publish, patience)
  client.wire.send(auth(code, scramProperties(data)))
  return answer
}

/** @returns the code of CONNACK; undefined when the connection ends or stays silent instead */
async function login(client: Client, user: string, password: string): Promise<number | undefined> {
  const nonce = freshNonce()
  const answer = await begin(client, clientFirst(user, nonce))
  if (answer?.type !== packetType.auth) return answer?.body[1]
  const final = clientFinal(user, password, nonce, authenticationDataOf(answer) ?? "", derived)
  return (await say(client, goOn, final))?.body[1]
}

/** Alice comes in, in time. */
async function aliceComes(scene: Scene, server: Server, from?: string): Promise<void> {
  const began = performance.now()
  const client = await open(server, from)
  const code = await login(client, "alice", users.alice)
  const took = performance.now() - began
  scene.check(code === 0, `alice gets ${code === undefined ? "no CONNACK" : `code ${code}`}`)
  scene.check(took <= mostMilliseconds, `alice waits ${(took / 1000).toFixed(1)} s`)
  client.wire.destroy()
}

const neighbour = { username: "neighbour", password: users.neighbour } as const
/** The floods come from another address; Linux has all of 127.0.0.0/8. */
const elsewhere = process.platform === "linux" ? "127.0.0.2" : undefined

const halfDone = 3000

/** U+FDFA is eighteen characters in NFKC. */
const swelling = "\ufdfa"

/** What no client-first-message is, or what costs most as one, with how many send it in one moment. */
const oddFirsts: readonly (readonly [content: Content, times: number])[] = [
  [clientFirst(swelling.repeat(1330), freshNonce()), 600],
  [clientFirst(swelling.repeat(220), freshNonce()), 600],
  [clientFirst(`a${"\u0301\u0316".repeat(990)}`, freshNonce()), 300],
  [clientFirst("\u{1d15e}".repeat(1000), freshNonce()), 300],
  [clientFirst("a".repeat(4000), freshNonce()), 600],
  [`n,,n=alice,r=${freshNonce()},i=4294967295`, 100],
  [`n,,i=4294967295,n=alice,r=${freshNonce()}`, 100],
  [`n,,n=alice,r=${freshNonce()}${",x=y".repeat(1000)}`, 200],
  [`n,,${",".repeat(4000)}`, 100],
  [`n,,n=alice,r=${"x".repeat(4000)}`, 200],
  [Buffer.alloc(65_535, "n"), 200],
  [Buffer.alloc(4096, 0xff), 100],
]

/** What a client says that is somewhere else in its exchange, and how it gets there: it has to be ended. */
const outOfPlace: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  "AUTH before CONNECT": async (client) => client.wire.send(auth(goOn, scramProperties("x"))),
  "AUTH after a CONNECT without method": async (client) => {
    await client.login({ username: "alice", password: users.alice })
    client.wire.send(auth(again, scramProperties(clientFirst("alice", freshNonce()))))
  },
  "AUTH 0x19 in the middle of a login": async (client) => {
    await begin(client, clientFirst("alice", freshNonce()))
    client.wire.send(auth(again, scramProperties(clientFirst("alice", freshNonce()))))
  },
  "AUTH of another method": async (client) => {
    await begin(client, clientFirst("alice", freshNonce()))
    client.wire.send(auth(goOn, scramProperties("x", "SCRAM-SHA-1")))
  },
  "PINGREQ in the middle of a login": async (client) => {
    await begin(client, clientFirst("alice", freshNonce()))
    client.wire.send(Uint8Array.of(0xc0, 0))
  },
  "nothing, again and again": async (client) => {
    await begin(client, undefined)
    for (let i = 0; i < 100; i++) client.wire.send(auth(goOn, scramProperties(undefined)))
  },
  "AUTH 0x18 of a client that is connected": async (client) => {
    await login(client, "alice", users.alice)
    client.wire.send(auth(goOn, scramProperties("x")))
  },
  "AUTH 0x00 of a client": async (client) => {
    await login(client, "alice", users.alice)
    client.wire.send(auth(0, scramProperties("x")))
  },
  "a hundred re-authentications begun": async (client) => {
    await login(client, "alice", users.alice)
    for (let i = 0; i < 100; i++) client.wire.send(auth(again, scramProperties(clientFirst("alice", freshNonce()))))
  },
  "a re-authentication as somebody else": async (client) => {
    await login(client, "alice", users.alice)
    client.wire.send(auth(again, scramProperties(clientFirst("bob", freshNonce()))))
  },
  "a re-authentication with a wrong proof": async (client) => {
    await login(client, "alice", users.alice)
    const nonce = freshNonce()
    const answer = await say(client, again, clientFirst("alice", nonce))
    client.wire.send(
      auth(goOn, scramProperties(clientFinal("alice", "x", nonce, (answer && authenticationDataOf(answer)) ?? ""))),
    )
  },
  "a method that is none": async (client) => {
    await begin(client, "x", "")
  },
  "a method of 65,535 bytes": async (client) => {
    await begin(client, "x", "m".repeat(65_535))
  },
}

export const scramCases: readonly Case[] = [
  {
    name: `SCRAM: ${halfDone.toLocaleString("en")} exchanges begun and left, beside a right one`,
    seconds: 120,
    async run(scene) {
      const server = await withScram(scene)
      await scene.neighbour(server, neighbour)
      const left: Client[] = []
      scene.atEnd(() => {
        for (const { wire } of left) wire.destroy()
      })
      let answered = 0
      await each(Array.from({ length: halfDone }).keys(), 100, async (i) => {
        const client = await open(server, elsewhere)
        left.push(client)
        const answer = await begin(client, clientFirst(i % 2 === 0 ? "alice" : `nobody-${i}`, freshNonce()))
        if (answer?.type === packetType.auth) answered++
      })
      scene.check(answered === halfDone, `${halfDone - answered} of ${halfDone} get no challenge`)
      await aliceComes(scene, server)
      // loginTimeout, and what a tick takes.
      const end = performance.now() + 30_000
      const there = () => left.filter(({ wire }) => !wire.isClosed).length
      while (there() > 0 && performance.now() < end) await pause(200)
      scene.check(there() === 0, `${there()} are there still that have not gone on`)
    },
  },
  {
    name: "SCRAM: wrong proofs from 20 addresses, again and again, beside right ones",
    seconds: 90,
    addresses: true,
    async run(scene) {
      const server = await withScram(scene)
      await scene.neighbour(server, neighbour)
      let flooding = true
      let silent = 0
      const others = new Set<number>()
      const flood = each(Array.from({ length: 200 }).keys(), 200, async (i) => {
        while (flooding && server.program.alive) {
          const client = await open(server, `127.0.1.${1 + (i % 20)}`)
          const code = await login(client, i % 3 === 0 ? `nobody-${i}` : "bob", "wrong")
          client.wire.destroy()
          if (code === undefined) silent++
          else if (code !== 0x86 && code !== 0x89) others.add(code)
        }
      })
      scene.atEnd(() => {
        flooding = false
      })
      await pause(2000)
      for (let i = 1; i <= 10; i++) await aliceComes(scene, server, `127.0.2.${i}`)
      flooding = false
      await flood
      scene.check(silent === 0, `${silent} get no CONNACK`)
      scene.check(others.size === 0, `codes ${[...others].join(", ")}`)
    },
  },
  {
    name: "SCRAM: first messages that cost most, or that are none, hundreds in one moment",
    when: "first",
    seconds: 120,
    async run(scene) {
      const server = await withScram(scene)
      await scene.neighbour(server, neighbour)
      let [all, silent, entered] = [0, 0, 0]
      for (const [content, times] of oddFirsts) {
        const clients: Client[] = []
        await each(Array.from({ length: times }).keys(), 50, async () => clients.push(await open(server, elsewhere)))
        const answers = await Promise.all(clients.map((client) => begin(client, content)))
        for (const { wire } of clients) wire.destroy()
        all += answers.length
        silent += answers.filter((answer) => answer === undefined).length
        entered += answers.filter((answer) => answer?.type === packetType.connack && answer.body[1] === 0).length
      }
      scene.check(silent === 0, `${silent} of ${all} get no answer`)
      scene.check(entered === 0, `${entered} are let in`)
      await aliceComes(scene, server)
    },
  },
  {
    name: "SCRAM: AUTH where none belongs",
    beside: true,
    async run(scene) {
      const server = await withScram(scene)
      await scene.neighbour(server, neighbour)
      for (const [what, work] of Object.entries(outOfPlace)) {
        const client = await open(server)
        await work(client)
        await Promise.race([client.wire.closed, pause(10_000)])
        scene.check(client.wire.isClosed, `${what}: it goes on`)
        client.wire.destroy()
      }
      // What has come in one piece with CONNECT.
      await each(Array.from({ length: 200 }).keys(), 50, async () => {
        const client = await open(server, elsewhere)
        const first = scramProperties(clientFirst("alice", freshNonce()))
        const more = Array.from({ length: 200 }, () => auth(goOn, scramProperties("c=biws,r=x,p=x")))
        client.wire.send(Buffer.concat([connect({ properties: first }), ...more]))
        await Promise.race([client.wire.closed, pause(10_000)])
        scene.check(client.wire.isClosed, "AUTH after AUTH in one piece: it goes on")
        client.wire.destroy()
      })
      await aliceComes(scene, server, process.platform === "linux" ? "127.0.0.3" : undefined)
    },
  },
  {
    name: "SCRAM: 100 clients that authenticate anew without end",
    seconds: 90,
    async run(scene) {
      const server = await withScram(scene)
      await scene.neighbour(server, neighbour)
      let rounds = 0
      const end = performance.now() + 8000
      await each(Array.from({ length: 100 }).keys(), 100, async () => {
        const client = await open(server, elsewhere)
        const code = await login(client, "bob", users.bob)
        scene.check(code === 0, `bob gets ${code === undefined ? "no CONNACK" : `code ${code}`}`)
        while (performance.now() < end && !client.wire.isClosed) {
          const nonce = freshNonce()
          const answer = await say(client, again, clientFirst("bob", nonce))
          const challenge = answer && authenticationDataOf(answer)
          if (challenge === undefined) break
          const last = await say(client, goOn, clientFinal("bob", users.bob, nonce, challenge, derived))
          if (last?.body[0] !== 0) break
          rounds++
        }
        scene.check(!client.wire.isClosed, "a client that authenticates anew is ended")
        client.wire.destroy()
      })
      scene.check(rounds >= 200, `${rounds} times in eight seconds`)
      await aliceComes(scene, server)
    },
  },
]
