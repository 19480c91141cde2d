import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { copyOfPrivateKey, type PrivateKey, type PublicKey } from "../../src/crypto/keys.ts"
import { generateMlDsaKey } from "../../src/crypto/noble-pq/index.ts"
import type {
  ImmediateCryptoProvider,
  ImmediateKeyExchange,
  RandomSource,
  SignatureAlgorithm,
} from "../../src/crypto/provider.ts"
import { generateRsaKey } from "../../src/crypto/rsa/generate.ts"
import { hkdfExpandLabel, hkdfExtract } from "../../src/schedule/labels.ts"
import { expectLent, Lender, shapes } from "../lent-bytes.ts"
import { brainpoolCurves, generateKey, nistCurves } from "./any-keys.ts"
import { mlDsaKeyFor, publicHalf } from "./ml-dsa-keys.ts"

// What every provider promises about the arrays that it is given: they may be Buffers or parts of others, are read and not
// written, and may be used for something else once the call is over. What it gives is new, plain, and the caller's.

const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** @param create makes the provider over a random source */
export function bytesConformance(
  create: (options: { readonly random?: RandomSource }) => ImmediateCryptoProvider,
): void {
  const provider = create({})

  describe(`${provider.name}: the caller's bytes are the caller's`, () => {
    it("random gives new plain arrays of the length asked for", () => {
      for (const length of [0, 1, 32, 100]) {
        const [one, other] = [provider.random(length), provider.random(length)]
        expect(Object.getPrototypeOf(one)).toBe(Uint8Array.prototype)
        expect([one.length, other.length]).toEqual([length, length])
        if (length > 0) expect(one.buffer).not.toBe(other.buffer)
      }
    })

    for (const { name, hash, aead } of provider.cipherSuites) {
      it(`${name}: hash, HMAC and HKDF`, () => {
        for (const length of [0, 5, 64, 131, 300]) {
          const message = bytes(length)
          expectLent("digest", { message }, (given) => hash.digest(given.message))
          expectLent("running hash", { message, more: bytes(70) }, (given) => {
            const state = hash.start()
            state.update(given.message)
            const clone = state.clone()
            state.update(given.more)
            return [clone.digest(), state.digest(), state.digest()]
          })
          expectLent("HMAC", { key: bytes(length), message, more: bytes(70) }, (given) => {
            const key = hash.hmac(given.key)
            const [one, two] = [key.mac(given.message, given.more), key.mac(given.message)]
            key.wipe()
            return [one, two]
          })
        }
        const secret = bytes(hash.length)
        expectLent("HKDF", { secret, salt: bytes(hash.length), context: bytes(32) }, (given) => [
          hkdfExtract(hash, given.salt, given.secret),
          hkdfExpandLabel(hash, given.secret, "label", given.context, 12),
          hkdfExpandLabel(hash, given.secret, "label", given.context, 100),
        ])
      })

      it(`${name}: the running hash and the HMAC key keep nothing of the caller's`, () => {
        for (const shape of shapes) {
          const lender = new Lender(shape)
          const [message, key] = [bytes(200), bytes(40)]
          const state = hash.start()
          state.update(lender.lend(message))
          const hmac = hash.hmac(lender.lend(key))
          lender.reuse()
          expect(state.digest()).toEqual(hash.digest(message))
          expect(hmac.mac(message)).toEqual(hash.hmac(key).mac(message))
        }
      })

      it(`${name}: seal and open write where they may, and nowhere else`, () => {
        for (const length of [0, 1, 16, 70, 1000]) {
          const inputs = { key: bytes(aead.keyLength), nonce: bytes(12), aad: bytes(5), plaintext: bytes(length) }
          const sealed = new Uint8Array(length + aead.tagLength)
          aead.key(inputs.key).seal(inputs.nonce, inputs.aad, inputs.plaintext, sealed, 0)
          expectLent("seal", inputs, (given) => {
            const key = aead.key(given.key)
            const out = Buffer.alloc(3 + sealed.length + 4, 0xa5).subarray(1)
            key.seal(given.nonce, given.aad, given.plaintext, out, 2)
            key.wipe()
            expect([out[0], out[1], ...out.subarray(2 + sealed.length)]).toEqual(new Array(6).fill(0xa5))
            return new Uint8Array(out.subarray(2, 2 + sealed.length))
          })
          const { key, nonce, aad } = inputs
          expectLent("open", { key, nonce, aad, sealed }, (given) => {
            const opener = aead.key(given.key)
            const out = Buffer.alloc(3 + length + 4, 0xa5).subarray(1)
            expect(opener.open(given.nonce, given.aad, given.sealed, out, 2)).toBe(length)
            opener.wipe()
            expect([out[0], out[1], ...out.subarray(2 + length)]).toEqual(new Array(6).fill(0xa5))
            return new Uint8Array(out.subarray(2, 2 + length))
          })
          const forged = new Uint8Array(sealed)
          forged[forged.length - 1]! ^= 1
          expectLent("open a forgery", { key, nonce, aad, forged }, (given) =>
            aead.key(given.key).open(given.nonce, given.aad, given.forged, new Uint8Array(length), 0),
          )
        }
      })

      it(`${name}: the AEAD key is a copy`, () => {
        for (const shape of shapes) {
          const lender = new Lender(shape)
          const [secret, nonce, aad, plaintext] = [bytes(aead.keyLength), bytes(12), bytes(5), bytes(70)]
          const [wanted, sealed] = [new Uint8Array(70 + aead.tagLength), new Uint8Array(70 + aead.tagLength)]
          aead.key(secret).seal(nonce, aad, plaintext, wanted, 0)
          const key = aead.key(lender.lend(secret))
          lender.reuse()
          key.seal(nonce, aad, plaintext, sealed, 0)
          expect(sealed).toEqual(wanted)
          key.wipe()
          lender.expectUntouched("wipe")
        }
      })
    }

    for (const group of provider.keyExchanges) keyExchangeBytes(group, provider)
    for (const algorithm of provider.signatures) signatureBytes(algorithm, provider, create)
  })
}

