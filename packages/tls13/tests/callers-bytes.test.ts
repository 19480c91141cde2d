// What an application gives stays its own: it may be a Buffer or a part of one, is not written, and may be used for something
// else, or wiped, once the call is over. The operations of providers are in crypto/bytes-conformance.ts.

import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { copyOf } from "../src/bytes/copy.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import {
  type ClientConfig,
  createClientConfig,
  createServerConfig,
  type ServerConfig,
} from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { createFastProvider } from "../src/crypto/fast/index.ts"
import { createHostProvider } from "../src/crypto/host/index.ts"
import { createNobleProvider } from "../src/crypto/noble/index.ts"
import { createX25519MLKEM768 } from "../src/crypto/noble-pq/index.ts"
import type { CryptoProvider, RandomSource } from "../src/crypto/provider.ts"
import { encodePkcs8, privateKeyToPem } from "../src/devcert/keys.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { MemorySessionStore } from "../src/session/client-store.ts"
import { decodeImportedIdentity, encodeImportedIdentity, importPsk } from "../src/session/psk-importer.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import type { ServerSession, Ticketer } from "../src/session/session.ts"
import { TicketKeyRing } from "../src/session/ticket-keys.ts"
import { MemoryTicketStore } from "../src/session/ticket-store.ts"
import { Pair } from "../src/testing/pair.ts"
import { certificateBytes, parseCertificate, parseCertificates } from "../src/x509/certificate/certificate.ts"
import { loadCredential, singleCredential } from "../src/x509/certificate/credential.ts"
import { parsePem, toPem } from "../src/x509/der/pem.ts"
import { parsePrivateKey } from "../src/x509/keys/private-key.ts"
import { encodeSpki, parseSpki } from "../src/x509/keys/spki.ts"
import { TrustStore, trustAnchor } from "../src/x509/path/trust.ts"
import { createCertificateVerifier } from "../src/x509/path/verifier.ts"
import { CrlStore, parseCrl, parseCrls } from "../src/x509/revocation/crl.ts"
import { ocspStatus, parseOcspResponse } from "../src/x509/revocation/ocsp.ts"
import { keyExchangeBytes } from "./crypto/bytes-conformance.ts"
import { Lender, shapes } from "./lent-bytes.ts"
import { makeCrl, makeIntermediate, makeLeaf, makeOcsp, makeRoot, now, privateKeyOf } from "./x509/pki.ts"

const providers = [createFastProvider(), createNobleProvider(), createHostProvider()]
const [fast] = providers as [CryptoProvider]

/** Parses from each shape, three times; lets the caller use its memory again; and looks at the value only then. */
function expectOwnValue<Value>(source: Uint8Array, parse: (bytes: Uint8Array) => Value): void {
  const wanted = parse(copyOf(source))
  for (const shape of shapes) {
    const lender = new Lender(shape)
    const lent = lender.lend(source)
    const values = [1, 2, 3].map(() => parse(lent))
    lender.expectUntouched("parse")
    lender.reuse()
    for (const value of values) expect(plain(value)).toEqual(plain(wanted))
  }
}

