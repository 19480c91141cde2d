import { describe, expect, it } from "vitest"
import { LimitExceeded } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256 } from "../crypto/noble/index.ts"
import { trafficKeys } from "../schedule/traffic.ts"
import { RecordProtection } from "./protection.ts"

const header = Uint8Array.of(23, 3, 3, 0, 20)
const plaintext = Uint8Array.of(1, 2, 3, 23)
const secret = new Uint8Array(32).fill(5)

/** What the AEAD gives for a nonce that is built here by BigInt. */
function expected(suite: typeof TLS_AES_128_GCM_SHA256, sequenceNumber: bigint): string {
  const { key, iv } = trafficKeys(suite, secret)
  const nonce = iv.slice()
  for (let i = 0; i < 8; i++) nonce[11 - i]! ^= Number((sequenceNumber >> BigInt(8 * i)) & 0xffn)
  const out = new Uint8Array(plaintext.length + 16)
  suite.aead.key(key).seal(nonce, header, plaintext, out, 0)
  return toHex(out)
}

describe.each([TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256])("record protection, $name", (suite) => {
  // Requirement 5.3-1
  it("RFC 9846 5.3: the nonce is the sequence number, exclusive-or the iv, from 0 on", () => {
    const protection = new RecordProtection(suite, secret)
    const out = new Uint8Array(20)
    for (const n of [0n, 1n, 2n]) {
      expect(protection.sequenceNumber).toBe(Number(n))
      protection.seal(header, plaintext, out, 0)
      expect(toHex(out)).toBe(expected(suite, n))
    }
  })

  it.each([255, 256, 0xffff, 0xffff_ffff, 2 ** 32, 2 ** 32 + 1, 2 ** 48 + 3, Number.MAX_SAFE_INTEGER - 1])(
    "RFC 9846 5.3: sequence number %i in network byte order",
    (n) => {
      const out = new Uint8Array(20)
      new RecordProtection(suite, secret, undefined, n).seal(header, plaintext, out, 0)
      expect(toHex(out)).toBe(expected(suite, BigInt(n)))
    },
  )

  // Requirement 5.3-2
  it("RFC 9846 5.3: the sequence number never wraps", () => {
    const protection = new RecordProtection(suite, secret, undefined, Number.MAX_SAFE_INTEGER - 1)
    const out = new Uint8Array(20)
    protection.seal(header, plaintext, out, 0)
    expect(() => protection.seal(header, plaintext, out, 0)).toThrow(LimitExceeded)
    expect(() => protection.open(header, out, new Uint8Array(4), 0)).toThrow("sequence number is used up")
  })

  it("RFC 9846 5.2: the header is authenticated; a record that does not open is not counted", () => {
    const out = new Uint8Array(20)
    new RecordProtection(suite, secret).seal(header, plaintext, out, 0)
    const protection = new RecordProtection(suite, secret)
    const opened = new Uint8Array(4)
    expect(protection.open(Uint8Array.of(23, 3, 3, 0, 21), out, opened, 0)).toBe(-1)
    expect(protection.sequenceNumber).toBe(0)
    expect(toHex(opened)).toBe("00000000")
    expect(protection.open(header, out, opened, 0)).toBe(4)
    expect(toHex(opened)).toBe(toHex(plaintext))
    expect(protection.sequenceNumber).toBe(1)
  })

  it("an observer gets key and iv, which are erased afterwards", () => {
    const { key, iv } = trafficKeys(suite, secret)
    let view: Uint8Array = new Uint8Array()
    new RecordProtection(suite, secret, (theKey, theIv) => {
      view = theKey
      expect(toHex(theKey)).toBe(toHex(key))
      expect(toHex(theIv)).toBe(toHex(iv))
    })
    expect(toHex(view)).toBe("00".repeat(key.length))
  })

  it("a wiped key does not seal", () => {
    const protection = new RecordProtection(suite, secret)
    protection.wipe()
    expect(() => protection.seal(header, plaintext, new Uint8Array(20), 0)).toThrow("wiped")
  })
})
