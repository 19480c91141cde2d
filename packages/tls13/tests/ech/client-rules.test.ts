// What a client that offers Encrypted Client Hello refuses of a server, and of a configuration.

import { describe, expect, it } from "vitest"
import { fromHex } from "../../src/bytes/hex.ts"
import type { EchConfig } from "../../src/ech/index.ts"
import {
  decodeEchConfigList,
  encodeEchConfig,
  encodeEchConfigList,
  greaseEncryptedClientHello,
  offerEncryptedClientHello,
} from "../../src/ech/index.ts"
import type { ClientOptions, ServerOptions } from "../../src/handshake/options.ts"
import { expectRefused, sessionFor, start, storeOf } from "../support.ts"
import {
  editExtensions,
  editServerHello,
  extension,
  type RawExtension,
  removeExtension,
  setExtension,
} from "../tools/edit.ts"
import type { MessageName } from "../tools/puppet.ts"
import { Puppet } from "../tools/puppet.ts"
import { clientOptions, key, listOf, offerOf, otherKey, provider, ringOf, serverOptions } from "./scenes.ts"

interface Scene {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
}

/** A client with an offer, and a server that accepts it, or does not, and whose message is changed before it takes it in itself. */
function clientWith(
  name: MessageName,
  edit: (message: Uint8Array) => Uint8Array,
  { client, server }: Scene = {},
): Puppet {
  const puppet = Puppet.ofClient({
    client: { ...clientOptions, encryptedClientHello: offerOf(key), ...client },
    server: { ...serverOptions, encryptedClientHello: ringOf(key), ...server },
    rewrite: (sent, message) => (sent === name ? edit(message) : message),
    now: start,
  })
  return puppet.run()
}

const retries: Scene = { client: { keyShares: [] } }
const rejecting: Scene = { server: { encryptedClientHello: ringOf(otherKey) } }
const ech = (data: Uint8Array) => (extensions: RawExtension[]) =>
  setExtension(extensions, "encrypted_client_hello", data)

describe("RFC 9849 section 5: encrypted_client_hello of a server", () => {
  const inEncryptedExtensions = (data: Uint8Array, scene: Scene = {}) =>
    clientWith("encrypted_extensions", (message) => editExtensions(message, ech(data)), scene)

  it("with configurations, though it has accepted: unsupported_extension", () => {
    expectRefused(inEncryptedExtensions(listOf(otherKey)), "unsupported_extension", "PeerMisbehaved", /section 5/)
  })

  it.each([
    ["nothing", ""],
    ["an empty list", "0000"],
    ["half a configuration", "0004fe0d0001"],
    ["bytes after its end", "0004000000000000"],
  ])("section 6.1.6: with %s for a list of configurations: decode_error", (_, hex) => {
    expectRefused(inEncryptedExtensions(fromHex(hex), rejecting), "decode_error", "InvalidMessage")
  })

  it("section 6.1.6: with configurations of other versions alone: it has turned this one off", () => {
    const puppet = inEncryptedExtensions(fromHex("0004fe090000"), rejecting)
    expect(puppet.subject.failure).toMatchObject({ kind: "EncryptedClientHelloRejected", retryConfigs: undefined })
  })

  it("in a ServerHello, where it has no place: illegal_parameter", () => {
    const puppet = clientWith("server_hello", (message) =>
      editServerHello(message, ({ extensions }) => void extensions.push(extension("encrypted_client_hello"))),
    )
    expectRefused(puppet, "illegal_parameter", "InvalidMessage")
  })

  it("that was not asked for: unsupported_extension", () => {
    const client = { encryptedClientHello: undefined }
    expectRefused(inEncryptedExtensions(listOf(key), { client }), "unsupported_extension", "PeerMisbehaved")
    const puppet = clientWith(
      "hello_retry_request",
      (message) => editServerHello(message, ({ extensions }) => ech(new Uint8Array(8))(extensions)),
      { client: { ...retries.client, ...client } },
    )
    expectRefused(puppet, "unsupported_extension", "PeerMisbehaved")
  })
})

describe("RFC 9849 section 6.1.4: a HelloRetryRequest", () => {
  const inRetry = (edit: (extensions: RawExtension[]) => void, scene: Scene = retries) =>
    clientWith(
      "hello_retry_request",
      (message) => editServerHello(message, ({ extensions }) => edit(extensions)),
      scene,
    )

  it.each([0, 7, 9])("with a signal of %d bytes: decode_error", (length) => {
    expectRefused(inRetry(ech(new Uint8Array(length))), "decode_error", "InvalidMessage")
  })

  it.each([
    ["another signal", ech(new Uint8Array(8))],
    ["none", (extensions: RawExtension[]) => removeExtension(extensions, "encrypted_client_hello")],
  ])("with %s, by a server that then answers ClientHelloOuter: it is rejected", (_, edit) => {
    const { failure } = inRetry(edit, { ...retries, ...rejecting }).subject
    expect(failure).toMatchObject({ kind: "EncryptedClientHelloRejected" })
  })

  it("section 6.1.5: with the signal, and then a ServerHello without: illegal_parameter", () => {
    const puppet = clientWith(
      "server_hello",
      (message) => editServerHello(message, ({ random }) => random.reverse()),
      retries,
    )
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /section 6\.1\.5/)
  })
})

