import { expect, it } from "vitest"
import { toHex } from "../../bytes/hex.ts"
import { nonceOf } from "./tickets.ts"

it("RFC 9846 4.7.1: the nonce of each ticket of a connection is another, however many there are, of 255 bytes at most", () => {
  const seen = new Set<string>()
  for (let number = 0; number < 70_000; number++) seen.add(toHex(nonceOf(number)))
  expect(seen.size).toBe(70_000)
})
