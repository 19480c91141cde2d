// `puremq sub` with each of its options, as a process, against our broker.

import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { UsageError } from "@puremq/tls13/command-line"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CliWorld, patience } from "../../tests/cli-clients.ts"
import { sub as subCommand } from "./sub.ts"

const world = new CliWorld()
beforeAll(() => world.open(), patience)
afterAll(() => world.close())

const sub = (...args: string[]) => world.run(["sub", ...world.tcp, ...args])
const subscriber = (...args: string[]) => world.subscriber(["sub", ...world.tcp, ...args])

/** MQTT.js publishes it, retained. */
async function keep(topic: string, payload: string | Buffer, properties = {}): Promise<void> {
  const witness = await world.witness("nothing")
  await witness.client.publishAsync(topic, payload, { qos: 1, retain: true, properties })
}

describe("what is printed", { timeout: patience }, () => {
  it("the payload, with -v the topic, without a line end with -N, and nothing of an empty one but (null)", async () => {
    await keep("p/1", "one")
    const live = world.start(["sub", ...world.tcp, "-t", "p/#", "-v", "-C", "3"])
    const plain = world.start(["sub", ...world.tcp, "-t", "p/#", "-C", "3"])
    const whole = world.start(["sub", ...world.tcp, "-t", "p/#", "-N", "-v", "-C", "3"])
    for (const running of [live, plain, whole]) await running.until(/one/)
    const { client } = await world.witness("nothing")
    for (const text of ["", "two"]) await client.publishAsync("p/2", text, { qos: 1 })
    expect(await live.ended).toEqual({ status: 0, out: "p/1 one\np/2 (null)\np/2 two\n", err: "" })
    expect(await plain.ended).toEqual({ status: 0, out: "one\ntwo\n", err: "" })
    expect(await whole.ended).toEqual({ status: 0, out: "p/1 onep/2 two", err: "" })
  })

  it("-F: all of a message, with the properties in their order, and --pretty", async () => {
    await keep("f/1", '{"a": [1, {}], "b": 12345678901234567890}', {
      ...{ contentType: "text/plain", correlationData: Buffer.from("xyz"), responseTopic: "re/sp" },
      ...{ payloadFormatIndicator: true, messageExpiryInterval: 10_000, userProperties: { b: "1", a: ["2", "3"] } },
    })
    const identifier = ["-D", "subscribe", "subscription-identifier", "7"]
    const format = (text: string, ...more: string[]) =>
      sub("-t", "f/1", "-C", "1", "-q", "1", "-F", text, ...identifier, ...more)
    const all = await format("%t|%q|%r|%l|%m|%C|%D|%F|%R|%S|%P|%A|%5S|%.3R|%8p|%%@@\\t\\\\")
    expect(all).toEqual({
      status: 0,
      out: 'f/1|1|1|41|1|text/plain|xyz|1|re/sp|7|b:1 a:2 a:3||    7|re/|{"a": [1|%@\t\\\n',
      err: "",
    })
    expect((await format("%E")).out).toMatch(/^(99\d\d|10000)\n$/)
    const times = await format("@Y-@m-@dT@H:@M:@S@z %I %U @s.@N")
    const [, written = "", iso = "", unix = "", seconds = ""] = /^(\S+) (\S+) (\S+) (\S+)\n$/.exec(times.out) ?? []
    expect([written, unix]).toEqual([iso, seconds])
    expect(Math.abs(Number(unix) * 1000 - Date.now())).toBeLessThan(patience)
    const json = (await format("%j")).out
    expect(JSON.parse(json)).toMatchObject({
      ...{ topic: "f/1", qos: 1, retain: 1, payloadlen: 41, mid: 1 },
      properties: { "content-type": "text/plain", "subscription-identifier": 7, "correlation-data": "xyz" },
      payload: '{"a": [1, {}], "b": 12345678901234567890}',
    })
    expect(json).toContain('"user-properties":{"b":"1","a":"2","a":"3"}')
    expect(json.split("\n")).toHaveLength(2)
    expect((await format("%J")).out).toContain('"payload":{"a":[1,{}],"b":12345678901234567890}}\n')
    expect((await format("%J", "--pretty")).out).toContain('\t"payload":\t{\n\t\t"a":\t[1, {\n\t\t\t}],\n\t\t"b":\t123')
  })

  it("-F %J of what is no JSON says so, and goes on", async () => {
    await keep("f/2", "no JSON")
    const { status, out, err } = await sub("-t", "f/2", "-C", "1", "-F", "<%J>")
    expect([status, out, err]).toEqual([0, "<>\n", "puremq: the message of topic f/2 is no JSON\n"])
  })
})

