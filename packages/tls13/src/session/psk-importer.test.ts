import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { fromHex, toHex } from "../bytes/hex.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { ClientConnection } from "../connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../connection/config.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import { createNobleProvider } from "../crypto/noble/index.ts"
import type { ClientOptions } from "../handshake/options.ts"
import { Pair, received } from "../testing/pair.ts"
import { decodeImportedIdentity, encodeImportedIdentity, type ImportOptions, importPsk } from "./psk-importer.ts"
import { MemoryPskStore } from "./psk-store.ts"
import type { ExternalPsk } from "./session.ts"

const provider = createNobleProvider()
const identity = asciiToBytes("sensor 17")
const key = fromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
const context = asciiToBytes("client=sensor 17,server=broker 3")

describe("RFC 9258 section 5: the importer", () => {
  const cases = readCases()

  it("has the six cases of its vectors", () => expect(cases).toHaveLength(6))

  for (const [index, { hash, values }] of cases.entries()) {
    const target = values("TargetHash") === "SHA-256" ? "sha256" : "sha384"
    it(`case ${index + 1}: a key of ${hash} for ${target}`, () => {
      const bytes = (name: string) => fromHex(values(name))
      const options = { identity: bytes("Identity"), key: bytes("Key"), context: bytes("Context"), hash, provider }
      const imported = importPsk(options).find((psk) => psk.hash === target)
      expect(toHex(imported!.key)).toBe(values("Output"))
    })
  }

  it("5.1: makes one key for each KDF of the suites, named by an ImportedIdentity", () => {
    const imported = importPsk({ identity, key, context, provider })
    expect(imported.map(({ kind, hash }) => [kind, hash])).toEqual([
      ["imported", "sha256"],
      ["imported", "sha384"],
    ])
    expect(imported.map((psk) => decodeImportedIdentity(psk.identity))).toEqual([
      { externalIdentity: identity, context, targetProtocol: 0x0304, targetKdf: 1 },
      { externalIdentity: identity, context, targetProtocol: 0x0304, targetKdf: 2 },
    ])
  })

  it("5.1: another context, identity or hash gives other keys", () => {
    const keyOf = (changes: Partial<ImportOptions>) =>
      toHex(importPsk({ identity, key, context, provider, ...changes })[0]!.key)
    const keys = [
      keyOf({}),
      keyOf({ context: asciiToBytes("client=broker 3,server=sensor 17") }),
      keyOf({ identity: asciiToBytes("sensor 18") }),
      keyOf({ hash: "sha384" }),
    ]
    expect(new Set(keys).size).toBe(4)
  })

  it("refuses what cannot be a PSK", () => {
    expect(() => importPsk({ identity: new Uint8Array(0), key, provider })).toThrow(/identity/)
    expect(() => importPsk({ identity, key: key.subarray(0, 15), provider })).toThrow(/15 bytes/)
    expect(() => importPsk({ identity, key, context: new Uint8Array(65_535), provider })).toThrow(/too long/)
    const sha384Only = { ...provider, cipherSuites: provider.cipherSuites.filter(({ hash }) => hash.name === "sha384") }
    expect(() => importPsk({ identity, key, provider: sha384Only })).toThrow(/no sha256/)
  })

  it("tells an ImportedIdentity from another name", () => {
    const whole = encodeImportedIdentity({ externalIdentity: identity, context, targetProtocol: 0x0304, targetKdf: 1 })
    expect(decodeImportedIdentity(whole)).toBeDefined()
    expect(decodeImportedIdentity(whole.subarray(0, -1))).toBeUndefined()
    expect(decodeImportedIdentity(Uint8Array.of(...whole, 0))).toBeUndefined()
    expect(decodeImportedIdentity(identity)).toBeUndefined()
  })
})

describe("imported keys in a handshake", () => {
  const imported = importPsk({ identity, key, context, provider })

  function connect(
    offered: readonly ExternalPsk[],
    known: readonly ExternalPsk[],
    client: Partial<ClientOptions> = {},
  ) {
    const now = 1_800_000_000_000
    const clientConfig = createClientConfig({ provider, externalPsks: offered, ...client })
    const serverConfig = createServerConfig({ provider, externalPsks: new MemoryPskStore(known) })
    return new Pair(new ClientConnection(clientConfig, now), new ServerConnection(serverConfig, now), now).handshake()
  }

  for (const suite of ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]) {
    it(`agree on the key for ${suite}`, () => {
      const { client, server } = connect(imported, imported, { cipherSuites: [suite] })
      const { hash } = provider.cipherSuites.find(({ name }) => name === suite)!
      const expected = imported.find((psk) => psk.hash === hash.name)!.identity
      expect(client.connection.info).toMatchObject({ authentication: "psk", pskIdentity: expected, cipherSuite: suite })
      expect(server.connection.info).toMatchObject({ authentication: "psk", pskIdentity: expected, resumed: false })
    })
  }

  it('RFC 9258 section 5.2: the binder of an imported key is made with "imp binder"; "ext binder" is a decrypt_error', () => {
    const asExternal = imported.map((psk): ExternalPsk => ({ ...psk, kind: "external" }))
    const { client, server } = connect(asExternal, imported)
    expect(server.connection.failure).toMatchObject({ kind: "PeerMisbehaved", alert: "decrypt_error" })
    expect(client.connection.failure).toMatchObject({ received: "decrypt_error" })
  })

  it("RFC 9258 appendix B: a key imported for other roles is unknown", () => {
    const reflected = importPsk({ identity, key, context: asciiToBytes("client=broker 3,server=sensor 17"), provider })
    const { server } = connect(reflected, imported)
    expect(server.connection.failure).toMatchObject({ kind: "PeerIncompatible", alert: "handshake_failure" })
  })

  it("carry data", () => {
    const pair = connect(imported, imported)
    pair.take(pair.client, pair.client.connection.send(asciiToBytes("hello")))
    pair.run()
    expect(received(pair.server)).toEqual(asciiToBytes("hello"))
  })
})

describe("external PSKs in memory", () => {
  const psk: ExternalPsk = { identity, key, hash: "sha256", kind: "external" }

  it("are found by the whole identity", () => {
    const store = new MemoryPskStore([psk])
    expect(store.lookup(identity.slice())).toEqual(psk)
    expect(store.lookup(identity.subarray(1))).toBeUndefined()
    store.remove(identity)
    expect(store.size).toBe(0)
  })

  it("have one key an identity", () => {
    expect(() => new MemoryPskStore([psk, { ...psk, kind: "imported" }])).toThrow(/given twice/)
  })
})

/** `[SHA-256]` begins the cases of a key's hash; a case is lines `Name = hex`. */
function readCases() {
  const path = new URL("../../../../test-vectors/botan-tls13/tls_13_psk_import.vec", import.meta.url)
  const blocks = readFileSync(path, "utf8").split(/\n\s*\n/)
  let hash: "sha256" | "sha384" = "sha256"
  return blocks.flatMap((block) => {
    const section = /^\[(.*)\]$/m.exec(block)?.[1]
    if (section !== undefined) hash = section === "SHA-256" ? "sha256" : "sha384"
    if (!block.includes("Output")) return []
    const lines = new Map([...block.matchAll(/^(\w+) *=[ \t]*(.*)$/gm)].map((match) => [match[1]!, match[2]!.trim()]))
    return [{ hash, values: (name: string) => lines.get(name)! }]
  })
}
