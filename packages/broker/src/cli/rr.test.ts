// `puremq rr` as a process, against our broker; MQTT.js answers.

import { UsageError } from "@puremq/tls13/command-line"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CliWorld, patience } from "../../tests/cli-clients.ts"
import { rr } from "./rr.ts"

const world = new CliWorld()
beforeAll(() => world.open(), patience)
afterAll(() => world.close())

const ask = (args: readonly string[], input?: string) => world.run(["rr", ...world.tcp, ...args], input)

/** Answers each request, as section 4.10 has it, or as it is told. */
async function responder(
  topic: string,
  how: "well" | "first to others" | "without correlation" | "never",
): Promise<void> {
  const { client } = await world.witness(topic)
  client.on("message", (_topic, payload, { properties }) => {
    const to = properties?.responseTopic ?? "answers"
    const { correlationData } = properties ?? {}
    if (how === "never") return
    if (how === "first to others")
      client.publish(to, "wrong", { properties: { correlationData: Buffer.from("other") } })
    const right = how === "without correlation" || correlationData === undefined ? {} : { correlationData }
    client.publish(to, `${payload}!`, { qos: 1, properties: { ...right, contentType: "answer" } })
  })
}

describe("puremq rr", { timeout: patience }, () => {
  it.each([
    ["well", [], "well!\n"],
    ["well", ["-D", "publish", "correlation-data", "mine", "-F", "%t %D %C %p"], "answers mine answer well!\n"],
    ["well", ["-q", "2", "-v", "-N"], "answers well!"],
    ["first to others", ["-q", "1"], "first to others!\n"],
    ["without correlation", [], "without correlation!\n"],
    ["well", ["-V", "311"], "well!\n"],
  ] as const)("who answers %s, with %j", async (how, args, out) => {
    const topic = `ask/${args.join("")}${how}`
    await responder(topic, how)
    expect(await ask(["-t", topic, "-e", "answers", "-m", how, ...args])).toEqual({ status: 0, out, err: "" })
  })

  it("-s, -n and -f are the request, too", async () => {
    await responder("ask/kinds", "well")
    const base = ["-t", "ask/kinds", "-e", "answers"]
    expect(await ask([...base, "-s"], "in\nput")).toEqual({ status: 0, out: "in\nput!\n", err: "" })
    expect(await ask([...base, "-n"])).toEqual({ status: 0, out: "!\n", err: "" })
    expect((await ask([...base, "-f", "ca.pem"])).out).toMatch(
      /^-----BEGIN CERTIFICATE-----\n[\s\S]*-----END CERTIFICATE-----\n!\n$/,
    )
  })

  it("-W: status 27, and a line", async () => {
    await responder("ask/never", "never")
    const { status, out, err } = await ask(["-t", "ask/never", "-e", "answers", "-m", "x", "-W", "1"])
    expect([status, out, err]).toEqual([27, "", "puremq: no response in 1 s\n"])
  })

  it("-W goes on while there is no broker yet", async () => {
    const port = await world.serve(() => undefined)
    const { status, err } = await world.run(["rr", "--tcp", "-p", port, "-t", "a", "-e", "b", "-n", "-W", "1"])
    expect([status, err]).toEqual([27, "puremq: no response in 1 s\n"])
  })

  it("a request that nobody gets is told at once", async () => {
    const { status, err } = await ask(["-t", "ask/nobody", "-e", "answers", "-m", "x", "-q", "1"])
    expect([status, err]).toEqual([1, "puremq: nobody is subscribed to ask/nobody: there will be no response\n"])
  })

  it("over WebSocket with TLS", async () => {
    await responder("ask/wss", "well")
    const wss = ["-L", `wss://localhost:${world.port("wss")}/ask/wss`, "--ws-path", "/elsewhere", "--cafile", "ca.pem"]
    expect(await world.run(["rr", ...wss, "-e", "answers", "-m", "x"])).toEqual({ status: 0, out: "x!\n", err: "" })
  })

  it.each<[string[], RegExp]>([
    [["-t", "a", "-m", "x"], /a topic for the response is missing \(-e TOPIC\)/],
    [["-e", "a", "-m", "x"], /a topic is missing/],
    [["-t", "a", "-e", "b/#", "-m", "x"], /--response-topic "b\/#": Topic Name contains a wildcard/],
    [["-t", "a", "-e", "b"], /give the message by one of -m, -f, -s and -n/],
    [["-t", "a", "-e", "b", "-n", "-D", "publish", "response-topic", "c"], /-e is the Response Topic/],
  ])("%j is one line, with status 2", async (args, said) => {
    await expect(rr(args)).rejects.toThrow(UsageError)
    await expect(rr(args)).rejects.toThrow(said)
    await expect(rr(args)).rejects.not.toThrow(/\n/)
  })
})
