// `puremq pub` with each of its options, as a process, against our broker; MQTT.js sees what comes.

import { readFileSync, truncateSync, writeFileSync } from "node:fs"
import { UsageError } from "@puremq/tls13/command-line"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CliWorld, patience } from "../../tests/cli-clients.ts"
import { readConnect } from "../codecs/mqtt-packet.ts"
import { pub as pubCommand } from "./pub.ts"

const world = new CliWorld()
beforeAll(() => world.open(), patience)
afterAll(() => world.close())

const ok = { status: 0, out: "", err: "" }
const bytes = (text: string) => Buffer.from(text, "latin1")
const pub = (args: readonly string[], input?: string | Uint8Array) => world.run(["pub", ...world.tcp, ...args], input)

describe("--scram", { timeout: patience }, () => {
  const publish = ["-t", "scram/a", "-m", "x", "-q", "1"]
  const secret = ["-u", "alice", "-P", "secret"]

  it("logs in without sending the password, and believes no broker that does not know the user", async () => {
    expect((await world.run(["passwd", "--cost", "10", "users", "alice", "--scram"], "secret\n")).status).toBe(0)
    const passwords = readFileSync(world.command.at("users"), "utf8")
    const [address] = await world.broker({ login: { passwords } })
    const to = ["pub", "--tcp", "-p", String(address?.port), ...publish]
    expect(await world.run([...to, ...secret, "--scram", "-i", "by-scram"])).toEqual(ok)
    await world.until("client connected", "by-scram")
    const wrong = await world.run([...to, "-u", "alice", "-P", "wrong", "--scram"])
    expect(wrong.err).toBe("puremq: the broker refused the connection: bad user name or password\n")
    // One that lets everybody in.
    const connack = Uint8Array.of(0x20, 3, 0, 0, 0)
    let sent = Buffer.alloc(0)
    const port = await world.serve((socket) =>
      socket.on("data", (data) => {
        sent = Buffer.concat([sent, data])
        socket.write(connack)
      }),
    )
    const believed = await world.run(["pub", "--tcp", "-p", port, ...publish, ...secret, "--scram"])
    expect([believed.status, believed.err]).toEqual([
      1,
      "puremq: the login by SCRAM failed: the server does not prove that it knows the user\n",
    ])
    expect(sent.includes("n,,n=alice,r=")).toBe(true)
    expect(sent.includes("secret")).toBe(false)
  })

  it("refuses a broker that asks for too little work, for nothing, or again", async () => {
    const auth = (data: string) => {
      const method = Buffer.from("\x15\0\rSCRAM-SHA-256\x16", "latin1")
      const properties = Buffer.concat([method, Uint8Array.of(0, data.length), Buffer.from(data)])
      return Buffer.concat([Uint8Array.of(0xf0, properties.length + 2, 0x18, properties.length), properties])
    }
    const answers: [(nonce: string) => string, RegExp][] = [
      [(nonce) => `r=${nonce}x,s=c2FsdHNhbHQ=,i=1000`, /the server asks for 1000 iterations/],
      [() => "", /the login by SCRAM failed: the server-first-message is not a list of attributes/],
      [
        (nonce) => `r=${nonce}x,s=c2FsdHNhbHQ=,i=4096`,
        /asks for enhanced authentication \(AUTH\) once more than SCRAM/,
      ],
    ]
    for (const [answer, message] of answers) {
      const port = await world.serve((socket) => {
        let nonce: string | undefined
        socket.on("data", (data) => {
          nonce ??= /r=([A-Za-z0-9+/=]+)/.exec(data.toString("latin1"))?.[1]
          socket.write(auth(answer(nonce ?? "")))
        })
      })
      const { status, err } = await world.run(["pub", "--tcp", "-p", port, ...publish, ...secret, "--scram"])
      expect(status).toBe(1)
      expect(err).toMatch(message)
    }
  })

  it.each([
    [["--scram"], /--scram needs -u NAME and a password/],
    [["--scram", "-u", "a"], /--scram needs -u NAME and a password/],
    [["--scram", ...secret, "-V", "311"], /--scram is of MQTT 5.0 only/],
    [["--scram", ...secret, "-D", "connect", "authentication-method", "X"], /given by --scram and by -D connect/],
    [["--scram", "-u", "a\u200eb", "-P", "x"], /SCRAM cannot have this user name or password .*U\+200E/],
  ] as const)("refuses %j in one line", async (args, message) => {
    const { status, err } = await pub([...publish, ...args])
    expect(status).toBe(2)
    expect(err).toMatch(message)
  })
})

