import { createPrivateKey, createPublicKey } from "node:crypto"
import { describe, expect, it } from "vitest"
import { concatBytes } from "../../src/bytes/concat.ts"
import { InvalidMessage, Misuse } from "../../src/bytes/errors.ts"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import {
  decodeEchConfigList,
  type EchConfig,
  echConfigListFromPem,
  echConfigListToPem,
  echKeysFromPem,
  echKeyToPem,
  encodeEchConfig,
  encodeEchConfigList,
  generateEchKey,
  publicNameProblem,
} from "../../src/ech/index.ts"
import { HpkeKem } from "../../src/hpke/index.ts"

const provider = createFastProvider()
const key = generateEchKey({ provider, publicName: "public.example" })
const of = (config: Uint8Array): EchConfig => decodeEchConfigList(encodeEchConfigList([config]))[0]!
const fields = of(key.config)
const kemNames = Object.keys(HpkeKem) as (keyof typeof HpkeKem)[]

function alertOf(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error instanceof InvalidMessage ? error.alert : error
  }
}

describe("RFC 9849 section 4: ECHConfigList", () => {
  it("is read as it was written", () => {
    const made: Omit<EchConfig, "bytes"> = {
      configId: 7,
      kem: 0x0020,
      publicKey: new Uint8Array(32).fill(9),
      cipherSuites: [
        { kdf: 1, aead: 3 },
        { kdf: 1, aead: 1 },
      ],
      maximumNameLength: 42,
      publicName: "Public.Example",
      extensions: [{ type: 0x0a0a, data: Uint8Array.of(1, 2) }],
    }
    const bytes = encodeEchConfig(made)
    expect(of(bytes)).toEqual({ ...made, bytes })
    expect(toHex(bytes)).toBe(
      `fe0d00470700200020${"09".repeat(32)}000800010003000100012a0e5075626c69632e4578616d706c6500060a0a00020102`,
    )
  })

  it("skips what has another version, whatever is in it", () => {
    const other = fromHex("fe0a0003010203")
    const configs = decodeEchConfigList(encodeEchConfigList([other, key.config, fromHex("ffff0000"), key.config]))
    expect(configs.map(({ bytes }) => bytes)).toEqual([key.config, key.config])
    expect(decodeEchConfigList(encodeEchConfigList([other]))).toEqual([])
  })

  it.each([
    ["no bytes", ""],
    ["an empty list", "0000"],
    ["too short for a configuration", "0003fe0d00"],
    ["cut short", toHex(encodeEchConfigList([key.config]).subarray(0, -1))],
    ["bytes after its end", `${toHex(encodeEchConfigList([key.config]))}00`],
    ["a configuration that is longer than the list", "0006fe0d00030102"],
    ["contents that are cut short", "0006fe0d00020102"],
    ["a public key of no bytes", "000ffe0d000b010020000000040001000100"],
    ["no cipher suite", "0014fe0d00100100200001aa0000000161000061626364"],
    ["half a cipher suite", "0016fe0d00120100200001aa0006000100010001000161" + "0000"],
    ["no public name", "0012fe0d000e0100200001aa00040001000100000000"],
    ["bytes after the extensions", "0014fe0d00100100200001aa000400010001000161000000"],
  ])("%s: decode_error", (_, hex) => {
    expect(alertOf(() => decodeEchConfigList(fromHex(hex)))).toBe("decode_error")
  })

  it("has 4 to 65535 bytes when it is made", () => {
    expect(() => encodeEchConfigList([])).toThrow(Misuse)
    expect(() => encodeEchConfigList([new Uint8Array(65_536)])).toThrow("not 65536")
    expect(encodeEchConfigList([new Uint8Array(65_535)])).toHaveLength(65_537)
  })

  it("keeps nothing of the bytes that it was lent", () => {
    const lent = Buffer.from(encodeEchConfigList([key.config]))
    const [config] = decodeEchConfigList(lent)
    lent.fill(0)
    expect(config).toEqual(fields)
  })
})

describe("RFC 9849 section 6.1.7: a public name", () => {
  it.each([
    "a",
    "public.example",
    "xn--bcher-kva.example",
    "1.example",
    "a-b.c-d",
    "0x.example",
    "0xyz",
    "a".repeat(63),
  ])("%s can be one", (name) => {
    expect(publicNameProblem(name)).toBeUndefined()
  })

  it.each([
    ["", "0 characters"],
    [".example", "dot"],
    ["example.", "dot"],
    ["a..b", "dot"],
    ["-a.example", "hyphens"],
    ["a-.example", "hyphens"],
    ["under_score.example", "letters, digits"],
    ["b\u00fccher.example", "letters, digits"],
    ["a b.example", "letters, digits"],
    [`${"a".repeat(64)}.example`, "more than 63"],
    [`${"a.".repeat(127)}bc`, "256 characters"],
    ["192.0.2.1", "IPv4"],
    ["1", "IPv4"],
    ["example.0", "IPv4"],
    ["example.0x", "IPv4"],
    ["example.0X7f", "IPv4"],
    ["0xdeadBEEF", "IPv4"],
    ["[::1]", "letters, digits"],
  ])("%s can be none", (name, why) => {
    expect(publicNameProblem(name)).toContain(why)
    expect(() => generateEchKey({ provider, publicName: name })).toThrow(Misuse)
  })
})

