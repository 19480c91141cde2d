// Tokens as logins: real ones, made by jose and by hand.

import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { exportJWK, type JWK, SignJWT } from "jose"
import { describe, expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Decision, Identity, LoginAttempt } from "../ports/access.ts"
import type { HttpCall, HttpCaller, HttpOutcome } from "../ports/http.ts"
import { longestToken, readKeySet } from "./jwk-set.ts"
import { FetchedKeys, fixedKeys, type KeySource } from "./key-source.ts"
import { TokenLogin, type TokenRules } from "./token-login.ts"
import { createTokenVerifier } from "./token-verify.ts"

const now = 1_800_000_000_000
const seconds = now / 1000
const secret = "a secret of at least 32 bytes, as RFC 7518 wants"

const pairs = {
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  EdDSA: generateKeyPairSync("ed25519"),
} as const
type Asymmetric = keyof typeof pairs

async function publicJwk(algorithm: Asymmetric, more: object = {}): Promise<JWK> {
  return { ...(await exportJWK(pairs[algorithm].publicKey)), kid: algorithm, ...more }
}

const secretJwk = { kty: "oct", k: Buffer.from(secret).toString("base64url"), kid: "HS256" }

async function allKeys(): Promise<string> {
  const keys = await Promise.all((["ES256", "RS256", "EdDSA"] as const).map((name) => publicJwk(name)))
  return JSON.stringify({ keys: [...keys, secretJwk] })
}

