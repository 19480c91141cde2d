// What a server with ECH keys refuses of a client, and what it only passes over.

import { describe, expect, it, vi } from "vitest"
import type { AlertName } from "../../src/bytes/alerts.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { copyOf } from "../../src/bytes/copy.ts"
import { asciiToBytes, utf8ToBytes } from "../../src/bytes/text.ts"
import { Writer } from "../../src/bytes/writer.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import {
  decodeEchConfigList,
  EchKeyRing,
  type EchServerKey,
  encodeEchConfig,
  generateEchKey,
} from "../../src/ech/index.ts"
import type { ClientOptions, ServerOptions } from "../../src/handshake/options.ts"
import { type HpkeSender, HpkeSuite } from "../../src/hpke/index.ts"
import { serverCredential, start } from "../support.ts"
import { always } from "../tools/credentials.ts"
import {
  editClientHello,
  extension,
  extensionData,
  type RawClientHello,
  removeExtension,
  setExtension,
} from "../tools/edit.ts"
import {
  clientOptions,
  key,
  listOf,
  offerOf,
  otherKey,
  pairOf,
  provider,
  publicName,
  ringOf,
  serverOptions,
} from "./scenes.ts"

const info = concatBytes(asciiToBytes("tls ech\0"), key.config)
const [config] = decodeEchConfigList(listOf(key))
const suite = HpkeSuite.of(provider, { kem: 0x0020, kdf: 1, aead: 1 })!

/** A ClientHello by hand, of which every part can be another. */
interface Hand {
  /** Changes ClientHelloInner before it is encoded. */
  readonly inner?: (hello: RawClientHello) => void
  /** Changes EncodedClientHelloInner. */
  readonly encoded?: (bytes: Uint8Array) => Uint8Array
  /** Changes ClientHelloOuter before anything is sealed. */
  readonly outer?: (hello: RawClientHello) => void
  /** Changes it afterwards. */
  readonly sealed?: (hello: RawClientHello) => void
  readonly fields?: {
    readonly type?: number
    readonly kdf?: number
    readonly aead?: number
    readonly id?: number
    readonly enc?: Uint8Array
  }
  /** Of the first hello, when this is the second. */
  readonly context?: HpkeSender
}

function plainHello(options: Partial<ClientOptions> = {}): Uint8Array {
  const client = new ClientConnection(createClientConfig({ ...clientOptions, ...options }), start)
  return copyOf(client.start().output.subarray(5))
}

const body = (message: Uint8Array): Uint8Array => message.subarray(4)

function byHand(message: Uint8Array, hand: Hand = {}): { readonly bytes: Uint8Array; readonly context: HpkeSender } {
  const inner = editClientHello(message, (hello) => {
    setExtension(hello.extensions, "encrypted_client_hello", Uint8Array.of(1))
    hello.legacySessionId = new Uint8Array(0)
    hand.inner?.(hello)
  })
  const encoded = hand.encoded?.(copyOf(body(inner))) ?? body(inner)
  const made = hand.context
    ? { enc: new Uint8Array(0), context: hand.context }
    : suite.setupBaseS(config!.publicKey, info)
  const { type = 0, kdf = 1, aead = 1, id = 1, enc = made.enc } = hand.fields ?? {}
  const contents = (payload: Uint8Array): Uint8Array =>
    new Writer().uint8(type).uint16(kdf).uint16(aead).uint8(id).vector16(enc).vector16(payload).finish()
  const outer = (payload: Uint8Array, edit?: (hello: RawClientHello) => void): Uint8Array =>
    editClientHello(message, (hello) => {
      hello.random.fill(7)
      setExtension(
        hello.extensions,
        "server_name",
        concatBytes(Uint8Array.of(0, 17, 0, 0, 14), utf8ToBytes(publicName)),
      )
      hand.outer?.(hello)
      setExtension(hello.extensions, "encrypted_client_hello", contents(payload))
      edit?.(hello)
    })
  const payload = made.context.seal(body(outer(new Uint8Array(encoded.length + 16))), encoded)
  return { bytes: outer(payload, hand.sealed), context: made.context }
}