describe("what is sent", { timeout: patience }, () => {
  it.each([
    [[], 0, false],
    [["-q", "1"], 1, false],
    [["-q", "2", "-r"], 2, true],
    [["--qos", "1", "--retain", "-V", "311"], 1, true],
    [["-q", "2", "-V", "mqttv31"], 2, false],
  ] as const)("-m with %j", async (args, qos, retain) => {
    const topic = `m/${args.join("")}`
    const witness = await world.witness(topic)
    await witness.client.subscribeAsync({ [topic]: { qos: 2, rap: true } })
    expect(await pub(["-t", topic, "-m", "-12.5", ...args])).toEqual(ok)
    const [message] = await witness.saw(1)
    expect([message?.payload.toString(), message?.packet.qos, message?.packet.retain]).toEqual(["-12.5", qos, retain])
  })

  it("-n, -f, -s and -l: nothing, a file, the input, a line a message, in their own bytes", async () => {
    writeFileSync(world.command.at("some"), bytes("a\0\xff\n"))
    const witness = await world.witness("kinds")
    const base = ["-t", "kinds", "-q", "1"]
    expect(await pub([...base, "-n"])).toEqual(ok)
    expect(await pub([...base, "-f", "some"])).toEqual(ok)
    expect(await pub([...base, "-s"], bytes("whole\n\0\xfe"))).toEqual(ok)
    expect(await pub([...base, "-l"], bytes("one\r\n\nt\0w\xff\nlast"))).toEqual(ok)
    const seen = await witness.saw(7)
    expect(seen.map(({ payload }) => payload.toString("latin1"))).toEqual([
      "",
      "a\0\xff\n",
      "whole\n\0\xfe",
      "one\r",
      "",
      "t\0w\xff",
      "last",
    ])
  })

  it("-f with a file that is longer than what is read at once", async () => {
    const whole = Buffer.alloc(700_001, 0)
    for (let i = 0; i < whole.length; i++) whole[i] = (i * 7) % 251
    writeFileSync(world.command.at("long"), whole)
    const witness = await world.witness("long")
    expect(await pub(["-t", "long", "-q", "2", "-f", "long", "--repeat", "2"])).toEqual(ok)
    for (const { payload } of await witness.saw(2)) expect(payload.equals(whole)).toBe(true)
  })

  it("--repeat and --repeat-delay", async () => {
    const witness = await world.witness("again")
    const start = performance.now()
    expect(await pub(["-t", "again", "-m", "x", "--repeat", "3", "--repeat-delay", "0.3"])).toEqual(ok)
    expect(performance.now() - start).toBeGreaterThan(590)
    expect(await witness.saw(3)).toHaveLength(3)
  })

  it("-D publish: every property, User Properties in their order", async () => {
    const witness = await world.witness("properties")
    const properties = [
      ...["-D", "publish", "content-type", "text/plain", "-D", "PUBLISH", "Correlation-Data", "-7-"],
      ...["-D", "publish", "response-topic", "re/sponse", "--property", "publish", "message-expiry-interval", "1000"],
      ...["-D", "publish", "payload-format-indicator", "1", "-D", "publish", "topic-alias", "1"],
      ...["-D", "publish", "user-property", "b", "-1", "-D", "publish", "user-property", "a", "2"],
    ]
    expect(await pub(["-t", "properties", "-m", "x", "-q", "1", "--repeat", "2", ...properties])).toEqual(ok)
    for (const { topic, packet } of await witness.saw(2)) {
      expect(topic).toBe("properties")
      expect(packet.properties).toMatchObject({
        contentType: "text/plain",
        responseTopic: "re/sponse",
        payloadFormatIndicator: true,
        correlationData: Buffer.from("-7-"),
      })
      expect(Object.entries(packet.properties?.userProperties ?? {})).toEqual([
        ["b", "-1"],
        ["a", "2"],
      ])
      expect(packet.properties?.messageExpiryInterval).toBeGreaterThan(900)
    }
  })

  it("all of CONNECT: -i -c -x -k -u -P -V --will-* and -D connect, will", async () => {
    const connects: Buffer[] = []
    const port = await world.serve((socket) =>
      socket.once("data", (data) => {
        connects.push(data)
        socket.end(Uint8Array.of(0x20, 3, 0, 0x88, 0))
      }),
    )
    const will = ["--will-topic", "w", "--will-payload", "-gone", "--will-qos", "2", "--will-retain"]
    const args = [
      ...["-i", "-me", "-c", "-x", "77", "-k", "13", "-u", "name", "-P", "-secret", ...will],
      ...["-D", "connect", "receive-maximum", "9", "-D", "connect", "maximum-packet-size", "1000"],
      ...["-D", "will", "will-delay-interval", "5", "-D", "will", "content-type", "c"],
    ]
    const first = await world.run(["pub", "--tcp", "-p", port, "-t", "a", "-m", "b", ...args])
    expect(first).toEqual({
      status: 1,
      out: "",
      err: "puremq: the broker refused the connection: server unavailable\n",
    })
    expect(readConnect(connects[0]!, 0, 2, connects[0]!.length)).toMatchObject({
      ...{ protocolVersion: 5, clientId: "-me", cleanStart: false, keepAlive: 13, sessionExpiryInterval: 77 },
      ...{
        username: "name",
        password: new TextEncoder().encode("-secret"),
        receiveMaximum: 9,
        maximumPacketSize: 1000,
      },
      will: {
        ...{ topic: "w", payload: new TextEncoder().encode("-gone"), qos: 2, retain: true, delayInterval: 5 },
        properties: Uint8Array.of(3, 0, 1, 0x63),
      },
    })
    await world.run(["pub", "--tcp", "-p", port, "-t", "a", "-m", "b", "-V", "31", "-I", "old-", "-k", "0"])
    const second = readConnect(connects[1]!, 0, 2, connects[1]!.length)
    expect(second).toMatchObject({ protocolVersion: 4, mqtt31: true, cleanStart: true, keepAlive: 0 })
    expect(second.clientId).toMatch(/^old-\d+$/)
    await world.run(["pub", "--tcp", "-p", port, "-t", "a", "-m", "b", "-i", "s", "-c"])
    expect(readConnect(connects[2]!, 0, 2, connects[2]!.length).sessionExpiryInterval).toBe(0xffff_ffff)
    await world.run(["pub", "--tcp", "-p", port, "-t", "a", "-m", "b", "-i", "s", "-x", "-1"])
    expect(readConnect(connects[3]!, 0, 2, connects[3]!.length)).toMatchObject({
      cleanStart: true,
      sessionExpiryInterval: 0xffff_ffff,
    })
  })

  it("-D disconnect session-expiry-interval and the end of a session", async () => {
    const end = ["-D", "disconnect", "session-expiry-interval", "0"]
    expect(await pub(["-t", "a", "-m", "b", "-i", "short", "-x", "1000", ...end])).toEqual(ok)
    const witness = await world.witness("a", { clientId: "short", clean: false })
    expect(witness.client.connected).toBe(true)
  })

  it("is the session's of a subscriber only as far as it goes: what waits there is not taken", async () => {
    const session = ["-i", "kept", "-c", "-q", "1"]
    expect((await world.run(["sub", ...world.tcp, "-t", "kept/#", "-E", ...session])).status).toBe(0)
    expect(await pub(["-t", "kept/1", "-m", "wait", "-q", "1"])).toEqual(ok)
    expect(await pub(["-t", "other", "-m", "x", ...session])).toEqual(ok)
    const { out } = await world.run(["sub", ...world.tcp, "-t", "kept/#", "-C", "1", "-v", ...session])
    expect(out).toBe("kept/1 wait\n")
  })
})