function made(algorithm: Asymmetric | "HS256", claims: Record<string, unknown> = {}, kid: string | null = algorithm) {
  const header = { alg: algorithm, ...(kid !== null && { kid }) }
  const key = algorithm === "HS256" ? encodeText(secret) : pairs[algorithm].privateKey
  return new SignJWT({ sub: "ann", exp: seconds + 60, ...claims }).setProtectedHeader(header).sign(key)
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** Of any header, with any signature. */
function forged(header: object, claims: object, signature: (input: string) => Buffer): string {
  const input = `${part(header)}.${part({ sub: "ann", exp: seconds + 60, ...claims })}`
  return `${input}.${signature(input).toString("base64url")}`
}

interface World {
  readonly login: TokenLogin
  readonly faults: unknown[]
  readonly clock: { now: number; wall: number }
  ask(token: string | undefined, more?: Partial<LoginAttempt>): Promise<Decision | undefined>
}

async function world(rules: Partial<TokenRules> = {}, keys?: KeySource): Promise<World> {
  const faults: unknown[] = []
  const clock = { now: 5000, wall: now }
  const usual = {
    ...{
      issuer: undefined,
      audience: undefined,
      userClaim: "sub",
      publishClaim: "publish",
      subscribeClaim: "subscribe",
    },
    ...{ leeway: 30, requireExpiry: true },
  }
  const login = new TokenLogin(
    keys ?? fixedKeys(readKeySet(await allKeys(), true)),
    { ...usual, ...rules },
    {
      now: () => clock.now,
      wall: () => clock.wall,
      verifier: async () => createTokenVerifier(),
      keyOf: new WeakMap(),
      limits: () => ({ atOnce: 4, waiting: 100, waitingPerAddress: 50 }),
      fault: (error) => faults.push(error),
    },
  )
  const ask = (token: string | undefined, more: Partial<LoginAttempt> = {}) =>
    new Promise<Decision | undefined>((resolve) =>
      login.ask(
        {
          clientId: "c1",
          username: "whoever",
          password: token === undefined ? undefined : encodeText(token),
          peer: { transport: "tcp", address: "192.0.2.1:1" },
          abandoned: () => false,
          ...more,
        },
        resolve,
      ),
    )
  return { login, faults, clock, ask }
}

const identity = (decision: Decision | undefined): Identity => {
  if (decision === undefined || !("identity" in decision)) throw new Error(`no login: ${JSON.stringify(decision)}`)
  return decision.identity
}
const why = (decision: Decision | undefined): string => {
  if (decision === undefined || "identity" in decision) throw new Error(`not refused: ${JSON.stringify(decision)}`)
  expect(decision.reasonCode).toBe(ReasonCode.BadUserNameOrPassword)
  return decision.why
}

describe("a token", () => {
  it.each(["HS256", "RS256", "ES256", "EdDSA"] as const)(
    "by %s is a login, with and without the key's name",
    async (name) => {
      const { ask, faults } = await world()
      for (const kid of [name, null])
        expect(identity(await ask(await made(name, {}, kid)))).toEqual({
          user: "ann",
          source: "token",
          expiresAt: 5000 + 90_000,
        })
      expect(faults).toEqual([])
    },
  )

  it("says what its client may do, by name, and when its login ends", async () => {
    const { ask } = await world({ publishClaim: "mqtt_pub", leeway: 0 })
    const { rights, expiresAt } = identity(await ask(await made("ES256", { mqtt_pub: ["a/%c/%u"], exp: seconds + 1 })))
    expect(expiresAt).toBe(6000)
    expect(["a/c1/ann", "a/c2/ann"].map((topic) => rights?.allows("write", topic))).toEqual([true, false])
    expect(rights?.allows("read", "a/c1/ann")).toBe(false)
  })

  it.each<[string, Partial<TokenRules>, Record<string, unknown>, RegExp]>([
    ["that has expired", {}, { exp: seconds - 30 }, /has expired \(exp\)/],
    ["that is not valid yet", {}, { nbf: seconds + 31 }, /not valid yet \(nbf\)/],
    ["without exp", {}, { exp: undefined }, /no claim exp/],
    ["with an exp that is none", {}, { exp: "soon" }, /exp cannot be used/],
    ["of another issuer", { issuer: "us" }, { iss: "them" }, /its iss is another/],
    ["without issuer", { issuer: "us" }, {}, /no claim iss/],
    ["for others", { audience: ["mqtt", "all"] }, { aud: ["web"] }, /its aud is another/],
    ["without audience", { audience: ["mqtt"] }, {}, /no claim aud/],
    ["without user", { userClaim: "name" }, {}, /its claim name, the user's name, is no text/],
    ["with a user that is a number", {}, { sub: 7 }, /no text/],
    ["with an empty user", {}, { sub: "" }, /no text/],
    ["with a user that is too long", {}, { sub: "a".repeat(257) }, /1 to 256/],
    ["with a user with U\\+0000", {}, { sub: "a\0" }, /cannot be a user's name/],
    ["with rights that are none", {}, { publish: "a" }, /no list of Topic Filters/],
    ["with a filter that is none", {}, { subscribe: ["a/#/b"] }, /of what it may subscribe/],
  ])("%s is refused", async (_name, rules, claims, problem) => {
    const { ask, faults } = await world(rules)
    expect(why(await ask(await made("EdDSA", claims)))).toMatch(problem)
    expect(faults).toEqual([])
  })

  it.each<[string, Partial<TokenRules>, Record<string, unknown>]>([
    ["that has expired within the leeway", {}, { exp: seconds - 29 }],
    ["that is valid soon, within the leeway", {}, { nbf: seconds + 30 }],
    ["without exp, where that is allowed", { requireExpiry: false }, { exp: undefined }],
    [
      "of the issuer and one of the audiences",
      { issuer: "us", audience: ["mqtt", "all"] },
      { iss: "us", aud: ["x", "all"] },
    ],
    ["with a user at the bound", {}, { sub: "a".repeat(256) }],
  ])("%s is taken", async (_name, rules, claims) => {
    const { ask } = await world(rules)
    identity(await ask(await made("EdDSA", claims)))
  })

  it("is checked with nothing but its key's own algorithm", async () => {
    const { ask } = await world()
    const publicPem = String(createPublicKey(pairs.RS256.privateKey).export({ type: "spki", format: "pem" }))
    const publicDer = createPublicKey(pairs.RS256.privateKey).export({ type: "spki", format: "der" })
    const byHmac = (key: string | Buffer) => (input: string) => createHmac("sha256", key).update(input).digest()
    const byRsa = (key: KeyObject) => (input: string) => sign("sha256", Buffer.from(input), key)
    const none = () => Buffer.alloc(0)
    const tokens: [string, RegExp][] = [
      // The public key as a secret, in each form that it has.
      [forged({ alg: "HS256", kid: "RS256" }, {}, byHmac(publicPem)), /no key for HS256 named "RS256"/],
      [forged({ alg: "HS256", kid: "RS256" }, {}, byHmac(publicDer)), /no key for HS256/],
      [forged({ alg: "HS256" }, {}, byHmac(publicPem)), /signature is wrong/],
      [forged({ alg: "none" }, {}, none), /its algorithm is "none"/],
      [forged({ alg: "None", kid: "RS256" }, {}, none), /its algorithm is "None"/],
      [forged({ alg: ["RS256"], kid: "RS256" }, {}, none), /its algorithm is not said/],
      [forged({ kid: "RS256" }, {}, none), /its algorithm is not said/],
      [forged({ alg: "RS256", kid: "RS256" }, {}, none), /signature is wrong/],
      [forged({ alg: "RS512", kid: "RS256" }, {}, byRsa(pairs.RS256.privateKey)), /its algorithm is "RS512"/],
      [forged({ alg: "PS256", kid: "RS256" }, {}, byRsa(pairs.RS256.privateKey)), /its algorithm is "PS256"/],
      [
        forged({ alg: "ES256", kid: "ES256" }, {}, (input) =>
          sign("sha256", Buffer.from(input), pairs.ES256.privateKey),
        ),
        /signature is wrong/,
      ],
      [forged({ alg: "EdDSA", kid: "ES256" }, {}, none), /no key for EdDSA named "ES256"/],
      // A key that comes along is nobody's.
      [
        forged(
          { alg: "RS256", jwk: pairs.ES256.publicKey.export({ format: "jwk" }) },
          {},
          byRsa(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
        ),
        /signature is wrong/,
      ],
      [forged({ alg: "RS256", kid: "RS256", crit: ["x"], x: 1 }, {}, byRsa(pairs.RS256.privateKey)), /x/],
      [forged({ alg: "RS256", kid: "RS256", crit: ["b64"], b64: false }, {}, byRsa(pairs.RS256.privateKey)), /refused/],
      [forged({ alg: "RS256", kid: 7 }, {}, none), /its kid is no text/],
      ["eyJ.e30.AA", /its header cannot be read/],
      [`eyJhbGciOiJIUzI1NiJ9.${"!".replace("!", "_")}.AA`, /./],
    ]
    for (const [token, problem] of tokens) expect(why(await ask(token))).toMatch(problem)
    // The right signature, in the form that RFC 7518 section 3.4 wants, is right.
    const raw = (input: string) =>
      sign("sha256", Buffer.from(input), { key: pairs.ES256.privateKey, dsaEncoding: "ieee-p1363" })
    identity(await ask(forged({ alg: "ES256", kid: "ES256" }, {}, raw)))
  })

  it("with one bit changed anywhere is refused", async () => {
    const { ask, faults } = await world()
    const token = await made("ES256")
    for (let at = 0; at < token.length; at += 7) {
      const other = token[at] === "A" ? "B" : "A"
      if (other === token[at] || token[at] === ".") continue
      const bent = `${token.slice(0, at)}${other}${token.slice(at + 1)}`
      const decision = await ask(bent)
      if (decision !== undefined) why(decision)
    }
    expect(faults).toEqual([])
  })

  it("is looked for in what is no password: of that there is no opinion", async () => {
    const { ask } = await world()
    const long = "a".repeat(longestToken)
    for (const password of [
      undefined,
      "",
      "secret",
      "a.b.c",
      "eyJ.a",
      "eyJ..a",
      "eyJ.a.b.c",
      "eyJä.a.b",
      `eyJ.${long}.a`,
    ])
      expect(await ask(password)).toBeUndefined()
  })

  it("that was right costs no second look until it ends", async () => {
    const { ask, clock } = await world({ leeway: 0 })
    const token = await made("RS256", { exp: seconds + 10 })
    const first = identity(await ask(token))
    clock.now += 4000
    clock.wall += 4000
    const again = identity(await ask(token, { clientId: "c2" }))
    expect([again === first, again.expiresAt]).toEqual([false, first.expiresAt])
    clock.wall += 6000
    expect(why(await ask(token))).toMatch(/expired/)
  })
})

describe("a set of keys", () => {
  it.each<[string, object, RegExp]>([
    ["a private key", { kty: "OKP", crv: "Ed25519", x: "x".repeat(43), d: "x" }, /private key/],
    ["a short secret", { kty: "oct", k: Buffer.alloc(31).toString("base64url") }, /32 bytes or more/],
    ["a small RSA key", { kty: "RSA", n: Buffer.alloc(128, 1).toString("base64url"), e: "AQAB" }, /2048 bits/],
    ["another curve", { kty: "EC", crv: "P-384", x: "a", y: "b" }, /its kind is none of/],
    ["a key for encryption", { kty: "EC", crv: "P-256", use: "enc" }, /not for signatures/],
    ["a key for another algorithm", { kty: "RSA", alg: "PS256", n: "a" }, /it is for PS256, not for RS256/],
    ["what is no object", [], /no JSON object/],
  ])("leaves out %s", async (_name, key, problem) => {
    const fine = await publicJwk("ES256")
    const { keys, skipped } = readKeySet(JSON.stringify({ keys: [key, fine] }), true)
    expect([keys.length, skipped]).toEqual([1, [expect.stringMatching(problem)]])
    expect(() => readKeySet(JSON.stringify({ keys: [key] }), true)).toThrow(problem)
  })

  it("has no secrets when it comes over the network, and 100 keys at most", async () => {
    expect(() => readKeySet(JSON.stringify({ keys: [secretJwk] }), false)).toThrow(
      /secret does not come over the network/,
    )
    expect(readKeySet(JSON.stringify({ keys: [secretJwk] }), true).keys).toHaveLength(1)
    const key = await publicJwk("ES256")
    const many = async (count: number) =>
      JSON.stringify({ keys: Array.from({ length: count }, (_, i) => ({ ...key, kid: `${i}` })) })
    expect(readKeySet(await many(100), true).keys).toHaveLength(100)
    const tooMany = await many(101)
    expect(() => readKeySet(tooMany, true)).toThrow(/more than 100 keys/)
    expect(() => readKeySet(`{"keys": []}${" ".repeat(262_144)}`, true)).toThrow(/more than 262144/)
    for (const text of ["", "[]", '{"keys": 1}', "null", '{"keys": []}']) expect(() => readKeySet(text, true)).toThrow()
  })

  it("that is there twice is one key still", async () => {
    const key = await publicJwk("ES256")
    const set = readKeySet(JSON.stringify({ keys: [key, key, { ...key, kid: "other" }] }), false)
    expect(set.keys.map(({ kid }) => kid)).toEqual(["ES256", "other"])
    const { ask } = await world({}, fixedKeys(set))
    expect(await ask(await made("ES256"))).toMatchObject({ identity: { user: "ann" } })
  })

  it("with two keys that fit is no answer without a name, and a key that cannot be imported is none", async () => {
    const text = JSON.stringify({
      keys: [await publicJwk("ES256", { kid: "a" }), await publicJwk("ES256", { kid: "b" })],
    })
    const { ask } = await world({}, fixedKeys(readKeySet(text, true)))
    expect(why(await ask(await made("ES256", {}, null)))).toMatch(/names no key \(kid\), and there are 2 for ES256/)
    identity(await ask(await made("ES256", {}, "b")))
    const bent = JSON.stringify({ keys: [await publicJwk("ES256", { x: Buffer.alloc(32, 7).toString("base64url") })] })
    const other = await world({}, fixedKeys(readKeySet(bent, true)))
    expect(why(await other.ask(await made("ES256")))).toMatch(/cannot be used/)
    expect(other.faults).toEqual([])
  })
})

interface Fetching extends World {
  readonly source: FetchedKeys
  readonly calls: { readonly call: HttpCall; readonly done: (outcome: HttpOutcome) => void }[]
  readonly timers: { readonly milliseconds: number; readonly work: () => void; cancelled: boolean }[]
  readonly told: string[]
  answer(text: string, status?: number): void
}

async function fetching(): Promise<Fetching> {
  const calls: Fetching["calls"] = []
  const timers: Fetching["timers"] = []
  const told: string[] = []
  const caller: HttpCaller = {
    place: "https://keys.example/jwks",
    call(call, done) {
      calls.push({ call, done })
      return () => undefined
    },
    close: () => undefined,
  }
  const clock = { now: 0 }
  const source = new FetchedKeys(
    caller,
    { refresh: 600_000, maximumAge: 3_600_000 },
    {
      now: () => clock.now,
      chance: () => 0.5,
      after: (milliseconds, work) => {
        const timer = { milliseconds, work, cancelled: false }
        timers.push(timer)
        return () => {
          timer.cancelled = true
        }
      },
      fault: (error) => told.push(`fault ${String(error)}`),
      warn: (text) => told.push(text),
      changed: (text) => told.push(text),
    },
  )
  const own = await world({}, source)
  Object.defineProperty(clock, "now", { get: () => own.clock.now })
  source.begin()
  const answer = (text: string, status = 200) => calls.at(-1)?.done({ status, body: encodeText(text) })
  return { ...own, source, calls, timers, told, answer }
}

describe("keys that are fetched", () => {
  const keysOf = async (...names: Asymmetric[]) =>
    JSON.stringify({ keys: await Promise.all(names.map((name) => publicJwk(name))) })

  it("are asked for at the beginning and again; until they are there tokens are answered that nobody can check them", async () => {
    const { answer, ask, calls, timers, told } = await fetching()
    expect(calls[0]?.call).toMatchObject({ method: "GET", timeout: 10_000, maximumBody: 262_144 })
    const early = ask(await made("ES256"))
    answer("no keys")
    expect(await early).toMatchObject({
      reasonCode: ReasonCode.ServerUnavailable,
      why: expect.stringMatching(/keys of https:\/\/keys.example\/jwks are not there: it is no JSON/),
    })
    expect(told).toEqual([
      expect.stringMatching(/cannot be fetched from .*: it is no JSON.*; no token is taken until they are/),
    ])
    timers.at(-1)?.work()
    answer(await keysOf("ES256"))
    identity(await ask(await made("ES256")))
    expect(timers.map(({ milliseconds }) => milliseconds)).toEqual([750, 600_000])
    expect(told.slice(1)).toEqual([expect.stringMatching(/: 1$/), expect.stringMatching(/can be fetched again/)])
  })

  it("of which a token names one that is not known are asked for again, once in ten seconds, and the token waits for it", async () => {
    const { answer, ask, calls, clock } = await fetching()
    answer(await keysOf("ES256"))
    const token = await made("EdDSA")
    expect(why(await ask(token))).toMatch(/no key for EdDSA/) // they have just been fetched
    expect(calls).toHaveLength(1)
    clock.now += 10_000
    const [one, two] = [ask(token), ask(await made("EdDSA", { sub: "bob" }))]
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(calls).toHaveLength(2)
    answer(await keysOf("ES256", "EdDSA"))
    expect([identity(await one).user, identity(await two).user]).toEqual(["ann", "bob"])
    expect(calls).toHaveLength(2)
  })

  it("stay in use while no newer ones come, for an hour here; pauses grow to a minute; one line says so", async () => {
    const { answer, ask, clock, timers, told } = await fetching()
    answer(await keysOf("ES256"))
    for (let i = 0; i < 9; i++) {
      timers.at(-1)?.work()
      answer("", 503)
    }
    expect(timers.slice(1).map(({ milliseconds }) => milliseconds)).toEqual([
      ...[750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000, 45_000],
    ])
    expect(told.slice(1)).toEqual([expect.stringMatching(/status 503, not 200; those of before stay in use/)])
    clock.now += 3_600_000
    identity(await ask(await made("ES256")))
    clock.now += 1
    const late = ask(await made("ES256", { sub: "other" }))
    answer("", 503)
    expect(await late).toMatchObject({
      reasonCode: ReasonCode.ServerUnavailable,
      why: expect.stringMatching(/too old: it answers with status 503/),
    })
  })

  it("that are gone take their tokens with them, also those that were right before", async () => {
    const { answer, ask, login, timers } = await fetching()
    answer(await keysOf("ES256", "EdDSA"))
    const token = await made("ES256")
    const first = identity(await ask(token))
    expect(login.lost(first)).toBeUndefined()
    timers.at(-1)?.work()
    answer(await keysOf("EdDSA"))
    expect(login.lost(first)).toBe("the key of its token is none any more")
    expect(why(await ask(token))).toMatch(/no key for ES256/)
  })

  it("are asked for no more when they are not needed", async () => {
    const { answer, calls, source, timers } = await fetching()
    answer(await keysOf("ES256"))
    source.end()
    expect(timers.at(-1)?.cancelled).toBe(true)
    timers.at(-1)?.work()
    source.look(() => undefined)
    expect(calls).toHaveLength(1)
  })
})
