import { describe, expect, it } from "vitest"
import { handshakeScenarios, hashScenarios, matrixScenarios, recordScenarios } from "./scenarios.ts"
import { nameOf, parseWork, usualHandshake, wordsOf } from "./work.ts"

describe("names of scenarios", () => {
  it.each([...handshakeScenarios, ...recordScenarios, ...hashScenarios])("%s is read, and named so again", (name) => {
    expect(nameOf(parseWork(name))).toBe(name)
  })

  it("are told to people by what differs from the usual handshake, each in words of its own", () => {
    expect(wordsOf(usualHandshake)).toBe("Full handshake in memory")
    expect(wordsOf(parseWork("full,group=secp256r1,chain=2,hrr,mtls"))).toBe(
      "Full handshake in memory, group secp256r1, 2 certificates, after a HelloRetryRequest, with a client certificate",
    )
    const all = [...handshakeScenarios, ...matrixScenarios.slice(1), ...recordScenarios, ...hashScenarios]
    expect(new Set(all.map((name) => wordsOf(parseWork(name)))).size).toBe(new Set(all).size)
  })

  it("a handshake is the usual one but for what its name says", () => {
    expect(parseWork("full")).toEqual(usualHandshake)
    expect(parseWork("resumed,group=secp256r1,chain=3,hrr,mtls,signature=rsa")).toEqual({
      ...usualHandshake,
      kind: "resumed",
      group: "secp256r1",
      chain: 3,
      retry: true,
      mutual: true,
      signature: "rsa",
    })
  })

  it.each([
    ["half", '"half" is none of full'],
    ["full,chain=5", '"chain=5" is none of'],
    ["full,suite=RC4", "the suite is one of TLS_AES_128_GCM_SHA256"],
    ["full,signature=dsa", "the signature is one of p256"],
    ["seal 64", "the suite is one of"],
    ["seal 16385 TLS_AES_128_GCM_SHA256", "the size is 0 to 16384 bytes"],
    ["open x TLS_AES_128_GCM_SHA256", "the size is"],
    ["hash 64 md5", "the hash is sha256 or sha384"],
  ])("%s is refused with what is wrong", (name, line) => {
    expect(() => parseWork(name)).toThrow(RangeError)
    expect(() => parseWork(name)).toThrow(line)
  })
})
