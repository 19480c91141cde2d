import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { concatBytes } from "../../src/bytes/concat.ts"
import { generateEd25519Key, publicKeyOf } from "../../src/crypto/noble/index.ts"
import type { CryptoProvider } from "../../src/crypto/provider.ts"
import { bytesToInteger, integerToBytes } from "../../src/crypto/rsa/integers.ts"
import { hex } from "./wycheproof.ts"

// The rules of crypto/ed25519-rules.ts: every provider gives the same answer to what RFC 8032 section 5.1.7 leaves open.

interface SpecCheckCase {
  readonly message: string
  readonly pub_key: string
  readonly signature: string
}

/** By the table of test-vectors/ed25519-speccheck: what each case is, and our answer. */
const specCheck: readonly (readonly [what: string, right: boolean])[] = [
  ["A and R of small order, S = 0", false],
  ["A of small order", false],
  ["R of small order, A mixed", true],
  ["A and R mixed, both equations hold", true],
  ["A and R mixed, only the equation with the cofactor holds", false],
  ["A mixed, only the equation with the cofactor holds", false],
  ["S above L", false],
  ["S far above L", false],
  ["R not canonical, reduced for the hash", false],
  ["R not canonical, not reduced for the hash", false],
  ["A not canonical, reduced for the hash", false],
  ["A not canonical, not reduced for the hash", false],
]

/** The points whose order divides 8. */
const smallOrder = [
  `01${"00".repeat(31)}`,
  `ec${"ff".repeat(30)}7f`,
  "00".repeat(32),
  `${"00".repeat(31)}80`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]

/** The same points, and others, with y not below p, or with -0 for x. */
const notCanonical = [
  `01${"00".repeat(30)}80`,
  `ec${"ff".repeat(31)}`,
  `ed${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(31)}`,
  `ee${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(31)}`,
  `f0${"ff".repeat(30)}7f`,
  `${"ff".repeat(31)}7f`,
  "ff".repeat(32),
]

const order = 2n ** 252n + 27742317777372353535851937790883648493n

export function eddsaRulesConformance(provider: CryptoProvider): void {
  const { verify, sign } = provider.signatures.find(({ name }) => name === "ed25519")!
  const check = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
    verify({ type: "ed25519", bytes: publicKey }, message, signature)
  const little = (value: bigint): Uint8Array => integerToBytes(value, 32).reverse()

  describe(`${provider.name}: which Ed25519 signatures are right`, () => {
    it("the 12 cases of ed25519-speccheck", () => {
      const url = new URL("../../../../test-vectors/ed25519-speccheck/cases.json", import.meta.url)
      const cases: readonly SpecCheckCase[] = JSON.parse(readFileSync(url, "utf8"))
      const answers = cases.map((each, i) => [
        specCheck[i]?.[0],
        check(hex(each.pub_key), hex(each.message), hex(each.signature)),
      ])
      expect(answers).toEqual(specCheck)
    })

    it("RFC 8032 5.1.7: no key of small order, whatever R of small order and S are", () => {
      for (const key of smallOrder) {
        for (const r of smallOrder) {
          // [S]B = R + [k]A holds for one message in eight at least, where S is 0.
          for (let message = 0; message < 40; message++) {
            const signature = concatBytes(hex(r), new Uint8Array(32))
            expect(check(hex(key), Uint8Array.of(message), signature), `${key}, ${r}`).toBe(false)
          }
        }
        // With A the neutral element, R = [S]B is right for every message.
        const { signature } = signed(1)
        expect(check(hex(key), Uint8Array.of(1), signature)).toBe(false)
      }
      const base = hex(`58${"66".repeat(31)}`)
      for (const key of [`01${"00".repeat(31)}`, `01${"00".repeat(30)}80`, `ee${"ff".repeat(30)}7f`]) {
        expect(check(hex(key), Uint8Array.of(1, 2, 3), concatBytes(base, little(1n))), key).toBe(false)
      }
    })

    it("RFC 8032 5.1.3: no key and no R that is not canonical", () => {
      for (const encoding of notCanonical) {
        for (let message = 0; message < 16; message++) {
          const zero = concatBytes(hex(encoding), new Uint8Array(32))
          expect(check(hex(encoding), Uint8Array.of(message), zero), encoding).toBe(false)
          const { publicKey, signature } = signed(message)
          const otherR = concatBytes(hex(encoding), signature.subarray(32))
          expect(check(publicKey, Uint8Array.of(message), otherR), encoding).toBe(false)
          expect(check(hex(encoding), Uint8Array.of(message), signature), encoding).toBe(false)
        }
      }
    })

    it("RFC 8032 5.1.7: S is below L: S + L, S + 2 L ... are no further signatures", () => {
      for (let message = 0; message < 8; message++) {
        const { publicKey, signature } = signed(message)
        const text = Uint8Array.of(message)
        expect(check(publicKey, text, signature)).toBe(true)
        const s = bytesToInteger(new Uint8Array(signature.subarray(32)).reverse())
        for (let more = s + order; more < 2n ** 256n; more += order) {
          expect(check(publicKey, text, concatBytes(signature.subarray(0, 32), little(more)))).toBe(false)
        }
        for (const value of [order, order - 1n, order + 1n, 2n ** 256n - 1n]) {
          expect(check(publicKey, text, concatBytes(signature.subarray(0, 32), little(value)))).toBe(false)
        }
      }
    })
  })

  function signed(message: number): { readonly publicKey: Uint8Array; readonly signature: Uint8Array } {
    const key = generateEd25519Key(provider.random)
    const publicKey = publicKeyOf(key)
    if (publicKey.type !== "ed25519") throw new Error("not an Ed25519 key")
    return { publicKey: publicKey.bytes, signature: sign(key, Uint8Array.of(message), provider.random) }
  }
}
