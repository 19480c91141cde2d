import { describe, expect, it } from "vitest"
import { type ImmediateCryptoProvider, type ImmediateKeyExchange, InvalidKeyShare } from "../../src/crypto/provider.ts"
import { expectAll, fixedLength, hex, runWycheproof, type WycheproofGroup, type WycheproofTest } from "./wycheproof.ts"

// What every provider's (EC)DHE groups must do.

interface ExchangeTest extends WycheproofTest {
  readonly public: string
  readonly private: string
  readonly shared: string
}

const pointLengths: Readonly<Record<string, number>> = { secp256r1: 65, secp384r1: 97, secp521r1: 133, x25519: 32 }

/** @param groups those to test; another suite tests the ones that a provider takes from elsewhere */
export function keyExchangeConformance(
  provider: ImmediateCryptoProvider,
  groups: readonly string[] = Object.keys(pointLengths),
): void {
  const exchange = (name: string): ImmediateKeyExchange => provider.keyExchanges.find((row) => row.name === name)!

  /** The secret from a given private value, or undefined when the share is refused. */
  const agree = (group: ImmediateKeyExchange, secret: Uint8Array, share: Uint8Array): Uint8Array | undefined => {
    try {
      return group.start(() => secret.slice()).complete(share)
    } catch (error) {
      if (error instanceof InvalidKeyShare) return undefined
      throw error
    }
  }

  describe(`${provider.name}: Wycheproof key agreement`, () => {
    it("x25519: 518 cases; RFC 9846 7.4.2: every all-zero result is refused", () => {
      let zeros = 0
      const tally = runWycheproof<WycheproofGroup<ExchangeTest>, ExchangeTest>("x25519", (_, test) => {
        const shared = agree(exchange("x25519"), hex(test.private), hex(test.public))
        if (test.flags.includes("ZeroSharedSecret")) {
          zeros++
          expect(shared, `case ${test.tcId}`).toBeUndefined()
          return false
        }
        expect(shared, `case ${test.tcId}`).toEqual(hex(test.shared))
        return true
      })
      expectAll(tally, 518)
      expect(zeros).toBe(31)
    })

    for (const [name, run] of [
      ["secp256r1", 355],
      ["secp384r1", 790],
    ] as const) {
      if (!groups.includes(name)) continue
      it(`ecdh ${name}: ${run} cases; RFC 9846 4.3.8.2: compressed points are refused`, { timeout: 120_000 }, () => {
        const length = (pointLengths[name]! - 1) / 2
        const tally = runWycheproof<WycheproofGroup<ExchangeTest>, ExchangeTest>(`ecdh_${name}_ecpoint`, (_, test) => {
          const shared = agree(exchange(name), fixedLength(test.private, length), hex(test.public))
          if (test.flags.includes("CompressedPoint")) expect(shared, `case ${test.tcId}`).toBeUndefined()
          return shared !== undefined && Buffer.from(shared).equals(hex(test.shared))
        })
        expectAll(tally, run)
      })
    }
  })

  for (const group of groups.map(exchange)) {
    describe(`${provider.name}: ${group.name}`, () => {
      const length = pointLengths[group.name]!

      it("RFC 9846 7.4.2: both sides agree on a secret of the field's length", () => {
        for (let i = 0; i < 3; i++) {
          const client = group.start(provider.random)
          const server = group.respond(client.share, provider.random)
          expect([client.share.length, server.share.length]).toEqual([length, length])
          expect(server.secret.length).toBe(group.name === "x25519" ? 32 : (length - 1) / 2)
          expect(client.complete(server.share)).toEqual(server.secret)
          client.wipe()
        }
      })

      it("RFC 9846 4.3.8: each start makes a fresh share", () => {
        expect(group.start(provider.random).share).not.toEqual(group.start(provider.random).share)
      })

      it("refuses shares of a wrong length with InvalidKeyShare", () => {
        const started = group.start(provider.random)
        const good = group.start(provider.random).share
        for (const wrong of [new Uint8Array(0), good.subarray(1), good.subarray(0, -1), Uint8Array.of(...good, 0)]) {
          expect(() => started.complete(wrong)).toThrow(InvalidKeyShare)
          expect(() => group.respond(wrong, provider.random)).toThrow(InvalidKeyShare)
        }
      })
    })
  }

  describe(`${provider.name}: x25519 details`, () => {
    const group = exchange("x25519")

    it("RFC 7748 6.1: Alice and Bob; the private key is exactly one draw of 32 bytes", () => {
      const draws: number[] = []
      const given = (secret: string) => (wanted: number) => {
        draws.push(wanted)
        return hex(secret)
      }
      const alice = group.start(given("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
      expect(toHex(alice.share)).toBe("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
      const bob = group.respond(alice.share, given("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
      expect(toHex(bob.share)).toBe("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
      const secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
      expect(toHex(bob.secret)).toBe(secret)
      expect(toHex(alice.complete(bob.share))).toBe(secret)
      expect(draws).toEqual([32, 32])
    })

    it("RFC 9846 7.4.2: a server refuses the points that give zero", () => {
      for (const point of [
        "00".repeat(32),
        `01${"00".repeat(31)}`,
        `ec${"ff".repeat(30)}7f`,
        `ed${"ff".repeat(30)}7f`,
      ]) {
        expect(() => group.respond(hex(point), provider.random)).toThrow(InvalidKeyShare)
      }
    })
  })

  describe(`${provider.name}: NIST curve details`, () => {
    it("RFC 8448 5: the P-256 key pairs of the trace follow from their private keys", () => {
      const client = "ab5473467e19346ceb0a0414e41da21d4d2445bc3025afe97c4e8dc8d513da39"
      const server = "8c510601f9765bfb8ed693449a48989859b5cfa879cb9f5443c41c5ff10634ed"
      const started = exchange("secp256r1").start(() => hex(client))
      expect(toHex(started.share)).toBe(
        "04a6da7392ec591e17abfd535964b99894d13befb221b3def2ebe3830eac8f0151812677c4d6d2237e85cf01d6910cfb83954e76ba7352830534159897e8065780",
      )
      const answer = exchange("secp256r1").respond(started.share, () => hex(server))
      expect(toHex(answer.share)).toBe(
        "04583e054b7a66672ae020ad9d2686fcc85b5ad41a134a0f03ee72b893052bd85b4c8de6776f5b04ac07d83540eab3e3d9c547bc6528c4317d294686093a6cad7d",
      )
      expect(started.complete(answer.share)).toEqual(answer.secret)
    })

    for (const name of groups.filter((group) => group !== "x25519")) {
      const group = exchange(name)
      const length = (pointLengths[name]! - 1) / 2

      it(`FIPS 186-5 A.4.2: ${name} draws again when the private key is zero or not below the order`, () => {
        const good = new Uint8Array(length).fill(1)
        const draws = [new Uint8Array(length), new Uint8Array(length).fill(0xff), good]
        const asked: number[] = []
        const started = group.start((wanted) => {
          asked.push(wanted)
          return draws[asked.length - 1]!.slice()
        })
        expect(asked).toEqual([length, length, length])
        expect(started.share).toEqual(group.start(() => good.slice()).share)
      })

      it(`RFC 9846 4.3.8.2: ${name} refuses points off the curve, coordinates out of range, and every other form`, () => {
        const started = group.start(provider.random)
        const good = group.start(provider.random).share
        const wrong: Uint8Array[] = []
        const altered = (at: number, ...values: readonly number[]): void => {
          const share = good.slice()
          share.set(values, at)
          wrong.push(share)
        }
        const filled = (value: number): number[] => new Array<number>(2 * length).fill(value)
        altered(length, good[length]! ^ 1) // another x
        altered(2 * length, good[2 * length]! ^ 1) // another y
        altered(1, ...filled(0xff)) // x and y not below p
        altered(1, ...filled(0)) // (0, 0)
        for (const form of [0, 1, 2, 3, 5, 6, 7]) altered(0, form)
        const compressed = good.slice(0, 1 + length)
        compressed[0] = 2 + (good[2 * length]! & 1)
        wrong.push(compressed, Uint8Array.of(0))
        for (const share of wrong) {
          expect(() => started.complete(share)).toThrow(InvalidKeyShare)
          expect(() => group.respond(share, provider.random)).toThrow(InvalidKeyShare)
        }
      })
    }
  })
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex")
}
