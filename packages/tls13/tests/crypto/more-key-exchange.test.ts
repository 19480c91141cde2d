import { createECDH, createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { toHex } from "../../src/bytes/hex.ts"
import { ffdhe, primeOf } from "../../src/crypto/more/ffdhe.ts"
import { type BrainpoolGroupName, createBrainpool, createFfdhe, createX448 } from "../../src/crypto/more/index.ts"
import { hostRandom } from "../../src/crypto/noble/index.ts"
import { type ImmediateKeyExchange, InvalidKeyShare } from "../../src/crypto/provider.ts"
import { bytesToInteger, integerToBytes } from "../../src/crypto/rsa/integers.ts"
import {
  derBitString,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSmall,
} from "../../src/x509/der/der-writer.ts"
import { attempt, isReadable } from "../../src/x509/errors.ts"
import { parseSpki } from "../../src/x509/keys/spki.ts"
import { keyExchangeBytes } from "./bytes-conformance.ts"
import { fixedLength, hex, runWycheproof, type WycheproofGroup, type WycheproofTest } from "./wycheproof.ts"

// The groups of crypto/more.

interface ExchangeTest extends WycheproofTest {
  readonly public: string
  readonly private: string
  readonly shared: string
}

const random = hostRandom
const ffdheNames = ["ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"] as const
const brainpoolNames: readonly BrainpoolGroupName[] = [
  "brainpoolP256r1tls13",
  "brainpoolP384r1tls13",
  "brainpoolP512r1tls13",
]

/** Bytes of a share and of a secret. */
const groups: readonly (readonly [ImmediateKeyExchange, number, number])[] = [
  [createX448(), 56, 56],
  ...brainpoolNames.map((name, i) => [createBrainpool(name), [65, 97, 129][i]!, [32, 48, 64][i]!] as const),
  ...ffdheNames.map((name) => [createFfdhe(name), Number(name.slice(5)) / 8, Number(name.slice(5)) / 8] as const),
]

function agree(group: ImmediateKeyExchange, secret: Uint8Array, share: Uint8Array): Uint8Array | undefined {
  try {
    return group.start(() => secret.slice()).complete(share)
  } catch (error) {
    if (error instanceof InvalidKeyShare) return undefined
    throw error
  }
}

describe.each(groups)("$name", (group, shareLength, secretLength) => {
  it("RFC 9846 7.4: both sides agree; shares and secrets have the group's length", () => {
    const client = group.start(random)
    const server = group.respond(client.share, random)
    expect([client.share.length, server.share.length]).toEqual([shareLength, shareLength])
    expect(server.secret).toHaveLength(secretLength)
    expect(client.complete(server.share)).toEqual(server.secret)
    expect(client.share).not.toEqual(server.share)
  })

  it("RFC 9846 4.3.8: refuses shares of a wrong length with InvalidKeyShare", () => {
    const started = group.start(random)
    const good = started.share
    for (const wrong of [new Uint8Array(0), good.subarray(1), good.subarray(0, -1), Uint8Array.of(...good, 0)]) {
      expect(() => started.complete(wrong)).toThrow(InvalidKeyShare)
      expect(() => group.respond(wrong, random)).toThrow(InvalidKeyShare)
    }
  })
})

describe("the caller's bytes are the caller's", () => {
  for (const [group] of groups) if (!/6144|8192/.test(group.name)) keyExchangeBytes(group, { random })
})

describe("x448", () => {
  const group = createX448()

  it("Wycheproof: 510 cases; RFC 9846 7.4.2: every all-zero result is refused", { timeout: 120_000 }, () => {
    let refused = 0
    const tally = runWycheproof<WycheproofGroup<ExchangeTest>, ExchangeTest>("x448", (_, test) => {
      const shared = agree(group, hex(test.private), hex(test.public))
      const isWrong = /^(00)*$/.test(test.shared) || test.public.length !== 112
      if (isWrong) refused++
      expect(shared, `case ${test.tcId}`).toEqual(isWrong ? undefined : hex(test.shared))
      return !isWrong
    })
    expect(tally).toMatchObject({ run: 510, skipped: {} })
    expect(refused).toBe(23)
  })

  it("RFC 7748 6.2: Alice and Bob; the private key is exactly one draw of 56 bytes", () => {
    const draws: number[] = []
    const given = (secret: string) => (wanted: number) => {
      draws.push(wanted)
      return hex(secret)
    }
    const alice = group.start(
      given(
        "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
      ),
    )
    expect(toHex(alice.share)).toBe(
      "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
    )
    const bob = group.respond(
      alice.share,
      given(
        "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
      ),
    )
    expect(toHex(bob.share)).toBe(
      "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
    )
    const secret =
      "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d"
    expect(toHex(bob.secret)).toBe(secret)
    expect(toHex(alice.complete(bob.share))).toBe(secret)
    expect(draws).toEqual([56, 56])
  })

  it("RFC 7748 5.2: the two scalar multiplications, and the first of the iterated ones", () => {
    for (const [scalar, u, result] of [
      [
        "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
        "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
        "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f",
      ],
      [
        "203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c538345dd77c3e4806e25f46d3315c44e0a5b4371282dd2c8d5be3095f",
        "0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b165d015894e56c4d3570bee52fe205e28a78b91cdfbde71ce8d157db",
        "884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7ad1b3ee3a5700df34321d62077e63633c575c1c954514e99da7c179d",
      ],
    ] as const) {
      expect(toHex(agree(group, hex(scalar), hex(u))!)).toBe(result)
    }
    const five = hex(`05${"00".repeat(55)}`)
    expect(toHex(agree(group, five, five)!)).toBe(
      "3f482c8a9f19b01e6c46ee9711d9dc14fd4bf67af30765c2ae2b846a4d23a8cd0db897086239492caf350b51f833868b9bc2b3bca9cf4113",
    )
  })

  it("RFC 9846 7.4.2: a server refuses the points that give zero", () => {
    for (const point of ["00".repeat(56), `01${"00".repeat(55)}`, `fe${"ff".repeat(27)}fe${"ff".repeat(27)}`]) {
      expect(() => group.respond(hex(point), random)).toThrow(InvalidKeyShare)
    }
  })
})

describe("Brainpool", () => {
  it("Wycheproof ecdh_brainpoolP256r1: 536 of 804 cases", { timeout: 120_000 }, () => {
    const group = createBrainpool("brainpoolP256r1tls13")
    const tally = runWycheproof<WycheproofGroup<ExchangeTest>, ExchangeTest>("ecdh_brainpoolP256r1", (_, test) => {
      // Certificates name their curve, and so do these keys; others are refused as such.
      const key = attempt(() => parseSpki(hex(test.public)))
      if (!isReadable(key)) {
        expect(test.result, `case ${test.tcId}`).not.toBe("valid")
        return { skip: key.reason }
      }
      if (key.type !== "ec" || key.curve !== "brainpoolP256r1") return { skip: "another curve" }
      const shared = agree(group, fixedLength(test.private, 32), key.point)
      return shared !== undefined && Buffer.from(shared).equals(hex(test.shared))
    })
    expect(tally).toEqual({
      run: 536,
      skipped: { "another curve": 6, malformed: 178, unsupported_key: 84 },
      differences: [],
    })
  })

  it.each(["brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"] as const)(
    "%s: shares and secrets are OpenSSL's",
    (curve) => {
      const theirs = createECDH(curve)
      theirs.generateKeys()
      const ours = createBrainpool(`${curve}tls13`).start(random)
      const secret = new Uint8Array(theirs.computeSecret(ours.share))
      expect(ours.complete(new Uint8Array(theirs.getPublicKey()))).toEqual(secret)
    },
  )

  it("RFC 8734 2, RFC 9846 4.3.8.2: refuses points off the curve, and every form but the uncompressed one", () => {
    for (const name of brainpoolNames) {
      const group = createBrainpool(name)
      const started = group.start(random)
      const good = group.start(random).share
      const length = (good.length - 1) / 2
      const off = good.slice()
      off[2 * length]! ^= 1
      const compressed = good.slice(0, 1 + length)
      compressed[0] = 2 + (good[2 * length]! & 1)
      const zero = good.slice().fill(0, 1)
      const high = good.slice().fill(0xff, 1)
      for (const share of [off, compressed, zero, high, Uint8Array.of(0)]) {
        expect(() => started.complete(share)).toThrow(InvalidKeyShare)
        expect(() => group.respond(share, random)).toThrow(InvalidKeyShare)
      }
    }
  })
})

describe("finite fields", () => {
  /** PKCS #3 as OpenSSL takes it for a key. */
  const algorithm = (p: Uint8Array): Uint8Array =>
    derSequence(derOid("1.2.840.113549.1.3.1"), derSequence(derInteger(p), derSmall(2)))
  const theirPublicKey = (p: Uint8Array, y: Uint8Array): KeyObject =>
    createPublicKey({
      key: Buffer.from(derSequence(algorithm(p), derBitString(derInteger(y)))),
      format: "der",
      type: "spki",
    })
  const theirPrivateKey = (p: Uint8Array, x: Uint8Array): KeyObject =>
    createPrivateKey({
      key: Buffer.from(derSequence(derSmall(0), algorithm(p), derOctetString(derInteger(x)))),
      format: "der",
      type: "pkcs8",
    })
  const primes = { 2048: 560_316n, 3072: 2_625_351n, 4096: 5_736_041n, 6144: 15_705_020n, 8192: 10_965_728n }
  const prime = (bits: keyof typeof primes): bigint => primeOf(bits, primes[bits])

  it("RFC 7919 appendix A: the primes are those that are printed there", () => {
    // The first and last 128 bits, and the 64 that come before those all primes end with.
    for (const [bits, end] of [
      [2048, "886b423861285c97ffffffffffffffff"],
      [3072, "25e41d2b66c62e37ffffffffffffffff"],
      [4096, "c68a007e5e655f6affffffffffffffff"],
      [6144, "a40e329cd0e40e65ffffffffffffffff"],
      [8192, "d68c8bb7c5c6424cffffffffffffffff"],
    ] as const) {
      const digits = prime(bits).toString(16)
      expect(digits).toHaveLength(bits / 4)
      expect([digits.slice(0, 32), digits.slice(-32)]).toEqual(["ffffffffffffffffadf85458a2bb4a9a", end])
    }
    expect(prime(2048).toString(16)).toBe(
      "ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1d8b9c583ce2d3695a9e13641146433fbcc939dce249b3ef97d2fe363630c75d8f681b202aec4617ad3df1ed5d5fd65612433f51f5f066ed0856365553ded1af3b557135e7f57c935984f0c70e0e68b77e2a689daf3efe8721df158a136ade73530acca4f483a797abc0ab182b324fb61d108a94bb2c8e3fbb96adab760d7f4681d4f42a3de394df4ae56ede76372bb190b07a7c8ee0a6d709e02fce1cdf7e2ecc03404cd28342f619172fe9ce98583ff8e4f1232eef28183c3fe3b1b4c6fad733bb5fcbc2ec22005c58ef1837d1683b2c6f34a26c1b2effa886b423861285c97ffffffffffffffff",
    )
  })

  it.each(ffdheNames)("%s: shares and secrets are OpenSSL's", { timeout: 60_000 }, (name) => {
    const bits = Number(name.slice(5)) as keyof typeof primes
    const p = integerToBytes(prime(bits), bits / 8)
    const exponent = randomBytes(40)
    const theirs = theirPrivateKey(p, exponent)
    const ours = createFfdhe(name).start(random)
    const secret = diffieHellman({ privateKey: theirs, publicKey: theirPublicKey(p, ours.share) })
    const spki = createPublicKey(theirs).export({ format: "der", type: "spki" })
    const share = new Uint8Array(spki.subarray(-p.length))
    expect(ours.complete(share)).toEqual(new Uint8Array(secret))
  })

  it("RFC 9846 4.3.8.1: 1 < Y < p-1", () => {
    for (const name of ["ffdhe2048", "ffdhe3072"] as const) {
      const bits = Number(name.slice(5)) as 2048 | 3072
      const [p, group] = [prime(bits), createFfdhe(name)]
      const started = group.start(random)
      const share = (y: bigint): Uint8Array => integerToBytes(y, bits / 8)
      for (const y of [0n, 1n, p - 1n, p, p + 1n, p + 2n, 2n ** BigInt(bits) - 1n]) {
        expect(() => started.complete(share(y)), `${y}`).toThrow(InvalidKeyShare)
        expect(() => group.respond(share(y), random), `${y}`).toThrow(InvalidKeyShare)
      }
      for (const y of [2n, p - 2n]) {
        expect(started.complete(share(y))).toHaveLength(bits / 8)
        expect(group.respond(share(y), random).secret).toHaveLength(bits / 8)
      }
    }
  })

  it("RFC 9846 4.3.8.1, 7.4.1: zeros in front of a share and of a secret are kept", () => {
    const group = createFfdhe("ffdhe2048")
    // The first bit is always set: the exponent is 2^231.
    const started = group.start(() => new Uint8Array(29))
    const p = prime(2048)
    // y with y^(2^231) = 2 modulo p, as 2 has the order q: the secret is 2, in 256 bytes.
    const q = (p - 1n) / 2n
    const y = power(2n, power((q + 1n) / 2n, 231n, q), p)
    const secret = started.complete(integerToBytes(y, 256))
    expect(bytesToInteger(secret)).toBe(2n)
    expect(secret).toHaveLength(256)
    const small = group.respond(integerToBytes(2n, 256), random)
    expect([small.share.length, small.secret.length]).toEqual([256, 256])
  })

  it("RFC 7919 5.2: an exponent has at least twice the bits of the group's strength, and always the same number", () => {
    for (const [name, least] of [
      ["ffdhe2048", 225],
      ["ffdhe3072", 275],
      ["ffdhe4096", 325],
      ["ffdhe6144", 375],
      ["ffdhe8192", 400],
    ] as const) {
      let drawn = 0
      ffdhe(name).start((length) => {
        drawn += length
        return new Uint8Array(length)
      })
      // The first bit is set, the others are random.
      expect(8 * drawn - 1).toBeGreaterThanOrEqual(least)
      expect(8 * drawn).toBeLessThan(least + 24)
    }
  })

  it("a private value that was wiped completes nothing", () => {
    const group = createFfdhe("ffdhe2048")
    const started = group.start(random)
    started.wipe()
    expect(() => started.complete(group.start(random).share)).toThrow("wiped")
  })
})

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (bit === "1") result = (result * base) % modulus
  }
  return result
}
