// A private key that cannot leave WebCrypto signs CertificateVerify, for servers and for clients.

import { webcrypto } from "node:crypto"
import { describe, expect, it } from "vitest"
import { ecdsaSignatureToDer, type WebCryptoKey, webCryptoSigner } from "../../src/adapters/webcrypto/signer.ts"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import { parseSpki } from "../../src/x509/keys/spki.ts"
import { handshakeWith } from "./driven.ts"

const { subtle } = webcrypto
const provider = createHostProvider()
const rsa = { modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) }

const keys = [
  [{ name: "ECDSA", namedCurve: "P-256" }, "ecdsa_secp256r1_sha256"],
  [{ name: "ECDSA", namedCurve: "P-384" }, "ecdsa_secp384r1_sha384"],
  [{ name: "ECDSA", namedCurve: "P-521" }, "ecdsa_secp521r1_sha512"],
  [{ name: "Ed25519" }, "ed25519"],
  [{ name: "RSA-PSS", hash: "SHA-256", ...rsa }, "rsa_pss_rsae_sha256"],
  [{ name: "RSA-PSS", hash: "SHA-384", ...rsa }, "rsa_pss_rsae_sha384"],
] as const

async function generate(algorithm: (typeof keys)[number][0]) {
  const pair = await subtle.generateKey(algorithm, false, ["sign", "verify"])
  if (!("privateKey" in pair)) throw new Error("not a pair of keys")
  const publicKey = parseSpki(new Uint8Array(await subtle.exportKey("spki", pair.publicKey)))
  return { ...pair, publicKey: { webCrypto: pair.publicKey, parsed: publicKey } }
}

describe("RFC 9846 4.5.2: a key that cannot be extracted", () => {
  for (const [algorithm, scheme] of keys) {
    it(`signs as ${scheme}, for both sides`, async () => {
      const { privateKey, publicKey } = await generate(algorithm)
      await expect(subtle.exportKey("pkcs8", privateKey)).rejects.toThrow()
      const credential = {
        type: "X509",
        chain: [Uint8Array.of(0x30, 0)],
        publicKey: publicKey.parsed,
        ...webCryptoSigner(subtle, privateKey),
      } as const
      const { client, server } = await handshakeWith(credential, { provider })
      expect([client.peerSignatureScheme, server.peerSignatureScheme]).toEqual([scheme, scheme])
      expect([client.authentication, server.authentication]).toEqual(["certificate", "certificate"])
    })
  }

  it("that is tied to a hash is not asked for another: handshake_failure when the peer takes no other", async () => {
    const { privateKey, publicKey } = await generate({ name: "RSA-PSS", hash: "SHA-384", ...rsa })
    const chain = [Uint8Array.of(0x30, 0)]
    const credential = {
      type: "X509",
      chain,
      publicKey: publicKey.parsed,
      ...webCryptoSigner(subtle, privateKey),
    } as const
    const only = { provider, signatureSchemes: ["rsa_pss_rsae_sha256"] }
    await expect(handshakeWith(credential, only)).rejects.toMatchObject({ alert: "handshake_failure" })
  })

  it("that fails to sign ends the handshake with internal_error", async () => {
    const { privateKey, publicKey } = await generate({ name: "ECDSA", namedCurve: "P-256" })
    const broken = { sign: () => Promise.reject(new Error("the device is gone")) }
    const chain = [Uint8Array.of(0x30, 0)]
    const credential = {
      type: "X509",
      chain,
      publicKey: publicKey.parsed,
      ...webCryptoSigner(broken, privateKey),
    } as const
    await expect(handshakeWith(credential, { provider })).rejects.toMatchObject({
      alert: "internal_error",
      message: expect.stringMatching(/the device is gone/),
    })
  })
})

describe("keys that are refused", () => {
  const key = (algorithm: WebCryptoKey["algorithm"], type = "private", usages = ["sign"]): WebCryptoKey => ({
    type,
    usages,
    algorithm,
  })
  const never = { sign: () => Promise.reject(new Error("not called")) }

  it.each([
    [key({ name: "ECDSA", namedCurve: "P-256" }, "public", ["verify"]), /public key that may verify/],
    [key({ name: "ECDSA", namedCurve: "P-256" }, "private", []), /do nothing/],
    [
      key({ name: "RSASSA-PKCS1-v1_5", hash: { name: "SHA-256" } }),
      /no signature scheme for a key of RSASSA-PKCS1-v1_5 SHA-256/,
    ],
    [key({ name: "RSA-PSS", hash: { name: "SHA-1" } }), /RSA-PSS SHA-1/],
    [key({ name: "ECDSA", namedCurve: "K-256" }), /ECDSA K-256/],
  ])("%o", (refused, message) => {
    expect(() => webCryptoSigner(never, refused)).toThrow(message)
  })
})

describe("RFC 9846 4.3.3: ECDSA signatures in DER", () => {
  it.each([
    ["00000001" + "00000002", "3006020101020102"],
    ["80000000" + "7fffffff", "300d0205008000000002047fffffff"],
    ["00000000" + "000000ff", "3007020100020200ff"],
  ])("%s", (p1363, der) => {
    expect(toHex(ecdsaSignatureToDer(fromHex(p1363)))).toBe(der)
  })
})