/** A Buffer and a Uint8Array of the same bytes compare as equal here. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each) =>
      each instanceof Uint8Array
        ? Buffer.from(each).toString("hex")
        : each instanceof Map
          ? [...each]
          : typeof each === "object" && each !== null && each.type === "Buffer"
            ? Buffer.from(each.data).toString("hex")
            : each,
    ) ?? "null",
  )
}

const root = makeRoot({ key: 91, curve: "ed25519" })
const issuer = makeIntermediate(root, { key: 92, curve: "ed25519" })
const leaf = makeLeaf(issuer, { key: 93, serial: Uint8Array.of(0x21) })

describe("x509", () => {
  it("keeps certificates, lists, OCSP responses, keys and PEM blocks as copies", () => {
    const crl = makeCrl(issuer, { revoked: [{ serial: Uint8Array.of(5), reason: 1 }] })
    for (const { der } of [root, issuer, leaf]) {
      expectOwnValue(der, parseCertificate)
      expectOwnValue(der, (bytes) => parseCertificates(bytes))
      expectOwnValue(der, (bytes) => certificateBytes(bytes))
      expectOwnValue(der, (bytes) => trustAnchor(bytes))
    }
    expectOwnValue(crl, parseCrl)
    expectOwnValue(crl, (bytes) => parseCrls(bytes))
    expectOwnValue(Buffer.from(toPem("X509 CRL", crl)), (bytes) => parseCrls(bytes))
    expectOwnValue(makeOcsp(leaf, issuer), parseOcspResponse)
    for (const key of [root, leaf].map(({ privateKey }) => privateKey)) {
      expectOwnValue(encodePkcs8(key), parsePrivateKey)
      expectOwnValue(Buffer.from(privateKeyToPem(key)), parsePrivateKey)
    }
    for (const { publicKey } of [root, leaf]) expectOwnValue(encodeSpki(publicKey), parseSpki)
    expectOwnValue(Buffer.from(toPem("CERTIFICATE", leaf.der)), parsePem)
  })

  for (const provider of providers) {
    it(`${provider.name}: a revocation list from a file is good for every use, and so is an OCSP response`, () => {
      for (const shape of shapes) {
        const lender = new Lender(shape)
        const revoked = [{ serial: Uint8Array.of(0x21) }]
        const lists = [lender.lend(makeCrl(issuer, { revoked })), lender.lend(makeCrl(issuer, {}))]
        for (let time = 0; time < 3; time++) {
          const [says, saysNot] = lists.map((list) =>
            new CrlStore([parseCrl(list)]).status(leaf.certificate, issuer.certificate, now, provider),
          )
          expect([says!.kind, saysNot!.kind]).toEqual(["revoked", "good"])
        }
        // Two issuers of one list: each is checked, and the other's answer is not remembered for it.
        const store = new CrlStore([parseCrl(lists[1]!)])
        for (let time = 0; time < 3; time++) {
          expect(store.status(leaf.certificate, issuer.certificate, now, provider).kind).toBe("good")
          expect(
            store.status(
              leaf.certificate,
              { ...issuer.certificate, spki: root.certificate.spki, publicKey: root.publicKey },
              now,
              provider,
            ).kind,
          ).toBe("unusable")
        }
        const response = lender.lend(makeOcsp(leaf, issuer))
        for (let time = 0; time < 3; time++) {
          const status = ocspStatus(parseOcspResponse(response), leaf.certificate, issuer.certificate, now, provider)
          expect(status).toMatchObject({ kind: "good" })
        }
        lender.expectUntouched("revocation")
      }
    })
  }
})

describe("sessions and keys", () => {
  const session: ServerSession = {
    cipherSuite: 0x1301,
    psk: new Uint8Array(32).fill(7),
    issuedAt: now,
    authenticatedAt: now,
    ticketLifetime: 7200,
    ticketAgeAdd: 5,
    maxEarlyDataSize: 0,
    alpnProtocol: undefined,
    serverName: "server.test",
    peerChain: [leaf.der],
    partition: "",
    pskIdentity: Uint8Array.of(1, 2),
  }
  const aead = fast.cipherSuites[0]!.aead
  const buffers: RandomSource = (length) => randomBytes(length)

  it("tickets: sealed from and opened from Buffers, with keys from Buffers that are wiped", () => {
    for (const shape of shapes) {
      const lender = new Lender(shape)
      const key = { name: lender.lend(randomBytes(16)), key: lender.lend(randomBytes(32)), createdAt: now }
      const same = { name: copyOf(key.name), key: copyOf(key.key), createdAt: now }
      const ring = new TicketKeyRing({ aead, random: buffers, keys: [key] })
      lender.reuse()
      const given = { ...session, psk: lender.lend(session.psk), peerChain: [lender.lend(leaf.der)] }
      for (const ticketer of [ring, new MemoryTicketStore({ random: buffers })]) {
        const tickets = [1, 2, 3].map(() => ticketer.seal(given, now)!)
        lender.expectUntouched("seal")
        for (const ticket of tickets) {
          expect(Object.getPrototypeOf(ticket)).toBe(Uint8Array.prototype)
          const opened = ticketer.open(lender.lend(ticket), now)
          lender.expectUntouched("open")
          expect(opened).toEqual(session)
        }
      }
      expect(new TicketKeyRing({ aead, random: buffers, keys: [same] }).open(ring.seal(session, now), now)).toEqual(
        session,
      )
      // Keys that were given out are not those in use.
      for (const { name, key: out } of ring.keys) {
        name.fill(0)
        out.fill(0)
      }
      expect(ring.open(ring.seal(session, now), now)).toEqual(session)
    }
  })

  it("external PSKs are copies, and so is what is read from an identity", () => {
    for (const shape of shapes) {
      const lender = new Lender(shape)
      const [identity, key] = [utf8ToBytes("device"), new Uint8Array(randomBytes(32))]
      const wanted = { identity, key, hash: "sha256", kind: "external" } as const
      const store = new MemoryPskStore([{ ...wanted, identity: lender.lend(identity), key: lender.lend(key) }])
      const imported = importPsk({ identity: lender.lend(identity), key: lender.lend(key), provider: fast })
      lender.expectUntouched("importPsk")
      const name = encodeImportedIdentity({
        externalIdentity: identity,
        context: key,
        targetProtocol: 0x304,
        targetKdf: 1,
      })
      const decoded = decodeImportedIdentity(lender.lend(name))
      lender.reuse()
      expect(store.lookup(lender.lend(identity))).toEqual(wanted)
      expect(imported).toEqual(importPsk({ identity, key, provider: fast }))
      expect(decoded).toMatchObject({ externalIdentity: identity, context: key })
    }
  })
})

/* ---------------------------------------------------------------- whole connections */

