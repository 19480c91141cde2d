// `dangerousRecording` of a listener: what its connections were is in files that are run again bit for bit.

import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { certificateToPem, createAuthority, createLeaf, type Identity, privateKeyToPem } from "@puremq/tls13/devcert"
import { type ConnectOptions, connect } from "@puremq/tls13/node"
import { replay } from "@puremq/tls13/recording"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { LogEvent } from "../../src/admin/log.ts"
import { loadConfigFile } from "../../src/config/load.ts"
import { createBroker, type PureMqBroker } from "../../src/platform/node.ts"
import { patience } from "../cli-clients.ts"
import { Command } from "../command.ts"

const now = Date.now()
const provider = createFastProvider()
const authority = createAuthority({ now })
const ca = certificateToPem(authority)
const server = createLeaf({ now, issuer: authority, usage: "server", names: ["localhost"] })
const client = createLeaf({ now, issuer: authority, usage: "client", subject: { commonName: "device" } })
const pem = ({ privateKey, ...rest }: Identity) => ({
  cert: certificateToPem({ privateKey, ...rest }),
  key: privateKeyToPem(privateKey),
})

const [tls13, puremq, runner] = [
  "../../../tls13/bin/tls13.js",
  "../../bin/puremq.js",
  "../../../../scripts/run.mjs",
].map((path) => fileURLToPath(new URL(path, import.meta.url))) as [string, string, string]
const command = new Command()
const brokers: PureMqBroker[] = []
beforeAll(() => {
  writeFileSync(command.at("ca.pem"), ca)
  writeFileSync(command.at("cert.pem"), pem(server).cert)
  writeFileSync(command.at("key.pem"), pem(server).key)
})
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()))
})
afterAll(() => command.remove())

function load(folder: string, more: string = "", ofRecording: string = "") {
  const recording = `dangerousRecording = { directory = "${folder}"${ofRecording} }`
  const listener = `[listeners.tls]\nport = 0\ncert = "cert.pem"\nkey = "key.pem"\n${recording}\n${more}\n`
  writeFileSync(command.at("puremq.toml"), `store.type = "memory"\nlogin.anonymous = true\n${listener}`)
  return loadConfigFile(command.at("puremq.toml"), Date.now())
}

async function start(...args: Parameters<typeof load>) {
  const events: LogEvent[] = []
  const { config, warnings } = load(...args)
  const broker = createBroker({ ...config, onEvent: (event) => events.push(event) })
  brokers.push(broker)
  const [{ port = 0 } = {}] = await broker.listen()
  const told = () => events.flatMap((each) => (each.event === "warning" ? [each.text] : []))
  return { broker, port, warnings, told }
}

const connectPacket = Uint8Array.of(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x61)
const publishPacket = Buffer.from("\x30\x09\x00\x01tsecret", "latin1")

/** CONNECT, a message, and the end. */
async function talk(port: number, options: Partial<ConnectOptions> = {}): Promise<Buffer | undefined> {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, ALPNProtocols: ["mqtt"], ...options })
  let session: Buffer | undefined
  socket.on("session", (given) => {
    session = given
  })
  await once(socket, "secureConnect")
  socket.write(connectPacket)
  await once(socket, "data")
  socket.end(Buffer.concat([publishPacket, Uint8Array.of(0xe0, 0)]))
  await once(socket, "close")
  return session
}

