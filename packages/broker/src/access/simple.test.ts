import { describe, expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Decision, LoginAttempt } from "../ports/access.ts"
import { parseFilter } from "../routing/filter.ts"
import { Acl, parseAcl } from "./acl.ts"
import { createSimpleAccess, type SimpleAccessOptions } from "./simple.ts"

function login(options: SimpleAccessOptions, attempt: { username?: string; password?: string }): Decision {
  let decided: Decision | undefined
  const password = attempt.password === undefined ? undefined : encodeText(attempt.password)
  const peer = { transport: "stream", address: "test" } as const
  const whole: LoginAttempt = { clientId: "c", username: attempt.username, password, peer, abandoned: () => false }
  createSimpleAccess(options).authenticate(whole, (decision) => {
    decided = decision
  })
  return decided!
}

const passwords = { ann: "one", bob: Uint8Array.of(0, 255), nobody: "" }

describe("simple access", () => {
  it("lets in whom it knows", () => {
    const ann = { identity: { user: "ann", source: "password" } }
    expect(login({ passwords }, { username: "ann", password: "one" })).toEqual(ann)
    expect(login({ passwords }, { username: "nobody" })).toEqual({ identity: { user: "nobody", source: "password" } })
    const nameless = { identity: { user: "", source: "anonymous" } }
    expect(login({ passwords, anonymous: true }, {})).toEqual(nameless)
  })

  it.each([
    ["a wrong password", { username: "ann", password: "two" }],
    ["one that is longer", { username: "ann", password: "ones" }],
    ["one that is shorter", { username: "ann", password: "on" }],
    ["one with zeros behind it", { username: "ann", password: "one\0" }],
    ["none", { username: "ann" }],
    ["a user that is not there", { username: "eve", password: "one" }],
    ["a user that is not there, without a password", { username: "eve" }],
    ["a name that every object has", { username: "constructor" }],
    ["a password alone", { password: "one" }],
  ])("refuses %s, also where nobody needs a login", (_, attempt) => {
    const decision = login({ passwords, anonymous: true }, attempt)
    expect(decision).toMatchObject({ reasonCode: ReasonCode.BadUserNameOrPassword })
  })

  it("refuses who has no login, unless it is said that nobody needs one", () => {
    expect(login({ passwords }, {})).toMatchObject({ reasonCode: ReasonCode.NotAuthorized })
  })

  it("keeps a copy of a password", () => {
    const secret = encodeText("one")
    const access = createSimpleAccess({ passwords: { ann: secret } })
    secret.fill(0)
    let decided: Decision | undefined
    const peer = { transport: "stream", address: "test" } as const
    const attempt = { clientId: "c", username: "ann", password: encodeText("one"), peer, abandoned: () => false }
    access.authenticate(attempt, (decision) => {
      decided = decision
    })
    expect(decided).toMatchObject({ identity: { user: "ann" } })
  })

  it("judges by the rules that it is given, and allows everything without", () => {
    const ann = { user: "ann", source: "password" } as const
    const strict = createSimpleAccess({ passwords, rules: new Acl(parseAcl("user ann write a/#\nuser ann read b/#")) })
    expect(strict.publishRefusal(ann, "c", "a/1")).toBeUndefined()
    expect(strict.publishRefusal(ann, "c", "b/1")).toMatchObject({ rule: expect.any(String) })
    expect(strict.subscribeRefusal(ann, "c", parseFilter("b/1", 8))).toBeUndefined()
    expect(strict.subscribeRefusal(ann, "c", parseFilter("a/1", 8))).toBeDefined()
    expect(strict.work).toBeGreaterThan(0)
    const open = createSimpleAccess({ passwords })
    expect(open.publishRefusal(ann, "c", "b/1")).toBeUndefined()
    expect(open.subscribeRefusal(ann, "c", parseFilter("a/1", 8))).toBeUndefined()
    expect(open.deliveryRule(ann, "c", parseFilter("a/1", 8))).toBeUndefined()
    expect(open.work).toBe(0)
  })
})
