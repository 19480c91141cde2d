import { createPrivateKey, generateKeyPairSync } from "node:crypto"
import { describe, expect, it } from "vitest"
import { parsePrivateKey, toPem } from "../../x509/index.ts"
import { decryptPrivateKey, isEncryptedKey } from "./encrypted-key.ts"

/** `openssl pkcs8 -topk8 -scrypt`, OpenSSL 3.0; the password is "secret". */
const scrypt = Buffer.from(
  "MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhVAK9MKcVucAICQAACAQgCAQEwHQYJYIZIAWUDBAEqBBCxQ1GKFprY" +
    "xoRjDk+n9aIgBIGQn4+mNv55LpQT9xYYjw8wlQULCYPQMiOqhaqOeJQv6smGofLfoknDggyySELWKoN2EWeWuztujmokj1q4oamG" +
    "MsAbjAK/HXJVfEvcIdVt/CIOl7dyU/380m+i3cUhon4ZjqYs2Xu2VCvOtBs3u12GSEcf2m/EXLrUPdCBnkNEELc5VvkLgTy1OAjQ" +
    "mnZugN3H",
  "base64",
)

/** `openssl ec -aes128`: RFC 1421 headers. The key is that of `scrypt`. */
const traditional = `-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,A517CF3541F0860BF8E366C271842270

+SeVoaHmHAgvWW/i6FG8EX0KlsX/omnVXxY7ysrcJKly14SiKobq6E6m2LlnQ1yd
kI47amA2IVAggbneiGXv7fIyUwTkmyz+spQV9j8bZBHmrSHdsySHvXVbPEbFSQJ/
2cih/GgYy43P+8s957RxFSY3XtdpmySjqszU+mjxQdk=
-----END EC PRIVATE KEY-----
`

const types = {
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ed25519: generateKeyPairSync("ed25519"),
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
}

describe.each(Object.entries(types))("an encrypted key, %s", (_, { privateKey }) => {
  const plain = privateKey.export({ format: "der", type: "pkcs8" })

  it.each(["aes-128-cbc", "aes-256-cbc"])("RFC 8018: PBES2 with %s, as PEM and as DER", (cipher) => {
    const how = { type: "pkcs8", cipher, passphrase: "s\u00e9cret" } as const
    const forms = [privateKey.export({ format: "pem", ...how }), privateKey.export({ format: "der", ...how })]
    for (const key of [...forms, Buffer.from(forms[0]!)]) {
      expect(isEncryptedKey(key)).toBe(true)
      expect(() => parsePrivateKey(key)).toThrow(/it is an encrypted private key/)
      expect(Buffer.from(decryptPrivateKey(key, "s\u00e9cret"))).toEqual(plain)
      expect(Buffer.from(decryptPrivateKey(key, Buffer.from("s\u00e9cret")))).toEqual(plain)
      expect(() => decryptPrivateKey(key, "secret")).toThrow(/password is wrong/)
    }
  })

  it("a plain one is none", () => {
    for (const key of [plain, toPem("PRIVATE KEY", plain), Buffer.from(toPem("PRIVATE KEY", plain))])
      expect(isEncryptedKey(key)).toBe(false)
  })
})

it("RFC 7914: scrypt, and the old form of PEM", () => {
  const key = createPrivateKey({ key: decryptable(scrypt), format: "der", type: "pkcs8" })
  const other = createPrivateKey({ key: decryptable(traditional), format: "der", type: "pkcs8" })
  expect(key.equals(other)).toBe(true)
})

it("with a certificate in front, in one file", () => {
  const file = `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${traditional}`
  expect(isEncryptedKey(file)).toBe(true)
  expect(parsePrivateKey(decryptable(file)).privateKey.type).toBe("ec")
})

it("what the host cannot do is told with what to do", () => {
  // PBES1 with an object identifier that nobody has.
  const unknown = scrypt.slice()
  unknown[unknown.indexOf(0x0d, 10)] = 0x7f
  expect(() => decryptPrivateKey(unknown, "secret")).toThrow(/openssl pkcs8 -topk8 -v2 aes-256-cbc/)
})

function decryptable(key: string | Uint8Array): Buffer {
  expect(isEncryptedKey(key)).toBe(true)
  return Buffer.from(decryptPrivateKey(key, "secret"))
}
