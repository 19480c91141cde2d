// Options that make no sense are refused when a configuration is made, in a sentence that says which and why.

import { describe, expect, it } from "vitest"
import { Misuse } from "../src/bytes/errors.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { defaultLimits } from "../src/handshake/limits.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import {
  clientCertificate,
  clientOptions,
  clientUnderTest,
  openGuard,
  provider,
  serverOptions,
  serverUnderTest,
  takesEarlyData,
} from "./support.ts"

const psk = { identity: Uint8Array.of(1), key: new Uint8Array(16), hash: "sha256", kind: "external" } as const
const { verifier: _, ...withoutVerifier } = clientOptions

describe("a client is not configured", () => {
  const cases: readonly (readonly [what: string, options: ClientOptions, says: RegExp])[] = [
    ["without verifier and PSKs", withoutVerifier, /needs a verifier .* or external PSKs/],
    [
      "with a suite that the provider lacks",
      { ...clientOptions, cipherSuites: ["TLS_RSA_WITH_RC4_128_MD5"] },
      /has no cipher suite TLS_RSA_WITH_RC4_128_MD5; it has /,
    ],
    ["with a group that the provider lacks", { ...clientOptions, groups: ["ffdhe2048"] }, /has no group ffdhe2048/],
    [
      "with a share of a group that is not offered",
      { ...clientOptions, groups: ["x25519"], keyShares: ["secp256r1"] },
      /no key share group secp256r1/,
    ],
    [
      "with a scheme that is for certificates only",
      { ...clientOptions, signatureSchemes: ["rsa_pkcs1_sha256"] },
      /no signature scheme rsa_pkcs1_sha256/,
    ],
    ["without any suite", { ...clientOptions, cipherSuites: [] }, /no cipher suite is left to offer/],
    [
      "RFC 9846 4.3.7: with a group twice",
      { ...clientOptions, groups: ["x25519", "x25519"] },
      /group x25519 is named twice/,
    ],
    [
      "RFC 8449 4: with a record_size_limit of 63",
      { ...clientOptions, recordSizeLimit: 63 },
      /recordSizeLimit is 63; .* 64 to 16385/,
    ],
    [
      "RFC 8449 4: with a record_size_limit above 2^14 + 1",
      { ...clientOptions, recordSizeLimit: 16_386 },
      /recordSizeLimit is 16386/,
    ],
    ["RFC 7301 3.1: with an empty protocol name", { ...clientOptions, alpnProtocols: [""] }, /not 1 to 255 octets/],
    [
      "RFC 7301 3.1: with a protocol name of 256 octets",
      { ...clientOptions, alpnProtocols: ["m".repeat(256)] },
      /not 1 to 255 octets/,
    ],
    [
      "RFC 7301 3.1: with a protocol name that is not of octets",
      { ...clientOptions, alpnProtocols: ["m\u{1f600}"] },
      /octets/,
    ],
    ["RFC 6066 3: with a name that is no A-label", { ...clientOptions, serverName: "bücher.example" }, /A-label/],
    ["with an empty name", { ...clientOptions, serverName: "." }, /server name is empty/],
    [
      "RFC 9149 3: with a ticket count of 256",
      { ...clientOptions, ticketRequest: { newSessionCount: 256, resumptionCount: 0 } },
      /0 to 255/,
    ],
    [
      "RFC 7250 3: with a certificate type that there is not",
      { ...clientOptions, certificateTypes: { server: ["x509" as never] } },
      /certificateTypes\.server is "x509"; it must be one of X509, RawPublicKey/,
    ],
    [
      "without a certificate type",
      { ...clientOptions, certificateTypes: { client: [] } },
      /certificateTypes\.client is empty/,
    ],
    [
      "RFC 9257 6: with an empty PSK",
      { ...clientOptions, externalPsks: [{ ...psk, key: new Uint8Array(0) }] },
      /has 0 bits; it needs 128/,
    ],
    [
      "with a PSK of no identity",
      { ...clientOptions, externalPsks: [{ ...psk, identity: new Uint8Array(0) }] },
      /1 to 65,535 bytes/,
    ],
    [
      "with a PSK whose hash is not said",
      { ...clientOptions, externalPsks: [{ ...psk, hash: undefined as never }] },
      /hash of a PSK is undefined/,
    ],
    [
      "with a PSK whose kind is not said",
      { ...clientOptions, externalPsks: [{ ...psk, kind: undefined as never }] },
      /kind of a PSK is undefined/,
    ],
    [
      "with a limit that is no number",
      { ...clientOptions, limits: { handshakeMessageSize: Number.NaN } },
      /limits\.handshakeMessageSize/,
    ],
    ["with a negative limit", { ...clientOptions, limits: { emptyRecords: -1 } }, /limits\.emptyRecords/],
    [
      "with a key that seals three records",
      { ...clientOptions, limits: { recordsPerKey: 3 } },
      /limits\.recordsPerKey/,
    ],
  ]

  it.each(cases)("%s", (_what, options, says) => {
    expect(() => createClientConfig(options)).toThrow(Misuse)
    expect(() => createClientConfig(options)).toThrow(says)
  })
})

