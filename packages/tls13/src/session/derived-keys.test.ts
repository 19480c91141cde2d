import { hkdfSync } from "node:crypto"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { toHex } from "../bytes/hex.ts"
import { createNobleProvider } from "../crypto/noble/index.ts"
import type { Aead, Hash } from "../crypto/provider.ts"
import { CookieKeyRing, DerivedCookieKeys } from "./cookie-keys.ts"
import type { SharedSecret } from "./derived-keys.ts"
import type { ServerSession } from "./session.ts"
import { DerivedTicketKeys, type DerivedTicketKeysOptions, TicketKeyRing } from "./ticket-keys.ts"

const provider = createNobleProvider()
const suite = provider.cipherSuites.find(({ aead }) => aead.name === "AES-256-GCM")!
const hash: Hash = provider.cipherSuites.find(({ hash }) => hash.name === "sha256")!.hash
const { aead } = suite
const [minute, hour] = [60_000, 3_600_000]
/** Begins a period of an hour. */
const start = 1_800_000_000_000

const session: ServerSession = {
  cipherSuite: 0x1301,
  psk: new Uint8Array(32).fill(7),
  issuedAt: start,
  authenticatedAt: start,
  ticketLifetime: 7200,
  ticketAgeAdd: 5,
  maxEarlyDataSize: 0,
  alpnProtocol: undefined,
  serverName: undefined,
  peerChain: [],
  partition: "",
}

const secret = Uint8Array.from({ length: 32 }, (_, at) => at)
const other = Uint8Array.from({ length: 48 }, (_, at) => 255 - at)
const shared = (bytes: Uint8Array, from = 0): SharedSecret => ({ secret: bytes, from })

function keys(options: Partial<DerivedTicketKeysOptions> = {}): DerivedTicketKeys {
  return new DerivedTicketKeys({ aead, hash, random: provider.random, secrets: [shared(secret)], ...options })
}

/** The name of the key that sealed it. */
const nameOf = (ticket: Uint8Array) => toHex(ticket.subarray(0, 16))

/** An AEAD that tells which keys it is given. */
function watched(): { readonly aead: Aead; readonly made: string[] } {
  const made: string[] = []
  const key = (bytes: Uint8Array) => {
    made.push(toHex(bytes))
    return aead.key(bytes)
  }
  return { made, aead: { ...aead, key } }
}