const recordOf = (message: Uint8Array): Uint8Array => new Writer().uint8(22).uint16(0x0301).vector16(message).finish()

function serverFor(options: Partial<ServerOptions> = {}): ServerConnection {
  const server = { ...serverOptions, encryptedClientHello: ringOf(key), ...options }
  return new ServerConnection(createServerConfig(server), start)
}

function answerTo(hand: Hand, options: Partial<ServerOptions> = {}): ServerConnection {
  const server = serverFor(options)
  server.receive(recordOf(byHand(plainHello(), hand).bytes), start)
  return server
}

function expectAlert(server: ServerConnection, alert: AlertName, message: RegExp): void {
  expect({ alert: server.failure?.alert, message: server.failure?.message }).toEqual({
    alert,
    message: expect.stringMatching(message),
  })
}

/** The server has gone on, with one hello or the other. */
function serverNameOf(hand: Hand, options: Partial<ServerOptions> = {}): string | undefined {
  const server = serverFor(options)
  const { events } = server.receive(recordOf(byHand(plainHello(), hand).bytes), start)
  expect(server.failure).toBeUndefined()
  const [offered] = events
  return offered?.type === "offered" ? offered.offer.serverName : undefined
}

const accepted = "server.test"

describe("the ClientHello by hand", () => {
  it("is accepted as it is", () => {
    expect(serverNameOf({})).toBe(accepted)
  })
})

describe("RFC 9849 section 7: encrypted_client_hello in a first ClientHello", () => {
  const bare = (data: Uint8Array): Hand => ({
    sealed: ({ extensions }) => setExtension(extensions, "encrypted_client_hello", data),
  })
  const outer = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))
  const rows: readonly [what: string, data: string, alert: AlertName, message: RegExp][] = [
    ["of type inner", "01", "illegal_parameter", /type inner: it was not encrypted/],
    ["of type inner, and not empty", "0100", "decode_error", /after its end/],
    ["of a type that is none", "02", "illegal_parameter", /type 2, which is none/],
    ["of no bytes", "", "decode_error", /cut short/],
    ["that is cut short", "00000100010100", "decode_error", /cut short/],
    ["without a payload", "000001000101000100" + "0000", "decode_error", /payload/],
    ["with bytes after its end", "0000010001010001aa0001bbcc", "decode_error", /after its end/],
  ]

  it.each(rows)("%s", (_, data, alert, message) => {
    expectAlert(answerTo(bare(outer(data))), alert, message)
  })

  it("is ignored by a server without keys, whatever it is", () => {
    for (const [, data] of rows)
      expect(serverNameOf(bare(outer(data)), { encryptedClientHello: undefined })).toBe(publicName)
  })
})

describe("RFC 9849 section 7.1: what cannot be decrypted is rejected, and ClientHelloOuter answered", () => {
  const rows: readonly [what: string, hand: Hand][] = [
    ["an identifier that no key has", { fields: { id: 77 } }],
    ["a suite that the key has not", { fields: { aead: 0x7777 } }],
    ["a suite that is another than the payload's", { fields: { aead: 3 } }],
    ["no encapsulated key", { fields: { enc: new Uint8Array(0) } }],
    ["an encapsulated key that is cut short", { fields: { enc: new Uint8Array(31).fill(9) } }],
    ["an encapsulated key of small order", { fields: { enc: new Uint8Array(32) } }],
    ["an outer hello that somebody has changed (section 5.2)", { sealed: (hello) => void hello.random.fill(8) }],
    ["an outer hello with another name", { sealed: ({ extensions }) => removeExtension(extensions, "server_name") }],
    [
      "a payload that somebody has changed",
      {
        sealed({ extensions }) {
          const data = copyOf(extensionData(extensions, "encrypted_client_hello"))
          data[data.length - 1]! ^= 1
          setExtension(extensions, "encrypted_client_hello", data)
        },
      },
    ],
  ]

  it.each(rows)("%s", (_, hand) => {
    expect([publicName, undefined]).toContain(serverNameOf(hand))
  })

  it("but with trial decryption another identifier does not matter (section 10.4)", () => {
    const encryptedClientHello = new EchKeyRing({ provider, keys: [otherKey, key], trialDecryption: true })
    expect(serverNameOf({ fields: { id: 77 } }, { encryptedClientHello })).toBe(accepted)
  })

  it("section 4.1: of two keys with one identifier the right one is found", () => {
    const same = generateEchKey({ provider, publicName, configId: 1 })
    expect(serverNameOf({}, { encryptedClientHello: ringOf(same, key) })).toBe(accepted)
  })
})