describe("which messages", { timeout: patience }, () => {
  it("-T leaves out, -R those that are kept, --retained-only all others and then ends", async () => {
    await keep("w/a", "a")
    await keep("w/b", "b")
    const others = await subscriber("-t", "w/#", "-T", "w/a", "-T", "w/x/+", "-C", "2")
    const fresh = await subscriber("-t", "w/#", "-R", "-C", "2")
    const old = await subscriber("-t", "w/#", "-R", "-C", "2", "-V", "311")
    const kept = await subscriber("-t", "w/#", "--retained-only")
    await kept.until(/a\nb\n|b\na\n/)
    await others.until(/b/)
    const { client } = await world.witness("nothing")
    for (const topic of ["w/x/y", "w/c"]) await client.publishAsync(topic, topic, { qos: 1, retain: topic === "w/c" })
    expect(await others.ended).toEqual({ status: 0, out: "b\nw/c\n", err: "" })
    for (const each of [fresh, old]) expect(await each.ended).toEqual({ status: 0, out: "w/x/y\nw/c\n", err: "" })
    expect((await kept.ended).status).toBe(0)
    expect(kept.out).not.toContain("w/")
  })

  it("--retain-as-published", async () => {
    const args = ["-t", "rap", "-F", "%r", "-C", "1"]
    const as = await subscriber(...args, "--retain-as-published")
    const not = await subscriber(...args)
    await keep("rap", "x")
    expect([(await as.ended).out, (await not.ended).out]).toEqual(["1\n", "0\n"])
  })

  it("--remove-retained deletes those that come, but not those of -T", async () => {
    for (const topic of ["rm/1", "rm/2", "rm/stay"]) await keep(topic, topic)
    const all = ["-t", "rm/#", "--remove-retained", "-T", "rm/stay"]
    const first = await sub(...all, "-C", "2", "-v")
    expect([first.status, first.out.split("\n").sort()]).toEqual([0, ["", "rm/1 rm/1", "rm/2 rm/2"]])
    expect(await sub("-t", "rm/#", "-C", "1")).toEqual({ status: 0, out: "rm/stay\n", err: "" })
    expect((await sub("-t", "rm/#", "-R", "--remove-retained", "-W", "2")).out).toBe("")
    expect((await sub("-t", "rm/#", "-W", "2")).out).toBe("")
  })
})

describe("sessions, and ends", { timeout: patience }, () => {
  const session = (id: string) => ["-i", id, "-c", "-q", "2"]

  it("-c, -E and -C: a session is made, waits, and is taken up as far as it is wanted", async () => {
    const made = await sub("-t", "s/#", "-E", ...session("s"))
    expect(made).toEqual({ status: 0, out: "", err: "" })
    const { client } = await world.witness("nothing")
    for (let i = 1; i <= 5; i++) await client.publishAsync("s/1", `${i}`, { qos: i === 3 ? 2 : 1 })
    expect((await sub("-t", "s/#", "-C", "2", ...session("s"))).out).toBe("1\n2\n")
    // None is lost with the command that did not want it.
    expect((await sub("-t", "s/#", "-C", "3", ...session("s"))).out).toBe("3\n4\n5\n")
  })

  it("the same in MQTT 3.1.1, whatever of what waits has come already", async () => {
    const old = [...session("old-session"), "-V", "311", "-t", "t/#"]
    expect((await sub("-E", ...old)).status).toBe(0)
    const { client } = await world.witness("nothing")
    for (let i = 1; i <= 5; i++) await client.publishAsync("t/1", `${i}`, { qos: i === 3 ? 2 : 1 })
    expect((await sub("-C", "2", ...old)).out).toBe("1\n2\n")
    expect((await sub("-C", "3", ...old)).out).toBe("3\n4\n5\n")
  })

  it("-C is status 0 where all that is wanted comes before SUBACK", async () => {
    const wire = createServer((socket) => {
      socket.once("data", () => {
        const publish = [0x32, 8, 0, 1, 0x74, 0, 1, 0, 0x68, 0x69]
        // CONNACK with Session Present, and what has waited; no SUBACK until the client is gone.
        socket.write(Uint8Array.of(0x20, 3, 1, 0, 0, ...publish))
      })
      socket.on("error", () => undefined)
    })
    wire.listen(0, "127.0.0.1")
    await once(wire, "listening")
    const { port } = wire.address() as AddressInfo
    const ended = await world.run(["sub", "--tcp", "-p", `${port}`, "-c", "-i", "s", "-q", "1", "-t", "t", "-C", "1"])
    wire.close()
    expect(ended).toEqual({ status: 0, out: "hi\n", err: "" })
  })

  it("-x: for so long", async () => {
    expect((await sub("-t", "x/#", "-E", "-i", "x", "-q", "1", "-x", "1000")).status).toBe(0)
    const { client } = await world.witness("nothing")
    await client.publishAsync("x/1", "kept", { qos: 1 })
    expect((await sub("-t", "x/#", "-C", "1", "-i", "x", "-c", "-x", "0")).out).toBe("kept\n")
    await client.publishAsync("x/1", "lost", { qos: 1 })
    expect(await sub("-t", "x/#", "-W", "1", "-i", "x", "-c")).toMatchObject({ status: 27, out: "" })
  })

  it("-U ends a subscription of the session", async () => {
    expect((await sub("-t", "u/1", "-t", "u/2", "-E", ...session("u"))).status).toBe(0)
    expect((await sub("-U", "u/1", "-E", ...session("u"))).status).toBe(0)
    const { client } = await world.witness("nothing")
    for (const topic of ["u/1", "u/2"]) await client.publishAsync(topic, topic, { qos: 1 })
    expect((await sub("-U", "nothing", "-C", "1", ...session("u"))).out).toBe("u/2\n")
  })

  it("-W: status 27, and a line", async () => {
    expect(await sub("-t", "none", "-W", "1")).toEqual({ status: 27, out: "", err: "puremq: timed out after 1 s\n" })
    expect(await sub("-t", "none", "-W", "1", "--quiet")).toEqual({ status: 27, out: "", err: "" })
  })

  it.each([
    [[], "SIGKILL", true],
    [["-D", "will", "user-property", "n", "v"], "SIGTERM", true],
    // MQTT 3.1.1 has no way to say good-bye and ask for the will.
    [["-V", "311"], "SIGTERM", false],
  ] as const)("the will, with %j after %s: %s", async (args, signal, comes) => {
    const topic = `will/${args.length}/${signal}`
    const witness = await world.witness(`${topic}/#`)
    const will = ["--will-topic", topic, "--will-payload", "-gone", "--will-qos", "1", "--will-retain"]
    const running = await subscriber("-t", "none", "-i", topic, ...will, ...args)
    running.child.kill(signal)
    await running.ended
    await world.until("client disconnected", topic)
    await witness.client.publishAsync(`${topic}/after`, "x", { qos: 1 })
    const seen = (await witness.saw(comes ? 2 : 1)).filter((message) => message.topic === topic)
    expect(seen.map(({ payload }) => payload.toString())).toEqual(comes ? ["-gone"] : [])
    if (args[0] === "-D") expect(seen[0]?.packet.properties?.userProperties).toEqual({ n: "v" })
    if (!comes) return
    expect(await sub("-t", topic, "-F", "%r %p", "-C", "1")).toMatchObject({ out: "1 -gone\n" })
  })
})

