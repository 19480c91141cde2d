// A server that is asked about logins: questions, answers, and what happens when there is none. Real servers are in
// platform/hooks.test.ts.

import { describe, expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Decision, LoginAttempt } from "../ports/access.ts"
import type { HttpCall, HttpOutcome } from "../ports/http.ts"
import { HookLogin, type HookRules } from "./hook-login.ts"
import { answerIn } from "./hook-messages.ts"

interface Call {
  readonly call: HttpCall
  readonly question: Record<string, unknown>
  readonly answer: (value: unknown, status?: number) => void
  readonly fail: (failed: string, gone?: boolean) => void
}

function world(rules: Partial<HookRules> = {}, limits = { atOnce: 32, waiting: 100, waitingPerAddress: 50 }) {
  const calls: Call[] = []
  const warnings: string[] = []
  const faults: unknown[] = []
  const clock = { now: 1000 }
  const caller = {
    place: "https://login.example/hook",
    call(call: HttpCall, done: (outcome: HttpOutcome) => void) {
      calls.push({
        call,
        question: JSON.parse(new TextDecoder().decode(call.body)),
        answer: (value, status = 200) => done({ status, body: encodeText(JSON.stringify(value)) }),
        fail: (failed, gone = false) => done({ failed, gone }),
      })
      return () => undefined
    },
    close: () => undefined,
  }
  const login = new HookLogin(
    caller,
    { timeout: 5000, cacheTime: 0, cacheEntries: 3, token: undefined, ...rules },
    {
      now: () => clock.now,
      chance: () => 1,
      random: (length) => new Uint8Array(length).fill(7),
      limits: () => limits,
      fault: (error) => faults.push(error),
      warn: (text) => warnings.push(text),
    },
  )
  const answers: (Decision | undefined)[] = []
  const ask = (more: Partial<LoginAttempt> = {}) => {
    const attempt: LoginAttempt = {
      ...{ clientId: "c1", username: "ann", password: encodeText("secret"), abandoned: () => false },
      ...{ peer: { transport: "tcp", address: "192.0.2.1:5000" } },
      ...more,
    }
    const at = answers.length
    answers.push(undefined)
    let told = false
    login.ask(attempt, (opinion) => {
      expect(told).toBe(false)
      told = true
      answers[at] = opinion ?? { reasonCode: -1, why: "no opinion" }
    })
  }
  return { ask, answers, calls, clock, faults, login, warnings }
}

const unavailable = (why: string | RegExp) => ({
  reasonCode: ReasonCode.ServerUnavailable,
  why: expect.stringMatching(why),
})

describe("what is asked", () => {
  it("has all that is known of the client; bytes that are no text are in base64", () => {
    const { ask, calls } = world({ token: "t0ken" })
    const tls = {
      version: "1.3",
      suite: "TLS_AES_128_GCM_SHA256",
      group: "x25519",
      resumed: false,
      serverName: "mq",
    } as const
    ask({
      ...{ username: undefined, password: Uint8Array.of(0xff, 0) },
      peer: { transport: "tls", listener: "front", address: "[2001:db8::1]:7", tls, certificateIdentity: "device" },
    })
    ask({ password: undefined, peer: { transport: "ws", address: "x", certificateProblem: "it names nobody" } })
    expect(calls.map(({ question }) => question)).toEqual([
      {
        ...{ version: 1, clientId: "c1", username: null, password: null, passwordBase64: "/wA=" },
        ...{
          address: "[2001:db8::1]:7",
          listener: "front",
          transport: "tls",
          tls,
          certificate: { identity: "device" },
        },
      },
      {
        ...{
          version: 1,
          clientId: "c1",
          username: "ann",
          password: null,
          address: "x",
          listener: "ws",
          transport: "ws",
        },
        ...{ tls: null, certificate: { problem: "it names nobody" } },
      },
    ])
    expect(calls[0]?.call).toMatchObject({
      ...{ method: "POST", timeout: 5000, maximumBody: 65_536 },
      headers: { authorization: "Bearer t0ken", "content-type": "application/json" },
    })
  })
})

