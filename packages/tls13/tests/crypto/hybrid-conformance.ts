import { describe, expect, it } from "vitest"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import type { MlKem } from "../../src/crypto/noble-pq/kem.ts"
import { type ImmediateKeyExchange, InvalidKeyShare } from "../../src/crypto/provider.ts"
import { expectAll, hex, runWycheproof, type WycheproofGroup, type WycheproofTest } from "./wycheproof.ts"

// What every implementation of ML-KEM and of the hybrid groups must do.

export interface Hybrids {
  readonly mlKem768: MlKem
  readonly mlKem1024: MlKem
  readonly MLKEM512: ImmediateKeyExchange
  readonly MLKEM768: ImmediateKeyExchange
  readonly MLKEM1024: ImmediateKeyExchange
  readonly x25519MlKem768: ImmediateKeyExchange
  readonly secP256r1MlKem768: ImmediateKeyExchange
  readonly secP384r1MlKem1024: ImmediateKeyExchange
}

const { random, keyExchanges } = createNobleProvider()
const classicalOf = (name: string): ImmediateKeyExchange => keyExchanges.find((row) => row.name === name)!

interface KemTest extends WycheproofTest {
  readonly seed: string
  readonly ek: string
  readonly c: string
  readonly K: string
}
interface EncapsTest extends WycheproofTest {
  readonly m: string
  readonly ek: string
  readonly c: string
  readonly K: string
}