describe("a server is not configured", () => {
  const authentication = clientCertificate.server.clientAuthentication
  const oid = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"))
  const asking = (oidFilters: readonly { oid: Uint8Array; values: Uint8Array }[]): ServerOptions => ({
    ...serverOptions,
    clientAuthentication: { ...clientCertificate.server.clientAuthentication, oidFilters },
  })
  const keyUsage = { oid: oid("0603551d0f"), values: new Uint8Array(0) }
  const cases: readonly (readonly [what: string, options: ServerOptions, says: RegExp])[] = [
    ["without certificate and PSKs", { provider }, /needs a certificate .* or external PSKs/],
    ["with 256 tickets", { ...serverOptions, tickets: 256 }, /tickets is 256; .* 0 to 255/],
    [
      "RFC 9846 4.7.1: with a ticket lifetime of more than seven days",
      { ...serverOptions, ticketLifetime: 604_801 },
      /ticketLifetime is 604801/,
    ],
    [
      "with a mode of client authentication that there is not: it would ask, and require nothing",
      { ...serverOptions, clientAuthentication: { ...authentication, mode: "required" as never } },
      /clientAuthentication\.mode is "required"; it must be one of request, require, post-handshake/,
    ],
    [
      "with client authentication of no mode",
      { ...serverOptions, clientAuthentication: { ...authentication, mode: undefined as never } },
      /clientAuthentication\.mode is undefined/,
    ],
    [
      "with client authentication of no verifier",
      { ...serverOptions, clientAuthentication: { ...authentication, verifier: undefined as never } },
      /clientAuthentication needs a verifier/,
    ],
    [
      "with a preference that there is not",
      { ...serverOptions, preference: "clients" as never },
      /preference is "clients"; it must be one of server, client/,
    ],
    [
      "RFC 9846 8.3: with a freshness that is no number: every flight would be fresh",
      { ...serverOptions, earlyData: { ...takesEarlyData, freshness: Number.NaN } },
      /earlyData\.freshness is NaN/,
    ],
    [
      "with early data of no number of bytes",
      { ...serverOptions, earlyData: { ...takesEarlyData, maxBytes: Number.NaN } },
      /earlyData\.maxBytes is NaN/,
    ],
    [
      "RFC 9846 4.7.1: with more early data than a ticket can say",
      { ...serverOptions, earlyData: { ...takesEarlyData, maxBytes: 2 ** 32 } },
      /earlyData\.maxBytes is 4294967296/,
    ],
    [
      "RFC 9846 8: with early data and no guard",
      { ...serverOptions, earlyData: { ...takesEarlyData, replayGuard: undefined as never } },
      /earlyData needs a replayGuard/,
    ],
    ["RFC 9846 4.3.5: with an OID twice", asking([keyUsage, keyUsage]), /an OID twice/],
    [
      "RFC 9846 4.3.5: with anyExtendedKeyUsage",
      asking([{ oid: oid("0603551d25"), values: oid("30060604551d2500") }]),
      /anyExtendedKeyUsage/,
    ],
  ]

  it.each(cases)("%s", (_what, options, says) => {
    expect(() => createServerConfig(options)).toThrow(Misuse)
    expect(() => createServerConfig(options)).toThrow(says)
  })
})

