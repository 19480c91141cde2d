// Encrypted Client Hello (RFC 9849): what a DNS record, a file and either peer give. The first byte says which of them the others are.
// What must hold beside typed errors:
// - ClientHelloInner is no longer than what was sent: nobody makes much out of little (section 5.1, appendix A);
// - what a connection answers is no internal_error, whether a payload opens or not.

import { AlertDescription } from "../../src/bytes/alerts.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { TlsError } from "../../src/bytes/errors.ts"
import { asciiToBytes } from "../../src/bytes/text.ts"
import { decodeClientHello } from "../../src/codec/client-hello.ts"
import { handshakeMessage } from "../../src/codec/message.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import type { Connection } from "../../src/connection/connection.ts"
import type { Outcome as Answer } from "../../src/connection/events.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import type { CryptoProvider } from "../../src/crypto/provider.ts"
import { chooseEchConfig } from "../../src/ech/choice.ts"
import { decodeEchOuter, encodeEchOuter } from "../../src/ech/client-hello.ts"
import { decodeEchConfig, decodeEchConfigList } from "../../src/ech/config.ts"
import { decodeInner } from "../../src/ech/decode-inner.ts"
import { greaseEncryptedClientHello } from "../../src/ech/grease.ts"
import { EchKeyRing, echConfigListFromPem, echKeysFromPem, echKeyToPem, generateEchKey } from "../../src/ech/index.ts"
import { encodeInner } from "../../src/ech/inner.ts"
import { offerEncryptedClientHello } from "../../src/ech/offer.ts"
import { type RawClientHello, rawHelloMessage, rawHelloOf } from "../../src/ech/raw-hello.ts"
import { HpkeSuite } from "../../src/hpke/index.ts"
import { MemoryPskStore } from "../../src/session/psk-store.ts"
import { X509Error } from "../../src/x509/errors.ts"
import type { Random } from "../random.ts"
import { type Target, Violation, wordsOf } from "../target.ts"
import { ofBytes } from "./decoders.ts"

const now = 1_800_000_000_000
const externalPsk = {
  identity: asciiToBytes("device"),
  key: new Uint8Array(32).fill(3),
  hash: "sha256",
  kind: "external",
} as const

/** Runs code that may refuse its input by an error of TLS with an alert of its own, or by X509Error. */
function refusing(run: () => void): string {
  try {
    run()
    return "taken"
  } catch (error) {
    if (error instanceof TlsError) return judged(error)
    if (error instanceof X509Error) return `X509Error ${error.reason}`
    throw error
  }
}

function judged(error: TlsError): string {
  if (error.alert === "internal_error" || !(error.alert === undefined || error.alert in AlertDescription)) throw error
  return wordsOf(error)
}

function answered({ events }: Answer): string {
  const failed = events.find((event) => event.type === "failed")
  return failed?.type === "failed" ? judged(failed.error) : "goes on"
}

