// Ways to log in, one after the other: who lets in, who refuses, who has no opinion.

import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { pbkdf2 } from "../platform/node-pbkdf2.ts"
import { scrypt } from "../platform/node-scrypt.ts"
import type { Decision, LoginAttempt, Step } from "../ports/access.ts"
import { defaultLimits } from "../session/limits.ts"
import { createAccess, type LoginRules } from "./login.ts"
import type { FurtherMeans, MeansName } from "./opinion.ts"
import { parsePasswordFile, passwordLine, scramSuffix } from "./password-file.ts"

const passwords = parsePasswordFile(await passwordLine("ann", "right", randomBytes(16), { ln: 10, r: 8, p: 1 }))

type Opinion = Decision | undefined
const letIn: Opinion = { identity: { user: "x", source: "token" } }
const denied: Opinion = { reasonCode: ReasonCode.BadUserNameOrPassword, why: "denied" }
const away: Opinion = { reasonCode: ReasonCode.ServerUnavailable, why: "away" }

function world(rules: Partial<LoginRules>, opinions: Partial<Record<MeansName, Opinion>> = {}) {
  const asked: MeansName[] = []
  const clock = { now: 0 }
  const timers: { at: number; work: () => void }[] = []
  const means = (name: MeansName): FurtherMeans => ({
    ask: (_attempt, answer) => {
      asked.push(name)
      queueMicrotask(() => answer(opinions[name]))
    },
    lost: () => `${name} lost`,
    begin: () => undefined,
    end: () => undefined,
  })
  const names = Object.keys(opinions) as MeansName[]
  const further = new Map(names.map((name) => [name, means(name)]))
  const access = createAccess(
    { anonymous: false, passwords: undefined, certificates: true, acl: undefined, further, ...rules },
    {
      scrypt,
      random: (length) => randomBytes(length),
      now: () => clock.now,
      after: (milliseconds, work) => timers.push({ at: clock.now + milliseconds, work }),
      fault: (error) => {
        throw error
      },
    },
    { ...defaultLimits, maximumPasswordChecks: 1 },
  )
  const attempt = (login: {
    certificate?: string
    problem?: string
    username?: string
    password?: string
  }): LoginAttempt => ({
    clientId: "c",
    username: login.username,
    password: login.password === undefined ? undefined : encodeText(login.password),
    abandoned: () => false,
    peer: {
      transport: "tls",
      address: "192.0.2.1:1",
      certificateIdentity: login.certificate,
      certificateProblem: login.problem,
    },
  })
  const login = (as: Parameters<typeof attempt>[0]) =>
    new Promise<string>((resolve) =>
      access.authenticate(attempt(as), (decision) =>
        resolve("identity" in decision ? `${decision.identity.source} ${decision.identity.user}`.trim() : decision.why),
      ),
    )
  return { access, asked, clock, login, timers, attempt }
}

const ann = { username: "ann", password: "right" }
const certificate = { certificate: "device" }

describe("the order of logins", () => {
  it("is certificate, token, password file, server unless another is said; who is asked last is asked only when nobody else knew", async () => {
    const { asked, login } = world({ passwords }, { jwt: undefined, http: letIn })
    expect(await login({ ...ann, ...certificate })).toBe("certificate device")
    expect(asked).toEqual([])
    expect(await login(ann)).toBe("password ann")
    expect(asked).toEqual(["jwt"])
    expect(await login({ username: "bob", password: "x" })).toBe("token x")
    expect(asked.slice(1)).toEqual(["jwt", "http"])
  })

  it("is as it is configured, and one that is left out is not asked", async () => {
    const { asked, login } = world({ passwords, order: ["http", "password"] }, { jwt: letIn, http: undefined })
    expect(await login({ ...ann, ...certificate })).toBe("password ann")
    expect(await login(certificate)).toBe("the client has neither certificate nor user name")
    expect(asked).toEqual(["http", "http"])
  })

  it.each<MeansName>(["jwt", "http"])(
    "what %s refuses nobody else is asked about, and where it is away nobody gets in",
    async (name) => {
      for (const opinion of [denied, away]) {
        const { login } = world(
          { passwords, anonymous: true, order: [name, "certificate", "password"] },
          { [name]: opinion },
        )
        for (const as of [ann, certificate, {}]) expect(await login(as)).toBe(opinion?.why)
      }
    },
  )

  it("a name of the password file is the file's to judge; another is not, where somebody comes after it", async () => {
    const { asked, login } = world({ passwords }, { http: letIn })
    expect(await login({ username: "ann", password: "wrong" })).toBe("wrong password")
    expect(asked).toEqual([])
    expect(await login({ username: "eve", password: "x" })).toBe("token x")
    const last = world({ passwords, order: ["http", "password"] }, { http: undefined })
    expect(await last.login({ username: "eve", password: "x" })).toBe("unknown user name")
  })

  it("who says who he is and is known to nobody is not let in as nobody; who says nothing is, where that is allowed", async () => {
    const { login } = world({ anonymous: true }, { jwt: undefined, http: undefined })
    expect(await login({ username: "eve", password: "x" })).toBe("nobody who may say who gets in knows this login")
    expect(await login({})).toBe("anonymous")
    const { login: closed } = world({}, { http: undefined })
    expect(await closed({})).toBe("the client has neither certificate nor user name")
  })

  it("a certificate that names nobody refuses when its turn comes, and not before", async () => {
    const first = world({}, { http: letIn })
    expect(await first.login({ problem: "it names nobody" })).toBe("it names nobody")
    const last = world({ order: ["http", "certificate"] }, { http: letIn })
    expect(await last.login({ problem: "it names nobody" })).toBe("token x")
  })

  it("logins are counted by who has decided, and how", async () => {
    const { access, login } = world({ passwords, anonymous: true }, { http: away })
    for (const as of [certificate, ann, { ...ann, password: "wrong" }, { username: "eve" }, {}]) await login(as)
    expect(access.counts).toEqual({
      "certificate allowed": 1,
      "password allowed": 1,
      "password denied": 1,
      "http failed": 2,
    })
    const others = world({ anonymous: true }, {})
    await others.login({})
    expect(others.access.counts).toEqual({ "anonymous allowed": 1 })
  })
})