describe("an option that is undefined", () => {
  const names = (options: object) => Object.keys(options).filter((name) => name !== "random")

  it.each([
    ["a client", (more: object) => createClientConfig({ ...clientOptions, ...more })],
    ["a server", (more: object) => createServerConfig({ ...serverOptions, ...more })],
    [
      "clientAuthentication",
      (more: object) => {
        const clientAuthentication = { ...clientCertificate.server.clientAuthentication, ...more }
        return createServerConfig({ ...serverOptions, clientAuthentication }).clientAuthentication ?? {}
      },
    ],
  ])("of %s is the same as one that is absent", (_, make) => {
    const given = Object.keys({ ...clientOptions, ...serverOptions, mode: "require" })
    const without = make({})
    const settings = names(without).filter((name) => !given.includes(name))
    const undefinedOnes = Object.fromEntries(settings.map((name) => [name, undefined]))
    const same = make(undefinedOnes)
    expect(settings.length).toBeGreaterThan(4)
    for (const name of names(without)) {
      expect([name, Reflect.get(same, name)]).toEqual([name, Reflect.get(without, name)])
    }
  })
})

it("a limit that is undefined is the same as one that is absent", () => {
  const none = Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, undefined]))
  const ticketRequest = { newSessionCount: 255, resumptionCount: 0 }
  const client = { ...clientOptions, ticketRequest }
  expect(createClientConfig({ ...client, limits: none }).limits).toEqual(createClientConfig(client).limits)
  expect(createClientConfig(client).limits.postHandshakeMessages).toBe(271)
  const earlyData = { maxBytes: 20_000, replayGuard: openGuard }
  const server = { ...serverOptions, earlyData }
  expect(createServerConfig({ ...server, limits: none }).limits).toEqual(createServerConfig(server).limits)
  expect(createServerConfig(server).limits.skippedEarlyData).toBe(20_000)
})

describe("server names", () => {
  it.each([
    ["server.test.", "server.test"],
    ["SERVER.Test", "server.test"],
    ["192.0.2.1", undefined],
    ["[2001:db8::1]", undefined],
    ["2001:db8::1", undefined],
  ])("RFC 6066 3: %s is sent as %s", (serverName, sent) => {
    const config = createClientConfig({ ...clientOptions, serverName })
    expect(config.sendServerName ? config.serverName : undefined).toBe(sent)
  })
})

describe("calls at the wrong time are Misuse, and change nothing", () => {
  const data = Uint8Array.of(1)

  it("before the handshake is complete", () => {
    for (const { subject } of [clientUnderTest(), serverUnderTest()]) {
      expect(() => subject.send(data)).toThrow(/not complete/)
      expect(() => subject.updateKeys()).toThrow(/not complete/)
      expect(() => subject.exportKeyingMaterial("EXPORTER-test", data, 32)).toThrow(/once the handshake is complete/)
      expect(() => subject.sendHalfRtt(data)).toThrow(/between the two Finished/)
      expect(() => subject.sendEarlyData(data)).toThrow(/no early data may be sent now/)
      expect(subject.failure).toBeUndefined()
    }
  })

  it("after close", () => {
    const { subject } = serverUnderTest().run()
    subject.close()
    expect(() => subject.send(data)).toThrow(/was closed/)
    expect(() => subject.updateKeys()).toThrow(/was closed/)
    expect(subject.writable).toBe(false)
  })
})
