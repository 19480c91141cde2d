import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { seeded } from "../../../tls13/fuzz/random.ts"
import { encodeText } from "../packet/bytes.ts"
import { pbkdf2 } from "../platform/node-pbkdf2.ts"
import { scrypt } from "../platform/node-scrypt.ts"
import type { Exchange, ExchangeAttempt, Step } from "../ports/access.ts"
import { defaultLimits } from "../session/limits.ts"
import { DelayLine } from "./delay-line.ts"
import { createAccess, type LoginRules, type ReplaceableAccess } from "./login.ts"
import { type PasswordEntry, parsePasswordFile, passwordLine, scramSuffix } from "./password-file.ts"
import { ScramUsers } from "./scram.ts"
import { ScramClient } from "./scram-client.ts"
import { noblePbkdf2 } from "./scram-keys.ts"
import { longestMessage } from "./scram-messages.ts"

const method = "SCRAM-SHA-256"
const nothing = new Uint8Array(0)
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
const afterNonce = (serverFirst: Uint8Array) => text(serverFirst).replace(/^r=[^,]+/, "")
const base64 = (value: string) => Buffer.from(value).toString("base64")

async function line(user: string, password: string, scram = true, iterations = 4096): Promise<string> {
  const plain = await passwordLine(user, password, randomBytes(16), { ln: 10, r: 8, p: 1 }, scrypt)
  return scram ? plain + (await scramSuffix(user, password, randomBytes(16), iterations, pbkdf2)) : plain
}

async function users(...lines: Promise<string>[]): Promise<Map<string, PasswordEntry>> {
  return parsePasswordFile((await Promise.all(lines)).join("\n"))
}

/** An access whose clock the test turns. */
class Clock {
  now = 1_000_000
  readonly waiting: { at: number; work: () => void }[] = []
  readonly faults: unknown[] = []
  readonly means = {
    scrypt,
    random: (length: number) => randomBytes(length),
    now: () => this.now,
    after: (milliseconds: number, work: () => void) => void this.waiting.push({ at: this.now + milliseconds, work }),
    fault: (error: unknown) => void this.faults.push(error),
  }

  pass(milliseconds: number): void {
    const until = this.now + milliseconds
    for (;;) {
      const next = this.waiting.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.waiting.splice(this.waiting.indexOf(next), 1)
      this.now = Math.max(this.now, next.at)
      next.work()
    }
    this.now = until
  }
}

function accessOf(rules: Partial<LoginRules>, clock = new Clock(), limits: Partial<typeof defaultLimits> = {}) {
  const none = { anonymous: false, passwords: undefined, certificates: true, acl: undefined }
  return createAccess({ ...none, ...rules }, clock.means, { ...defaultLimits, maximumPasswordChecks: 1, ...limits })
}

function attempt(rest: Partial<ExchangeAttempt> & { certificate?: string; address?: string } = {}): ExchangeAttempt {
  const { certificate, address = "192.0.2.1:1", ...others } = rest
  const peer = { transport: "tls", address, certificateIdentity: certificate } as const
  return { clientId: "c", username: undefined, identity: undefined, abandoned: () => false, peer, ...others }
}

/** What an exchange says to this; "nothing" when it has not yet. */
function say(exchange: Exchange, data: string | Uint8Array | undefined): Step | "nothing" {
  let said: Step | "nothing" = "nothing"
  let times = 0
  exchange.next(typeof data === "string" ? encodeText(data) : data, (step) => {
    said = step
    times++
  })
  expect(times).toBeLessThan(2)
  return said
}

function goesOn(step: Step | "nothing"): Uint8Array {
  if (step === "nothing" || !step.goesOn) throw new Error(`it does not go on: ${JSON.stringify(step)}`)
  return step.data
}

function refusal(step: Step | "nothing"): { readonly reasonCode: number; readonly why: string } {
  if (step === "nothing" || step.goesOn || "identity" in step.decision)
    throw new Error(`it is not refused: ${JSON.stringify(step)}`)
  expect(step.data).toBeUndefined()
  return step.decision
}

function begin(access: ReplaceableAccess, rest: Parameters<typeof attempt>[0] = {}): Exchange {
  const exchange = access.exchange?.(method, attempt(rest))
  if (exchange === undefined) throw new Error("SCRAM is not offered")
  return exchange
}

/** The client's two messages; what answers the second, and the client. */
async function login(
  exchange: Exchange,
  user: string,
  password: string,
): Promise<{ readonly end: Step | "nothing"; readonly client: ScramClient; readonly offered: string }> {
  const client = new ScramClient(user, password, randomBytes(18).toString("base64"), pbkdf2)
  const offered = goesOn(say(exchange, client.first()))
  return { end: say(exchange, await client.final(offered)), client, offered: afterNonce(offered) }
}