describe("RFC 9849 section 5.1: EncodedClientHelloInner", () => {
  const named = (...types: readonly number[]): Hand => ({
    inner({ extensions }) {
      const at = extensions.findIndex(({ type }) => types.includes(type))
      const list = new Writer().vector8((writer) => types.forEach((type) => void writer.uint16(type))).finish()
      const kept = extensions.filter(({ type }) => !types.includes(type))
      kept.splice(Math.max(0, at), 0, extension("ech_outer_extensions", list))
      extensions.splice(0, extensions.length, ...kept)
    },
  })
  /** supported_groups, signature_algorithms and key_share, in the order of the hello. */
  const order = (): number[] => {
    const types: number[] = []
    editClientHello(plainHello(), ({ extensions }) => {
      types.push(...extensions.map(({ type }) => type).filter((type) => [10, 13, 51].includes(type)))
    })
    return types
  }

  it("may name extensions of the outer hello, apart or together", () => {
    expect(serverNameOf(named(...order()))).toBe(accepted)
    expect(serverNameOf(named(order()[0]!, order()[2]!))).toBe(accepted)
  })

  const [first, second, third] = order() as [number, number, number]
  const rows: readonly [what: string, hand: Hand, alert: AlertName, message: RegExp][] = [
    ["an extension that the outer hello has not", named(first, 0x1234), "illegal_parameter", /names 0x1234, which/],
    ["an extension twice", named(first, first), "illegal_parameter", /which ClientHelloOuter does not have/],
    ["extensions in another order", named(third, first), "illegal_parameter", /or not in this place/],
    ["encrypted_client_hello", named(first, 0xfe0d), "illegal_parameter", /names encrypted_client_hello/],
    [
      "ech_outer_extensions itself",
      { ...named(0xfd00), outer: ({ extensions }) => void extensions.push(extension("ech_outer_extensions")) },
      "illegal_parameter",
      /names itself/,
    ],
    ["nothing", named(), "decode_error", /OuterExtensions/],
    [
      "half a type",
      { inner: ({ extensions }) => void extensions.push(extension("ech_outer_extensions", Uint8Array.of(1, 0))) },
      "decode_error",
      /OuterExtensions/,
    ],
    [
      "more than it says",
      {
        inner: ({ extensions }) => void extensions.push(extension("ech_outer_extensions", Uint8Array.of(2, 0, 10, 0))),
      },
      "decode_error",
      /after its end/,
    ],
    [
      "extensions in two places",
      {
        inner: ({ extensions }) =>
          void extensions.push(
            extension("ech_outer_extensions", Uint8Array.of(2, 0, 10)),
            extension("ech_outer_extensions", Uint8Array.of(2, 0, 13)),
          ),
      },
      "illegal_parameter",
      /ech_outer_extensions twice/,
    ],
    [
      "an extension that the inner hello has as well",
      {
        inner: ({ extensions }) => void extensions.push(extension("ech_outer_extensions", Uint8Array.of(2, 0, second))),
      },
      "illegal_parameter",
      /twice/,
    ],
  ]

  it.each(rows)("names %s", (_, hand, alert, message) => {
    expectAlert(answerTo(hand), alert, message)
  })

  it("is padded with zeros, and with nothing else", () => {
    expect(serverNameOf({ encoded: (bytes) => concatBytes(bytes, new Uint8Array(100)) })).toBe(accepted)
    const other = answerTo({ encoded: (bytes) => concatBytes(bytes, Uint8Array.of(0, 0, 1, 0)) })
    expectAlert(other, "illegal_parameter", /other bytes than zeros/)
  })

  it("has no legacy_session_id of its own", () => {
    const server = answerTo({ inner: (hello) => void Object.assign(hello, { legacySessionId: new Uint8Array(32) }) })
    expectAlert(server, "illegal_parameter", /legacy_session_id of its own/)
  })

  it("that is cut short, or nothing: decode_error", () => {
    expectAlert(answerTo({ encoded: (bytes) => bytes.subarray(0, 60) }), "decode_error", /EncodedClientHelloInner/)
    expectAlert(answerTo({ encoded: () => new Uint8Array(0) }), "decode_error", /EncodedClientHelloInner/)
  })

  it.each<[string, NonNullable<Hand["inner"]>, RegExp]>([
    [
      "has no encrypted_client_hello",
      ({ extensions }) => removeExtension(extensions, "encrypted_client_hello"),
      /lacks/,
    ],
    [
      "has one of type outer",
      ({ extensions }) => setExtension(extensions, "encrypted_client_hello", Uint8Array.of(0)),
      /lacks/,
    ],
    [
      "has one that is not empty",
      ({ extensions }) => setExtension(extensions, "encrypted_client_hello", Uint8Array.of(1, 0)),
      /lacks/,
    ],
    [
      "offers TLS 1.2 as well",
      ({ extensions }) => setExtension(extensions, "supported_versions", Uint8Array.of(4, 3, 4, 3, 3)),
      /TLS 1\.2 or below/,
    ],
    ["offers no version", ({ extensions }) => removeExtension(extensions, "supported_versions"), /TLS 1\.2 or below/],
  ])("section 7.1: that %s: illegal_parameter", (_, inner, message) => {
    expectAlert(answerTo({ inner }), "illegal_parameter", message)
  })
})