describe("who fails often", () => {
  it("waits before anybody is asked again, and only for failures of that address that say something of the client", async () => {
    const { asked, clock, login, timers } = world({}, { http: denied })
    const eve = { username: "eve", password: "x" }
    for (let i = 0; i < 6; i++) expect(await login(eve)).toBe("denied")
    const seventh = login(eve)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([asked.length, timers.map(({ at }) => at)]).toEqual([6, [100]])
    clock.now = 100
    timers[0]?.work()
    expect(await seventh).toBe("denied")
    const gone = world({}, { http: away })
    for (let i = 0; i < 20; i++) expect(await gone.login(eve)).toBe("away")
  })
})

it("SCRAM is as the password file: where that is not asked, there is none", async () => {
  const salt = randomBytes(16)
  const line = await passwordLine("ann", "right", salt, { ln: 10, r: 8, p: 1 })
  const withKeys = parsePasswordFile(line + (await scramSuffix("ann", "right", salt, 4096, pbkdf2)))
  const begun = (order: LoginRules["order"]) => {
    const own = world({ passwords: withKeys, order })
    const { peer, clientId, username, abandoned } = own.attempt({})
    return own.access.exchange?.("SCRAM-SHA-256", { clientId, username, peer, abandoned, identity: undefined })
  }
  expect([begun(undefined) === undefined, begun(["jwt", "certificate"]) === undefined]).toEqual([false, true])
})

describe("a token by enhanced authentication", () => {
  const exchange = (own: ReturnType<typeof world>, user: string | undefined, as = {}) => {
    const { peer, clientId, username, abandoned } = own.attempt(as)
    const identity = user === undefined ? undefined : { user, source: "token" as const }
    return own.access.exchange?.("JWT", { clientId, username, peer, abandoned, identity })
  }
  const step = (own: ReturnType<typeof world>, user?: string, as = {}) =>
    new Promise<Step>((resolve) => exchange(own, user, as)?.next(encodeText("token"), resolve))

  it("is one step, and there is none where there are no tokens", async () => {
    expect(exchange(world({ passwords }), undefined)).toBeUndefined()
    expect(exchange(world({ order: ["certificate"] }, { jwt: letIn }), undefined)).toBeUndefined()
    const own = world({}, { jwt: letIn })
    const done = { goesOn: false, decision: letIn, data: undefined }
    expect([await step(own), await step(own, "x")]).toEqual([done, done])
    expect(own.access.counts).toEqual({ "jwt allowed": 2 })
    for (const opinion of [denied, undefined])
      expect(await step(world({}, { jwt: opinion }))).toMatchObject({ decision: { reasonCode: expect.any(Number) } })
  })

  it("makes nobody another user, and stands behind a certificate where that comes first", async () => {
    const own = world({}, { jwt: letIn })
    expect(await step(own, "ann")).toMatchObject({ decision: { why: "the client may not become another user" } })
    expect(await step(own, undefined, certificate)).toMatchObject({ decision: { identity: { user: "device" } } })
    const first = world({ order: ["jwt", "certificate"] }, { jwt: letIn })
    expect(await step(first, undefined, certificate)).toMatchObject({ decision: { identity: { user: "x" } } })
  })
})

describe("a reload", () => {
  it("takes away logins of a kind that there is no more, and asks the others", () => {
    const { access } = world({}, { jwt: letIn })
    const next = { anonymous: false, passwords: undefined, certificates: true, acl: undefined }
    const lost = access.replace(next)
    const peer = { transport: "tls", address: "x" } as const
    expect(lost({ user: "x", source: "hook" }, peer)).toBe("that is no way to log in any more")
    const other = world({}, { jwt: letIn, http: letIn })
    const further = new Map([["jwt", { lost: () => "its key is gone" } as unknown as FurtherMeans]] as const)
    const lostThen = other.access.replace({ ...next, further })
    expect(lostThen({ user: "x", source: "token" }, peer)).toBe("its key is gone")
  })
})