describe("RFC 7677 section 3: the example", () => {
  const serverNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
  const clientNonce = "rOprNGfwEbeRWgbNEkqO"
  const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64")
  const first = `r=${clientNonce}${serverNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
  const final = `c=biws,r=${clientNonce}${serverNonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`
  const signature = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

  it.each([
    ["the host", pbkdf2],
    ["noble", noblePbkdf2],
  ])("the server says what it says there, with PBKDF2 of %s", async (_, derive) => {
    const plain = await passwordLine("user", "pencil", randomBytes(16), { ln: 10, r: 8, p: 1 }, scrypt)
    const passwords = parsePasswordFile(plain + (await scramSuffix("user", "pencil", salt, 4096, derive)))
    const clock = new Clock()
    const guesses = { delay: () => 0, failed: () => expect.unreachable() }
    const server = new ScramUsers(passwords, clock.means.random, guesses, new DelayLine(clock.means, defaultLimits))
    const exchange = server.begin(attempt(), serverNonce)
    expect(text(goesOn(say(exchange, `n,,n=user,r=${clientNonce}`)))).toBe(first)
    const end = say(exchange, final)
    expect(end).toMatchObject({ goesOn: false, decision: { identity: { user: "user", source: "password" } } })
    expect(text(end === "nothing" ? undefined : end.data)).toBe(signature)
  })

  it("the client says what it says there", async () => {
    const client = new ScramClient("user", "pencil", clientNonce, pbkdf2)
    expect(text(client.first())).toBe(`n,,n=user,r=${clientNonce}`)
    expect(text(await client.final(encodeText(first)))).toBe(final)
    client.verify(encodeText(signature))
  })
})

describe("an exchange", () => {
  it("lets in who has the password, proves the server, and no other", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret"), line("bob", "hidden")) })
    for (const username of [undefined, "alice"]) {
      const { end, client } = await login(begin(access, { username }), "alice", "secret")
      expect(end).toMatchObject({ goesOn: false, decision: { identity: { user: "alice", source: "password" } } })
      if (end !== "nothing") client.verify(end.data)
    }
    const { end } = await login(begin(access), "alice", "hidden")
    expect(refusal(end)).toEqual({ reasonCode: 0x86, why: 'wrong password (user "alice")' })
    const named = await login(begin(access, { username: "alice" }), "alice", "hidden")
    expect(refusal(named.end)).toEqual({ reasonCode: 0x86, why: "wrong password" })
  })

  it.each(["a,b=c", "älice", "=2C", "名前", "a b"])("knows the user %j, however he is written", async (user) => {
    const access = accessOf({ passwords: await users(line(user, "pä,=\u2168ß")) })
    for (const [name, password] of [
      [user, "pä,=\u2168ß"],
      [user.normalize("NFD"), "pa\u0308,=IXß"],
    ] as const) {
      const { end } = await login(begin(access, { username: name }), name, password)
      expect(end).toMatchObject({ decision: { identity: { user } } })
    }
  })

  it("a name of more characters than a message may have is none, by itself or by what compatibility makes of it", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    const refused = { reasonCode: 0x87, why: `a name has more than ${longestMessage} characters` }
    const said = (name: string, rest: Parameters<typeof attempt>[0] = {}) =>
      say(begin(access, rest), `n,,n=${name},r=${"x".repeat(24)}`)
    // U+FDFA is eighteen characters in NFKC.
    goesOn(said("\ufdfa".repeat(Math.floor(longestMessage / 18))))
    expect(refusal(said("\ufdfa".repeat(Math.floor(longestMessage / 18) + 1)))).toEqual(refused)
    expect(refusal(said("alice", { username: "a".repeat(longestMessage + 1) }))).toEqual(refused)
    expect(refusal(said("alice", { username: "a".repeat(longestMessage) })).reasonCode).toBe(0x86)
  })

  it("RFC 4422 section 5: a client that sends nothing at first is asked for its message, once", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    const exchange = begin(access)
    expect(goesOn(say(exchange, undefined))).toHaveLength(0)
    expect((await login(exchange, "alice", "secret")).end).toMatchObject({ decision: { identity: { user: "alice" } } })
    const silent = begin(access)
    goesOn(say(silent, undefined))
    expect(refusal(say(silent, undefined))).toEqual({
      reasonCode: 0x87,
      why: "the client-first-message is missing",
    })
    const half = begin(access)
    goesOn(say(half, "n,,n=alice,r=x"))
    expect(refusal(say(half, undefined)).why).toBe("the client-final-message is missing")
  })

  it("has an end: what comes after it is refused", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    const exchange = begin(access)
    const { end } = await login(exchange, "alice", "secret")
    expect(end).toMatchObject({ decision: { identity: { user: "alice" } } })
    for (const data of ["n,,n=alice,r=x", undefined, "c=biws,r=x,p=x"])
      expect(refusal(say(exchange, data))).toEqual({ reasonCode: 0x87, why: "the SCRAM exchange is over" })
  })

  it("RFC 5802 section 5.1: each has a nonce of its own, which goes on from the client's", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    const nonces = [1, 2, 3].map(
      () => /^r=(x[^,]{24}),s=/.exec(text(goesOn(say(begin(access), "n,,n=alice,r=x"))))?.[1],
    )
    expect(new Set(nonces).size).toBe(3)
    expect(nonces).not.toContain(undefined)
  })

  it("what was said in one is worth nothing in another", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    const client = new ScramClient("alice", "secret", "nonce", pbkdf2)
    const [one, other] = [begin(access), begin(access)]
    const final = await client.final(goesOn(say(one, client.first())))
    goesOn(say(other, client.first()))
    expect(refusal(say(other, final)).why).toBe("the nonce is not the one of this exchange")
    expect(say(one, final)).toMatchObject({ decision: { identity: { user: "alice" } } })
  })

  it("extensions that are not mandatory are passed over, and signed", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    expect(text(goesOn(say(begin(access), "n,,n=alice,r=x,z=1,t=a=b")))).toMatch(/^r=x/)
    expect(text(goesOn(say(begin(access), "y,a=alice,n=alice,r=x")))).toMatch(/^r=x/)
  })

  // What is wrong, the message, and what the log says of it.
  it.each([
    ["nothing", "", /does not begin with n,, or y,,/],
    ["no GS2 header", "n=alice,r=x", /does not begin with/],
    ["half a GS2 header", "n,", /does not begin with/],
    ["channel binding (RFC 5802 section 6)", "p=tls-exporter,,n=alice,r=x", /channel binding is not offered/],
    ["another authorization identity", "n,a=bob,n=alice,r=x", /act as somebody else/],
    ["an authorization identity in a form that is none", "n,a==41,n=alice,r=x", /neither =2C nor =3D/],
    ["a mandatory extension (RFC 5802 section 5.1)", "n,,m=x,n=alice,r=x", /mandatory extension/],
    ["a mandatory extension at the end", "n,,n=alice,r=x,m=x", /mandatory extension/],
    ["no name", "n,,r=x", /lacks n= in its place/],
    ["an empty name", "n,,n=,r=x", /not a list of attributes/],
    ["a name of nothing", "n,,n=\u00ad,r=x", /the name is empty/],
    ["a name with a bare =", "n,,n=a=b,r=x", /neither =2C nor =3D/],
    ["a name with =2c", "n,,n=a=2cb,r=x", /neither =2C nor =3D/],
    ["a name that SASLprep forbids", "n,,n=a\u200eb,r=x", /it has U\+200E/],
    ["attributes in another order", "n,,r=x,n=alice", /lacks n= in its place/],
    ["no nonce", "n,,n=alice", /lacks r= in its place/],
    ["an empty nonce", "n,,n=alice,r=", /not a list of attributes/],
    ["a nonce that is not printable", "n,,n=alice,r=x\u007f", /not printable ASCII/],
    ["a nonce with a space", "n,,n=alice,r=x y", /not printable ASCII/],
    ["a second nonce", "n,,n=alice,r=x,r=y", /r= in a wrong place/],
    ["a proof already", "n,,n=alice,r=x,p=eA==", /p= in a wrong place/],
    ["an empty attribute", "n,,n=alice,r=x,", /not a list of attributes/],
    ["U+0000", "n,,n=alice,r=x,z=\0", /contains U\+0000/],
    ["bytes that are no text", Uint8Array.of(0x6e, 0x2c, 0x2c, 0xff), /not well-formed UTF-8/],
    ["a byte too many", `n,,n=${"a".repeat(longestMessage - 8)},r=x`, /has 4097 bytes; 4096 are the most/],
    ["megabytes", new Uint8Array(8 << 20).fill(0x6e), /has 8388608 bytes/],
    ["commas", ",".repeat(longestMessage), /does not begin with/],
  ])("refuses a client-first-message with %s", async (_, message, why) => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    const exchange = begin(access)
    const refused = refusal(say(exchange, message))
    expect(refused.reasonCode).toBe(0x87)
    expect(refused.why).toMatch(why)
    expect(refusal(say(exchange, "n,,n=alice,r=x")).why).toBe("the SCRAM exchange is over")
  })

  it(`takes a client-first-message of ${longestMessage} bytes`, async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    expect(text(goesOn(say(begin(access), `n,,n=alice,r=${"x".repeat(longestMessage - 13)}`)))).toMatch(/^r=xx/)
  })

  const proof = "p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  it.each([
    ["nothing", () => "", /not a list of attributes/],
    ["another channel binding", (r: string) => `c=${base64("y,,")},r=${r},${proof}`, /c= is not what/],
    ["a channel binding with data", (r: string) => `c=${base64("n,,x")},r=${r},${proof}`, /c= is not what/],
    ["no channel binding", (r: string) => `r=${r},${proof}`, /lacks c= in its place/],
    ["another nonce", (r: string) => `c=biws,r=${r}x,${proof}`, /nonce is not the one/],
    ["the client's nonce alone", () => `c=biws,r=x,${proof}`, /nonce is not the one/],
    ["no nonce", () => `c=biws,${proof}`, /lacks r= in its place/],
    ["no proof", (r: string) => `c=biws,r=${r}`, /lacks p= in its place/],
    ["something after the proof", (r: string) => `c=biws,r=${r},${proof},z=1`, /p= in a wrong place/],
    ["two proofs", (r: string) => `c=biws,r=${r},${proof},${proof}`, /p= in a wrong place/],
    ["a proof of 31 bytes", (r: string) => `c=biws,r=${r},p=${base64("x".repeat(31))}`, /not 32 bytes in base64/],
    ["a proof of 33 bytes", (r: string) => `c=biws,r=${r},p=${base64("x".repeat(33))}`, /not 32 bytes in base64/],
    ["a proof that is no base64", (r: string) => `c=biws,r=${r},p=${"*".repeat(44)}`, /not 32 bytes in base64/],
    ["a proof without padding", (r: string) => `c=biws,r=${r},${proof.slice(0, -1)}`, /not 32 bytes in base64/],
    ["a proof with bits left over", (r: string) => `c=biws,r=${r},${proof.slice(0, -2)}B=`, /not 32 bytes in base64/],
    ["a mandatory extension", (r: string) => `c=biws,r=${r},m=1,${proof}`, /mandatory extension/],
    ["megabytes", (r: string) => `c=biws,r=${r},z=${"1".repeat(4 << 20)},${proof}`, /are the most/],
  ])("refuses a client-final-message with %s", async (_, message, why) => {
    const clock = new Clock()
    const access = accessOf({ passwords: await users(line("alice", "secret")) }, clock)
    const exchange = begin(access)
    const nonce = /^r=([^,]+)/.exec(text(goesOn(say(exchange, "n,,n=alice,r=x"))))![1]!
    const refused = refusal(say(exchange, message(nonce)))
    expect(refused.reasonCode).toBe(0x87)
    expect(refused.why).toMatch(why)
  })
})

describe("who begins an exchange", () => {
  it("is offered it only when a user has keys, and under no other name", async () => {
    expect(accessOf({ passwords: await users(line("alice", "secret", false)) }).exchange?.(method, attempt())).toBe(
      undefined,
    )
    expect(accessOf({}).exchange?.(method, attempt())).toBe(undefined)
    const access = accessOf({ passwords: await users(line("alice", "secret", false), line("bob", "secret")) })
    for (const other of ["SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "scram-sha-256", "", "PLAIN"])
      expect(access.exchange?.(other, attempt())).toBe(undefined)
    expect(access.exchange?.(method, attempt())).toBeDefined()
  })

  it("has one user name: another in CONNECT is refused, whoever exists", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret"), line("bob", "secret")) })
    for (const username of ["bob", "nobody", "Alice", "", "\u200e"]) {
      const refused = refusal(say(begin(access, { username }), "n,,n=alice,r=x"))
      expect(refused.reasonCode).toBe(username === "\u200e" ? 0x87 : 0x86)
    }
  })

  it("stays who it is when it authenticates again", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret"), line("bob", "secret")) })
    const identity = { user: "alice", source: "password" } as const
    expect((await login(begin(access, { identity }), "alice", "secret")).end).toMatchObject({ decision: { identity } })
    for (const other of ["bob", "nobody"])
      expect(refusal(say(begin(access, { identity }), `n,,n=${other},r=x`))).toEqual({
        reasonCode: 0x87,
        why: "the client may not become another user",
      })
  })

  it("is who its certificate says, at once, as it is with a password", async () => {
    const passwords = await users(line("alice", "secret"))
    expect(say(begin(accessOf({ passwords }), { certificate: "device-7" }), "n,,n=alice,r=x")).toEqual({
      goesOn: false,
      decision: { identity: { user: "device-7", source: "certificate" } },
      data: undefined,
    })
    const identity = { user: "alice", source: "password" } as const
    const again = begin(accessOf({ passwords }), { certificate: "device-7", identity })
    expect(refusal(say(again, "n,,n=alice,r=x")).reasonCode).toBe(0x87)
    const nameless = attempt()
    const peer = { ...nameless.peer, certificateProblem: "it has no name" }
    const exchange = accessOf({ passwords }).exchange?.(method, { ...nameless, peer })
    expect(exchange && refusal(say(exchange, "n,,n=alice,r=x"))).toEqual({ reasonCode: 0x87, why: "it has no name" })
    const without = accessOf({ passwords, certificates: false })
    const { end } = await login(begin(without, { certificate: "device-7" }), "alice", "secret")
    expect(end).toMatchObject({ decision: { identity: { user: "alice", source: "password" } } })
  })

  it("is refused when its certificate is no longer good, at the beginning and at the end", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")), certificates: false })
    let problem: string | undefined = "it was revoked"
    const peer = { transport: "tls", address: "192.0.2.1:1", recheckCertificate: () => problem } as const
    expect(refusal(say(begin(access, { peer }), "n,,n=alice,r=x")).why).toMatch(/it was revoked/)
    problem = undefined
    const exchange = begin(access, { peer })
    const client = new ScramClient("alice", "secret", "x", pbkdf2)
    const offered = goesOn(say(exchange, client.first()))
    problem = "it was revoked"
    expect(refusal(say(exchange, await client.final(offered)))).toEqual({
      reasonCode: 0x87,
      why: "its certificate is no longer good: it was revoked",
    })
  })
})

describe("who does not exist, or has no keys", () => {
  it("gets the same salt and iterations each time, as others have them, and is refused like a wrong password", async () => {
    const access = accessOf({
      passwords: await users(line("alice", "secret", true, 5000), line("plain", "secret", false)),
    })
    const real = await login(begin(access), "alice", "wrong")
    for (const user of ["nobody", "plain"]) {
      const one = await login(begin(access), user, "secret")
      const other = await login(begin(access), user, "other")
      expect(one.offered).toMatch(/^,s=[A-Za-z0-9+/]{22}==,i=5000$/)
      expect(real.offered).toMatch(/^,s=[A-Za-z0-9+/]{22}==,i=5000$/)
      expect(other.offered).toBe(one.offered)
      expect(refusal(one.end).reasonCode).toBe(refusal(real.end).reasonCode)
    }
    const salts = ["a", "b", "c", "A"].map((user) => afterNonce(goesOn(say(begin(access), `n,,n=${user},r=x`))))
    expect(new Set(salts).size).toBe(4)
  })

  it("stays the same through a reload that adds and takes away other users", async () => {
    const alice = line("alice", "secret")
    const access = accessOf({ passwords: await users(alice) })
    const offered = () => afterNonce(goesOn(say(begin(access), "n,,n=nobody,r=x")))
    const before = offered()
    const rules = { anonymous: false, certificates: true, acl: undefined }
    access.replace({ ...rules, passwords: await users(alice, line("bob", "x"), line("carol", "y", false)) })
    expect(offered()).toBe(before)
  })

  it("has iterations as often as users have them", async () => {
    const few = Array.from({ length: 3 }, (_, i) => line(`few${i}`, "x", true, 5000))
    const access = accessOf({ passwords: await users(...few, line("many", "x", true, 6000)) })
    const counts = Array.from({ length: 400 }, (_, i) => text(goesOn(say(begin(access), `n,,n=no${i},r=x`))).slice(-4))
    const share = counts.filter((count) => count === "5000").length / counts.length
    expect(new Set(counts)).toEqual(new Set(["5000", "6000"]))
    expect(share).toBeGreaterThan(0.6)
    expect(share).toBeLessThan(0.9)
  })
})

describe("guesses", () => {
  it("count as wrong passwords do: after five the next of that address waits, of another it does not", async () => {
    const clock = new Clock()
    const access = accessOf({ passwords: await users(line("alice", "secret")) }, clock)
    for (let i = 0; i < 5; i++)
      expect(refusal((await login(begin(access), "alice", "wrong")).end).reasonCode).toBe(0x86)
    expect(refusal((await login(begin(access), "alice", "wrong")).end).reasonCode).toBe(0x86) // the sixth is free too
    const client = new ScramClient("alice", "secret", "x", pbkdf2)
    const exchange = begin(access)
    const final = await client.final(goesOn(say(exchange, client.first())))
    const steps: Step[] = []
    exchange.next(final, (step) => steps.push(step))
    clock.pass(99)
    expect(steps).toEqual([])
    const elsewhere = await login(begin(access, { address: "198.51.100.1:1" }), "alice", "secret")
    expect(elsewhere.end).toMatchObject({ decision: { identity: { user: "alice" } } })
    clock.pass(1)
    expect(steps).toMatchObject([{ decision: { identity: { user: "alice" } } }])
    expect(clock.faults).toEqual([])
  })

  it("with passwords and with SCRAM count together", async () => {
    const clock = new Clock()
    const access = accessOf({ passwords: await users(line("alice", "secret")) }, clock)
    for (let i = 0; i < 6; i++) await login(begin(access), "alice", "wrong")
    let decided = false
    const { clientId, peer, abandoned } = attempt()
    const password = encodeText("secret")
    const done = new Promise<void>((resolve) => {
      access.authenticate({ clientId, peer, abandoned, username: "alice", password }, () => {
        decided = true
        resolve()
      })
    })
    clock.pass(99)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(decided).toBe(false)
    clock.pass(1)
    await done
  })

  it("are not counted where no proof was made", async () => {
    const clock = new Clock()
    const access = accessOf({ passwords: await users(line("alice", "secret")) }, clock)
    for (let i = 0; i < 20; i++) {
      refusal(say(begin(access), "n,,n=alice"))
      goesOn(say(begin(access), "n,,n=alice,r=x")) // and abandoned
    }
    expect((await login(begin(access), "alice", "secret")).end).toMatchObject({
      decision: { identity: { user: "alice" } },
    })
  })

  it("that wait are bounded: one past it is answered 0x89, and those whose clients have gone make room", async () => {
    const clock = new Clock()
    const limits = { maximumWaitingLogins: 2, maximumWaitingLoginsPerAddress: 2 }
    const access = accessOf({ passwords: await users(line("alice", "secret")) }, clock, limits)
    for (let i = 0; i < 6; i++) await login(begin(access), "alice", "wrong")
    let gone = false
    const steps: (Step | undefined)[] = []
    const wait = async (index: number, abandoned = () => false) => {
      const exchange = begin(access, { abandoned })
      const client = new ScramClient("alice", "secret", `x${index}`, pbkdf2)
      const final = await client.final(goesOn(say(exchange, client.first())))
      exchange.next(final, (step) => {
        steps[index] = step
      })
    }
    await wait(0, () => gone)
    await wait(1)
    expect(steps).toEqual([])
    await wait(2)
    expect(steps[2]).toMatchObject({ decision: { reasonCode: 0x89 } })
    gone = true
    await wait(3)
    expect(steps[3]).toBeUndefined()
    expect(steps[0]).toMatchObject({ decision: { reasonCode: 0x88 } })
    clock.pass(1000)
    for (const index of [1, 3]) expect(steps[index]).toMatchObject({ decision: { identity: { user: "alice" } } })
  })
})

it("a guess that waits is answered when something throws at its turn, and the others have theirs", async () => {
  const clock = new Clock()
  const access = accessOf({ passwords: await users(line("alice", "secret")) }, clock)
  for (let i = 0; i < 6; i++) await login(begin(access), "alice", "wrong")
  const steps: Step[] = []
  let throws = 0
  const gone = () => {
    if (throws-- > 0) throw new Error("planted")
    return false
  }
  for (let i = 0; i < 2; i++) {
    const exchange = begin(access, { abandoned: gone })
    const client = new ScramClient("alice", "secret", "x", pbkdf2)
    const final = await client.final(goesOn(say(exchange, client.first())))
    exchange.next(final, (step) => steps.push(step))
  }
  throws = 1
  clock.pass(1000)
  const decision = { reasonCode: 0x88, why: "the password could not be checked" }
  expect(steps).toMatchObject([{ decision }, { decision: { identity: { user: "alice" } } }])
  expect(clock.faults).toMatchObject([{ message: "planted" }])
})

it("a guess that waits and whose client has gone is not looked at when its turn comes", async () => {
  const clock = new Clock()
  const access = accessOf({ passwords: await users(line("alice", "secret")) }, clock)
  for (let i = 0; i < 6; i++) await login(begin(access), "alice", "wrong")
  const exchange = begin(access, { abandoned: () => true })
  const client = new ScramClient("alice", "secret", "x", pbkdf2)
  const final = await client.final(goesOn(say(exchange, client.first())))
  const steps: Step[] = []
  exchange.next(final, (step) => steps.push(step))
  clock.pass(1000)
  expect(steps).toMatchObject([{ decision: { reasonCode: 0x88, why: "the client has gone" } }])
})

it("whatever a client says, each message gets one answer, nothing is thrown, and only the right ones let it in", async () => {
  const clock = new Clock()
  const access = accessOf({ passwords: await users(line("alice", "secret")) }, clock)
  const pieces = [..."nyparcmisve=,", ",,", "n,,", "a=", "m=", "=2C", "=", "\0", "\u200e", "AAAA", "9".repeat(5000)]
  let [inside, refused] = [0, 0]
  // Alice's salt does not change.
  const salted = new Map<string, Promise<Uint8Array>>()
  const derive: typeof pbkdf2 = (password, salt, iterations) => {
    const known = salted.get(text(salt)) ?? pbkdf2(password, salt, iterations)
    salted.set(text(salt), known)
    return known
  }
  for (let execution = 0; execution < 600; execution++) {
    const random = seeded(9, execution)
    const exchange = begin(access, { address: `192.0.2.${execution % 250}:1` })
    /** Bytes that are nearly those; the same in half of the runs. */
    const bend = (message: Uint8Array): Uint8Array => {
      const bytes = [...message]
      for (let times = random.integer(2) * (1 + random.integer(3)); times > 0; times--) {
        const put = random.oneIn(3) ? random.bytes(random.integer(4)) : encodeText(random.pick(pieces))
        bytes.splice(random.integer(bytes.length + 1), random.integer(6), ...put)
      }
      return Uint8Array.from(bytes)
    }
    const client = new ScramClient("alice", "secret", "mine", derive)
    const sent = [client.first(), undefined as Uint8Array | undefined]
    const said = [bend(client.first()), undefined as Uint8Array | undefined]
    const offered = say(exchange, said[0])
    let end: Step | "nothing" = offered
    if (offered !== "nothing" && offered.goesOn) {
      // A bent first message may have another nonce: then there is no right answer to it.
      sent[1] = await client.final(offered.data).catch(() => encodeText("c=biws,r=mine,p="))
      said[1] = bend(sent[1])
      end = say(exchange, said[1])
      if (end === "nothing") clock.pass(1000)
    }
    if (end === "nothing") continue
    const right = sent.every((message, i) => Buffer.compare(message ?? nothing, said[i] ?? nothing) === 0)
    if (end.goesOn || !("identity" in end.decision)) {
      refused++
      expect(right).toBe(false)
    } else {
      inside++
      expect(right).toBe(true)
      expect(end.decision.identity.user).toBe("alice")
    }
  }
  expect(clock.faults).toEqual([])
  expect(inside).toBeGreaterThan(80)
  expect(refused).toBeGreaterThan(200)
})

describe("a reload", () => {
  const rules = { anonymous: false, certificates: true, acl: undefined }

  it("of other users leaves an exchange that has begun as it is; the next has the new keys", async () => {
    const alice = line("alice", "secret")
    const access = accessOf({ passwords: await users(alice) })
    const client = new ScramClient("alice", "secret", "x", pbkdf2)
    const exchange = begin(access)
    const offered = goesOn(say(exchange, client.first()))
    access.replace({ ...rules, passwords: await users(alice, line("bob", "hidden")) })
    expect(say(exchange, await client.final(offered))).toMatchObject({ decision: { identity: { user: "alice" } } })
    expect((await login(begin(access), "bob", "hidden")).end).toMatchObject({ decision: { identity: { user: "bob" } } })
    const identity = { user: "alice", source: "password" } as const
    const changed = access.replace({ ...rules, passwords: await users(line("alice", "new")) })
    expect(changed(identity, { transport: "tls", address: "x" })).toBe("the password was changed")
    expect(refusal((await login(begin(access, { identity }), "alice", "secret")).end).reasonCode).toBe(0x86)
    expect((await login(begin(access, { identity }), "alice", "new")).end).toMatchObject({ decision: { identity } })
  })

  it("that takes a password away takes it from an exchange that has begun too", async () => {
    for (const next of [line("alice", "secret"), line("alice", "secret", false), line("bob", "x")]) {
      const access = accessOf({ passwords: await users(line("alice", "secret")) })
      const client = new ScramClient("alice", "secret", "x", pbkdf2)
      const exchange = begin(access)
      const final = await client.final(goesOn(say(exchange, client.first())))
      access.replace({ ...rules, passwords: await users(next) })
      expect(refusal(say(exchange, final))).toEqual({ reasonCode: 0x86, why: "the password was changed meanwhile" })
    }
  })

  it("of the keys alone, of the same password, is another login too", async () => {
    const plain = await line("alice", "secret", false)
    const suffix = () => scramSuffix("alice", "secret", randomBytes(16), 4096, pbkdf2)
    const [one, other] = [parsePasswordFile(plain + (await suffix())), parsePasswordFile(plain + (await suffix()))]
    const access = accessOf({ passwords: one })
    const identity = { user: "alice", source: "password" } as const
    const peer = { transport: "tls", address: "x" } as const
    expect(access.replace({ ...rules, passwords: parsePasswordFile(plain) })(identity, peer)).toBe(
      "the password was changed",
    )
    expect(access.replace({ ...rules, passwords: one })(identity, peer)).toBe("the password was changed")
    expect(access.replace({ ...rules, passwords: other })(identity, peer)).toBe("the password was changed")
    expect(access.replace({ ...rules, passwords: other })(identity, peer)).toBe(undefined)
  })

  it("without keys ends the offer", async () => {
    const access = accessOf({ passwords: await users(line("alice", "secret")) })
    access.replace({ ...rules, passwords: await users(line("alice", "secret", false)) })
    expect(access.exchange?.(method, attempt())).toBe(undefined)
  })
})

describe("the client's side", () => {
  const client = () => new ScramClient("alice", "secret", "mine", pbkdf2)
  const salt = base64("salt of 16 bytes")

  it.each([
    ["another nonce", `r=other,s=${salt},i=4096`, /does not begin with ours/],
    ["its own nonce", `r=mine,s=${salt},i=4096`, /adds nothing to it/],
    ["too few iterations", `r=mine+,s=${salt},i=4095`, /4095 iterations \(4096 to 10000000\)/],
    ["too many iterations", `r=mine+,s=${salt},i=10000001`, /10000001 iterations/],
    ["no iterations", `r=mine+,s=${salt}`, /lacks i=/],
    ["iterations that are no number", `r=mine+,s=${salt},i=4096x`, /cannot be read/],
    ["a salt that is no base64", "r=mine+,s=*,i=4096", /cannot be read/],
    ["a mandatory extension", `m=x,r=mine+,s=${salt},i=4096`, /mandatory extension/],
  ])("refuses a server-first-message with %s", async (_, message, why) => {
    await expect(client().final(encodeText(message))).rejects.toThrow(why)
  })

  it("takes no server that does not prove itself", async () => {
    const one = client()
    await one.final(encodeText(`r=mine+,s=${salt},i=4096`))
    expect(() => one.verify(undefined)).toThrow(/does not prove/)
    expect(() => one.verify(encodeText(`v=${base64("x".repeat(32))}`))).toThrow(/does not prove/)
    expect(() => one.verify(encodeText("v=eA=="))).toThrow(/not 32 bytes/)
    expect(() => one.verify(encodeText("e=invalid-proof"))).toThrow(/refuses the login/)
    expect(() => client().verify(encodeText(`v=${base64("x".repeat(32))}`))).toThrow(/does not prove/)
  })
})

describe("keys in the password file", () => {
  it("an old file is read as before, and keys stand behind the scrypt hash", async () => {
    const entries = await users(line("old", "secret", false), line("new", "secret"))
    expect(entries.get("old")?.scram).toBeUndefined()
    expect(entries.get("new")?.scram).toMatchObject({ iterations: 4096 })
  })

  it("RFC 5803: the form is the one other servers have", async () => {
    const suffix = await scramSuffix("user", "pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"), 4096, pbkdf2)
    // StoredKey and ServerKey of the example of RFC 7677 section 3.
    const stored = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    const server = "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    expect(suffix).toBe(`:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$${stored}:${server}`)
  })

  const key = base64("k".repeat(32))
  const good = `SCRAM-SHA-256$4096:${base64("8 bytes.")}$${key}:${key}`
  it.each([
    ["nothing", "", /line 2: expected SCRAM-SHA-256\$ITERATIONS/],
    ["another method", good.replace("256", "512"), /line 2: expected SCRAM-SHA-256/],
    ["a part too few", good.replace(/:[^:]*$/, ""), /line 2: expected/],
    ["a part too many", `${good}:x`, /line 2: expected/],
    ["4095 iterations", good.replace("4096", "4095"), /line 2: SCRAM iterations out of range \(4096 to 10000000\)/],
    ["10000001 iterations", good.replace("4096", "10000001"), /line 2: SCRAM iterations out of range/],
    ["a salt of 7 bytes", good.replace(base64("8 bytes."), base64("7 bytes")), /line 2: the salt of SCRAM has 7 bytes/],
    [
      "a salt of 65 bytes",
      good.replace(base64("8 bytes."), base64("x".repeat(65))),
      /line 2: the salt of SCRAM has 65/,
    ],
    ["a key of 31 bytes", good.replace(key, base64("k".repeat(31))), /line 2: a key of SCRAM has not 32 bytes/],
    ["a key that is no base64", good.replace(key, "*".repeat(44)), /line 2: salt or keys of SCRAM are not in base64/],
  ])("refuses %s with the number of the line", async (_, scram, message) => {
    const plain = await line("alice", "secret", false)
    expect(parsePasswordFile(`#\n${plain}:${good}`).get("alice")?.scram?.salt).toHaveLength(8)
    expect(() => parsePasswordFile(`#\n${plain}:${scram}`)).toThrow(message)
  })

  it("refuses keys of a user whom SCRAM cannot ask for, and names or passwords that SASLprep forbids", async () => {
    const decomposed = "alice".replace("a", "a\u0308")
    const plain = await line(decomposed, "secret", false)
    expect(() => parsePasswordFile(`${plain}:${good}`)).toThrow(/line 1: SCRAM never asks for the user "a\u0308lice"/)
    await expect(line(decomposed, "secret")).rejects.toThrow(/this user name .*; write it "älice"/)
    await expect(line("a\u200eb", "secret")).rejects.toThrow(/cannot have this user name/)
    await expect(line("alice", "a\u200eb")).rejects.toThrow(/cannot have this password .*: it has U\+200E/)
    await expect(line("alice", "\u00ad")).rejects.toThrow(/the password is empty/)
  })

  it("refuses a salt or hash of a length that base64 does not have", () => {
    expect(() => parsePasswordFile("bob:$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAA$AAAA")).toThrow(
      /line 1: salt or hash is not in base64/,
    )
  })
})
