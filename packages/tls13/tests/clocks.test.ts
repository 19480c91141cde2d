// Keys that seal tickets and cookies when a clock was wrong for a while: RFC 9846 section 4.7.1, RFC 5077 section 5.5.

import { describe, expect, it } from "vitest"
import { KeyRing } from "../src/session/key-ring.ts"
import { provider, start } from "./support.ts"

const hour = 3_600_000
const { aead } = provider.cipherSuites[0]!
const ring = () => new KeyRing({ aead, random: provider.random, rotateAfter: hour, keys: [], purpose: "test" })
const nameOf = (sealed: Uint8Array) => sealed.slice(0, 16)
const value = Uint8Array.of(1, 2, 3)

describe("a key of a time to come", () => {
  it("seals nothing more once the clock is right: it would be used until then", () => {
    const keys = ring()
    const wrong = keys.seal(value, start + 24 * 365 * hour)
    const right = keys.seal(value, start)
    expect(nameOf(right)).not.toEqual(nameOf(wrong))
    // And the keys rotate as ever.
    const again = keys.seal(value, start + hour / 2)
    expect(nameOf(again)).toEqual(nameOf(right))
    expect(nameOf(keys.seal(value, start + hour))).not.toEqual(nameOf(right))
    expect(keys.keys.length).toBeLessThan(4)
  })

  it("of another server whose clock is a little ahead is used by all", () => {
    const [ahead, behind] = [ring(), ring()]
    const first = ahead.seal(value, start + 60_000)
    behind.load(ahead.keys)
    expect(nameOf(behind.seal(value, start))).toEqual(nameOf(first))
    expect(behind.open(first, start)).toEqual(value)
  })
})