describe("RFC 9849 section 7.1.1: the second ClientHello", () => {
  function retried(second: Hand & { readonly drop?: boolean }): ServerConnection {
    const server = serverFor()
    const first = plainHello({ keyShares: [] })
    const { bytes, context } = byHand(first)
    server.receive(recordOf(bytes), start)
    expect(server.failure).toBeUndefined()
    // The same with the share that was asked for: of X25519, any 32 bytes.
    const again = editClientHello(first, ({ extensions }) => {
      const share = new Writer().uint16(0x001d).vector16(new Uint8Array(32).fill(9)).finish()
      setExtension(extensions, "key_share", new Writer().vector16(share).finish())
    })
    const message = second.drop
      ? editClientHello(again, (hello) => void hello.random.fill(7))
      : byHand(again, { context, ...second }).bytes
    server.receive(recordOf(message), start)
    return server
  }

  it("is opened by the same context", () => {
    expect(retried({}).failure).toBeUndefined()
  })

  const rows: readonly [what: string, second: Parameters<typeof retried>[0], alert: AlertName][] = [
    ["has lost the extension", { drop: true }, "missing_extension"],
    ["has another config_id", { fields: { id: 2 } }, "illegal_parameter"],
    ["has another KDF", { fields: { kdf: 3 } }, "illegal_parameter"],
    ["has another AEAD", { fields: { aead: 3 } }, "illegal_parameter"],
    ["has an encapsulated key", { fields: { enc: new Uint8Array(32).fill(9) } }, "illegal_parameter"],
    ["is sealed for the wrong place", { sealed: (hello) => void hello.random.fill(8) }, "decrypt_error"],
    ["is padded with other bytes", { encoded: (bytes) => concatBytes(bytes, Uint8Array.of(1)) }, "illegal_parameter"],
    [
      "has another inner hello, which section 4.2.2 of RFC 9846 does not allow",
      { inner: (hello) => void hello.random.fill(3) },
      "illegal_parameter",
    ],
  ]

  it.each(rows)("that %s", (_, second, alert) => {
    expectAlert(retried(second), alert, /./)
  })
})

