// Hosts differ in what a callback of node:crypto is given for no error: Node.js null, Bun undefined.

import * as crypto from "node:crypto"
import { beforeEach, expect, it, vi } from "vitest"
import { pbkdf2 } from "./node-pbkdf2.ts"
import { scrypt } from "./node-scrypt.ts"

type Callback = (error: Error | null | undefined, key: Uint8Array | undefined) => void

const answer = vi.hoisted(() => ({ error: undefined as Error | null | undefined }))

vi.mock("node:crypto", async (original) => {
  const call = (...args: unknown[]) => (args.at(-1) as Callback)(answer.error, Uint8Array.of(7))
  return { ...(await original<typeof crypto>()), scrypt: call, pbkdf2: call }
})

const computations = {
  scrypt: () => scrypt(new Uint8Array(1), new Uint8Array(16), { ln: 10, r: 8, p: 1 }, 1),
  pbkdf2: () => pbkdf2(new Uint8Array(1), new Uint8Array(16), 4096),
}

beforeEach(() => {
  answer.error = undefined
})

it.each(Object.entries(computations))("%s: null and undefined are no error, an Error is one", async (_, compute) => {
  expect(typeof crypto.scrypt).toBe("function")
  for (const none of [null, undefined]) {
    answer.error = none
    expect(await compute()).toEqual(Uint8Array.of(7))
  }
  answer.error = new Error("no memory")
  await expect(compute()).rejects.toThrow("no memory")
})
