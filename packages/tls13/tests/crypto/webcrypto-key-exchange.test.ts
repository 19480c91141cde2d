// The host's key exchange by WebCrypto, whose private values never enter this code: against another provider's, with shares that
// must be refused, and in whole handshakes.

import { webcrypto } from "node:crypto"
import { describe, expect, it } from "vitest"
import { webCryptoGroups, webCryptoKeyExchange } from "../../src/adapters/webcrypto/index.ts"
import { Pause } from "../../src/bytes/pause.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { type CryptoProvider, InvalidKeyShare, type KeyExchange } from "../../src/crypto/provider.ts"
import { handshakeWith } from "../signing/driven.ts"
import { serverCredential } from "../support.ts"
import { hex, type WycheproofGroup, type WycheproofTest, wycheproofGroups } from "./wycheproof.ts"

const { subtle } = webcrypto
const noble = createNobleProvider()
const ofHost: CryptoProvider = {
  ...noble,
  keyExchanges: webCryptoGroups.map((name) => webCryptoKeyExchange(subtle, name)),
}

async function later<Answer>(pause: Answer | Pause<Answer>): Promise<Answer> {
  if (!(pause instanceof Pause) || pause.work === undefined) throw new Error("it answers at once")
  return pause.work
}

describe.each(webCryptoGroups)("WebCrypto's %s", (name) => {
  const group = webCryptoKeyExchange(subtle, name)
  const other = noble.keyExchanges.find((each) => each.name === name)!
  const refusal = async (share: Uint8Array) => {
    const started = await later(group.start(noble.random))
    const refused = { name: "InvalidKeyShare" }
    await expect(later(started.complete(share))).rejects.toMatchObject(refused)
    await expect(later(group.respond(share, noble.random))).rejects.toMatchObject(refused)
  }

  it("RFC 9846 7.4: agrees with another implementation, as client and as server", async () => {
    expect(group.code).toBe(other.code)
    const started = await later(group.start(noble.random))
    const answer = other.respond(started.share, noble.random)
    expect(await later(started.complete(answer.share))).toEqual(answer.secret)
    started.wipe()

    const theirs = other.start(noble.random)
    const ours = await later(group.respond(theirs.share, noble.random))
    expect(theirs.complete(ours.share)).toEqual(ours.secret)
  })

  it("RFC 9846 4.3.8.2, 7.4.2: refuses shares of a wrong length, and what is no point or gives nothing", async () => {
    const { share } = other.start(noble.random)
    for (const wrong of [new Uint8Array(0), share.subarray(1), Uint8Array.of(...share, 0)]) await refusal(wrong)
    if (name === "x25519") {
      for (const zero of ["00".repeat(32), `01${"00".repeat(31)}`, `ec${"ff".repeat(30)}7f`]) await refusal(hex(zero))
    } else {
      const [offCurve, compressed] = [share.slice(), share.slice()]
      offCurve[5]! ^= 1
      compressed[0] = 2
      await refusal(offCurve)
      await refusal(compressed)
    }
  })

  it("RFC 9846 2: makes the keys of whole handshakes, with itself and with another", async () => {
    for (const [client, server] of [
      [ofHost, ofHost],
      [ofHost, noble],
      [noble, ofHost],
    ] as const) {
      const done = await handshakeWith(
        serverCredential,
        { provider: client, groups: [name] },
        { provider: server, groups: [name] },
      )
      expect([done.client.group, done.server.group]).toEqual([name, name])
    }
  })

  it("a share that is no point ends with illegal_parameter, whoever sends it", async () => {
    const spoiled = (share: Uint8Array) =>
      name === "x25519" ? new Uint8Array(32) : share.map((b, i) => (i === 5 ? b ^ 1 : b))
    const bad: KeyExchange = {
      ...other,
      start: (random) => ({ ...other.start(random), share: spoiled(other.start(random).share) }),
      respond: (share, random) => ({ ...other.respond(share, random), share: spoiled(share) }),
    }
    const badly = { ...noble, keyExchanges: [bad] }
    const refused = { alert: "illegal_parameter", message: expect.stringMatching(/key share cannot be used/) }
    const only = { provider: ofHost, groups: [name] }
    await expect(handshakeWith(serverCredential, { provider: badly }, only)).rejects.toMatchObject(refused)
    await expect(handshakeWith(serverCredential, only, { provider: badly })).rejects.toMatchObject(refused)
  })
})

interface PointTest extends WycheproofTest {
  readonly public: string
}

it.each(["secp256r1", "secp384r1"] as const)("Wycheproof: %s refuses every point that is none", async (name) => {
  const group = webCryptoKeyExchange(subtle, name)
  const tests = wycheproofGroups<WycheproofGroup<PointTest>>(`ecdh_${name}_ecpoint`).flatMap((each) => each.tests)
  const invalid = tests.filter(({ result }) => result === "invalid")
  expect(invalid.length).toBeGreaterThan(10)
  for (const test of invalid) {
    const answer = later(group.respond(hex(test.public), noble.random))
    await expect(answer, `case ${test.tcId}`).rejects.toBeInstanceOf(InvalidKeyShare)
  }
})

it("a fault of the host's is its own, not the peer's: internal_error", async () => {
  const locked = { ...subtle, generateKey: () => Promise.reject(new Error("the module is locked")) }
  const provider = { ...noble, keyExchanges: [webCryptoKeyExchange(locked as unknown as typeof subtle, "x25519")] }
  await expect(handshakeWith(serverCredential, { provider }, { provider: noble })).rejects.toMatchObject({
    alert: "internal_error",
    message: "StartKeyExchange failed: the module is locked",
  })
})

it("a group that WebCrypto does not know is a Misuse that says which it does", () => {
  expect(() => webCryptoKeyExchange(subtle, "x448" as "x25519")).toThrow(
    "WebCrypto has no key exchange for x448: it knows x25519, secp256r1, secp384r1, secp521r1",
  )
})
