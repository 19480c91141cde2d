import { createHash, createHmac, randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import type { Aead, CryptoProvider, Hash } from "../../src/crypto/provider.ts"
import { expectAll, hex, runWycheproof, type WycheproofGroup, type WycheproofTest } from "./wycheproof.ts"

// What every provider's AEADs, hashes and HMACs must do.

interface AeadTest extends WycheproofTest {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}
interface AeadGroup extends WycheproofGroup<AeadTest> {
  readonly ivSize: number
  readonly keySize: number
}
interface MacTest extends WycheproofTest {
  readonly key: string
  readonly msg: string
  readonly tag: string
}
interface MacGroup extends WycheproofGroup<MacTest> {
  readonly tagSize: number
}
interface HkdfTest extends WycheproofTest {
  readonly ikm: string
  readonly salt: string
  readonly info: string
  readonly size: number
  readonly okm: string
}

export function symmetricConformance(provider: CryptoProvider): void {
  const suites = new Map(provider.cipherSuites.map((suite) => [suite.name, suite]))
  const aes128 = suites.get("TLS_AES_128_GCM_SHA256")!
  const aes256 = suites.get("TLS_AES_256_GCM_SHA384")!
  const chacha = suites.get("TLS_CHACHA20_POLY1305_SHA256")!

  describe(`${provider.name}: cipher suites`, () => {
    it("RFC 9846 B.4: pairs each suite with its AEAD and hash", () => {
      expect([aes128.code, aes256.code, chacha.code]).toEqual([0x1301, 0x1302, 0x1303])
      expect([aes128.hash.name, aes256.hash.name, chacha.hash.name]).toEqual(["sha256", "sha384", "sha256"])
      for (const { aead } of [aes128, aes256, chacha]) expect([aead.nonceLength, aead.tagLength]).toEqual([12, 16])
      expect([aes128.aead.keyLength, aes256.aead.keyLength, chacha.aead.keyLength]).toEqual([16, 32, 32])
    })

    it("RFC 9846 5.5: limits AES-GCM to 2^24.5 records a key", () => {
      expect(aes128.aead.confidentialityLimit).toBe(Math.floor(2 ** 24.5))
      expect(aes256.aead.confidentialityLimit).toBe(Math.floor(2 ** 24.5))
      expect(chacha.aead.confidentialityLimit).toBeGreaterThan(2 ** 48)
    })
  })

  describe(`${provider.name}: Wycheproof AEAD`, () => {
    it("aes_gcm: 133 cases with the sizes that a suite has", () => {
      const tally = runWycheproof<AeadGroup, AeadTest>("aes_gcm", (group, test) => {
        if (group.ivSize !== 96) return { skip: "IV not 96 bits" }
        if (group.keySize === 192) return { skip: "192-bit key" }
        return aeadCase(group.keySize === 128 ? aes128.aead : aes256.aead, test)
      })
      expect(tally).toEqual({ run: 133, skipped: { "IV not 96 bits": 119, "192-bit key": 64 }, differences: [] })
    })

    it("chacha20_poly1305: 316 cases", () => {
      const tally = runWycheproof<AeadGroup, AeadTest>("chacha20_poly1305", (group, test) =>
        group.ivSize === 96 ? aeadCase(chacha.aead, test) : { skip: "IV not 96 bits" },
      )
      expect(tally).toEqual({ run: 316, skipped: { "IV not 96 bits": 9 }, differences: [] })
    })
  })

  for (const suite of provider.cipherSuites) aeadConformance(provider.name, suite.aead)

  describe(`${provider.name}: Wycheproof HMAC and HKDF`, () => {
    for (const [file, hash] of [
      ["hmac_sha256", aes128.hash],
      ["hmac_sha384", aes256.hash],
    ] as const) {
      it(`${file}: 174 cases`, () => {
        const tally = runWycheproof<MacGroup, MacTest>(file, (group, test) => {
          const mac = hash.hmac(hex(test.key)).mac(hex(test.msg))
          return Buffer.from(mac.subarray(0, group.tagSize / 8)).equals(hex(test.tag))
        })
        expectAll(tally, 174)
      })
    }

    for (const [file, hash, run] of [
      ["hkdf_sha256", aes128.hash, 83],
      ["hkdf_sha384", aes256.hash, 80],
    ] as const) {
      it(`${file}: ${run} cases by RFC 5869 over the provider's HMAC`, () => {
        const tally = runWycheproof<WycheproofGroup<HkdfTest>, HkdfTest>(file, (_, test) => {
          if (test.size > 255 * hash.length) return { skip: "longer than HKDF gives" }
          const okm = hkdf(hash, hex(test.salt), hex(test.ikm), hex(test.info), test.size)
          return Buffer.from(okm).equals(hex(test.okm))
        })
        expect(tally).toEqual({ run, skipped: { "longer than HKDF gives": 3 }, differences: [] })
      })
    }
  })

  for (const hash of [aes128.hash, aes256.hash]) hashConformance(provider.name, hash)
}

function aeadCase(aead: Aead, test: AeadTest): boolean {
  const key = aead.key(hex(test.key))
  const [nonce, aad, message] = [hex(test.iv), hex(test.aad), hex(test.msg)]
  const sealed = hex(test.ct + test.tag)
  const opened = new Uint8Array(message.length)
  const length = key.open(nonce, aad, sealed, opened, 0)
  if (length < 0) return false
  const again = new Uint8Array(sealed.length)
  key.seal(nonce, aad, message, again, 0)
  return length === message.length && Buffer.from(opened).equals(message) && Buffer.from(again).equals(sealed)
}

const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

export function aeadConformance(provider: string, aead: Aead): void {
  const sealed = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array => {
    const out = new Uint8Array(plaintext.length + aead.tagLength)
    aead.key(key).seal(nonce, aad, plaintext, out, 0)
    return out
  }

  describe(`${provider}: ${aead.name} key objects`, () => {
    const secret = bytes(aead.keyLength)
    const key = aead.key(secret)

    it("seals and opens every length around its blocks, with every kind of place for input and output", () => {
      const lengths = [...Array(70).keys(), 127, 128, 129, 255, 256, 257, 1023, 1024, 1025, 16384, 16385]
      for (const length of lengths) {
        const [nonce, aad, plaintext] = [bytes(12), bytes(length % 23), bytes(length)]
        const expected = sealed(secret, nonce, aad, plaintext)
        // At an odd offset, between guard bytes, from an input at an odd offset.
        const at = 1 + (length % 7)
        const out = new Uint8Array(at + expected.length + 5).fill(0xa5)
        const shifted = new Uint8Array(length + 3)
        shifted.set(plaintext, 3)
        key.seal(nonce, aad, shifted.subarray(3), out, at)
        expect(out.subarray(at, at + expected.length)).toEqual(expected)
        expect(out.subarray(0, at).every((byte) => byte === 0xa5)).toBe(true)
        expect(out.subarray(at + expected.length).every((byte) => byte === 0xa5)).toBe(true)
        expect(shifted.subarray(3)).toEqual(plaintext)
        // In place.
        const place = new Uint8Array(at + expected.length)
        place.set(plaintext, at)
        key.seal(nonce, aad, place.subarray(at, at + length), place, at)
        expect(place.subarray(at)).toEqual(expected)
        expect(key.open(nonce, aad, place.subarray(at), place, at)).toBe(length)
        expect(place.subarray(at, at + length)).toEqual(plaintext)
        // Out of place; the ciphertext stays what it is.
        const opened = new Uint8Array(length + 4).fill(0xa5)
        expect(key.open(nonce, aad, expected, opened, 2)).toBe(length)
        expect(opened.subarray(2, 2 + length)).toEqual(plaintext)
        expect([opened[0], opened[1], opened[length + 2], opened[length + 3]]).toEqual([0xa5, 0xa5, 0xa5, 0xa5])
        expect(expected).toEqual(sealed(secret, nonce, aad, plaintext))
      }
    })

    it("reads its additional data whole, whatever its length", () => {
      const [nonce, plaintext] = [bytes(12), bytes(40)]
      for (const length of [0, 1, 5, 15, 16, 17, 31, 32, 33, 64, 100, 300]) {
        const aad = bytes(length)
        const ciphertext = sealed(secret, nonce, aad, plaintext)
        const out = new Uint8Array(40)
        expect(key.open(nonce, aad, ciphertext, out, 0)).toBe(40)
        if (length > 0) {
          aad[length - 1]! ^= 1
          expect(key.open(nonce, aad, ciphertext, out, 0)).toBe(-1)
        }
      }
    })

    it("answers -1 to a change of any bit of the tag, and leaves no plaintext", () => {
      const [nonce, aad, plaintext] = [bytes(12), bytes(5), bytes(50)]
      const ciphertext = sealed(secret, nonce, aad, plaintext)
      for (let bit = 0; bit < 8 * aead.tagLength; bit++) {
        const changed = ciphertext.slice()
        changed[50 + (bit >> 3)]! ^= 1 << (bit & 7)
        const out = new Uint8Array(50)
        expect(key.open(nonce, aad, changed, out, 0)).toBe(-1)
        expect(Buffer.from(out).includes(Buffer.from(plaintext.subarray(0, 8)))).toBe(false)
      }
    })

    it("answers -1 to a changed ciphertext, nonce or key, and leaves no plaintext in place either", () => {
      const [nonce, aad, plaintext] = [bytes(12), bytes(5), bytes(200)]
      const ciphertext = sealed(secret, nonce, aad, plaintext)
      for (const position of [0, 1, 15, 16, 63, 64, 100, 199]) {
        const changed = ciphertext.slice()
        changed[position]! ^= 0x80
        expect(key.open(nonce, aad, changed, changed, 0)).toBe(-1)
        expect(Buffer.from(changed).includes(Buffer.from(plaintext.subarray(32, 48)))).toBe(false)
      }
      const out = new Uint8Array(200)
      for (let i = 0; i < 12; i++) {
        const other = nonce.slice()
        other[i]! ^= 1
        expect(key.open(other, aad, ciphertext, out, 0)).toBe(-1)
      }
      for (let i = 0; i < aead.keyLength; i++) {
        const other = secret.slice()
        other[i]! ^= 1
        expect(aead.key(other).open(nonce, aad, ciphertext, out, 0)).toBe(-1)
      }
    })

    it("answers -1 to a ciphertext shorter than the tag, and opens an empty one", () => {
      const nonce = bytes(12)
      const empty = sealed(secret, nonce, new Uint8Array(0), new Uint8Array(0))
      expect(empty.length).toBe(aead.tagLength)
      expect(key.open(nonce, new Uint8Array(0), empty, new Uint8Array(0), 0)).toBe(0)
      for (let length = 0; length < aead.tagLength; length++) {
        expect(key.open(nonce, new Uint8Array(0), empty.subarray(0, length), new Uint8Array(64), 0)).toBe(-1)
      }
    })

    it("throws RangeError for lengths that only a defect can cause", () => {
      const [nonce, aad] = [bytes(12), bytes(5)]
      expect(() => aead.key(new Uint8Array(aead.keyLength - 1))).toThrow(RangeError)
      expect(() => aead.key(new Uint8Array(aead.keyLength + 1))).toThrow(RangeError)
      const room = 10 + aead.tagLength
      expect(() => key.seal(nonce, aad, bytes(10), new Uint8Array(room - 1), 0)).toThrow(RangeError)
      expect(() => key.seal(nonce, aad, bytes(10), new Uint8Array(room), 1)).toThrow(RangeError)
      expect(() => key.seal(bytes(11), aad, bytes(10), new Uint8Array(room), 0)).toThrow(RangeError)
      expect(() => key.open(bytes(13), aad, bytes(room), new Uint8Array(10), 0)).toThrow(RangeError)
      expect(() => key.open(nonce, aad, bytes(room), new Uint8Array(9), 0)).toThrow(RangeError)
    })

    it("copies the key, and works no more once it is wiped", () => {
      const own = secret.slice()
      const copied = aead.key(own)
      own.fill(0)
      const [nonce, aad, plaintext] = [bytes(12), bytes(5), bytes(33)]
      const out = new Uint8Array(33 + aead.tagLength)
      copied.seal(nonce, aad, plaintext, out, 0)
      expect(out).toEqual(sealed(secret, nonce, aad, plaintext))
      copied.wipe()
      expect(() => copied.seal(nonce, aad, plaintext, out, 0)).toThrow("wiped")
      expect(() => copied.open(nonce, aad, out, out, 0)).toThrow("wiped")
      copied.wipe()
    })

    it("keeps keys apart that are used in turn", () => {
      const secrets = [bytes(aead.keyLength), bytes(aead.keyLength), bytes(aead.keyLength)]
      const keys = secrets.map((own) => aead.key(own))
      for (let round = 0; round < 20; round++) {
        const which = round % 3
        const [nonce, aad, plaintext] = [bytes(12), bytes(5), bytes(7 * round)]
        const out = new Uint8Array(plaintext.length + aead.tagLength)
        keys[which]!.seal(nonce, aad, plaintext, out, 0)
        expect(out).toEqual(sealed(secrets[which]!, nonce, aad, plaintext))
        expect(keys[(which + 1) % 3]!.open(nonce, aad, out, out, 0)).toBe(-1)
      }
    })
  })
}

export function hashConformance(provider: string, hash: Hash): void {
  const reference = (...parts: Uint8Array[]): Uint8Array => {
    const state = createHash(hash.name)
    for (const part of parts) state.update(part)
    return new Uint8Array(state.digest())
  }

  describe(`${provider}: ${hash.name}`, () => {
    it("FIPS 180-4: digests every length around its blocks, and long messages", () => {
      for (const length of [...Array(260).keys(), 511, 512, 513, 4096, 100_000]) {
        const message = bytes(length)
        expect(hash.digest(message)).toEqual(reference(message))
      }
      expect(hash.digest(new Uint8Array(0)).length).toBe(hash.length)
    })

    it("takes a message in pieces of any size, also from odd offsets, and can be read on the way", () => {
      const message = bytes(1000)
      for (const piece of [1, 3, 31, 32, 33, 63, 64, 65, 127, 128, 129, 500]) {
        const state = hash.start()
        for (let at = 0; at < message.length; at += piece) {
          state.update(message.subarray(at, at + piece))
          if (at % 5 === 0) expect(state.digest()).toEqual(reference(message.subarray(0, at + piece)))
        }
        expect(state.digest()).toEqual(reference(message))
        expect(state.digest()).toEqual(reference(message))
      }
    })

    it("clones are independent of each other and of where they came from", () => {
      const [a, b, c] = [bytes(100), bytes(200), bytes(300)]
      const first = hash.start()
      first.update(a)
      const second = first.clone()
      first.update(b)
      const third = second.clone()
      second.update(c)
      expect(first.digest()).toEqual(reference(a, b))
      expect(second.digest()).toEqual(reference(a, c))
      expect(third.digest()).toEqual(reference(a))
      second.digest().fill(0)
      expect(second.digest()).toEqual(reference(a, c))
    })

    it("RFC 2104: HMAC with keys of every length, over parts, many times, from a copy of the key", () => {
      for (const keyLength of [0, 1, 20, 32, 48, 63, 64, 65, 127, 128, 129, 200]) {
        const secret = bytes(keyLength)
        const own = secret.slice()
        const key = hash.hmac(own)
        own.fill(0)
        for (const lengths of [[], [0], [5], [1, 2, 3], [64, 64], [0, 100, 0, 300]]) {
          const parts = lengths.map(bytes)
          const expected = createHmac(hash.name, secret).update(Buffer.concat(parts)).digest()
          expect(key.mac(...parts)).toEqual(new Uint8Array(expected))
        }
      }
    })

    it("a wiped HMAC key works no more", () => {
      const key = hash.hmac(bytes(32))
      key.wipe()
      expect(() => key.mac(bytes(3))).toThrow("wiped")
    })
  })
}

function hkdf(hash: Hash, salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const expand = hash.hmac(hash.hmac(salt).mac(ikm))
  let block: Uint8Array = new Uint8Array(0)
  const blocks: Uint8Array[] = []
  for (let i = 1; (i - 1) * hash.length < length; i++) {
    block = expand.mac(block, info, Uint8Array.of(i))
    blocks.push(block)
  }
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length))
}