function options(provider: CryptoProvider, lender: Lender): { client: ClientOptions; server: ServerOptions } {
  const lend = (bytes: Uint8Array): Uint8Array => lender.lend(bytes)
  const credential = loadCredential({
    cert: lend(Buffer.from(toPem("CERTIFICATE", leaf.der) + toPem("CERTIFICATE", issuer.der))),
    key: lend(encodePkcs8(leaf.privateKey)),
    ocspResponse: lend(makeOcsp(leaf, issuer)),
    provider,
  })
  const crls = new CrlStore([...parseCrls(lend(makeCrl(issuer, {}))), ...parseCrls(lend(makeCrl(root, {})))])
  const verifier = createCertificateVerifier({
    trust: new TrustStore([trustAnchor(lend(root.der))]),
    revocation: { crls, crl: "require", ocsp: "require" },
    pins: [lend(encodeSpki(leaf.publicKey))],
  })
  const random: RandomSource = (length) => randomBytes(length)
  const authorities = [lend(root.subject)]
  return {
    client: { provider, random, serverName: "example.com", verifier, authorities, requestOcspResponse: true },
    server: { provider, random, credentials: singleCredential(credential), tickets: 1 },
  }
}

function connect(
  client: ClientConfig,
  server: ServerConfig,
  shape: (typeof shapes)[number],
): { readonly pair: Pair; readonly carry: () => void } {
  const clientEnd = new ClientConnection(client, now)
  const serverEnd = new ServerConnection(server, now)
  const pair = new Pair(clientEnd, serverEnd, now)
  pair.take(pair.client, clientEnd.start())
  // Chunks of an odd length, each in memory that is used for something else as soon as `receive` returns.
  const carry = (): void => {
    while (pair.client.outgoing.length + pair.server.outgoing.length > 0) {
      for (const [from, to] of [
        [pair.client, pair.server],
        [pair.server, pair.client],
      ] as const) {
        for (const bytes of from.outgoing.splice(0)) {
          for (let at = 0; at < bytes.length; at += 397) {
            const lender = new Lender(shape)
            const outcome = to.connection.receive(lender.lend(bytes.subarray(at, at + 397)), now)
            lender.expectUntouched("receive")
            lender.reuse()
            pair.take(to, outcome)
          }
        }
      }
    }
  }
  carry()
  return { pair, carry }
}