describe("where to", { timeout: patience }, () => {
  it("-L: TCP, TLS and WebSocket by a URL, with a topic that has anything in it", async () => {
    const witness = await world.witness("url/#")
    const send = (url: string, ...more: string[]) => world.run(["pub", "-L", url, "-m", url, "-q", "1", ...more])
    const ca = ["--cafile", "ca.pem"]
    const urls = [
      [`mqtt://127.0.0.1:${world.port("tcp")}/url/a%20b?c`],
      [`MQTTS://localhost:${world.port("tls")}/url/tls`, ...ca],
      [`ws://127.0.0.1:${world.port("ws")}/url/ws`],
      [`wss://name:se:cret@localhost:${world.port("wss")}/url/wss`, ...ca, "--ws-path", "/elsewhere"],
    ]
    for (const [url = "", ...more] of urls) expect(await send(url, ...more)).toEqual(ok)
    const topics = (await witness.saw(4)).map(({ topic }) => topic)
    expect(topics).toEqual(["url/a%20b?c", "url/tls", "url/ws", "url/wss"])
  })

  it("--ws, --wss, --cafile, --cert and --key", async () => {
    const message = ["-t", "over", "-m", "x", "-q", "1"]
    const credential = ["--cert", "client.pem", "--key", "client-key.pem"]
    expect(await world.run(["pub", "--ws", "-p", world.port("ws"), ...message])).toEqual(ok)
    const wss = ["--wss", "-h", "localhost", "-p", world.port("wss"), "--ws-path", "/elsewhere", "--cafile", "ca.pem"]
    expect(await world.run(["pub", ...wss, ...message, ...credential, "-i", "with-certificate"])).toEqual(ok)
    const connected = world.events.find(
      (each) => each.event === "client connected" && each.clientId === "with-certificate",
    )
    expect(connected).toMatchObject({ user: "device" })
  })

  it("--insecure takes any certificate, and says so", async () => {
    const tls = ["-p", world.port("tls"), "-t", "a", "-m", "b", "-q", "1"]
    const refused = await world.run(["pub", ...tls])
    expect([refused.status, refused.err]).toEqual([1, expect.stringMatching(/^puremq: [^\n]*\(--cafile FILE\)\n$/)])
    const { status, err } = await world.run(["pub", ...tls, "--insecure"])
    const where = `127.0.0.1:${world.port("tls")}`
    expect([status, err]).toEqual([
      0,
      `puremq: Warning: --insecure: whoever answers at ${where} is taken for the broker, whatever certificate it shows\n`,
    ])
  })

  it("a WebSocket that is somewhere else", async () => {
    const { status, err } = await world.run([
      "pub",
      "--ws",
      "-p",
      world.port("ws"),
      "--ws-path",
      "/no",
      "-t",
      "a",
      "-n",
    ])
    expect([status, err]).toEqual([
      1,
      `puremq: 127.0.0.1:${world.port("ws")} answers with HTTP 404 and no WebSocket; check --port and --ws-path\n`,
    ])
    const plain = await world.run(["pub", "--ws", "-p", world.port("tcp"), "-t", "a", "-n"])
    expect([plain.status, plain.err]).toEqual([
      1,
      expect.stringMatching(/^puremq: 127\.0\.0\.1:\d+ [^\n]*without WebSocket: --tcp[^\n]*\n$/),
    ])
  })
})

