import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { scrypt } from "../platform/node-scrypt.ts"
import type { Decision, Identity, LoginAttempt } from "../ports/access.ts"
import { parseFilter } from "../routing/filter.ts"
import { defaultLimits } from "../session/limits.ts"
import { Acl, parseAcl } from "./acl.ts"
import { createAccess, type LoginRules, type ReplaceableAccess } from "./login.ts"
import { checkPassword, equal, parsePasswordFile, passwordLine } from "./password-file.ts"
import { nobleScrypt } from "./scrypt.ts"

const cheap = { ln: 10, r: 8, p: 1 }
const bytes = (text: string) => new TextEncoder().encode(text)

async function passwords(...users: [string, string][]): Promise<ReturnType<typeof parsePasswordFile>> {
  const lines = await Promise.all(users.map(([user, password]) => passwordLine(user, password, randomBytes(16), cheap)))
  return parsePasswordFile(`# users\n\n${lines.join("\n")}\n`)
}

describe("password file", () => {
  it("a written line is read and its password alone is right", async () => {
    const entry = (await passwords(["älice", "pa:ss wörd"])).get("älice")!
    for (const derive of [scrypt, nobleScrypt]) {
      expect(await checkPassword(entry, bytes("pa:ss wörd"), { scrypt: derive })).toBe(true)
      expect(await checkPassword(entry, bytes("pa:ss word"), { scrypt: derive })).toBe(false)
      expect(await checkPassword(entry, new Uint8Array(0), { scrypt: derive })).toBe(false)
    }
  })

  it.each([
    ["the host", scrypt],
    ["noble", nobleScrypt],
  ])(
    "RFC 7914 section 12: the scrypt vector with N 16384, r 8, p 1 begins with these 32 bytes, by %s",
    async (_, derive) => {
      const line = await passwordLine("u", "pleaseletmein", bytes("SodiumChloride"), { ln: 14, r: 8, p: 1 }, derive)
      const hash = Buffer.from(line.slice(line.lastIndexOf("$") + 1), "base64").toString("hex")
      expect(hash).toBe("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2")
    },
  )

  it.each([
    ["alice:secret", /line 1: expected NAME/],
    ["# ok\nbob:$scrypt$ln=9,r=8,p=1$AAAAAAAAAAA$AAAA", /line 2: scrypt cost/],
    ["bob:$scrypt$ln=18,r=8,p=1$AAAAAAAAAAA$AAAA", /scrypt cost/],
    ["bob:$scrypt$ln=15,r=8,p=1$AAAA$AAAA", /too short/],
  ])("refuses %j with the number of the line", (text, message) => {
    expect(() => parsePasswordFile(text)).toThrow(message)
  })

  it("refuses a user who appears twice, and names that would break a line", async () => {
    const line = await passwordLine("a", "b", randomBytes(16), cheap)
    expect(() => parsePasswordFile(`${line}\n${line}`)).toThrow(/line 2: user "a" appears twice/)
    for (const user of ["", "a:b", "a\nb", "#a"])
      await expect(passwordLine(user, "b", randomBytes(16), cheap)).rejects.toThrow(RangeError)
  })

  it("equal compares lengths and every byte", () => {
    expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
    expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
    expect(equal(Uint8Array.of(1, 2), Uint8Array.of(0, 2))).toBe(false)
    expect(equal(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false)
  })
})

function attempt(login: Partial<LoginAttempt> & { certificate?: string } = {}): LoginAttempt {
  const { certificate, ...rest } = login
  return {
    clientId: "c",
    username: undefined,
    password: undefined,
    abandoned: () => false,
    peer: { transport: "tls", address: "x", certificateIdentity: certificate },
    ...rest,
  }
}

const means = {
  scrypt,
  random: (length: number) => randomBytes(length),
  now: () => performance.now(),
  after: (milliseconds: number, work: () => void) => void setTimeout(work, milliseconds),
  fault: (error: unknown) => {
    throw error
  },
}

function accessOf(rules: Partial<LoginRules>): ReplaceableAccess {
  const none = { anonymous: false, passwords: undefined, certificates: true, acl: undefined }
  return createAccess({ ...none, ...rules }, means, { ...defaultLimits, maximumPasswordChecks: 1 })
}

function decide(rules: Partial<LoginRules>, login: LoginAttempt): Promise<Decision> {
  return new Promise((resolve) => accessOf(rules).authenticate(login, resolve))
}

describe("a listener of its own login", () => {
  const at = (listener: string | undefined, login: Parameters<typeof attempt>[0] = {}) => {
    const { peer, ...others } = attempt(login)
    return { ...others, peer: { ...peer, listener } }
  }
  const listeners = new Map([
    ["local", { anonymous: true }],
    ["sensors", { certificates: true }],
    ["closed", { anonymous: false, certificates: undefined }],
  ])
  const anonymous = { identity: { user: "", source: "anonymous" } }

  it("lets in who is let in there, and the others as everywhere", async () => {
    const rules = { anonymous: false, certificates: false, listeners }
    expect(await decide(rules, at("local"))).toEqual(anonymous)
    for (const name of ["sensors", "closed", "other", undefined])
      expect(await decide(rules, at(name))).toMatchObject({ reasonCode: 0x87 })
    const shown = { certificate: "device" }
    expect(await decide(rules, at("sensors", shown))).toMatchObject({ identity: { user: "device" } })
    for (const name of ["closed", "other"])
      expect(await decide(rules, at(name, shown))).toMatchObject({ reasonCode: 0x87 })
    expect(await decide({ ...rules, anonymous: true }, at("closed"))).toMatchObject({ reasonCode: 0x87 })
    expect(await decide({ ...rules, anonymous: true }, at("sensors"))).toEqual(anonymous)
  })

  it("has the users of all: a password is checked wherever it comes", async () => {
    const rules = { passwords: await passwords(["alice", "secret"]), listeners }
    for (const name of ["local", "closed", undefined]) {
      const login = (password: string) => at(name, { username: "alice", password: bytes(password) })
      expect(await decide(rules, login("secret"))).toMatchObject({ identity: { user: "alice" } })
      expect(await decide(rules, login("wrong"))).toMatchObject({ reasonCode: 0x86 })
    }
  })

  it("a login that is none any more there is one elsewhere", () => {
    const access = accessOf({ anonymous: true, listeners })
    const none = { passwords: undefined, certificates: true, acl: undefined }
    const lost = access.replace({ ...none, anonymous: true, listeners: new Map([["local", { anonymous: false }]]) })
    const identity = { user: "", source: "anonymous" } as const
    expect(lost(identity, at("local").peer)).toBe("clients without login are no longer let in")
    expect(lost(identity, at("other").peer)).toBeUndefined()
    const certificate = { user: "device", source: "certificate" } as const
    const without = access.replace({ ...none, anonymous: true, listeners: new Map([["a", { certificates: false }]]) })
    expect(without(certificate, at("a").peer)).toBe("a client certificate is no longer a login")
    expect(without(certificate, at("b").peer)).toBeUndefined()
  })
})

describe("login", () => {
  it("by password: right, wrong, unknown user", async () => {
    const rules = { passwords: await passwords(["alice", "secret"]) }
    expect(await decide(rules, attempt({ username: "alice", password: bytes("secret") }))).toEqual({
      identity: { user: "alice", source: "password" },
    })
    expect(await decide(rules, attempt({ username: "alice", password: bytes("Secret") }))).toMatchObject({
      reasonCode: 0x86,
      why: "wrong password",
    })
    expect(await decide(rules, attempt({ username: "alice" }))).toMatchObject({ reasonCode: 0x86 })
    expect(await decide(rules, attempt({ username: "bob", password: bytes("secret") }))).toMatchObject({
      reasonCode: 0x86,
      why: "unknown user name",
    })
  })

  it("by verified certificate, unless certificates do not count", async () => {
    expect(await decide({}, attempt({ certificate: "device-7" }))).toEqual({
      identity: { user: "device-7", source: "certificate" },
    })
    expect(await decide({ certificates: false }, attempt({ certificate: "device-7" }))).toMatchObject({
      reasonCode: 0x87,
    })
  })

  it("anonymous only where it is allowed", async () => {
    expect(await decide({ anonymous: true }, attempt())).toEqual({ identity: { user: "", source: "anonymous" } })
    expect(await decide({}, attempt())).toMatchObject({ reasonCode: ReasonCode.NotAuthorized })
    expect(await decide({}, attempt({ username: "a", password: bytes("b") }))).toMatchObject({ reasonCode: 0x86 })
    // with a password file a wrong password does not become an anonymous login
    const rules = { anonymous: true, passwords: await passwords(["alice", "x"]) }
    expect(await decide(rules, attempt({ username: "alice", password: bytes("y") }))).toMatchObject({
      reasonCode: 0x86,
    })
  })
})

const alice: Identity = { user: "alice", source: "password" }
const nobody: Identity = { user: "", source: "anonymous" }

function acl(text: string): Acl {
  return new Acl(parseAcl(text))
}

function may(
  list: Acl,
  identity: Identity,
  clientId: string,
): { read(filter: string): boolean; write(topic: string): boolean } {
  return {
    read: (filter) => list.subscribeRefusal({ ...identity }, clientId, parseFilter(filter, 99)) === undefined,
    write: (topic) => list.publishRefusal({ ...identity }, clientId, topic) === undefined,
  }
}

describe("access control list", () => {
  const list = acl(`
    # who            what       where
    user alice       readwrite  home/%u/#
    user alice       read       $SYS/#
    client sensor-1  write      data/%c/+
    anonymous        read       public/#
    all              write      log/%c
    all              deny       home/+/secret/#
    all              deny-write public/notice
    user bob         readwrite  #
  `)

  it("allows what a rule allows and nothing else", () => {
    const one = may(list, alice, "x")
    expect([one.read("home/alice/lamp/#"), one.read("home/alice/lamp"), one.write("home/alice/lamp")]).toEqual([
      true,
      true,
      true,
    ])
    expect([one.read("home/#"), one.read("home/bob/#"), one.read("#"), one.write("home/bob/x")]).toEqual([
      false,
      false,
      false,
      false,
    ])
    expect([one.read("$SYS/broker/#"), one.write("$SYS/x"), one.write("log/x"), one.write("log/y")]).toEqual([
      true,
      false,
      true,
      false,
    ])
    const sensor = may(list, nobody, "sensor-1")
    expect([sensor.write("data/sensor-1/t"), sensor.write("data/sensor-2/t"), sensor.read("data/sensor-1/t")]).toEqual([
      true,
      false,
      false,
    ])
    expect([sensor.read("public/#"), sensor.read("$share/g/public/a"), one.read("public/#")]).toEqual([
      true,
      true,
      false,
    ])
  })

  it("deny wins over every allowing rule", () => {
    const bob = may(list, { user: "bob", source: "password" }, "b")
    expect([bob.write("home/x/secret/y"), bob.write("public/notice"), bob.read("public/notice")]).toEqual([
      false,
      false,
      true,
    ])
    expect([bob.read("home/x/secret"), bob.read("home/+/secret/#"), bob.read("home/x/secret/+")]).toEqual([
      false,
      false,
      false,
    ])
    expect([bob.read("home/+/lamp"), bob.read("other/#")]).toEqual([true, true])
  })

  it("a subscription that a deny rule only touches is allowed without the topics of that rule", () => {
    const test = new TestBroker({
      access: accessOf({ anonymous: true, acl: acl("all readwrite #\nall deny-read a/secret/#") }),
    })
    const pub = test.connect({ clientId: "pub" })
    for (const topic of ["a/secret/kept", "a/open/kept"]) pub.publish(topic, topic, { retain: true })
    const sub = test.connect({ clientId: "sub" })
    expect(sub.subscribe("#")).toBe(2)
    expect(sub.payloads()).toEqual(["a/open/kept"])
    for (const topic of ["a/secret", "a/secret/x", "a/open"]) pub.publish(topic, topic)
    expect(sub.payloads()).toEqual(["a/open"])
  })

  it("a name with /, + or # does not widen a rule", () => {
    for (const name of ["+", "#", "a/#", "x/y"]) {
      const trick = may(acl("all readwrite own/%c/#"), nobody, name)
      expect([trick.read("own/+/#"), trick.write("own/a/b"), trick.write(`own/${name}/b`)], name).toEqual([
        false,
        false,
        false,
      ])
      const denied = may(acl("all readwrite #\nall deny own/%c"), nobody, name)
      expect([denied.write("own/anything"), denied.write("other")], name).toEqual([false, true])
    }
    expect(may(acl("all read u/%u"), nobody, "c").read("u/+")).toBe(false)
  })

  it("MQTT 5.0 4.7.2: a name that begins with $ does not open the topics of the broker", () => {
    const dollar = (user: string): Identity => (user === "" ? nobody : { user, source: "password" })
    for (const [rule, user, clientId] of [
      ["%c/#", "", "$SYS"],
      ["%c/broker/+", "", "$SYS"],
      ["%u/#", "$SYS", "c"],
      ["%u%c/#", "$SY", "S"],
      ["%u%c/#", "", "$SYS"],
      ["%c%u/#", "YS", "$S"],
      ["+/%c/#", "", "$SYS"],
      ["x%c/#", "", "$SYS"],
      ["%c/#", "", "$share"],
      ["%c/#", "", ""],
    ] as const) {
      const one = may(acl(`all readwrite ${rule}`), dollar(user), clientId)
      const filters = ["$SYS/#", "$SYS/broker/uptime", "$SYS/broker/+", "$share/g/x", "x$SYS/a", "a/$SYS/b", "/a", "#"]
      for (const filter of filters) expect(one.read(filter), `${rule} ${filter}`).toBe(false)
      for (const topic of ["$SYS/broker/uptime", "$SYS/x", "x$SYS/a", "/a"])
        expect(one.write(topic), `${rule} ${topic}`).toBe(false)
    }
    // what a rule itself says of $SYS holds, and a $ inside of a name is one character among others
    expect(may(acl("all read $SYS/#"), nobody, "$SYS").read("$SYS/#")).toBe(true)
    expect(may(acl("all read own/%c/#"), nobody, "a$b").read("own/a$b/#")).toBe(true)
  })

  it("a denying rule with such a name denies the name as it stands, and more rather than less", () => {
    const list = acl("all read #\nall read $SYS/#\nall deny %c/#")
    expect(may(list, nobody, "$SYS").read("$SYS/broker/uptime")).toBe(false)
    expect(may(list, nobody, "$SYS").read("other")).toBe(false)
    expect(may(list, nobody, "$SYS/broker").read("$SYS/broker/uptime")).toBe(false)
    expect(may(list, nobody, "$SYS/broker").read("$SYS/other")).toBe(true)
    expect(may(list, nobody, "c").read("$SYS/broker/uptime")).toBe(true)
    const deeper = may(acl("all read #\nall deny own/%c"), nobody, "$x")
    expect([deeper.read("own/$x"), deeper.read("own/other"), deeper.read("other")]).toEqual([false, false, true])
  })

  it("a refusal says which line forbids it, or that none allows it", () => {
    const list = acl("# all may\nall readwrite home/#\n\nall deny home/+/secret/#\nuser bob deny-write home/x")
    const bob: Identity = { user: "bob", source: "password" }
    const read = (filter: string) => list.subscribeRefusal(bob, "b", parseFilter(filter, 99))?.rule
    expect(list.publishRefusal(bob, "b", "home/x")?.rule).toBe("line 5: user bob deny-write home/x")
    expect(list.publishRefusal(bob, "b", "home/a/secret")?.rule).toBe("line 4: all deny home/+/secret/#")
    expect(list.publishRefusal(bob, "b", "else")?.rule).toBe("no rule allows it")
    expect(list.publishRefusal(bob, "b", "home/y")).toBe(undefined)
    expect(read("home/a/secret/#")).toBe("line 4: all deny home/+/secret/#")
    expect(read("#")).toBe("no rule allows it")
    expect(read("home/#")).toBe(undefined)
  })

  it("rules go with an identity and a Client Identifier, also when an Identity is used for two", () => {
    const list = acl("all readwrite own/%c/#")
    const identity = { ...nobody }
    expect(list.publishRefusal(identity, "a", "own/a/x")).toBe(undefined)
    expect(list.publishRefusal(identity, "b", "own/a/x")).not.toBe(undefined)
  })

  it.each([
    ["alice read a", /line 1: expected/],
    ["\nuser alice look a", /line 2: look is none of/],
    ["all read a/#/b", /line 1: .*last level/],
    ["all read", /line 1: expected/],
  ])("refuses %j with the number of the line", (text, message) => {
    expect(() => parseAcl(text)).toThrow(message)
  })

  it("a refusal is 0x87 in MQTT 5.0, 0x80 and silence in MQTT 3.1.1", () => {
    const rules = acl("all readwrite mine/#")
    const test = new TestBroker({
      access: accessOf({ anonymous: true, acl: rules }),
    })
    const five = test.connect({ clientId: "five" })
    expect([five.subscribe("mine/+"), five.subscribe("#")]).toEqual([2, ReasonCode.NotAuthorized])
    five.publish("other", "x", { qos: 1 })
    five.publish("other", "x", { qos: 2, packetId: 2 })
    five.publish("mine/a", "x", { qos: 1, packetId: 3 })
    expect(five.acks().map((ack) => ack.reasonCode)).toEqual([0x87, 0x87, 0])
    const four = test.connect({ clientId: "four", protocolVersion: 4 })
    expect(four.subscribe("#")).toBe(0x80)
    four.publish("other", "x", { qos: 1 })
    expect(four.acks()).toMatchObject([{ type: "puback" }])
    expect(test.broker.counters.dropped["not authorized"]).toBe(3)
    const will = test.connect({
      clientId: "w",
      will: { topic: "other", payload: new Uint8Array(1), qos: 0, retain: false },
    })
    expect(will.connack.reasonCode).toBe(ReasonCode.NotAuthorized)
  })
})
