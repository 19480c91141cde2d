// `withHostRecords`: a provider and the host share the records, and nobody sees who has sealed which.

import { randomBytes, randomInt } from "node:crypto"
import { describe, expect, it } from "vitest"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { withHostRecords } from "../../src/crypto/host/index.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import type { Aead, AeadKey, CryptoProvider } from "../../src/crypto/provider.ts"
import { symmetricConformance } from "./symmetric-conformance.ts"

const mixed = withHostRecords(createFastProvider())
symmetricConformance(mixed)

const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const noble = createNobleProvider()
const aeadOf = (provider: CryptoProvider, code: number): Aead =>
  provider.cipherSuites.find((suite) => suite.code === code)!.aead

it("leaves everything else as it is", () => {
  const fast = createFastProvider()
  const shared = withHostRecords(fast)
  expect(shared).toMatchObject({ keyExchanges: fast.keyExchanges, signatures: fast.signatures, name: "mixed" })
  const [is, was] = [shared, fast].map(({ cipherSuites }) =>
    cipherSuites.map(({ name, code, hash }) => [name, code, hash]),
  )
  expect(is).toEqual(was)
})

it("leaves suites that the host does not have, or is slower with, to the provider", () => {
  const never = Number.POSITIVE_INFINITY
  const { cipherSuites } = withHostRecords(noble, { aesGcm: never, chacha20Poly1305: never })
  expect(cipherSuites).toEqual(noble.cipherSuites)
  const strange = { ...noble.cipherSuites[0]!, name: "TLS_AES_128_CCM_SHA256", code: 0x1304 }
  expect(withHostRecords({ ...noble, cipherSuites: [strange] }).cipherSuites).toEqual([strange])
})

describe.each(mixed.cipherSuites)("$name, by length", ({ code }) => {
  const from = code === 0x1303 ? 8192 : 2048
  const usual = aeadOf(mixed, code)
  const reference = aeadOf(noble, code)
  const lengths = [
    ...Array.from({ length: 35 }, (_, i) => from - 17 + i),
    ...Array.from({ length: 150 }, () => randomInt(17_000)),
    16_384,
    16_385,
  ]

  it("gives noble's bytes on both sides of where the host begins, in place and not", () => {
    const secret = bytes(usual.keyLength)
    const [key, other] = [usual.key(secret), reference.key(secret)]
    for (const length of lengths) {
      const [nonce, aad, plaintext] = [bytes(12), bytes(5), bytes(length)]
      const at = length % 5
      const expected = new Uint8Array(length + 16)
      other.seal(nonce, aad, plaintext, expected, 0)
      const place = new Uint8Array(at + length + 16)
      place.set(plaintext, at)
      key.seal(nonce, aad, place.subarray(at, at + length), place, at)
      expect(Buffer.compare(place.subarray(at), expected), `length ${length}`).toBe(0)
      const opened = new Uint8Array(length)
      expect(key.open(nonce, aad, expected, opened, 0)).toBe(length)
      expect(Buffer.compare(opened, plaintext)).toBe(0)
      expect(key.open(nonce, aad, place.subarray(at), place, at)).toBe(length)
      expect(Buffer.compare(place.subarray(at, at + length), plaintext)).toBe(0)
    }
  })

  it("refuses any changed record, leaves no plaintext, and throws what the provider's own key throws", () => {
    const own = aeadOf(createFastProvider(), code)
    for (const length of [from - 1, from, from + 1]) {
      const secret = bytes(usual.keyLength)
      const [nonce, aad, plaintext] = [bytes(12), bytes(5), bytes(length)]
      const sealed = new Uint8Array(length + 16)
      usual.key(secret).seal(nonce, aad, plaintext, sealed, 0)
      const key = usual.key(secret)
      for (const position of [0, length >> 1, length - 1, length, length + 7, length + 15]) {
        const changed = sealed.slice()
        changed[position]! ^= 1 << (position % 8)
        const out = new Uint8Array(length).fill(0xa5)
        expect(key.open(nonce, aad, changed, out, 0)).toBe(-1)
        expect(Buffer.from(out).includes(Buffer.from(plaintext.subarray(32, 48)))).toBe(false)
        expect(key.open(nonce, aad, changed, changed, 0)).toBe(-1)
        expect(Buffer.from(changed).includes(Buffer.from(plaintext.subarray(32, 48)))).toBe(false)
      }
      const misuses: ((key: AeadKey) => unknown)[] = [
        (each) => each.seal(bytes(11), aad, plaintext, new Uint8Array(length + 16), 0),
        (each) => each.seal(nonce, aad, plaintext, new Uint8Array(length + 15), 0),
        (each) => each.seal(nonce, aad, plaintext, new Uint8Array(length + 16), 1),
        (each) => each.seal(nonce, aad, plaintext, new Uint8Array(length + 16), -1),
        (each) => each.open(bytes(13), aad, sealed, new Uint8Array(length), 0),
        (each) => each.open(nonce, aad, sealed, new Uint8Array(length - 1), 0),
        (each) => {
          each.wipe()
          each.seal(nonce, aad, plaintext, new Uint8Array(length + 16), 0)
        },
        (each) => each.open(nonce, aad, sealed, new Uint8Array(length), 0),
      ]
      const theirs = own.key(secret)
      for (const misuse of misuses) expect(thrownBy(() => misuse(key))).toEqual(thrownBy(() => misuse(theirs)))
    }
  })

  it("each of them does what is said", () => {
    const done: number[] = []
    const watched: Aead = {
      ...reference,
      key: (secret) => {
        const key = reference.key(secret)
        return {
          seal(nonce, aad, plaintext, out, at) {
            done.push(plaintext.length)
            key.seal(nonce, aad, plaintext, out, at)
          },
          open(nonce, aad, ciphertext, out, at) {
            done.push(ciphertext.length - 16)
            return key.open(nonce, aad, ciphertext, out, at)
          },
          wipe: () => key.wipe(),
        }
      },
    }
    const suite = noble.cipherSuites.find((each) => each.code === code)!
    const watch = { ...noble, cipherSuites: [{ ...suite, aead: watched }] }
    const work = (provider: CryptoProvider, length: number) => {
      const key = aeadOf(provider, code).key(bytes(usual.keyLength))
      const [nonce, out] = [bytes(12), new Uint8Array(length + 16)]
      key.seal(nonce, nonce, bytes(length), out, 0)
      expect(key.open(nonce, nonce, out, out, 0)).toBe(length)
    }
    for (const length of [0, from - 1, from, 16_384]) work(withHostRecords(watch), length)
    expect(done.splice(0)).toEqual([0, 0, from - 1, from - 1])
    for (const length of [0, 99, 100]) work(withHostRecords(watch, { aesGcm: 100, chacha20Poly1305: 100 }), length)
    expect(done.splice(0)).toEqual([0, 0, 99, 99])
  })
})

function thrownBy(work: () => unknown): string {
  try {
    work()
    return "nothing"
  } catch (error) {
    return String(error)
  }
}
