// The limits of logins are others while logins wait.

import { randomBytes } from "node:crypto"
import { expect, it } from "vitest"
import { ReasonCode } from "../packet/reason-codes.ts"
import { defaultLimits } from "../session/limits.ts"
import { createAccess } from "./login.ts"
import type { CheckerLimits } from "./password-checker.ts"
import { memoryOf } from "./scrypt.ts"

/** Nobody has a password: each login is one computation of the default cost, which ends when the test says so. */
function desk(limits: Partial<CheckerLimits>) {
  const computing: (() => void)[] = []
  const codes: number[] = []
  const rules = { anonymous: false, passwords: new Map(), certificates: true, acl: undefined }
  const means = {
    scrypt: (_password: Uint8Array, _salt: Uint8Array, _cost: unknown, length: number) =>
      new Promise<Uint8Array>((resolve) => computing.push(() => resolve(new Uint8Array(length).fill(1)))),
    random: (length: number) => randomBytes(length),
    now: () => 1_000_000,
    after: () => undefined,
    fault: (error: unknown) => {
      throw error
    },
  }
  const before = { ...defaultLimits, maximumPasswordChecks: 1, ...limits }
  const access = createAccess(rules, means, before)
  let count = 0
  return {
    computing,
    /** Reason Codes of those that were refused at once. */
    codes,
    limit: (next: Partial<CheckerLimits>) => access.limit({ ...before, ...next }),
    login: (address: number) => {
      const peer = { transport: "tcp", address: `192.0.2.${address}:1` } as const
      const attempt = { clientId: "c", username: `user ${count++}`, password: Uint8Array.of(1), abandoned: () => false }
      access.authenticate({ ...attempt, peer }, (decision) => {
        if ("reasonCode" in decision) codes.push(decision.reasonCode)
      })
    },
  }
}

it("maximumWaitingLogins: who waits, waits; one more finds the new bound", () => {
  const { codes, limit, login } = desk({ maximumWaitingLogins: 2 })
  for (const address of [1, 2, 3]) login(address)
  expect(codes).toEqual([])
  limit({ maximumWaitingLogins: 3 })
  login(4)
  expect(codes).toEqual([])
  limit({ maximumWaitingLogins: 1 })
  login(5)
  expect(codes).toEqual([ReasonCode.ServerBusy])
})

it("maximumWaitingLoginsPerAddress", () => {
  const { codes, limit, login } = desk({ maximumWaitingLoginsPerAddress: 1 })
  for (const address of [1, 1]) login(address)
  limit({ maximumWaitingLoginsPerAddress: 2 })
  login(1)
  expect(codes).toEqual([])
  limit({ maximumWaitingLoginsPerAddress: 1 })
  login(1)
  expect(codes).toEqual([ReasonCode.ServerBusy])
})

it("maximumPasswordChecks: those that wait begin at once, those under way go on", async () => {
  const { computing, limit, login } = desk({})
  for (const address of [1, 2, 3, 4]) login(address)
  expect(computing).toHaveLength(1)
  limit({ maximumPasswordChecks: 3 })
  expect(computing).toHaveLength(3)
  limit({ maximumPasswordChecks: 1 })
  for (const end of computing.splice(0, 2)) end()
  await new Promise((resolve) => setImmediate(resolve))
  expect(computing).toHaveLength(1)
})

it("maximumPasswordMemory", () => {
  const one = memoryOf({ ln: 15, r: 8, p: 1 })
  const { computing, limit, login } = desk({ maximumPasswordChecks: 4, maximumPasswordMemory: one })
  for (const address of [1, 2, 3]) login(address)
  expect(computing).toHaveLength(1)
  limit({ maximumPasswordChecks: 4, maximumPasswordMemory: 2 * one })
  expect(computing).toHaveLength(2)
})