describe("what is answered", () => {
  it("allow lets in, as whoever it says, for as long as it says; else as the user name, or the certificate", () => {
    const { ask, answers, calls } = world()
    ask()
    ask()
    ask({ username: undefined, peer: { transport: "tls", address: "x", certificateIdentity: "device" } })
    calls[0]?.answer({ result: "allow" })
    calls[1]?.answer({ result: "allow", user: "bob", expiresIn: 1.5, publish: [], more: "is not looked at" })
    calls[2]?.answer({ result: "allow", user: null, publish: null, expiresIn: null })
    expect(answers).toEqual([
      { identity: { user: "ann", source: "hook" } },
      { identity: { user: "bob", source: "hook", expiresAt: 2500, rights: expect.anything() } },
      { identity: { user: "device", source: "hook" } },
    ])
  })

  it("nobody is let in as nobody", () => {
    const { ask, answers, calls } = world()
    for (const username of [undefined, ""]) ask({ username })
    for (const { answer } of calls) answer({ result: "allow" })
    expect(answers).toEqual(new Array(2).fill(unavailable(/without user name, and says none/)))
  })

  it("deny refuses with a reason for the log; ignore is no opinion", () => {
    const { ask, answers, calls } = world()
    for (let i = 0; i < 4; i++) ask()
    calls[0]?.answer({ result: "deny", reason: "r".repeat(1000) })
    calls[1]?.answer({ result: "deny", reason: 7 })
    calls[2]?.answer({ result: "ignore" })
    const refused = (why: string) => ({ reasonCode: ReasonCode.BadUserNameOrPassword, why })
    expect(answers.slice(0, 3)).toEqual([
      refused(`the HTTP hook denies it: ${"r".repeat(200)}`),
      refused("the HTTP hook denies it"),
      { reasonCode: -1, why: "no opinion" },
    ])
  })

  it.each<[unknown, RegExp]>([
    [{}, /no "result"/],
    [{ result: "ALLOW" }, /no "result"/],
    [{ result: true }, /no "result"/],
    [[{ result: "allow" }], /no JSON object/],
    [null, /no JSON object/],
    ["allow", /no JSON object/],
    [{ result: "allow", user: "" }, /"user"/],
    [{ result: "allow", user: 7 }, /"user"/],
    [{ result: "allow", user: "a".repeat(257) }, /"user"/],
    [{ result: "allow", user: "a\0" }, /"user"/],
    [{ result: "allow", expiresIn: "1" }, /"expiresIn"/],
    [{ result: "allow", expiresIn: 0 }, /"expiresIn"/],
    [{ result: "allow", publish: "#" }, /no list of Topic Filters/],
    [{ result: "allow", subscribe: ["a/#/b"] }, /of its answer, of what it may subscribe/],
  ])("%j lets nobody in", (value, problem) => {
    const { ask, answers, calls } = world()
    ask()
    calls[0]?.answer(value)
    expect(answers).toEqual([unavailable(problem)])
  })

  it("with a member twice lets nobody in: which one is meant?", () => {
    const said = (text: string) => answerIn({ status: 200, body: encodeText(text) })
    expect(said('{"result":"deny","result":"allow"}')).toBe('its answer has "result" twice')
    expect(said('{"result":"allow","user":"ann","us\\u0065r":"root"}')).toBe('its answer has "user" twice')
    expect(said('{"result":"allow","more":{"user":"a"},"user":"user","note":"\\"user\\":1"}')).toMatchObject({
      user: "user",
    })
  })

  it.each([201, 204, 301, 401, 403, 404, 500])("with status %i lets nobody in, whatever else it says", (status) => {
    expect(answerIn({ status, body: encodeText('{"result":"allow"}') })).toMatch(new RegExp(`status ${status}`))
  })
})

