// `puremq pub`, `puremq sub` and `puremq rr` beside Mosquitto's: on its broker, and what both print of the same message.

import { type ChildProcess, execFile, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer } from "node:net"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CliWorld, isInstalled, patience } from "../../tests/cli-clients.ts"

const world = new CliWorld()
const path = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin` }
const there = ["mosquitto", "mosquitto_pub", "mosquitto_sub", "mosquitto_rr"].every(isInstalled)
let broker: ChildProcess | undefined
let tcp = ""
let ws = ""

async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return String(port)
}

async function listening(port: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const up = await new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: Number(port) }, () => resolve(true))
      socket.on("error", () => resolve(false)).on("connect", () => socket.end())
    })
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error("mosquitto does not listen")
}

async function mosquitto(tool: "pub" | "sub" | "rr", args: readonly string[]): Promise<string> {
  const all = ["-p", tcp, "-V", "mqttv5", ...args]
  const { stdout } = await promisify(execFile)(`mosquitto_${tool}`, all, {
    env: path,
    timeout: 60_000,
    encoding: "latin1",
  })
  return stdout
}

/** As Mosquitto's tools are told: these connect by plain TCP unless they are given an authority. */
const puremq = (command: string, args: readonly string[], input?: string) =>
  world.run([command, "--tcp", "-p", tcp, ...args], input)

describe.skipIf(!there)("beside Mosquitto", { timeout: patience }, () => {
  beforeAll(async () => {
    await world.open()
    tcp = await freePort()
    ws = await freePort()
    const lines = [
      `listener ${tcp} 127.0.0.1`,
      `listener ${ws} 127.0.0.1`,
      "protocol websockets",
      "allow_anonymous true",
    ]
    writeFileSync(world.command.at("mosquitto.conf"), `${lines.join("\n")}\nmax_inflight_messages 3\n`)
    broker = spawn("mosquitto", ["-c", world.command.at("mosquitto.conf")], { env: path, stdio: "ignore" })
    await listening(tcp)
  }, patience)
  afterAll(async () => {
    broker?.kill("SIGKILL")
    await world.close()
  })

  it("both print the same of the same messages", async () => {
    const properties = [
      ...["content-type", "text/plain"],
      ...["correlation-data", "xyz", "response-topic", "re/sp", "payload-format-indicator", "1"],
    ]
    const given: string[] = []
    for (let i = 0; i < properties.length; i += 2) given.push("-D", "publish", properties[i]!, properties[i + 1]!)
    given.push("-D", "publish", "user-property", "b", "1", "-D", "publish", "user-property", "a", "2")
    const kept = ["-q", "1", "-r"]
    expect((await puremq("pub", ["-t", "same/1", "-m", 'say "hello"\t', ...kept, ...given])).status).toBe(0)
    await mosquitto("pub", ["-t", "same/2", "-m", '{"a": [1, {"b": {}}, []], "c": "d"}', ...kept])
    const formats = [
      "%t %q %r %l %m|%A|%C|%D|%E|%F|%P|%p|%R|%S|%x|%X|%%|@@|\\t\\\\|",
      "[%5A|%05A|%5C|%5D|%5E|%05F|%5R|%5S|%05S|%-5S|%10t|%-10t|%010t|%2t|%.2t|%5.2t|%-5.2t|%10l|%010l|%-10l|%10m]",
      "[%20p|%-20p|%020p|%3p|%-3p|%.3p|%4x|%3x|%.3x|%30R|%-30C|%.4C]",
      ...["%j", "%J"],
    ]
    const subscribe = ["-C", "1", "-q", "1", "-D", "subscribe", "subscription-identifier", "7"]
    // Of the clock alone.
    const timeless = (text: string) => text.replace(/"tst":(\t?)"[^"]+"/, '"tst":$1""')
    for (const topic of ["same/1", "same/2"]) {
      for (const format of formats) {
        for (const more of [[], ["--pretty"], ["-N"]]) {
          if (format.length > 2 && more[0] === "--pretty") continue
          const args = ["-t", topic, "-F", format, ...subscribe, ...more]
          const theirs = await mosquitto("sub", args)
          const { out, status } = await puremq("sub", args)
          expect([args, status, timeless(out)]).toEqual([args, 0, timeless(theirs)])
        }
      }
      for (const more of [[], ["-v"], ["-v", "-N"]]) {
        const args = ["-t", topic, "-C", "1", ...more]
        expect([args, (await puremq("sub", args)).out]).toEqual([args, await mosquitto("sub", args)])
      }
    }
  })

  it.each(["5", "311", "31"])("pub, sub and a session on its broker, MQTT %s", async (version) => {
    const session = ["-V", version, "-i", `s${version}`, "-c", "-q", "2", "-t", `on/${version}/#`]
    expect(await puremq("sub", [...session, "-E"])).toEqual({ status: 0, out: "", err: "" })
    const lines = Array.from({ length: 50 }, (_, i) => `${i}\n`).join("")
    const send = ["-V", version, "-t", `on/${version}/a`, "-q", "2", "-l"]
    expect(await puremq("pub", send, lines)).toEqual({ status: 0, out: "", err: "" })
    const { status, out } = await puremq("sub", [...session, "-C", "50"])
    expect([status, out]).toEqual([0, lines])
  })

  it("its tool asks ours, and ours its broker over WebSocket", async () => {
    expect((await world.run(["pub", "--ws", "-p", ws, "-t", "over/ws", "-m", "x", "-r", "-q", "1"])).status).toBe(0)
    expect((await world.run(["sub", "-L", `ws://127.0.0.1:${ws}/over/ws`, "-C", "1"])).out).toBe("x\n")
    const args = ["-t", "ask", "-e", "ask", "-m", "echo"]
    expect([(await puremq("rr", args)).out, await mosquitto("rr", args)]).toEqual(["echo\n", "echo\n"])
  })

  it("what it refuses is told by name", async () => {
    const { status, err } = await puremq("pub", ["-t", "$SYS/x", "-m", "x", "-q", "1"])
    expect([status, err]).toEqual([1, "puremq: the broker refused the message: not authorized\n"])
  })
})
