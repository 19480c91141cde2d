import { expect, it } from "vitest"
import { createNobleProvider, sha256, sha384, sha512 } from "../../src/crypto/noble/index.ts"
import type { Aead, Hash } from "../../src/crypto/provider.ts"
import { describeFastSymmetric } from "./fast-variants.ts"

// The symmetric kernels of crypto/fast against noble: every length to 1,100, every alignment, in place and not, and cases at
// random. PUREMQ_KERNEL_CASES=1000000 runs a million of these for each kernel; PUREMQ_KERNEL_SEED repeats a run.

const cases = Number(process.env["PUREMQ_KERNEL_CASES"] ?? 3_000)
const seed = Number(process.env["PUREMQ_KERNEL_SEED"] ?? Date.now() % 2 ** 31)
const timeout = 30_000 + cases / 2

const noble = createNobleProvider()

/** mulberry32: repeatable, and as random as a test needs. */
function generator(start: number): () => number {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return (x ^ (x >>> 14)) >>> 0
  }
}

/** Random bytes, or those whose carries and bits are seldom: all zeros, all ones, ones with a gap, single bits. */
function fill(bytes: Uint8Array, next: () => number): Uint8Array {
  const kind = next() % 8
  if (kind === 0) return bytes.fill(0)
  if (kind === 1) return bytes.fill(0xff)
  if (kind === 2) return bytes.map((_, i) => (i % 16 === 0 ? 0xfb : 0xff))
  if (kind === 3) {
    bytes.fill(0)
    if (bytes.length > 0) bytes[next() % bytes.length] = 1 << (next() % 8)
    return bytes
  }
  for (let i = 0; i < bytes.length; i++) bytes[i] = next() >>> 11
  return bytes
}

/** Mostly short, at times around the limits of what one call takes. */
function lengthOf(next: () => number): number {
  const kind = next() % 256
  if (kind === 0) return 16_384 + (next() % 1_200)
  if (kind < 8) return next() % 2_000
  return next() % 160
}

interface Place {
  readonly from: number
  readonly at: number
  readonly inPlace: boolean
}

describeFastSymmetric((create) => {
  const fast = create()
  const aeads: readonly [Aead, Aead][] = fast.cipherSuites.map(({ code, aead }) => [
    aead,
    noble.cipherSuites.find((row) => row.code === code)!.aead,
  ])

  it.each(aeads)("$name: every length to 1,100, at every alignment, in place and not", (aead, reference) => {
    const next = generator(seed)
    for (let length = 0; length <= 1_100; length++) {
      const [from, at] = [length % 16, (length >> 4) % 16]
      sealAndOpen(aead, reference, next, length, { from, at, inPlace: length % 3 === 0 })
    }
    for (let from = 0; from < 16; from++) {
      for (let at = 0; at < 16; at++) {
        for (const length of [5, 64, 100, 300]) sealAndOpen(aead, reference, next, length, { from, at, inPlace: false })
      }
    }
  })

  it.each(aeads)(
    "$name: additional data of every kind of length, also longer than one call takes",
    (aead, reference) => {
      const next = generator(seed)
      for (const aadLength of [...Array(70).keys(), 511, 512, 513, 600, 16_895, 16_896, 16_897, 40_000]) {
        const place = { from: aadLength % 16, at: aadLength % 5, inPlace: aadLength % 2 === 0 }
        sealAndOpen(aead, reference, next, aadLength % 100, place, aadLength)
      }
    },
  )

  it.each(aeads)("$name: lengths around those from which on more is done at once", (aead, reference) => {
    const next = generator(seed)
    const limits = [512, 1_024, 2_048, 4_096, 5_120, 8_192, 12_288, 16_384, 16_896, 33_792, 50_000]
    for (const limit of limits) {
      for (let length = limit - 36; length <= limit + 36; length += limit > 10_000 ? 9 : 3) {
        const place = { from: length % 16, at: length % 5, inPlace: length % 2 === 0 }
        sealAndOpen(aead, reference, next, length, place)
      }
    }
  })

  it.each(aeads)(`$name: ${cases} cases at random`, { timeout }, (aead, reference) => {
    const next = generator(seed)
    for (let i = 0; i < cases; i++) {
      const place = { from: next() % 16, at: next() % 16, inPlace: next() % 2 === 0 }
      sealAndOpen(aead, reference, next, lengthOf(next), place)
    }
  })

  function sealAndOpen(
    aead: Aead,
    reference: Aead,
    next: () => number,
    length: number,
    place: Place,
    aadLength = next() % 40,
  ): void {
    const secret = fill(new Uint8Array(aead.keyLength), next)
    const nonce = fill(new Uint8Array(12), next)
    const aad = fill(new Uint8Array(aadLength), next)
    const plaintext = fill(new Uint8Array(length), next)
    const expected = new Uint8Array(length + 16)
    reference.key(secret).seal(nonce, aad, plaintext, expected, 0)
    const { at, inPlace } = place
    const from = inPlace ? at : place.from
    const out = new Uint8Array(at + length + 16)
    const input = inPlace ? out : new Uint8Array(from + length)
    input.set(plaintext, from)
    const key = aead.key(secret)
    key.seal(nonce, aad, input.subarray(from, from + length), out, at)
    same(out.subarray(at), expected, length)
    const opened = inPlace ? out : new Uint8Array(from + length)
    if (key.open(nonce, aad, out.subarray(at), opened, from) !== length) throw new Error(message(length))
    same(opened.subarray(from, from + length), plaintext, length)
  }

  const own = (name: string): Hash | undefined => fast.cipherSuites.find(({ hash }) => hash.name === name)?.hash
  const hashes = [sha256, sha384, sha512].flatMap((reference): [Hash, Hash][] => {
    const hash = own(reference.name)
    return hash === undefined ? [] : [[hash, reference]]
  })

  it.each(hashes)("$name: every length to 1,100, at every alignment", (hash, reference) => {
    expect(hashes.length).toBe(2)
    const next = generator(seed)
    for (let length = 0; length <= 1_100; length++) {
      const message = fill(new Uint8Array(length % 16 === 0 ? length : length + (length % 16)), next)
      const part = message.subarray(message.length - length)
      same(hash.digest(part), reference.digest(part), length)
    }
  })

  it.each(hashes)(`$name: ${cases} digests, running hashes and MACs at random`, { timeout }, (hash, reference) => {
    const next = generator(seed)
    for (let i = 0; i < cases; i++) {
      const message = fill(new Uint8Array(lengthOf(next)), next)
      const expected = reference.digest(message)
      same(hash.digest(message), expected, message.length)
      const [one, other] = [next() % (message.length + 1), next() % (message.length + 1)]
      const [begin, end] = [Math.min(one, other), Math.max(one, other)]
      const state = hash.start()
      state.update(message.subarray(0, begin))
      const clone = state.clone()
      state.update(message)
      for (const piece of [message.subarray(begin, end), message.subarray(end)]) clone.update(piece)
      same(clone.digest(), expected, message.length)
      const secret = fill(new Uint8Array(next() % 300), next)
      const mac = hash.hmac(secret).mac(message.subarray(0, begin), message.subarray(begin))
      same(mac, reference.hmac(secret).mac(message), message.length)
    }
  })

  function same(one: Uint8Array, other: Uint8Array, length: number): void {
    if (Buffer.compare(one, other) !== 0) throw new Error(message(length))
  }

  function message(length: number): string {
    return `length ${length} is not as noble has it; PUREMQ_KERNEL_SEED=${seed} repeats this`
  }
})