describe("connections", () => {
  for (const provider of providers) {
    for (const shape of shapes) {
      it(`${provider.name}: options, random bytes, what is received and what is sent: ${shape}`, () => {
        const lender = new Lender(shape)
        const { client, server } = options(provider, lender)
        lender.expectUntouched("options")
        const clientRandoms: string[] = []
        const sessionStore = new MemorySessionStore()
        const kept = new Map<string, ServerSession>()
        // As natural as a Map: it keeps what it is given.
        const ticketer: Ticketer = {
          seal(session) {
            kept.set("ticket", session)
            return utf8ToBytes("ticket")
          },
          open: () => kept.get("ticket"),
        }
        const trace: ServerOptions["trace"] = (event) => {
          if (event.type === "secret") clientRandoms.push(Buffer.from(event.clientRandom).toString("hex"))
        }
        const clientConfig = createClientConfig({ ...client, sessionStore })
        const serverConfig = createServerConfig({ ...server, ticketer, trace })
        lender.reuse()
        for (const resumed of [false, true]) {
          const { pair, carry } = connect(clientConfig, serverConfig, shape)
          const [one, other] = [pair.client.connection, pair.server.connection]
          expect([one.failure?.message, other.failure?.message]).toEqual([undefined, undefined])
          expect([one.info?.resumed, other.info?.resumed]).toEqual([resumed, resumed])
          expect(new Set(clientRandoms.splice(0)).size).toBe(1)
          const label = `send ${resumed ? "after resumption" : ""}`
          const data = new Lender(shape)
          const text = data.lend(randomBytes(20_000))
          const wanted = copyOf(text)
          pair.take(pair.client, one.send(text))
          const context = data.lend(randomBytes(20))
          const exported = [1, 2, 3].map(() => one.exportKeyingMaterial("EXPERIMENTAL", context, 40))
          expect(exported).toEqual([1, 2, 3].map(() => other.exportKeyingMaterial("EXPERIMENTAL", copyOf(context), 40)))
          data.expectUntouched(label)
          data.reuse()
          carry()
          const received = pair.server.events.flatMap((event) => (event.type === "data" ? [event.data] : []))
          expect(Buffer.concat(received).equals(wanted)).toBe(true)
        }
      })
    }
  }

  it("an external PSK may be wiped once it was given", () => {
    for (const shape of shapes) {
      const lender = new Lender(shape)
      const [identity, key] = [utf8ToBytes("device"), new Uint8Array(randomBytes(32))]
      const psk = { identity: lender.lend(identity), key: lender.lend(key), hash: "sha256", kind: "external" } as const
      const client = createClientConfig({ provider: fast, externalPsks: [psk] })
      const server = createServerConfig({ provider: fast, externalPsks: new MemoryPskStore([psk]) })
      lender.reuse()
      const pair = new Pair(new ClientConnection(client, now), new ServerConnection(server, now), now).handshake()
      expect(pair.server.connection.info?.pskIdentity).toEqual(identity)
      expect(pair.client.connection.failure).toBeUndefined()
    }
  })

  it("a private key in memory may be wiped once the credential is loaded", () => {
    const key = privateKeyOf(93)
    expect(key.type).toBe("ec")
    for (const shape of shapes) {
      const lender = new Lender(shape)
      const cert = toPem("CERTIFICATE", leaf.der) + toPem("CERTIFICATE", issuer.der)
      const ocspResponse = makeOcsp(leaf, issuer)
      const credential = loadCredential({ cert, key: lender.lend(encodePkcs8(key)), ocspResponse, provider: fast })
      lender.reuse()
      const client = createClientConfig(options(fast, new Lender(shape)).client)
      const server = createServerConfig({ provider: fast, credentials: singleCredential(credential) })
      const { pair } = connect(client, server, shape)
      expect(pair.client.connection.failure?.message).toBeUndefined()
      expect(pair.client.connection.info).toBeDefined()
    }
  })
})

describe("hybrid groups", () => {
  keyExchangeBytes(createX25519MLKEM768(), fast)
})