describe("ticket keys from a shared secret", () => {
  it("are those of docs/ticket-keys.md", () => {
    const { aead, made } = watched()
    const derived = keys({ aead })
    const cookies = new DerivedCookieKeys({ aead, hash, random: provider.random, secrets: [shared(secret)] })
    const sealed = [derived.seal(session, start), derived.seal(session, start + hour), cookies.seal(secret, start)]
    const page = readFileSync(new URL("../../../../docs/ticket-keys.md", import.meta.url), "utf8")
    const rows = [
      ...page.matchAll(/^\| \d+, `[0-9a-f]{16}` \| (?:ticket|cookie) \| `([0-9a-f]+)` \| `([0-9a-f]+)` \|$/gm),
    ]
    expect(sealed.map((each, i) => [nameOf(each), made[i]])).toEqual(rows.map(([, name, key]) => [name, key]))
    expect(rows).toHaveLength(3)
  })

  it("are HKDF's of the secret, the purpose and the period", () => {
    const { aead, made } = watched()
    const derived = keys({ aead, secrets: [shared(other)], period: 7 * minute })
    const now = start + 12_345_678
    const name = nameOf(derived.seal(session, now))
    const begins = Buffer.alloc(8)
    begins.writeBigUInt64BE(BigInt(now - (now % (7 * minute))))
    const expand = (label: string, length: number) => {
      const text = Buffer.from(`tls13 ${label}`)
      const info = Buffer.concat([Buffer.of(0, length, text.length), text, Buffer.of(8), begins])
      return Buffer.from(hkdfSync("sha256", other, Buffer.alloc(32), info, length)).toString("hex")
    }
    expect(name).toBe(expand("ticket name", 16))
    expect(made).toEqual([expand("ticket key", 32)])
  })

  it("are the same on each server: a ticket of one opens at another, and in another place of its period", () => {
    const ticket = keys().seal(session, start + 1)
    expect(keys().open(ticket, start + 1)).toEqual(session)
    expect(keys().open(ticket, start + 59 * minute)).toEqual(session)
    expect(keys({ secrets: [shared(other)] }).open(ticket, start + 1)).toBeUndefined()
  })

  it("change with each period", () => {
    const derived = keys()
    const names = [0, 1, hour - 1, hour, 2 * hour].map((after) => nameOf(derived.seal(session, start + after)))
    expect(new Set(names.slice(0, 3)).size).toBe(1)
    expect(new Set(names).size).toBe(3)
  })

  it("open for a ticket's lifetime and the clocks' difference, to the end of that", () => {
    const at = start + hour - 1
    const ticket = keys().seal(session, at)
    // The key's period ends 1 ms later, then 2 hours, then the minute.
    expect(keys().open(ticket, at + 2 * hour + minute)).toEqual(session)
    expect(keys().open(ticket, at + 2 * hour + minute + 1)).toBeUndefined()
  })

  it("of the next period open when a clock is behind by no more than a minute", () => {
    const ticket = keys().seal(session, start)
    expect(keys().open(ticket, start - minute)).toEqual(session)
    expect(keys().open(ticket, start - minute - 1)).toBeUndefined()
  })

  it("depend on the time only, wherever a clock has been", () => {
    const derived = keys()
    const ticket = derived.seal(session, start)
    for (const time of [start + 1000 * hour, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      derived.seal(session, time)
      expect(derived.open(ticket, time)).toBeUndefined()
    }
    expect(derived.open(ticket, start)).toEqual(session)
  })

  it("forge nothing: a ticket that was changed in any byte is unknown", () => {
    const derived = keys()
    const ticket = derived.seal(session, start)
    for (let i = 0; i < ticket.length; i++) {
      const changed = ticket.slice()
      changed[i]! ^= 1
      expect(derived.open(changed, start)).toBeUndefined()
    }
    expect(derived.open(ticket.subarray(0, 43), start)).toBeUndefined()
  })
})

describe("several shared secrets", () => {
  it("the newest that has begun seals, and all open", () => {
    const both = [shared(secret), shared(other, start + hour)]
    const derived = keys({ secrets: both })
    const before = derived.seal(session, start + hour - 1)
    const after = derived.seal(session, start + hour)
    expect(keys().open(before, start + hour)).toEqual(session)
    expect(keys({ secrets: [shared(other)] }).open(after, start + hour)).toEqual(session)
    expect(derived.open(before, start + hour)).toEqual(session)
    // A server that has not begun with the newer one, as its clock is behind.
    expect(keys({ secrets: both }).open(after, start + hour - minute)).toEqual(session)
  })

  it("none that has begun: the one that begins first seals", () => {
    const derived = keys({ secrets: [shared(other, start + hour), shared(secret, start + 1)] })
    expect(keys().open(derived.seal(session, start), start)).toEqual(session)
  })

  it("can be replaced: what is not among them opens nothing any more", () => {
    const derived = keys()
    const ticket = derived.seal(session, start)
    derived.replace([shared(other, start), shared(secret)])
    expect(derived.open(ticket, start)).toEqual(session)
    derived.replace([shared(other, start)])
    expect(derived.open(ticket, start)).toBeUndefined()
    expect(() => derived.replace([])).toThrow("a shared secret is needed")
    expect(() => derived.replace([shared(other.subarray(0, 31))])).toThrow(
      "has 31 bytes; it needs 32 random ones or more",
    )
    expect(derived.open(derived.seal(session, start), start)).toEqual(session)
  })

  it("are read, not kept", () => {
    const own = secret.slice()
    const derived = keys({ secrets: [shared(own)] })
    own.fill(0)
    expect(keys().open(derived.seal(session, start), start)).toEqual(session)
  })
})

describe("times of derived keys", () => {
  it("make 1,024 keys of a secret at most", () => {
    const week = 604_800
    expect(() => keys({ lifetime: week })).not.toThrow()
    expect(() => keys({ lifetime: week, period: 10 * minute })).not.toThrow()
    expect(() => keys({ lifetime: week, period: 9 * minute })).toThrow("1024 keys are most")
    for (const period of [0, 999, -hour, Number.NaN, 1000.5]) expect(() => keys({ period })).toThrow(RangeError)
    for (const skew of [-1, Number.NaN]) expect(() => keys({ skew })).toThrow(RangeError)
  })
})

describe("cookie keys from a shared secret", () => {
  const cookies = (secrets = [shared(secret)]) =>
    new DerivedCookieKeys({ aead, hash, random: provider.random, secrets })
  const content = Uint8Array.of(1, 2, 3)

  it("a cookie of one server opens at another for 30 s, as one of a ring does", () => {
    const ring = new CookieKeyRing({ aead, random: provider.random })
    for (const [one, another] of [[cookies(), cookies()] as const, [ring, ring] as const]) {
      const cookie = one.seal(content, start)
      expect(another.open(cookie, start + 30_000)).toEqual(content)
      expect(another.open(cookie, start + 30_001)).toBe("expired")
    }
    expect(cookies([shared(other)]).open(cookies().seal(content, start), start)).toBeUndefined()
  })

  it("are none of the tickets' keys", () => {
    const ticket = keys().seal(session, start)
    const cookie = cookies().seal(content, start)
    expect(nameOf(cookie)).not.toBe(nameOf(ticket))
    expect(cookies().open(ticket, start)).toBeUndefined()
    expect(keys().open(cookie, start)).toBeUndefined()
  })

  it("can be replaced", () => {
    const derived = cookies()
    const cookie = derived.seal(content, start)
    derived.replace([shared(other)])
    expect(derived.open(cookie, start)).toBeUndefined()
  })
})

it("a ring opens nothing of derived keys, and they nothing of a ring", () => {
  const ring = new TicketKeyRing({ aead, random: provider.random })
  expect(ring.open(keys().seal(session, start), start)).toBeUndefined()
  expect(keys().open(ring.seal(session, start), start)).toBeUndefined()
})
