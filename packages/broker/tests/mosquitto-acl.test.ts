// Password files and access control lists of Mosquitto's mean to our broker what they mean to Mosquitto: both are given the same
// files, and every client of a table does the same at both.

import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect as connectTcp, createServer } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { connectAsync, type MqttClient } from "mqtt"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createBroker, type PureMqBroker } from "../src/index.ts"
import { isInstalled } from "./cli-clients.ts"

const users = ["admin", "alice", "bob", "carol", "a+b", "dev"]

const list = `# of clients without a user name
topic read public/#
topic write inbox
topic deny public/secret

user admin
topic #

user alice
topic readwrite home/+/temperature
topic read home/#
topic write only/write
topic deny home/cellar/#
topic %u/literal
topic read both/a
topic write both/a

user bob
topic deny #

# of everybody
pattern readwrite user/%u/#
pattern write client/%c/up
pattern read client/%c/down
pattern deny user/+/private
pattern read %u
pattern read shared/+/x
pattern deny shared/no/x
pattern readwrite home/cellar/%u
user alice
topic more/alice
user a+b
topic plus/own
`

/** User, or none; Client Identifier. */
const clients: readonly (readonly [user: string | undefined, clientId: string])[] = [
  [undefined, "c1"],
  [undefined, "c+1"],
  ["alice", "c1"],
  ["alice", "c/1"],
  ["bob", "c1"],
  ["carol", "c2"],
  ["carol", "#"],
  ["a+b", "c1"],
  ["dev", "dev"],
]

const topics = [
  ...["public", "public/a", "public/secret", "public/secret/x", "inbox", "other"],
  ...["home", "home/a", "home/kitchen/temperature", "home/cellar", "home/cellar/temperature", "home/cellar/alice"],
  ...["only/write", "%u/literal", "alice/literal", "both/a", "more/alice", "plus/own"],
  ...["user/alice", "user/alice/x", "user/alice/private", "user/bob/x", "user/carol/x/y", "user/carol/private"],
  ...["user/", "user//x", "user/a+b/x".replace("+", "p"), "user/dev/dev"],
  ...["client/c1/up", "client/c1/down", "client/c2/up", "client/c2/down", "client/c/1/up", "client/c/1/down"],
  ...["alice", "carol", "dev", "shared/a/x", "shared/no/x", "shared/x", "client/dev/up", "client/dev/down"],
]

interface World {
  readonly port: number
}

const there = ["mosquitto", "mosquitto_passwd"].every(isInstalled)

describe.skipIf(!there)("the same files at Mosquitto and here", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "puremq-acl-"))
  let mosquitto: ChildProcess | undefined
  let broker: PureMqBroker | undefined
  let theirs: World
  let ours: World

  beforeAll(async () => {
    const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin` }
    const [passwordFile, aclFile, file] = ["users", "acl", "mosquitto.conf"].map((name) => join(folder, name))
    writeFileSync(passwordFile!, "")
    writeFileSync(aclFile!, list)
    for (const user of users) execFileSync("mosquitto_passwd", ["-b", passwordFile!, user, `of ${user}`], { env })
    const port = await freePort()
    writeFileSync(
      file!,
      `user ${userInfo().username}\nlistener ${port} 127.0.0.1\nallow_anonymous true\npassword_file ${passwordFile}\nacl_file ${aclFile}\n`,
    )
    mosquitto = spawn("mosquitto", ["-c", file!], { env, stdio: "ignore" })
    await listening(port)
    theirs = { port }
    broker = createBroker({
      listeners: [{ type: "tcp", port: 0 }],
      login: { anonymous: true, passwords: readFileSync(passwordFile!, "utf8") },
      acl: list,
      sysInterval: 0,
    })
    const [address] = await broker.listen()
    ours = { port: address!.port }
  }, 120_000)
  afterAll(async () => {
    mosquitto?.kill("SIGKILL")
    await broker?.close()
    rmSync(folder, { recursive: true })
  })

  it.each(clients)("user %s as %s may publish and receives the same", async (user, clientId) => {
    const both = await Promise.all([theirs, ours].map((world) => whatHappens(world, user, clientId)))
    // Mosquitto 2.0 fills a pattern with a name that has a / in it, 2.1 does not, and neither do we.
    const withoutSlash = (found: readonly string[]) => found.filter((topic) => !topic.startsWith(`client/${clientId}/`))
    const { published, received } = both[0]!
    const isSlash = clientId.includes("/")
    expect(both[1]).toEqual(
      isSlash ? { published: withoutSlash(published), received: withoutSlash(received) } : { published, received },
    )
    if (user !== "bob" && clientId !== "#") expect(published.length + received.length).toBeGreaterThan(0)
  })

  it.each(["alice", "nobody"])("%s is refused with a wrong password", async (user) => {
    for (const { port } of [theirs, ours]) {
      const attempt = connect(port, "wrong", user, "of admin")
      await expect(attempt).rejects.toThrow(/not authori[sz]ed|bad user name/i)
    }
  })
})

/** Topics whose messages come to an observer when the client publishes them, and to the client when an observer does. */
async function whatHappens({ port }: World, user: string | undefined, clientId: string) {
  const observer = await connect(port, `observer of ${clientId}`.replaceAll(/\W/g, "-"), "admin")
  const client = await connect(port, clientId, user)
  try {
    await observer.subscribeAsync("#", { qos: 1 })
    const published = collect(observer)
    // A refused PUBLISH is acknowledged with its reason, which this client throws.
    for (const topic of topics) await client.publishAsync(topic, "1", { qos: 1 }).catch(() => undefined)
    await observer.publishAsync("end", "1", { qos: 1 })
    await published.end
    await observer.unsubscribeAsync("#")
    await client.subscribeAsync([...topics, "user/+/x", "public/+"], { qos: 1 })
    const received = collect(client)
    for (const topic of topics) await observer.publishAsync(topic, "2", { qos: 1 })
    // Nothing may come at all: there is no message that ends the wait.
    await new Promise((resolve) => setTimeout(resolve, 400))
    return { published: published.topics(), received: received.topics() }
  } finally {
    await Promise.all([client.endAsync(true), observer.endAsync(true)])
  }
}

function collect(client: MqttClient) {
  const seen = new Set<string>()
  const end = new Promise<void>((resolve) => {
    client.on("message", (topic) => (topic === "end" ? resolve() : seen.add(topic)))
  })
  return { end, topics: () => [...seen].sort() }
}

function connect(port: number, clientId: string, user?: string, password = `of ${user}`): Promise<MqttClient> {
  return connectAsync(
    `mqtt://127.0.0.1:${port}`,
    {
      clientId,
      protocolVersion: 5,
      reconnectPeriod: 0,
      ...(user !== undefined && { username: user, password }),
    },
    false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function listening(port: number): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const up = await new Promise((resolve) => {
      const socket = connectTcp({ host: "127.0.0.1", port }, () => resolve(true))
      socket.on("error", () => resolve(false)).on("connect", () => socket.end())
    })
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error("mosquitto does not listen")
}