/** A key exchange of one provider, a hybrid too. */
export function keyExchangeBytes(group: ImmediateKeyExchange, provider: Pick<ImmediateCryptoProvider, "random">): void {
  it(`${group.name}: shares, and what the random source gave`, { timeout: 60_000 }, () => {
    const peer = group.start(provider.random)
    // One source that gives the same arrays again: none of them may be changed, wiped or kept.
    for (const shape of shapes) {
      const lender = new Lender(shape)
      const draws = new Map<number, Uint8Array>()
      let asked = 0
      const random: RandomSource = (length) => {
        // A value that was wiped is refused, and would be asked for again for ever.
        if (++asked > 40) throw new Error("the random source is asked again and again")
        const known = draws.get(length) ?? lender.lend(usable(length))
        draws.set(length, known)
        return known
      }
      const answers = [1, 2, 3].map(() => group.respond(lender.lend(peer.share), random))
      lender.expectUntouched("respond")
      for (const { share, secret } of answers) {
        expect([share, secret]).toEqual([answers[0]!.share, answers[0]!.secret])
        for (const array of [share, secret]) {
          expect(Object.getPrototypeOf(array)).toBe(Uint8Array.prototype)
          lender.expectApart(array, "respond")
        }
      }
      const { share, secret } = answers[0]!
      expect(peer.complete(lender.lend(share))).toEqual(secret)
      lender.expectUntouched("complete")

      const started = group.start(random)
      const answer = group.respond(started.share, provider.random)
      lender.expectApart(started.share, "start")
      lender.reuse()
      for (let time = 0; time < 3; time++) {
        const completed = started.complete(lender.lend(answer.share))
        expect(completed).toEqual(answer.secret)
        expect(Object.getPrototypeOf(completed)).toBe(Uint8Array.prototype)
        lender.expectApart(completed, "complete")
        completed.fill(0)
      }
      started.wipe()
      lender.expectUntouched("wipe")
    }
  })

  it(`${group.name}: works with \`random: (n) => randomBytes(n)\`, and refuses a source that gives too little`, () => {
    const started = group.start((length) => randomBytes(length))
    const answer = group.respond(started.share, (length) => randomBytes(length))
    expect(started.complete(answer.share)).toEqual(answer.secret)
    expect(() => group.start((length) => new Uint8Array(length - 1).fill(1))).toThrow(RangeError)
    expect(() => group.respond(started.share, (length) => new Uint8Array(length - 1).fill(1))).toThrow(RangeError)
  })
}

/** A private value of any curve, and a value that clamping and masking would change. */
function usable(length: number): Uint8Array {
  const value = new Uint8Array(length).fill(0x6b)
  if (length === 66) value[0] = 0x01
  if (length === 32) value[31] = 0xff
  return value
}

