import { createHmac, hkdfSync } from "node:crypto"
import { describe, expect, it } from "vitest"
import { toHex } from "../bytes/hex.ts"
import { sha256, sha384, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 } from "../crypto/noble/index.ts"
import { exportKeyingMaterial } from "./exporter.ts"
import { hkdfExtract } from "./labels.ts"
import { finishedMac, nextTrafficSecret, resumptionPsk, trafficKeys, verifyFinished } from "./traffic.ts"

// Against node:crypto, for SHA-384 and for what RFC 8448 does not show: key updates and exporters.

const ikm = new Uint8Array(48).fill(3)
const nothing = new Uint8Array(0)

/** HKDF-Expand-Label of HKDF-Extract(no salt, ikm), by node:crypto. */
function expand(hash: string, label: string, context: Uint8Array, length: number, input: Uint8Array = ikm): string {
  const name = Buffer.from(`tls13 ${label}`)
  const head = Buffer.of(length >> 8, length & 255, name.length)
  const info = Buffer.concat([head, name, Buffer.of(context.length), context])
  return Buffer.from(hkdfSync(hash, input, nothing, info, length)).toString("hex")
}

describe.each([sha256, sha384])("of a traffic secret, $name", (hash) => {
  const secret = hkdfExtract(hash, nothing, ikm)

  it("RFC 9846 7.2: application_traffic_secret_N+1", () => {
    expect(toHex(nextTrafficSecret(hash, secret))).toBe(expand(hash.name, "traffic upd", nothing, hash.length))
  })

  it("RFC 9846 4.5.3: verify_data, compared in constant time", () => {
    const th = hash.digest(ikm)
    const finishedKey = Buffer.from(expand(hash.name, "finished", nothing, hash.length), "hex")
    const verifyData = finishedMac(hash, secret, th)
    expect(toHex(verifyData)).toBe(createHmac(hash.name, finishedKey).update(th).digest("hex"))
    expect(verifyFinished(hash, secret, th, verifyData)).toBe(true)
    for (const at of [0, hash.length - 1]) {
      const wrong = verifyData.slice()
      wrong[at]! ^= 1
      expect(verifyFinished(hash, secret, th, wrong)).toBe(false)
    }
    expect(verifyFinished(hash, secret, th, verifyData.subarray(1))).toBe(false)
    expect(verifyFinished(hash, secret, th, nothing)).toBe(false)
  })

  it("RFC 9846 4.7.1: the PSK of a ticket differs with its nonce", () => {
    const nonce = Uint8Array.of(0, 1)
    expect(toHex(resumptionPsk(hash, secret, nonce))).toBe(expand(hash.name, "resumption", nonce, hash.length))
    expect(toHex(resumptionPsk(hash, secret, nothing))).toBe(expand(hash.name, "resumption", nothing, hash.length))
  })

  it("RFC 9846 7.5: the exporter", () => {
    const derived = Buffer.from(expand(hash.name, "EXPORTER-test", hash.digest(nothing), hash.length), "hex")
    const context = Uint8Array.of(1, 2, 3)
    const exported = exportKeyingMaterial(hash, secret, "EXPORTER-test", context, 100)
    expect(exported).toHaveLength(100)
    // HKDF-Expand from a secret that is itself the PRK: by hand, as hkdfSync always extracts first.
    const head = Buffer.of(0, 100)
    const label = Buffer.from("tls13 exporter")
    const info = Buffer.concat([head, Buffer.of(label.length), label, Buffer.of(hash.length), hash.digest(context)])
    let block = Buffer.alloc(0)
    let expected = Buffer.alloc(0)
    for (let i = 1; expected.length < 100; i++) {
      block = createHmac(hash.name, derived).update(block).update(info).update(Buffer.of(i)).digest()
      expected = Buffer.concat([expected, block])
    }
    expect(toHex(exported)).toBe(expected.subarray(0, 100).toString("hex"))
  })

  it("RFC 9846 7.5: a context of any length, labels and contexts keep apart", () => {
    const long = exportKeyingMaterial(hash, secret, "EXPORTER-a", new Uint8Array(1000), 32)
    const none = exportKeyingMaterial(hash, secret, "EXPORTER-a", nothing, 32)
    const other = exportKeyingMaterial(hash, secret, "EXPORTER-b", nothing, 32)
    expect(new Set([long, none, other].map(toHex)).size).toBe(3)
  })
})

it.each([TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256])("RFC 9846 7.3: key and iv of $name", (suite) => {
  const { key, iv } = trafficKeys(suite, hkdfExtract(suite.hash, nothing, ikm))
  expect(toHex(key)).toBe(expand(suite.hash.name, "key", nothing, 32))
  expect(toHex(iv)).toBe(expand(suite.hash.name, "iv", nothing, 12))
})