describe("where from", { timeout: patience }, () => {
  it("TLS, WebSocket, and both, also by a URL", async () => {
    await keep("where", "here")
    const ca = ["--cafile", "ca.pem"]
    const places = [
      ["-h", "localhost", "-p", world.port("tls"), ...ca, "-t", "where"],
      ["--ws", "-p", world.port("ws"), "-t", "where"],
      ["--wss", "-h", "localhost", "-p", world.port("wss"), "--ws-path", "/elsewhere", ...ca, "-t", "where"],
      ["-L", `mqtt://127.0.0.1:${world.port("tcp")}/where`],
      ["-L", `mqtts://localhost:${world.port("tls")}/there`, ...ca, "-t", "where"],
    ]
    for (const place of places)
      expect([place, await world.run(["sub", ...place, "-C", "1"])]).toEqual([
        place,
        { status: 0, out: "here\n", err: "" },
      ])
  })

  it("a long stream over WebSocket comes whole", async () => {
    const ws = ["--ws", "-p", world.port("ws")]
    const running = await world.subscriber(["sub", ...ws, "-t", "stream", "-q", "1", "-C", "300"])
    const lines = `${"x".repeat(9_999)}\n`.repeat(300)
    expect(await world.run(["pub", ...ws, "-t", "stream", "-q", "1", "-l"], lines)).toEqual({
      status: 0,
      out: "",
      err: "",
    })
    expect((await running.ended).out).toBe(lines)
  })
})

describe("options that are wrong are one line, with status 2", { timeout: patience }, () => {
  it.each<[string[], RegExp]>([
    [["-t", "a#"], /--topic "a#": # is not alone in the last level of a Topic Filter/],
    [["-t", "a", "-T", "+b"], /--filter-out "\+b": /],
    [["-t", "a", "-R", "--retained-only"], /-R and --retained-only leave no message/],
    [["-t", "a", "-F", "%k"], /--format has %k, and there is no %k; there are %% %A /],
    [["-t", "a", "-F", "a%"], /--format ends with %, which a letter must follow/],
    [["-t", "a", "-F", "a@"], /--format ends with an @/],
    [["-t", "a", "-F", "\\q"], /--format has \\q, which is none of/],
    [["-t", "a", "-C", "0"], /--count must be a whole number from 1/],
    [["-t", "a", "--retain-as-published", "-V", "311"], /--retain-as-published is of MQTT 5\.0 only/],
  ])("%j", async (args, said) => {
    const failure = subCommand(args)
    await expect(failure).rejects.toThrow(UsageError)
    await expect(failure).rejects.toThrow(said)
    await expect(failure).rejects.not.toThrow(/\n/)
  })

  it("and the command ends with status 2", async () => {
    const { status, out, err } = await world.run(["sub", "-t", "a#"])
    expect([status, out, err]).toEqual([2, "", expect.stringMatching(/^puremq: --topic "a#": [^\n]+\n$/)])
  })
})