/** A signature algorithm of one provider. @param create makes a provider that has it over a random source */
export function signatureBytes(
  algorithm: SignatureAlgorithm,
  provider: Pick<ImmediateCryptoProvider, "random">,
  create: (options: { readonly random?: RandomSource }) => Pick<ImmediateCryptoProvider, "random" | "signatures">,
): void {
  for (const key of keysFor(algorithm.name, provider.random)) {
    const kind = key.type === "ec" ? key.curve : key.type
    const publicKey = publicHalf(key)

    it(`${algorithm.name}, ${kind}: verify`, { timeout: 60_000 }, () => {
      const message = bytes(100)
      const signature = algorithm.sign(key, message, provider.random)
      const wrong = new Uint8Array(signature)
      wrong[wrong.length - 1]! ^= 1
      expectLent("verify", { message, signature, ...publicBytes(publicKey) }, (given) =>
        algorithm.verify(withPublicBytes(publicKey, given), given.message, given.signature),
      )
      expectLent("verify a wrong signature", { message, wrong, ...publicBytes(publicKey) }, (given) =>
        algorithm.verify(withPublicBytes(publicKey, given), given.message, given.wrong),
      )
    })

    it(`${algorithm.name}, ${kind}: verify goes by the bytes of the key as they are`, () => {
      const message = bytes(100)
      const [other, signature] = [otherKey(key), algorithm.sign(key, message, provider.random)]
      const held: PublicKey = withPublicBytes(publicKey, copies(publicBytes(publicKey)))
      expect(algorithm.verify(held, message, signature)).toBe(true)
      for (const [name, array] of Object.entries(publicBytes(held))) array.set(publicBytes(publicHalf(other))[name]!)
      expect(algorithm.verify(held, message, signature)).toBe(false)
    })

    it(`${algorithm.name}, ${kind}: sign`, { timeout: 60_000 }, () => {
      const message = bytes(100)
      for (const shape of shapes) {
        const lender = new Lender(shape)
        const random: RandomSource = (length) => lender.lend(bytes(length))
        const lentKey = mapKey(key, (array) => lender.lend(array))
        const lentMessage = lender.lend(message)
        for (let time = 0; time < 3; time++) {
          const signature = algorithm.sign(lentKey, lentMessage, random)
          lender.expectUntouched("sign")
          expect(Object.getPrototypeOf(signature)).toBe(Uint8Array.prototype)
          lender.expectApart(signature, "sign")
          expect(algorithm.verify(publicKey, message, signature)).toBe(true)
        }
      }
      const buffers = create({ random: (length) => randomBytes(length) })
      const own = buffers.signatures.find(({ name }) => name === algorithm.name)!
      expect(own.verify(publicKey, message, own.sign(key, message, buffers.random))).toBe(true)
    })
  }
}

const rsaKeys: PrivateKey[] = []

/** Keys of all the types that an algorithm takes; the RSA ones are made once. */
function keysFor(name: string, random: RandomSource): readonly PrivateKey[] {
  if (name.startsWith("mldsa")) return [mlDsaKeyFor(name, random)]
  if (name === "ed25519" || name === "ed448") return [generateKey(name, random)]
  if (name.startsWith("ecdsa_brainpool")) return brainpoolCurves.map((curve) => generateKey(curve, random))
  if (name.startsWith("ecdsa")) return nistCurves.map((curve) => generateKey(curve, random))
  if (rsaKeys.length === 0) rsaKeys.push(generateRsaKey(2048, random), generateRsaKey(2048, random))
  const key = rsaKeys[0]!
  return name.startsWith("rsa_pss") && key.type === "rsa" ? [key, { ...key, type: "rsa-pss" }] : [key]
}

function otherKey(key: PrivateKey): PrivateKey {
  if (key.type === "ec") return generateKey(key.curve, bytes)
  if (key.type === "ed25519" || key.type === "ed448") return generateKey(key.type, bytes)
  if (!("modulus" in key)) return generateMlDsaKey(key.type, bytes)
  return rsaKeys[1]!
}

function publicBytes(key: PublicKey): Record<string, Uint8Array> {
  if (key.type === "ec") return { point: key.point }
  return "bytes" in key ? { bytes: key.bytes } : { modulus: key.modulus, exponent: key.exponent }
}

function withPublicBytes(key: PublicKey, given: Record<string, Uint8Array>): PublicKey {
  const of = (name: string): Uint8Array => given[name]!
  if (key.type === "ec") return { ...key, point: of("point") }
  if ("bytes" in key) return { ...key, bytes: of("bytes") }
  return { ...key, modulus: of("modulus"), exponent: of("exponent") }
}

function copies(arrays: Record<string, Uint8Array>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, new Uint8Array(array)]))
}

function mapKey(key: PrivateKey, change: (array: Uint8Array) => Uint8Array): PrivateKey {
  const copy: Record<string, unknown> = { ...copyOfPrivateKey(key) }
  for (const [name, value] of Object.entries(copy)) if (value instanceof Uint8Array) copy[name] = change(value)
  return copy as unknown as PrivateKey
}
