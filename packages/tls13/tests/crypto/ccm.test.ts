import { createCipheriv, randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { createNobleProvider, TLS_AES_128_CCM_8_SHA256, TLS_AES_128_CCM_SHA256 } from "../../src/crypto/noble/index.ts"
import { aeadConformance } from "./symmetric-conformance.ts"
import { hex } from "./wycheproof.ts"

for (const { aead } of [TLS_AES_128_CCM_SHA256, TLS_AES_128_CCM_8_SHA256]) aeadConformance("noble", aead)

describe("AES-CCM", () => {
  it("RFC 9846 B.4: the suites have their numbers and tags, and no default provider offers them", () => {
    expect([TLS_AES_128_CCM_SHA256.code, TLS_AES_128_CCM_SHA256.aead.tagLength]).toEqual([0x1304, 16])
    expect([TLS_AES_128_CCM_8_SHA256.code, TLS_AES_128_CCM_8_SHA256.aead.tagLength]).toEqual([0x1305, 8])
    expect(createNobleProvider().cipherSuites.map((suite) => suite.code)).toEqual([0x1303, 0x1301, 0x1302])
  })

  it("NIST SP 800-38C C.3: the example with a nonce of 12 bytes and a tag of 8", () => {
    const key = TLS_AES_128_CCM_8_SHA256.aead.key(hex("404142434445464748494a4b4c4d4e4f"))
    const plaintext = hex("202122232425262728292a2b2c2d2e2f3031323334353637")
    const aad = hex("000102030405060708090a0b0c0d0e0f10111213")
    const out = new Uint8Array(32)
    key.seal(hex("101112131415161718191a1b"), aad, plaintext, out, 0)
    expect(out).toEqual(hex("e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951"))
  })

  for (const { aead } of [TLS_AES_128_CCM_SHA256, TLS_AES_128_CCM_8_SHA256]) {
    it(`${aead.name}: seals as another implementation does, for every length from 1 to 100 and for whole records`, () => {
      // The other implementation gives no tag for an empty message with empty additional data.
      for (const length of [...Array.from({ length: 100 }, (_, i) => i + 1), 1000, 16384, 16385]) {
        const [secret, nonce, aad, plaintext] = [16, 12, length % 40, length].map((wanted) => randomBytes(wanted))
        const cipher = createCipheriv("aes-128-ccm", secret!, nonce!, { authTagLength: aead.tagLength })
        cipher.setAAD(aad!, { plaintextLength: length })
        const expected = Buffer.concat([cipher.update(plaintext!), cipher.final(), cipher.getAuthTag()])
        const out = new Uint8Array(length + aead.tagLength)
        aead.key(secret!).seal(nonce!, aad!, plaintext!, out, 0)
        expect(Buffer.compare(out, expected), `length ${length}`).toBe(0)
      }
    })
  }
})