describe("an ECH key", () => {
  it("section 9: is one of X25519 with AES-128-GCM first, unless told otherwise", () => {
    expect(fields).toMatchObject({
      kem: 0x0020,
      cipherSuites: [1, 2, 3].map((aead) => ({ kdf: 1, aead })),
      maximumNameLength: 0,
      publicName: "public.example",
      extensions: [],
    })
    const p256 = generateEchKey({
      provider,
      publicName: "a.example",
      kem: "DHKEM(P-256, HKDF-SHA256)",
      maximumNameLength: 255,
    })
    expect(of(p256.config)).toMatchObject({ kem: 0x0010, maximumNameLength: 255 })
  })

  it("section 4.1: has an identifier that no other has, as long as there is one", () => {
    const others = [...new Uint8Array(256).keys()].filter((id) => id !== 200)
    const made = generateEchKey({ provider, publicName: "a.example", usedIds: others })
    expect(of(made.config).configId).toBe(200)
    expect(() => generateEchKey({ provider, publicName: "a.example", usedIds: [...others, 200] })).toThrow("all 256")
    expect(() => generateEchKey({ provider, publicName: "a.example", configId: 256 })).toThrow("configId is 256")
  })

  it("needs a provider that has a suite for it", () => {
    expect(() => generateEchKey({ provider: { ...provider, keyExchanges: [] }, publicName: "a.example" })).toThrow(
      Misuse,
    )
  })
})

describe("RFC 9934: the file of an ECH key", () => {
  it.each(kemNames)("with %s is written and read, and its key opens in OpenSSL", (kem) => {
    const made = generateEchKey({ provider, publicName: "public.example", kem })
    const pem = echKeyToPem(made)
    expect(echKeysFromPem(pem, provider)).toEqual([made])
    const { x, y } = createPublicKey(createPrivateKey(pem)).export({ format: "jwk" })
    const coordinates = [x, y].flatMap((text) => (text === undefined ? [] : [Buffer.from(text, "base64url")]))
    const { publicKey } = of(made.config)
    expect(concatBytes(...coordinates)).toEqual(publicKey.subarray(publicKey.length - 32 * coordinates.length))
  })

  it("gives the configurations that its key is for", () => {
    const other = generateEchKey({ provider, publicName: "other.example" })
    const blocks = echKeyToPem(key).split("-----BEGIN ECHCONFIG-----")
    const pem = `${blocks[0]}${echConfigListToPem([other.config, key.config])}`
    expect(echKeysFromPem(pem, provider)).toEqual([key])
    expect(echConfigListFromPem(pem)).toEqual(encodeEchConfigList([other.config, key.config]))
    expect(() => echKeysFromPem(`${blocks[0]}${echConfigListToPem([other.config])}`, provider)).toThrow(
      "the private key is for none of the configurations",
    )
  })

  it("says what is missing, and which keys it can be", () => {
    const [privateKey] = echKeyToPem(key).split("-----BEGIN ECHCONFIG-----")
    expect(() => echKeysFromPem("", provider)).toThrow("has a block PRIVATE KEY; this has no block at all")
    expect(() => echKeysFromPem(privateKey!, provider)).toThrow("has a block ECHCONFIG; this has PRIVATE KEY")
    expect(() => echKeysFromPem(echConfigListToPem([key.config]), provider)).toThrow(
      "has a block PRIVATE KEY; this has ECHCONFIG",
    )
    const ed25519 =
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"
    expect(() => echKeysFromPem(`${ed25519}${echConfigListToPem([key.config])}`, provider)).toThrow(
      "an ECH key is one of X25519 or of P-256",
    )
  })

  it("is that of OpenSSL: the example of RFC 9934 section 3", () => {
    const example = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEICjd4yGRdsoP9gU7YT7My8DHx1Tjme8GYDXrOMCi8v1V
-----END PRIVATE KEY-----
-----BEGIN ECHCONFIG-----
AD7+DQA65wAgACA8wVN2BtscOl3vQheUzHeIkVmKIiydUhDCliA4iyQRCwAEAAEA
AQALZXhhbXBsZS5jb20AAA==
-----END ECHCONFIG-----
`
    const keys = echKeysFromPem(example, provider)
    expect(keys).toHaveLength(1)
    expect(of(keys[0]!.config)).toMatchObject({ publicName: "example.com", configId: 0xe7 })
  })
})