describe("what the broker does not take is one line", { timeout: patience }, () => {
  let port = ""
  beforeAll(async () => {
    const features = { maximumQos: 1, retainAvailable: false, wildcardSubscriptionAvailable: false } as const
    const limits = { maximumPacketSize: 5000, receiveMaximum: 2, topicAliasMaximum: 3 }
    const [address] = await world.broker({ features, limits })
    port = String(address?.port)
  })

  it.each<[string, string[], string]>([
    ["Maximum QoS", ["-m", "x", "-q", "2"], "the broker takes no messages of QoS 2; 1 is its highest: -q 1"],
    ["Retain Available", ["-m", "x", "-r"], "the broker keeps no retained messages: leave out -r"],
    [
      "Maximum Packet Size",
      ["-m", "x".repeat(4997)],
      "the message makes a packet of 5008 bytes; the broker takes 5000 at most",
    ],
    [
      "Topic Alias Maximum",
      ["-m", "x", "-D", "publish", "topic-alias", "4"],
      "the broker takes no Topic Alias 4; 3 at most",
    ],
    [
      "Will QoS",
      ["-m", "x", "--will-topic", "a", "--will-qos", "2"],
      "the broker refused the connection: qos not supported",
    ],
  ])("%s", async (_what, args, said) => {
    const { status, out, err } = await world.run(["pub", "--tcp", "-p", port, "-t", "topic", ...args])
    expect([status, out, err.replace(/ \([^\n]*\)\n$/, "\n")]).toEqual([1, "", `puremq: ${said}\n`])
  })

  it("but what it takes is sent, up to the last byte", async () => {
    const base = ["pub", "--tcp", "-p", port, "-t", "topic", "-q", "1"]
    expect(await world.run([...base, "-m", "x".repeat(4987)])).toEqual(ok)
    expect(await world.run([...base, "-m", "x", "-D", "publish", "topic-alias", "3"])).toEqual(ok)
  })

  it("Receive Maximum: so many are under way and no more, and all come", async () => {
    const lines = Array.from({ length: 500 }, (_, i) => `${i}\n`).join("")
    expect(await world.run(["pub", "--tcp", "-p", port, "-t", "topic", "-q", "1", "-l"], lines)).toEqual(ok)
  })
})