describe("the ECH keys of a server", () => {
  it("can be replaced: who comes later meets the new ones, and is told of them", () => {
    const ring = ringOf(key)
    const before = pairOf({}, { encryptedClientHello: ring })
    before.take(before.client, before.client.connection.start())
    ring.replace([otherKey, { ...key, retry: false }])
    expect(ring.configs).toEqual(listOf(otherKey))
    before.run()
    expect(before.client.connection.info?.encryptedClientHello).toBe("accepted")
    expect(pairOf({}, { encryptedClientHello: ring }).handshake().client.connection.failure).toBeUndefined()
    ring.replace([otherKey])
    const { failure } = pairOf({}, { encryptedClientHello: ring }).handshake().client.connection
    expect(failure).toMatchObject({ retryConfigs: listOf(otherKey) })
    const encryptedClientHello = offerOf(otherKey)
    expect(
      pairOf({ encryptedClientHello }, { encryptedClientHello: ring }).handshake().client.connection.failure,
    ).toBeUndefined()
  })

  it("are copied", () => {
    const lent: EchServerKey = { config: Buffer.from(key.config), privateKey: Buffer.from(key.privateKey) }
    const ring = ringOf(lent)
    lent.config.fill(0)
    lent.privateKey.fill(0)
    expect(pairOf({}, { encryptedClientHello: ring }).handshake().client.connection.failure).toBeUndefined()
  })

  it("have to be keys, of which clients can retry with one", () => {
    expect(() => ringOf()).toThrow("needs a key whose configuration clients can retry with")
    expect(() => ringOf({ ...key, retry: false })).toThrow("needs a key whose configuration clients can retry with")
    expect(() => ringOf({ ...key, privateKey: otherKey.privateKey })).toThrow("is not that of its configuration")
    expect(() => ringOf({ ...key, config: new Uint8Array(3) })).toThrow("4 to 65535 bytes")
    const other = encodeEchConfig({ ...config!, kem: 0x0012 })
    expect(() => ringOf({ ...key, config: other })).toThrow("has no HPKE suite that the crypto provider has")
    const ring = ringOf(key)
    expect(() => ring.replace([])).toThrow()
    expect(ring.configs).toEqual(listOf(key))
  })

  it("do not go with stateless retries, which keep nothing", () => {
    const statelessRetry = { cookies: { seal: () => new Uint8Array(1), open: () => undefined } }
    expect(() => serverFor({ statelessRetry })).toThrow("encryptedClientHello cannot go with statelessRetry")
  })

  it("go with a signer that makes key shares, which is not asked to: it does not know the random of ServerHello", () => {
    const { signer } = serverCredential
    const respondAndSign = vi.fn(() => undefined)
    const credentials = always({ ...serverCredential, signer: { sign: signer.sign.bind(signer), respondAndSign } })
    expect(pairOf({}, { credentials }).handshake().client.connection.failure).toBeUndefined()
    expect(respondAndSign).not.toHaveBeenCalled()
    pairOf({ encryptedClientHello: undefined }, { credentials }).handshake()
    expect(respondAndSign).toHaveBeenCalledOnce()
  })
})

describe("whatever comes", () => {
  it("never throws: 400 hellos with a byte changed, outside or inside", () => {
    const message = plainHello()
    let seed = 1
    const next = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed % below
    }
    const alerts = new Set<string | undefined>()
    for (let round = 0; round < 400; round++) {
      const server = serverFor()
      const flip = (bytes: Uint8Array): Uint8Array => {
        const changed = copyOf(bytes)
        changed[next(changed.length)] = next(256)
        return changed
      }
      const { bytes } = byHand(message, round % 2 === 0 ? { encoded: flip } : {})
      server.receive(
        recordOf(round % 2 === 0 ? bytes : concatBytes(bytes.subarray(0, 4), flip(bytes.subarray(4)))),
        start,
      )
      alerts.add(server.failure?.alert)
    }
    expect(alerts.has("internal_error")).toBe(false)
    expect(alerts.size).toBeGreaterThan(2)
  })
})
