// Key shares that cannot be used, and those whose leading zeros must stay: RFC 9846 sections 4.3.8.2 and 7.4, C.3.

import { createECDH, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto"
import { describe, expect, it } from "vitest"
import { concatBytes } from "../../src/bytes/concat.ts"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { sha256 } from "../../src/crypto/noble/index.ts"
import type { RandomSource } from "../../src/crypto/provider.ts"
import { deriveSecret, emptyHash, hkdfExtract } from "../../src/schedule/labels.ts"
import { clientUnderTest, expectRefused, provider, scene, serverUnderTest } from "../support.ts"
import { editClientHello, editServerHello, setExtension } from "../tools/edit.ts"
import { Puppet } from "../tools/puppet.ts"

/** y of the generator, and x: points near to them are easy to write. */
const p256 = {
  x: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
  y: "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
}
const p256Prime = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"

const badShares: Readonly<Record<string, readonly (readonly [what: string, share: string])[]>> = {
  x25519: [
    ["31 bytes", "09".repeat(31)],
    ["33 bytes", "09".repeat(33)],
    ["the point 0, whose result is all zeros", "00".repeat(32)],
    ["the point 1, of order 1", `01${"00".repeat(31)}`],
    ["a point of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
    ["another point of order 8", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
    ["p - 1, of order 2", `ec${"ff".repeat(30)}7f`],
    ["p, which is 0 again", `ed${"ff".repeat(30)}7f`],
    ["p + 1, which is 1 again", `ee${"ff".repeat(30)}7f`],
    ["0 with the ignored top bit set", `${"00".repeat(31)}80`],
  ],
  secp256r1: [
    ["a point that is not on the curve", `04${p256.x}${p256.y.replace(/f5$/, "f6")}`],
    ["a compressed point", `03${p256.x}`],
    ["a compressed point, padded to the length of a whole one", `03${p256.x}${"00".repeat(32)}`],
    ["a hybrid point", `07${p256.x}${p256.y}`],
    ["the point at infinity", "00"],
    ["zeros", `04${"00".repeat(64)}`],
    ["x that is not below p", `04${p256Prime}${p256.y}`],
    ["y that is not below p", `04${p256.x}${p256Prime}`],
    ["no first byte", `${p256.x}${p256.y}`],
    ["a byte more", `04${p256.x}${p256.y}00`],
    ["a byte less", `04${p256.x}${p256.y.slice(2)}`],
  ],
  secp384r1: [
    ["a point that is not on the curve", `04${"11".repeat(96)}`],
    ["a compressed point", `02${"11".repeat(48)}`],
    ["another curve's point", `04${p256.x}${p256.y}`],
  ],
  secp521r1: [
    ["a point that is not on the curve", `04${"00".repeat(65)}05${"00".repeat(65)}05`],
    ["coordinates of 65 bytes", `04${"11".repeat(130)}`],
  ],
}
const codes: Readonly<Record<string, string>> = {
  x25519: "001d",
  secp256r1: "0017",
  secp384r1: "0018",
  secp521r1: "0019",
}

const entry = (group: string, share: string): Uint8Array =>
  fromHex(`${codes[group]}${(share.length / 2).toString(16).padStart(4, "0")}${share}`)

describe.each(Object.keys(badShares))("a share of %s that is", (group) => {
  it.each(badShares[group]!)(
    // Requirements 4.3.8.2-1 (server), 7.4.2-2 (server), 6-6 (server)
    "%s: the server ends the handshake with illegal_parameter (RFC 9846 4.3.8.2)",
    (_what, share) => {
      const puppet = serverUnderTest({ client: { groups: [group] }, server: { groups: [group] } })
      const bad = entry(group, share)
      puppet.message(
        editClientHello(puppet.drop("client_hello"), ({ extensions }) =>
          setExtension(extensions, "key_share", Uint8Array.of(bad.length >> 8, bad.length, ...bad)),
        ),
      )
      expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /client's key share/)
    },
  )

  it.each(badShares[group]!)(
    // Requirements 4.3.8.2-1 (client), 7.4.2-2 (client), 6-6 (client)
    "%s: the client ends the handshake with illegal_parameter (RFC 9846 4.3.8.2)",
    (_what, share) => {
      const puppet = clientUnderTest({ client: { groups: [group] }, server: { groups: [group] } })
      puppet.message(
        editServerHello(puppet.drop("server_hello"), ({ extensions }) =>
          setExtension(extensions, "key_share", entry(group, share)),
        ),
      )
      expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /server's key share/)
    },
  )
})

describe("leading zeros (RFC 9846 7.4.2, C.3)", () => {
  const pairs: readonly (readonly [what: string, group: string, client: string, server: string])[] = [
    ["of a shared secret", "secp256r1", `01${"00".repeat(30)}07`, `01${"00".repeat(30)}15`],
    ["of a shared secret", "secp384r1", `01${"00".repeat(46)}07`, `01${"00".repeat(45)}011c`],
    ["of a share's x", "secp256r1", `01${"00".repeat(30)}07`, `01${"00".repeat(29)}02c1`],
    ["of a share's x", "secp384r1", `01${"00".repeat(46)}07`, `01${"00".repeat(46)}05`],
    ["of a shared secret", "x25519", "07".repeat(32), `09ae00${"09".repeat(29)}`],
    ["at the end of a shared secret", "x25519", "07".repeat(32), `095700${"09".repeat(29)}`],
    ["of a share", "x25519", "07".repeat(32), `091600${"09".repeat(29)}`],
  ]

  // Requirement 7.4.2-1
  it.each(pairs)("%s of %s stay", (what, group, client, server) => {
    const { shared, share } = independently(group, client, server)
    // The case is what its name says.
    const zeros = what.includes("share's x")
      ? share[1]
      : what.includes("secret")
        ? what.includes("end")
          ? shared.at(-1)
          : shared[0]
        : share[0]
    expect(zeros).toBe(0)

    // The client draws its random first, then its private key; the server its private key.
    const config = scene({
      client: {
        groups: [group],
        cipherSuites: ["TLS_AES_128_GCM_SHA256"],
        middleboxCompatibility: false,
        random: drawing(1, client),
      },
      server: { groups: [group], random: drawing(0, server) },
    })
    const puppet = Puppet.ofServer(config).run()
    expect(puppet.actor.info).toMatchObject({ group })
    expect(puppet.subject.info).toMatchObject({ group })

    const early = hkdfExtract(sha256, new Uint8Array(32), new Uint8Array(32))
    const expected = hkdfExtract(sha256, deriveSecret(sha256, early, "derived", emptyHash(sha256)), shared)
    expect(toHex(puppet.secret("handshake_secret")!)).toBe(toHex(expected))
  })
})

/** Gives `value` at one call, and chance otherwise. */
function drawing(call: number, value: string): RandomSource {
  let calls = 0
  return (length) => (calls++ === call ? fromHex(value) : provider.random(length))
}

/** The shared secret and the server's share by another implementation. */
function independently(group: string, client: string, server: string): { shared: Uint8Array; share: Uint8Array } {
  if (group === "x25519") {
    // PKCS#8 of RFC 8410 around the key.
    const keyOf = (key: string) =>
      createPrivateKey({
        key: Buffer.from(`302e020100300506032b656e04220420${key}`, "hex"),
        format: "der",
        type: "pkcs8",
      })
    const publicKey = createPublicKey(keyOf(server)).export({ format: "der", type: "spki" })
    const shared = diffieHellman({ privateKey: keyOf(server), publicKey: createPublicKey(keyOf(client)) })
    return { shared: concatBytes(shared), share: concatBytes(publicKey.subarray(-32)) }
  }
  const curve = group === "secp256r1" ? "prime256v1" : "secp384r1"
  const [a, b] = [createECDH(curve), createECDH(curve)]
  a.setPrivateKey(client, "hex")
  b.setPrivateKey(server, "hex")
  // node:crypto returns the x coordinate at its full length.
  const shared = concatBytes(b.computeSecret(a.getPublicKey()))
  return { shared, share: concatBytes(b.getPublicKey()) }
}