const filesOf = (folder: string) => readdirSync(command.at(folder)).sort()
const textOf = (folder: string, name: string) => readFileSync(command.at(`${folder}/${name}`), "latin1")
/** The last line of a recording whose connection is over. */
const isOver = (text: string) => /"do":"destroy"/.test(text) || /^\{"end":/m.test(text)

/** Both connections run again as they were, here and in the command. */
async function expectTheSame(folder: string): Promise<void> {
  await expect.poll(() => filesOf(folder).every((each) => isOver(textOf(folder, each)))).toBe(true)
  expect(filesOf(folder)).toEqual(["tls-1.jsonl", "tls-2.jsonl"])
  for (const each of filesOf(folder)) {
    const { steps, difference } = replay(textOf(folder, each), { provider })
    expect(difference, each).toBeUndefined()
    const sent = Buffer.concat(steps.map(({ output }) => output)).length
    const shown = execFileSync(process.execPath, [tls13, "replay", command.at(`${folder}/${each}`)], {
      encoding: "utf8",
    })
    expect(shown).toContain(`the same: ${steps.length} calls, ${sent} bytes of output`)
    // What the client has published is in it: nobody else may read it.
    expect(statSync(command.at(`${folder}/${each}`)).mode & 0o777).toBe(0o600)
  }
}

describe("a listener that records its connections", () => {
  it.each([
    ["with nothing more", "", {}],
    ["whose clients show certificates", 'ca = "ca.pem"\nclientCertificate = "require"', pem(client)],
    ["with a group of ML-KEM and tickets of its own", 'groups = ["X25519MLKEM768"]\ntickets = { count = 1 }', {}],
    ["by node:crypto", 'provider = "host"', {}],
  ])("%s: a recording is the same again, in the command, too", async (name, more, options) => {
    const folder = name.replaceAll(/\W/g, "-")
    const { port } = await start(folder, more)
    const session = await talk(port, options)
    await talk(port, { ...options, ...(session && { session }) })
    await expectTheSame(folder)
    expect(statSync(command.at(folder)).mode & 0o777).toBe(0o700)
  })

  it("with workers, by the command `puremq start`", { timeout: patience }, async () => {
    load("started", "workers = 1")
    const run = (...args: string[]) => spawn(process.execPath, [...args], { stdio: ["ignore", "pipe", "inherit"] })
    await once(run(runner, "build"), "close")
    const broker = run(puremq, "start", "--config", command.at("puremq.toml"))
    try {
      let said = ""
      broker.stdout.on("data", (data) => {
        said += data
      })
      await expect.poll(() => said, { timeout: patience / 2 }).toMatch(/tls on 127\.0\.0\.1:\d+/)
      expect(said).toContain("writes ALL SECRETS of its connections to")
      const port = Number(/tls on 127\.0\.0\.1:(\d+)/.exec(said)?.[1])
      const session = await talk(port)
      await talk(port, session && { session })
      await expectTheSame("started")
    } finally {
      broker.kill("SIGKILL")
    }
  })

  it("says loudly what it does, before it does it", () => {
    const { warnings, config } = load("loud")
    expect(warnings).toEqual([
      `listeners.tls.dangerousRecording writes ALL SECRETS of its connections to ${command.at("loud")}: WHO HAS THE FILES READS EVERYTHING. Not for production; take it out and delete them afterwards`,
    ])
    expect(config.listeners?.[0]).toMatchObject({ dangerousRecording: { directory: command.at("loud") } })
  })

  it("so many files and no more, with those of earlier starts; none is written over", async () => {
    const full = `${command.at("few")} has as many recordings of the listener tls as it may, 2: further connections are in none`
    const one = await start("few", "", ", files = 2")
    await talk(one.port)
    expect(one.told()).toEqual([])
    await one.broker.close()
    const before = textOf("few", "tls-1.jsonl")
    writeFileSync(command.at("few/tls-x.jsonl"), "of somebody else")
    const two = await start("few", "", ", files = 2")
    for (let i = 0; i < 3; i++) await talk(two.port)
    expect(filesOf("few")).toEqual(["tls-1.jsonl", "tls-2.jsonl", "tls-x.jsonl"])
    expect(textOf("few", "tls-1.jsonl")).toBe(before)
    expect(two.told()).toEqual([full])
    await two.broker.close()
    const three = await start("few", "", ", files = 2")
    await talk(three.port)
    expect([filesOf("few").length, three.told()]).toEqual([3, [full]])
  })

  it("so many bytes of a file: it says so, and can be run up to there", async () => {
    const { port } = await start("short", "", ", bytes = 4096")
    await talk(port)
    const text = textOf("short", "tls-1.jsonl")
    expect(text.length).toBeLessThanOrEqual(4096)
    expect(text.trimEnd().split("\n").at(-1)).toBe('{"end":"the limit of 4096 characters was reached"}')
    expect(replay(text, { provider }).difference).toBeUndefined()
  })

  it("a file that cannot be written is told, and its connection goes on", async () => {
    const { port, told } = await start("broken")
    mkdirSync(command.at("broken/tls-1.jsonl"))
    await talk(port)
    expect(told()).toEqual([
      expect.stringMatching(/^the recording .*tls-1\.jsonl cannot be written: EEXIST.*is not in it$/),
    ])
    await talk(port)
    expect(filesOf("broken")).toEqual(["tls-1.jsonl", "tls-2.jsonl"])
  })

  it("a folder that cannot be had is one line", async () => {
    await expect(start("cert.pem")).rejects.toThrow(/^no recordings can be written to .*cert\.pem: EEXIST/)
  })

  it.each([
    [", files = 0", /dangerousRecording\.files must be a whole number from 1 to 10,?000/],
    [", bytes = 4095", /dangerousRecording\.bytes must be a whole number from 4,?096 to 67,?108,?864/],
    [", bytes = 67108865", /dangerousRecording\.bytes must be/],
  ])("%s is refused", (more, said) => {
    expect(() => load("refused", "", more)).toThrow(said)
  })
})