describe("a broker that takes its time", { timeout: patience }, () => {
  const connack = Uint8Array.of(0x20, 3, 0, 0, 0)

  it("-l reads no faster than it takes, and all comes in the end", async () => {
    let received = 0
    let goOn = (): void => undefined
    let begin = (): void => undefined
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const port = await world.serve((socket) => {
      socket.once("data", () => {
        socket.write(connack)
        socket.pause()
        goOn = () => socket.on("data", (data) => (received += data.length)).resume()
        begin()
      })
    })
    const pub = world.start(["pub", "--tcp", "-p", port, "-t", "t", "-l"])
    const input = pub.child.stdin!
    const line = Buffer.alloc(65_536, "x")
    line[line.length - 1] = 0x0a
    const all = 1000 // 64 MiB
    let taken = 0
    const feed = async () => {
      for (let i = 0; i < all; i++) {
        if (!input.write(line)) await new Promise((resolve) => input.once("drain", resolve))
        taken++
      }
      input.end()
    }
    input.on("error", () => undefined)
    const fed = feed()
    await begun
    for (let before = -1; before !== taken || taken === 0; ) {
      before = taken
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    expect(taken).toBeLessThan(all / 2)
    goOn()
    await fed
    expect(await pub.ended).toEqual(ok)
    expect(received).toBeGreaterThan(all * 65_535)
  })

  it.skipIf(process.platform !== "linux")("-f holds a part of a long file, not all of it", async () => {
    const length = 250 * 1024 * 1024
    writeFileSync(world.command.at("huge"), "")
    truncateSync(world.command.at("huge"), length)
    let received = 0
    let goOn = (): void => undefined
    let begun = (): void => undefined
    const sending = new Promise<void>((resolve) => (begun = resolve))
    const port = await world.serve((socket) => {
      socket.once("data", () => {
        socket.write(connack)
        socket.once("data", (data) => {
          received += data.length
          socket.pause()
          begun()
          goOn = () => socket.on("data", (more) => (received += more.length)).resume()
        })
      })
    })
    const pub = world.start(["pub", "--tcp", "-p", port, "-t", "t", "-f", "huge"])
    await sending
    await new Promise((resolve) => setTimeout(resolve, 1000))
    goOn()
    expect(
      await Promise.race([pub.ended, new Promise((resolve) => setTimeout(() => resolve(undefined), 20))]),
    ).toBeUndefined()
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pub.child.pid}/status`, "utf8"))?.[1]) * 1024
    expect(peak).toBeLessThan(length)
    expect(await pub.ended).toEqual(ok)
    expect(received).toBeGreaterThan(length)
  })

  it("a connection that is lost while -l waits for a line ends it", async () => {
    const port = await world.serve((socket) => {
      socket.once("data", () => {
        socket.write(connack)
        socket.once("data", () => socket.resetAndDestroy())
      })
    })
    const pub = world.start(["pub", "--tcp", "-p", port, "-t", "t", "-l"])
    pub.child.stdin?.on("error", () => undefined)
    pub.child.stdin?.write("one\n")
    expect(await pub.ended).toEqual({
      status: 1,
      out: "",
      err: `puremq: the connection to 127.0.0.1:${port} was lost: the broker or the network reset it\n`,
    })
  })

  it("--quiet says nothing of it, but of options that are wrong", async () => {
    const port = await world.serve((socket) => socket.destroy())
    expect(await world.run(["pub", "--tcp", "-p", port, "-t", "t", "-n", "--quiet"])).toEqual({
      status: 1,
      out: "",
      err: "",
    })
    expect((await world.run(["pub", "--quiet", "-t", "t"])).err).toMatch(/give the message/)
  })
})

describe("options that are wrong are one line, with status 2", { timeout: patience }, () => {
  it.each<[string[], RegExp]>([
    [["-t", "a/#", "-m", "x"], /--topic "a\/#": Topic Name contains a wildcard/],
    [["-t", "a", "-m", "x", "-l"], /give the message by one of -m, -f, -l, -s and -n/],
    [["-t", "a", "-l", "--repeat", "2"], /--repeat is about one message/],
    [["-t", "a", "-n", "--repeat-delay", "x"], /--repeat-delay must be a number of seconds/],
    [["-t", "a", "-n", "-c"], /a session that stays \(-c\) needs -i ID/],
    [["-t", "a", "-n", "-x", "-2"], /--session-expiry must be a whole number of seconds/],
    [["-t", "a", "-n", "-x", "1", "-V", "311"], /--session-expiry is of MQTT 5\.0 only/],
    [["-t", "a", "-n", "--will-qos", "1"], /--will-qos needs --will-topic/],
    [["-t", "a", "-n", "-V", "4.5"], /--protocol-version must be one of 5, 3\.1\.1/],
    [["-t", "a", "-n", "--tcp", "--cafile", "f"], /--cafile is about TLS, which --tcp is without/],
    [["-t", "a", "-n", "--tcp", "--ws"], /--tcp and --ws: one of them at most/],
    [["-L", "http://h/t", "-n"], /-L must be mqtt\(s\):\/\//],
    [["-L", "mqtt://h/t", "-n", "-p", "1"], /-L says where to connect to: leave out --port/],
    [["-t", "a", "-n", "-D", "publish"], /-D publish has no property ""; it has content-type, /],
    [["-t", "a", "-n", "-D", "publish", "subscription-identifier", "1"], /has no property "subscription-identifier"/],
    [["-t", "a", "-n", "-D", "publish", "user-property", "x"], /user-property needs a name and a value/],
    [["-t", "a", "-n", "-D", "connect", "receive-maximum", "0"], /must be a whole number from 1 to 65535, not "0"/],
    [["-t", "a", "-n", "-D", "nothing", "a", "b"], /PACKET is one of connect, /],
    [["-t", "a", "-n", "-i", "a", "-I", "b"], /-i and -I: one of them at most/],
  ])("%j", async (args, said) => {
    const failure = pubCommand(args)
    await expect(failure).rejects.toThrow(UsageError)
    await expect(failure).rejects.toThrow(said)
    await expect(failure).rejects.not.toThrow(/\n/)
  })

  it("and the command ends with status 2", async () => {
    const { status, out, err } = await world.run(["pub", "-t", "a#", "-m", "x"])
    expect([status, out, err]).toEqual([2, "", expect.stringMatching(/^puremq: --topic "a#": [^\n]+\n$/)])
  })
})