export function ech(corpus: readonly Uint8Array[]): Target {
  const fast = createFastProvider()
  const constant = (length: number) => new Uint8Array(length).fill(9)
  const key = generateEchKey({ provider: fast, publicName: "public.example", configId: 7, random: constant })
  const config = decodeEchConfig(key.config)
  const suite = HpkeSuite.of(fast, { kem: config.kem, ...config.cipherSuites[0]! })!
  const info = concatBytes(asciiToBytes("tls ech\0"), key.config)
  const configs = new EchKeyRing({ provider: fast, keys: [key] }).configs
  const { outer, inner, answers } = flights(fast, key, configs)

  /** An outer hello with this payload, sealed for the server's key. */
  const sealed = (encoded: Uint8Array, random: (length: number) => Uint8Array): Uint8Array => {
    const { enc, context } = suite.setupBaseS(config.publicKey, info, random)
    const { extensions } = rawHelloOf(outer)
    const withPayload = (payload: Uint8Array) =>
      rawHelloMessage({
        ...rawHelloOf(outer),
        extensions: extensions.map((each) =>
          each.type === 0xfe0d
            ? { ...each, data: encodeEchOuter({ suite: suite.ids, configId: config.configId, enc, payload }) }
            : each,
        ),
      })
    const payload = context.seal(withPayload(new Uint8Array(encoded.length + suite.tagLength)).subarray(4), encoded)
    return withPayload(payload)
  }
  const connected = (random: Random) => ({ ...fast, random: (length: number) => random.bytes(length) })
  const server = (random: Random): ServerConnection => {
    const provider = connected(random)
    const encryptedClientHello = new EchKeyRing({ provider, keys: [key], trialDecryption: random.oneIn(2) })
    const externalPsks = new MemoryPskStore([externalPsk])
    return new ServerConnection(createServerConfig({ provider, externalPsks, encryptedClientHello }), now)
  }
  const client = (random: Random): ClientConnection => {
    const provider = connected(random)
    const encryptedClientHello = random.oneIn(4)
      ? greaseEncryptedClientHello({ provider })
      : offerEncryptedClientHello({ provider, configs })
    const options = { provider, serverName: "private.example", externalPsks: [externalPsk], encryptedClientHello }
    return new ClientConnection(createClientConfig(options), now)
  }
  const receive = (connection: Connection, message: Uint8Array): string =>
    answered(connection.receive(concatBytes(recordHeader(message.length), message), now))

  const kinds: readonly ((bytes: Uint8Array, random: Random) => string)[] = [
    (bytes) => refusing(() => void chooseEchConfig(decodeEchConfigList(bytes), fast)),
    (bytes) => refusing(() => void echConfigListFromPem(bytes)),
    (bytes) => refusing(() => void echKeysFromPem(bytes, fast)),
    (bytes) => refusing(() => void decodeEchOuter(bytes)),
    (bytes) =>
      refusing(() => {
        const { body } = decodeInner(bytes, rawHelloOf(outer))
        if (body.length > bytes.length + outer.length) {
          throw new Violation(`${bytes.length} bytes of EncodedClientHelloInner became ${body.length}`)
        }
      }),
    (bytes, random) => (bytes.length > 16_000 ? "too long" : receive(server(random), bytes)),
    (bytes, random) => {
      if (bytes.length > 12_000) return "too long"
      return receive(
        server(random),
        sealed(bytes, (length) => random.bytes(length)),
      )
    },
    (bytes, random) => {
      if (bytes.length > 16_000) return "too long"
      const connection = client(random)
      connection.start()
      return receive(connection, bytes)
    },
  ]
  const text = asciiToBytes(echKeyToPem(key))
  const templates = [configs, text, text, outerExtension(outer), inner, outer, inner, ...answers]
  const pool = templates.map((bytes, kind) => concatBytes(Uint8Array.of(Math.min(kind, kinds.length - 1)), bytes))
  return ofBytes("ech", [...pool, ...corpus], (input, random) => {
    const kind = (input[0] ?? 0) % kinds.length
    return `${names[kind]} ${kinds[kind]!(input.subarray(1), random)}`
  })
}

const names = ["list", "published", "key file", "outer", "inner", "server", "opened", "client"]

function recordHeader(length: number): Uint8Array {
  return Uint8Array.of(22, 3, 3, length >>> 8, length & 0xff)
}

function outerExtension(outer: Uint8Array): Uint8Array {
  return decodeClientHello(handshakeMessage(outer)).extensions.encrypted_client_hello!
}

/** What real ends send: ClientHelloOuter, EncodedClientHelloInner, and the answers of a server to it. */
function flights(
  provider: CryptoProvider,
  key: { readonly config: Uint8Array; readonly privateKey: Uint8Array },
  configs: Uint8Array,
): { readonly outer: Uint8Array; readonly inner: Uint8Array; readonly answers: readonly Uint8Array[] } {
  const random = (length: number) => new Uint8Array(length).fill(5)
  let inner: RawClientHello | undefined
  const client = new ClientConnection(
    createClientConfig({
      provider: { ...provider, random },
      serverName: "private.example",
      externalPsks: [externalPsk],
      groups: ["x25519", "secp256r1"],
      encryptedClientHello: offerEncryptedClientHello({ provider, configs }),
      trace: (event) => {
        if (event.type === "inner-hello") inner = rawHelloOf(event.message.slice())
      },
    }),
    now,
  )
  const hello = client.start().output
  const outer = hello.slice(5)
  const answers = [["x25519"], ["secp256r1"]].map((groups) => {
    const externalPsks = new MemoryPskStore([externalPsk])
    const encryptedClientHello = new EchKeyRing({ provider, keys: [key] })
    const options = { provider: { ...provider, random }, externalPsks, encryptedClientHello, groups }
    const { output } = new ServerConnection(createServerConfig(options), now).receive(hello.slice(), now)
    return output.slice(5, 5 + ((output[3]! << 8) | output[4]!))
  })
  return { outer, inner: encodeInner(inner!, rawHelloOf(outer), "private.example", 0), answers }
}
