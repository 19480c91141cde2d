import { x25519 as noble25519 } from "@noble/curves/ed25519.js"
import { expect, it } from "vitest"
import { curve25519Kernel } from "../../src/crypto/fast/webassembly/curve25519.ts"
import { createNobleProvider, generateEcKey, publicKeyOf, hostRandom as random } from "../../src/crypto/noble/index.ts"
import { describeFast } from "./fast-variants.ts"
import { hex } from "./wycheproof.ts"

// The kernels of crypto/fast against the packages of noble: the same inputs, the same outputs.

const noble = createNobleProvider()

/** Bytes that reach carries which random ones seldom do. */
function pattern(length: number, kind: number): Uint8Array {
  if (kind === 0) return new Uint8Array(length)
  if (kind === 1) return new Uint8Array(length).fill(0xff)
  if (kind === 2) return new Uint8Array(length).map((_, i) => (i % 16 === 0 ? 0xfb : 0xff))
  if (kind === 3) return new Uint8Array(length).map((_, i) => (i % 2 === 0 ? 0x00 : 0x80))
  return random(length)
}

function randomBelow(limit: number): number {
  const [a, b, c] = random(3)
  return Math.floor((((a! << 16) | (b! << 8) | c!) / 2 ** 24) * limit)
}

describeFast((create, webAssembly) => {
  const fast = create()
  const curve25519 = curve25519Kernel(webAssembly)()

  for (const suite of fast.cipherSuites) {
    const reference = noble.cipherSuites.find((row) => row.code === suite.code)!.aead

    it(`${suite.aead.name}: every length to 600 and random lengths to 17,000, random and extreme contents`, () => {
      const lengths = [...Array(600).keys(), ...Array.from({ length: 150 }, () => randomBelow(17_000))]
      for (const [round, length] of lengths.entries()) {
        const kind = round % 8
        const [secret, nonce] = [pattern(suite.aead.keyLength, kind + 1), pattern(12, kind + 2)]
        const [aad, plaintext] = [pattern(randomBelow(70), kind), pattern(length, kind)]
        const [ours, theirs] = [new Uint8Array(length + 16), new Uint8Array(length + 16)]
        const key = suite.aead.key(secret)
        key.seal(nonce, aad, plaintext, ours, 0)
        reference.key(secret).seal(nonce, aad, plaintext, theirs, 0)
        expect(Buffer.compare(ours, theirs), `length ${length}`).toBe(0)
        expect(key.open(nonce, aad, theirs, ours, 0)).toBe(length)
        expect(Buffer.compare(ours.subarray(0, length), plaintext)).toBe(0)
      }
    })

    it(`${suite.aead.name}: many keys with one block each`, () => {
      for (let round = 0; round < 500; round++) {
        const [secret, nonce, plaintext] = [random(suite.aead.keyLength), random(12), random(16)]
        const [ours, theirs] = [new Uint8Array(32), new Uint8Array(32)]
        suite.aead.key(secret).seal(nonce, nonce, plaintext, ours, 0)
        reference.key(secret).seal(nonce, nonce, plaintext, theirs, 0)
        expect(ours).toEqual(theirs)
      }
    })
  }

  it("x25519: random and extreme points and scalars", () => {
    for (let round = 0; round < 600; round++) {
      const scalar = pattern(32, round % 7)
      const point = pattern(32, 1 + (round % 5))
      point[0] = round
      let expected: Uint8Array = new Uint8Array(32)
      try {
        expected = noble25519.getSharedSecret(scalar, point)
      } catch {
        // A point of small order: noble refuses it, and the function's value is zero.
      }
      expect(curve25519.x25519(scalar, point)).toEqual(expected)
    }
  })

  it("RFC 7748 5.2: X25519 a thousand times over its own result", () => {
    let [k, u]: Uint8Array[] = [new Uint8Array(32), new Uint8Array(32)]
    k![0] = u![0] = 9
    for (let i = 0; i < 1000; i++) [k, u] = [curve25519.x25519(k!, u!), k]
    expect(k).toEqual(hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"))
  })

  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const bytes32 = (value: bigint): Uint8Array => hex(value.toString(16).padStart(64, "0"))
  const [ours, theirs] = [fast, noble].map((provider) => provider.keyExchanges.find((row) => row.name === "secp256r1")!)

  it("secp256r1: random private keys, and the least, the greatest, single bits and runs of ones", () => {
    const secrets = [1n, 2n, 3n, 15n, 16n, 17n, order - 1n, order - 2n, order >> 1n, (order >> 1n) + 1n].map(bytes32)
    for (let bit = 4n; bit < 256n; bit += 9n) secrets.push(bytes32(1n << bit), bytes32((1n << bit) - 1n))
    for (let i = 0; i < 60; i++)
      secrets.push(hex(`00${Buffer.from(random(31)).toString("hex")}`), random(32).fill(0x7f, 0, 1))
    for (const secret of secrets) {
      const [a, b] = [ours!.start(() => secret.slice()), theirs!.start(() => secret.slice())]
      expect(a.share).toEqual(b.share)
      const peer = theirs!.start(random).share
      expect(a.complete(peer)).toEqual(b.complete(peer))
      // The peer's point is one's own, or its opposite, or the base point.
      expect(a.complete(a.share)).toEqual(b.complete(a.share))
    }
  })

  it("P-256 signatures: the same answer to right and to damaged ones, with each hash", () => {
    for (const name of ["ecdsa_sha256", "ecdsa_sha384", "ecdsa_sha512"] as const) {
      const [kernel, reference] = [fast, noble].map((provider) => provider.signatures.find((row) => row.name === name)!)
      for (let i = 1; i <= 60; i++) {
        const key = generateEcKey("P-256", random)
        const message = random(i)
        const signature = reference!.sign(key, message, random)
        expect(kernel!.verify(publicKeyOf(key), message, signature)).toBe(true)
        // Equal entropy makes equal signatures: the nonce is that of RFC 6979.
        const entropy = (length: number): Uint8Array => new Uint8Array(length).fill(i)
        const own = kernel!.sign(key, message, entropy)
        expect(own).toEqual(reference!.sign(key, message, entropy))
        expect(reference!.verify(publicKeyOf(key), message, own)).toBe(true)
        signature[8 + (i % 60)]! ^= 1 << (i % 8)
        const expected = reference!.verify(publicKeyOf(key), message, signature)
        expect(kernel!.verify(publicKeyOf(key), message, signature)).toBe(expected)
      }
    }
  })

  it("Ed25519: the same signatures, and the same answer to right and to damaged ones", () => {
    const [kernel, reference] = [fast, noble].map(
      (provider) => provider.signatures.find((row) => row.name === "ed25519")!,
    )
    for (let i = 0; i < 150; i++) {
      const key = { type: "ed25519", seed: pattern(32, i % 7) } as const
      const message = random(i)
      const signature = reference!.sign(key, message, random)
      expect(kernel!.sign(key, message, random)).toEqual(signature)
      expect(kernel!.verify(publicKeyOf(key), message, signature)).toBe(true)
      signature[i % 64]! ^= 1 << (i % 8)
      expect(kernel!.verify(publicKeyOf(key), message, signature)).toBe(false)
    }
  })

  it("RFC 8032 5.1.7: Ed25519 refuses keys of small order and keys that are not canonical", () => {
    const { verify } = fast.signatures.find((row) => row.name === "ed25519")!
    // With a key of small order, S = 0 and R the neutral element would sign many messages.
    const signature = new Uint8Array(64)
    signature[0] = 1
    const smallOrder = [
      `01${"00".repeat(31)}`,
      `ec${"ff".repeat(30)}7f`,
      "00".repeat(32),
      `${"00".repeat(31)}80`,
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ]
    const notCanonical = [`ee${"ff".repeat(30)}7f`, `ed${"ff".repeat(30)}7f`, `01${"00".repeat(30)}80`]
    for (const key of [...smallOrder, ...notCanonical]) {
      for (let i = 0; i < 8; i++) expect(verify({ type: "ed25519", bytes: hex(key) }, random(i), signature)).toBe(false)
    }
  })
})