describe("RFC 9846 section 4.2.4: a second HelloRetryRequest", () => {
  it.each([
    ["accepted", {}],
    ["rejected", rejecting.server],
  ])("after one by which the offer is %s: unexpected_message", (_, server) => {
    const puppet = Puppet.ofClient({
      client: { ...clientOptions, encryptedClientHello: offerOf(key), keyShares: [] },
      server: { ...serverOptions, encryptedClientHello: ringOf(key), ...server },
      now: start,
    })
    const retry = puppet.parts[0]!.content
    puppet.deliver()
    puppet.message(retry)
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /second HelloRetryRequest/)
  })
})

describe("RFC 9849 section 6.1.4: a ServerHello", () => {
  it("whose signal is changed is taken as one for ClientHelloOuter, of which the transcript is another: decrypt_error", () => {
    const puppet = clientWith("server_hello", (message) =>
      editServerHello(message, ({ random }) => random.fill(5, 24, 25)),
    )
    // Its server has other keys, and cannot read the alert.
    expect(puppet.subject.failure).toMatchObject({ alert: "decrypt_error", kind: "PeerMisbehaved" })
  })

  it("section 6.1.2: that selects a PSK, for ClientHelloOuter: illegal_parameter", () => {
    const session = sessionFor({ server: {} })
    const puppet = clientWith(
      "server_hello",
      (message) =>
        editServerHello(message, ({ extensions }) => setExtension(extensions, "pre_shared_key", Uint8Array.of(0, 0))),
      { client: { sessionStore: storeOf(session) }, ...rejecting },
    )
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
  })

  it("of TLS 1.2: there is no such version here", () => {
    const puppet = clientWith("server_hello", (message) =>
      editServerHello(message, ({ extensions }) => removeExtension(extensions, "supported_versions")),
    )
    expectRefused(puppet, "protocol_version", "PeerIncompatible")
  })
})

describe("RFC 9849 section 6.2: a client that has made up its offer", () => {
  const client = { encryptedClientHello: greaseEncryptedClientHello({ provider }) }

  it("ignores configurations, but not what is none: decode_error", () => {
    const edit = (data: Uint8Array) => (message: Uint8Array) => editExtensions(message, ech(data))
    const ignoring = clientWith("encrypted_extensions", edit(listOf(key)), { client })
    expect(ignoring.subject.failure).toBeUndefined()
    const refusing = clientWith("encrypted_extensions", edit(Uint8Array.of(0, 0)), { client })
    expectRefused(refusing, "decode_error", "InvalidMessage")
  })

  it("ignores a signal in HelloRetryRequest, but not one of another length: decode_error", () => {
    const edit = (length: number) => (message: Uint8Array) =>
      editServerHello(message, ({ extensions }) => ech(new Uint8Array(length))(extensions))
    const scene = { client: { ...client, keyShares: [] } }
    expect(clientWith("hello_retry_request", edit(8), scene).subject.failure).toBeUndefined()
    expectRefused(clientWith("hello_retry_request", edit(7), scene), "decode_error", "InvalidMessage")
  })
})

describe("RFC 9849 section 6.1: a configuration", () => {
  const [good] = decodeEchConfigList(listOf(key)) as [EchConfig]
  const made = (changes: Partial<EchConfig>): Uint8Array => encodeEchConfig({ ...good, ...changes })
  /** One whose public name is not looked at when it is made. */
  const named = (name: string): Uint8Array => {
    const config = made({ publicName: "x".repeat(name.length) })
    const at = config.length - 2 - name.length
    for (let i = 0; i < name.length; i++) config[at + i] = name.charCodeAt(i)
    return config
  }
  const offer = (...configs: readonly Uint8Array[]) =>
    offerEncryptedClientHello({ provider, configs: encodeEchConfigList(configs) })

  const unusable: readonly [what: string, config: Uint8Array, why: string][] = [
    ["of another version", fromHex("fe0a00020000"), "it has none of version 0xfe0d"],
    [
      "with a mandatory extension",
      made({ extensions: [{ type: 0x8001, data: new Uint8Array(0) }] }),
      "mandatory extension 0x8001",
    ],
    [
      "with an extension twice",
      made({ extensions: [1, 1].map((type) => ({ type, data: new Uint8Array(0) })) }),
      "an extension twice",
    ],
    ["of another KEM", made({ kem: 0x0012 }), "no HPKE suite"],
    ["of another KDF", made({ cipherSuites: [{ kdf: 3, aead: 1 }] }), "no HPKE suite"],
    ["of another AEAD", made({ cipherSuites: [{ kdf: 1, aead: 0xffff }] }), "no HPKE suite"],
    ["with a key that is none", made({ publicKey: new Uint8Array(31) }), "a public key that is none of its KEM"],
    ["with a key of small order", made({ publicKey: new Uint8Array(32) }), "a public key that is none of its KEM"],
    ["with a public name that could be an address", named("192.0.2.1"), "could be read as an IPv4 address"],
    ["with a public name that is none", named("a_b.example"), "letters, digits and inner hyphens"],
  ]

  it.each(unusable)("%s is passed over, and refused when there is no other", (_, config, why) => {
    expect(() => offer(config)).toThrow(why)
    expect(() => offer(config, key.config)).not.toThrow()
  })

  it("may have extensions that need not be known, and suites that are not", () => {
    const cipherSuites = [{ kdf: 3, aead: 1 }, { kdf: 1, aead: 0xffff }, ...good.cipherSuites]
    expect(() => offer(made({ cipherSuites, extensions: [{ type: 0x0a0a, data: new Uint8Array(9) }] }))).not.toThrow()
  })

  it("of a list that is none: InvalidMessage", () => {
    expect(() => offerEncryptedClientHello({ provider, configs: new Uint8Array(0) })).toThrow(
      "ECHConfigList is cut short",
    )
  })
})