describe("answers that are remembered", () => {
  it("are so for what TLS agreed on, too, which the question has: a session that is resumed is the same", () => {
    const { ask, calls } = world({ cacheTime: 10 })
    const over = (group: string, resumed: boolean, port: number) => ({
      peer: {
        transport: "tls",
        address: `192.0.2.1:${port}`,
        tls: { version: "1.3", suite: "TLS_AES_128_GCM_SHA256", group, resumed, serverName: undefined },
      } as const,
    })
    ask(over("X25519MLKEM768", false, 1))
    calls[0]?.answer({ result: "allow", user: "x" })
    ask(over("X25519MLKEM768", true, 2))
    expect(calls).toHaveLength(1)
    ask(over("x25519", false, 3))
    expect(calls).toHaveLength(2)
  })

  it("are so for the same question within their time, whatever the port; and the oldest makes room", () => {
    const { ask, answers, calls, clock } = world({ cacheTime: 10 })
    const from = (port: number) => ({ peer: { transport: "tcp", address: `192.0.2.1:${port}` } as const })
    ask(from(1))
    calls[0]?.answer({ result: "allow", user: "x" })
    clock.now += 9999
    ask(from(2))
    expect([calls.length, answers[1]]).toEqual([1, { identity: { user: "x", source: "hook" } }])
    for (const other of [{ password: encodeText("other") }, { username: "bob" }, { clientId: "c2" }]) ask(other)
    expect(calls).toHaveLength(4)
    for (const { answer } of calls.slice(1)) answer({ result: "deny" })
    ask(from(3)) // three others are remembered
    expect(calls).toHaveLength(5)
    ask({ clientId: "c2" })
    expect(calls).toHaveLength(5)
    clock.now += 10_000
    ask({ clientId: "c2" })
    expect(calls).toHaveLength(6)
  })

  it("end with the login that they allow, and failures are not remembered", () => {
    const { ask, answers, calls, clock } = world({ cacheTime: 100 })
    ask()
    calls[0]?.answer({ result: "allow", expiresIn: 5 })
    clock.now += 4000
    ask()
    expect(answers[1]).toEqual(answers[0]) // of the time when it was asked
    clock.now += 1000
    ask()
    calls[1]?.answer({}, 500)
    ask()
    expect(calls).toHaveLength(3)
  })
})

describe("a server that is slow, or not there", () => {
  it("has a bounded number of questions, in turn by address; more wait, and past that are told so", () => {
    const { ask, answers, calls } = world({}, { atOnce: 2, waiting: 2, waitingPerAddress: 1 })
    const from = (address: string) => ask({ peer: { transport: "tcp", address } })
    for (const address of ["a:1", "a:2", "b:1", "c:1", "a:3"]) from(address)
    expect(calls).toHaveLength(2)
    expect(answers[4]).toMatchObject({ reasonCode: ReasonCode.ServerBusy })
    calls[0]?.answer({ result: "ignore" })
    expect(calls.map(({ question }) => question["address"])).toEqual(["a:1", "b:1", "a:2"])
  })

  it("is not asked any more after five that did not reach it, and one line says so; then one tries", () => {
    const { ask, answers, calls, clock, warnings } = world()
    for (let i = 0; i < 5; i++) {
      ask()
      calls.at(-1)?.fail("the connection is refused", true)
    }
    expect(answers).toEqual(
      new Array(5).fill(unavailable(/^the HTTP hook https:\/\/login.example\/hook: the connection is refused$/)),
    )
    ask()
    expect([calls.length, answers[5]]).toEqual([5, unavailable(/is not there; it is tried again in 1000 ms/)])
    clock.now += 1000
    ask()
    ask()
    expect(calls).toHaveLength(6)
    calls[5]?.answer({ result: "allow" })
    ask()
    expect(calls).toHaveLength(7)
    expect(warnings).toEqual([
      expect.stringMatching(/cannot be reached: the connection is refused; until it can/),
      expect.stringMatching(/can be reached again/),
    ])
  })

  it("that is there and does not answer some is still asked about the others", () => {
    const { ask, calls, warnings } = world()
    for (let i = 0; i < 50; i++) {
      ask()
      calls.at(-1)?.fail("no whole answer has come within 5000 ms", false)
    }
    expect([calls.length, warnings]).toEqual([50, []])
  })
})
