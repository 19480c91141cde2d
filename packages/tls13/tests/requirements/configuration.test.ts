// What an application's options may not lead to: RFC 9846 sections 4.3.5, 4.3.7, 4.7.1, appendices C.5 and F.5.

import { describe, expect, it } from "vitest"
import { ContentType } from "../../src/bytes/code-points.ts"
import { Misuse } from "../../src/bytes/errors.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import type { OidFilter } from "../../src/x509/interfaces.ts"
import {
  clientCertificate,
  clientOptions,
  serverOptions,
  sessionFor,
  storeOf,
  takesEarlyData,
  ticketer,
} from "../support.ts"
import { extensionBlocks, play, shakeHands } from "./scenes.ts"

// Requirement 4.3.7-1
it("RFC 9846 4.3.7: a group cannot be named twice", () => {
  expect(() => createClientConfig({ ...clientOptions, groups: ["x25519", "secp256r1", "x25519"] })).toThrow(
    "the group x25519 is named twice",
  )
})

// Requirement 4.3.8-3
it("RFC 9846 4.3.8: a key share cannot be named twice", () => {
  expect(() => createClientConfig({ ...clientOptions, keyShares: ["x25519", "x25519"] })).toThrow(Misuse)
})

// Requirement 4.3.8-4
it("RFC 9846 4.3.8: there is no share of a group that is not in supported_groups", () => {
  expect(() => createClientConfig({ ...clientOptions, groups: ["x25519"], keyShares: ["secp256r1"] })).toThrow(Misuse)
})

describe("RFC 9846 4.3.5: a server's oid_filters", () => {
  const filter = (oid: string, values: string): OidFilter => ({ oid: fromHex(oid), values: fromHex(values) })
  const asking = (...oidFilters: OidFilter[]) => ({
    clientAuthentication: { ...clientCertificate.server.clientAuthentication, oidFilters },
  })

  // Requirement 4.3.5-5
  it("have no OID twice", () => {
    const server = asking(filter("0603551d0f", "03020780"), filter("0603551d0f", ""))
    expect(() => createServerConfig({ ...serverOptions, ...server })).toThrow("has an OID twice")
  })

  // Requirement 4.3.5-6
  it("do not ask for anyExtendedKeyUsage", () => {
    const server = asking(filter("0603551d25", "30060604551d2500"))
    expect(() => createServerConfig({ ...serverOptions, ...server })).toThrow("anyExtendedKeyUsage")
  })

  // Requirement 4.3.5-1
  it("are in CertificateRequest and in no other message", () => {
    const { client, server } = play({
      ...clientCertificate,
      server: asking(filter("0603551d0f", "03020780")),
    })
    const having = [...client.messages, ...server.messages].filter(({ name, message }) =>
      extensionBlocks(message, name).some((block) => block.includes("oid_filters")),
    )
    expect(having.map(({ name }) => name)).toEqual(["certificate_request"])
  })
})

// Requirement 4.7.1-5
it("RFC 9846 4.7.1: no ticket lives longer than 7 days", () => {
  expect(() => createServerConfig({ ...serverOptions, ticketLifetime: 604_801 })).toThrow(/604800/)
  expect(createServerConfig({ ...serverOptions, ticketLifetime: 604_800 }).ticketLifetime).toBe(604_800)
})

// Requirement C.5-1
it("RFC 9846 C.5: neither side starts without a way to authenticate", () => {
  const { verifier: _, ...client } = clientOptions
  expect(() => createClientConfig(client)).toThrow("a client needs a verifier")
  const { credentials: __, ...server } = serverOptions
  expect(() => createServerConfig(server)).toThrow("a server needs a certificate")
})

describe("RFC 9846 F.5: without being asked for it, 0-RTT", () => {
  const sessionStore = storeOf(sessionFor({ server: { earlyData: takesEarlyData } }))
  const offering = { client: { sessionStore, earlyData: true } }

  // Requirement F.5-3 (client)
  it("is not sent by a client whose ticket would allow it", () => {
    const { pair, client } = shakeHands({ client: { sessionStore }, server: { ticketer, earlyData: takesEarlyData } })
    expect(pair.client.connection.info).toMatchObject({ resumed: true, earlyData: "not offered" })
    expect(pair.server.connection.info).toMatchObject({ resumed: true, earlyData: "not offered" })
    expect(client.records.map(({ innerType }) => innerType)).not.toContain(ContentType.application_data)
  })

  // Requirements F.5-3 (client), 4.3.10-12
  it("is not sent again when it was refused", () => {
    const refused = shakeHands({ ...offering, server: { ticketer } })
    expect(refused.pair.client.connection.info).toMatchObject({ earlyData: "rejected" })
    expect(refused.pair.server.events.map(({ type }) => type)).not.toContain("data")
    const data = refused.client.records.filter(({ innerType }) => innerType === ContentType.application_data)
    expect(data).toHaveLength(1)
  })

  // Requirement F.5-3 (server)
  it("is not taken by a server", () => {
    const { pair } = shakeHands({ ...offering, server: { ticketer } })
    expect(pair.server.connection.info).toMatchObject({ resumed: true, earlyData: "rejected" })
    expect(pair.server.events.map(({ type }) => type)).not.toContain("early-data")
  })

  // Requirement F.5-4
  it("can be told from what comes after the handshake: both sides say when it is complete", () => {
    const { pair } = shakeHands({ ...offering, server: { ticketer, earlyData: takesEarlyData } })
    for (const { events, connection } of [pair.client, pair.server]) {
      expect(events.map(({ type }) => type)).toContain("connected")
      expect(connection.info).toMatchObject({ earlyData: "accepted" })
    }
    const types = pair.server.events.map(({ type }) => type)
    expect(types.indexOf("early-data")).toBeGreaterThan(-1)
    expect(types.indexOf("early-data")).toBeLessThan(types.indexOf("connected"))
  })
})