export function hybridConformance({
  mlKem768,
  mlKem1024,
  MLKEM512,
  MLKEM768,
  MLKEM1024,
  x25519MlKem768,
  secP256r1MlKem768,
  secP384r1MlKem1024,
}: Hybrids): void {
  describe("Wycheproof ML-KEM", () => {
    for (const [file, group, cases] of [
      ["mlkem_512", MLKEM512, 33],
      ["mlkem_768", MLKEM768, 193],
      ["mlkem_1024", MLKEM1024, 193],
    ] as const) {
      it(`${file}: ${cases} cases of key generation and decapsulation`, { timeout: 60_000 }, () => {
        const tally = runWycheproof<WycheproofGroup<KemTest>, KemTest>(file, (_, test) => {
          try {
            const started = group.start(() => hex(test.seed))
            if (test.result === "valid") expect(Buffer.from(started.share).toString("hex")).toBe(test.ek)
            return Buffer.from(started.complete(hex(test.c))).equals(hex(test.K))
          } catch (error) {
            // A ciphertext is the peer's fault; a seed of a wrong length is one's own.
            if (hex(test.seed).length === 64) expect(error).toBeInstanceOf(InvalidKeyShare)
            return false
          }
        })
        expectAll(tally, cases)
      })
    }

    it("mlkem_768_encaps: 265 cases; FIPS 203 7.2: a key with a coefficient out of range is refused", () => {
      const group = MLKEM768
      const tally = runWycheproof<WycheproofGroup<EncapsTest>, EncapsTest>("mlkem_768_encaps", (_, test) => {
        try {
          const { share, secret } = group.respond(hex(test.ek), () => hex(test.m))
          return Buffer.from(share).equals(hex(test.c)) && Buffer.from(secret).equals(hex(test.K))
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidKeyShare)
          return false
        }
      })
      expectAll(tally, 265)
    })

    it("mlkem_768_keygen_seed: 100 cases", () => {
      const tally = runWycheproof<WycheproofGroup<KemTest & { dk: string }>, KemTest & { dk: string }>(
        "mlkem_768_keygen_seed",
        (_, test) => {
          const { publicKey, secretKey } = mlKem768.keygen(hex(test.seed))
          return Buffer.from(publicKey).equals(hex(test.ek)) && Buffer.from(secretKey).equals(hex(test.dk))
        },
      )
      expectAll(tally, 100)
    })

    it("mlkem_768_semi_expanded_decaps: 9 cases", () => {
      const tally = runWycheproof<WycheproofGroup<KemTest & { dk: string }>, KemTest & { dk: string }>(
        "mlkem_768_semi_expanded_decaps",
        (_, test) => {
          try {
            return Buffer.from(mlKem768.decapsulate(hex(test.c), hex(test.dk))).equals(hex(test.K))
          } catch {
            return false
          }
        },
      )
      expectAll(tally, 9)
    })
  })

  describe("ML-KEM alone, draft-ietf-tls-mlkem", () => {
    for (const [group, code, client, server] of [
      [MLKEM512, 0x0200, 800, 768],
      [MLKEM768, 0x0201, 1184, 1088],
      [MLKEM1024, 0x0202, 1568, 1568],
    ] as const) {
      it(`${group.name}: has its number and lengths, and both sides agree`, () => {
        expect(group.code).toBe(code)
        const started = group.start(random)
        const answer = group.respond(started.share, random)
        expect([started.share.length, answer.share.length, answer.secret.length]).toEqual([client, server, 32])
        expect(started.complete(answer.share)).toEqual(answer.secret)
      })

      it(`${group.name}: refuses wrong lengths and a bad encapsulation key`, () => {
        const started = group.start(random)
        const answer = group.respond(started.share, random)
        for (const [share, take] of [
          [started.share, (wrong: Uint8Array) => group.respond(wrong, random)],
          [answer.share, (wrong: Uint8Array) => started.complete(wrong)],
        ] as const) {
          for (const wrong of [share.subarray(1), Uint8Array.of(...share, 0), new Uint8Array(0)])
            expect(() => take(wrong)).toThrow(InvalidKeyShare)
        }
        // FIPS 203 7.2: 3329 is the least number that is none.
        const badKey = started.share.slice()
        badKey.set([3329 & 0xff, (badKey[1]! & 0xf0) | (3329 >> 8)])
        expect(() => group.respond(badKey, random)).toThrow(InvalidKeyShare)
        badKey.set([3328 & 0xff, (badKey[1]! & 0xf0) | (3328 >> 8)])
        expect(group.respond(badKey, random).secret).toHaveLength(32)
      })
    }
  })

  describe("hybrid groups, draft-ietf-tls-ecdhe-mlkem", () => {
    for (const row of [
      { group: x25519MlKem768, code: 0x11ec, classical: "x25519", mlKem: mlKem768, kemFirst: true, point: 32 },
      {
        group: secP256r1MlKem768,
        code: 0x11eb,
        classical: "secp256r1",
        mlKem: mlKem768,
        kemFirst: false,
        point: 65,
      },
      {
        group: secP384r1MlKem1024,
        code: 0x11ed,
        classical: "secp384r1",
        mlKem: mlKem1024,
        kemFirst: false,
        point: 97,
      },
    ]) {
      const { group, mlKem, point } = row
      const client = mlKem.encapsulationKeyLength + point
      const server = mlKem.ciphertextLength + point
      const secretLength = 32 + (point === 32 ? 32 : (point - 1) / 2)

      it(`${group.name}: has its number and lengths, and both sides agree`, () => {
        expect(group.code).toBe(row.code)
        const started = group.start(random)
        const answer = group.respond(started.share, random)
        expect([started.share.length, answer.share.length, answer.secret.length]).toEqual([
          client,
          server,
          secretLength,
        ])
        expect(started.complete(answer.share)).toEqual(answer.secret)
      })

      it(`${group.name}: concatenates ${row.kemFirst ? "ML-KEM first" : "ECDH first"}`, () => {
        // The parts by themselves, from the same randomness.
        const [seed, m, own, peers] = [random(64), random(32), random(48).fill(7), random(48).fill(9)]
        const draw = (kem: Uint8Array, ecdh: Uint8Array) => {
          const draws = [kem, ecdh]
          return (length: number) => draws.shift()!.slice(0, length)
        }
        const started = group.start(draw(seed, own))
        const answer = group.respond(started.share, draw(m, peers))
        const { publicKey } = mlKem.keygen(seed)
        const { cipherText, sharedSecret } = mlKem.encapsulate(publicKey, m)
        const ecdh = classicalOf(row.classical).start((length) => own.slice(0, length))
        const ecdhAnswer = classicalOf(row.classical).respond(ecdh.share, (length) => peers.slice(0, length))
        const join = (kem: Uint8Array, classical: Uint8Array) =>
          new Uint8Array(Buffer.concat(row.kemFirst ? [kem, classical] : [classical, kem]))
        expect(started.share).toEqual(join(publicKey, ecdh.share))
        expect(answer.share).toEqual(join(cipherText, ecdhAnswer.share))
        expect(answer.secret).toEqual(join(sharedSecret, ecdhAnswer.secret))
      })

      it(`${group.name}: refuses wrong lengths, a bad encapsulation key and a bad classical share`, () => {
        const started = group.start(random)
        const answer = group.respond(started.share, random)
        for (const share of [started.share, answer.share]) {
          for (const wrong of [
            share.subarray(1),
            share.subarray(0, -1),
            Uint8Array.of(...share, 0),
            new Uint8Array(0),
          ]) {
            expect(() => group.respond(wrong, random)).toThrow(InvalidKeyShare)
            expect(() => started.complete(wrong)).toThrow(InvalidKeyShare)
          }
        }
        const kemAt = row.kemFirst ? 0 : point
        const badKey = started.share.slice()
        badKey.fill(0xff, kemAt, kemAt + 3)
        expect(() => group.respond(badKey, random)).toThrow(InvalidKeyShare)
        const badPoint = started.share.slice()
        const pointAt = row.kemFirst ? mlKem.encapsulationKeyLength : 0
        badPoint.fill(0, pointAt, pointAt + point)
        expect(() => group.respond(badPoint, random)).toThrow(InvalidKeyShare)
        const badAnswer = answer.share.slice()
        const answerAt = row.kemFirst ? mlKem.ciphertextLength : 0
        badAnswer.fill(0, answerAt, answerAt + point)
        expect(() => started.complete(badAnswer)).toThrow(InvalidKeyShare)
      })

      it(`${group.name}: FIPS 203 6.3: a changed ciphertext gives another secret, not an error`, () => {
        const started = group.start(random)
        const answer = group.respond(started.share, random)
        const changed = answer.share.slice()
        changed[(row.kemFirst ? 0 : point) + 5]! ^= 1
        const secret = started.complete(changed)
        expect(secret.length).toBe(secretLength)
        expect(secret).not.toEqual(answer.secret)
      })
    }
  })
}
