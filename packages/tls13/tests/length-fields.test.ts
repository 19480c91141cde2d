// Configuration that meets a length field (RFC 9846 section 3.4): at its limit it works, one past it is refused when the
// configuration is made, or left out where the protocol lets us. No handshake fails for it later.

import { describe, expect, it } from "vitest"
import { Misuse } from "../src/bytes/errors.ts"
import { decodeClientHello } from "../src/codec/client-hello.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig } from "../src/connection/config.ts"
import { encodePkcs8 } from "../src/devcert/keys.ts"
import type { ClientOptions } from "../src/handshake/options.ts"
import { loadCredential, toPem } from "../src/x509/index.ts"
import type { CredentialRequest, CredentialResolver } from "../src/x509/interfaces.ts"
import {
  clientCertificate,
  clientCredential,
  clientOptions,
  clientUnderTest,
  serverUnderTest,
  sessionFor,
  start,
} from "./support.ts"
import { extension, makeLeaf, makeRoot } from "./x509/pki.ts"

/** Two names that take `bytes` with their lengths. */
function namesOf(bytes: number): Uint8Array[] {
  const first = Math.floor((bytes - 4) / 2)
  return [new Uint8Array(first).fill(1), new Uint8Array(bytes - 4 - first).fill(2)]
}

/** What the client is asked for by a server with so many bytes of authorities. */
function asked(bytes: number): readonly Uint8Array[] | undefined {
  let seen: CredentialRequest | undefined
  const credentials: CredentialResolver = {
    resolve(request) {
      seen = request
      return clientCredential
    },
  }
  const { clientAuthentication } = clientCertificate.server
  const puppet = serverUnderTest({
    client: { credentials },
    server: { clientAuthentication: { ...clientAuthentication, authorities: namesOf(bytes) } },
  }).run()
  expect(puppet.actor.failure).toBeUndefined()
  expect(puppet.subject.failure).toBeUndefined()
  expect(puppet.subject.info?.authentication).toBe("certificate")
  return seen?.authorities
}

describe("RFC 9846 4.3.4: certificate_authorities", () => {
  it("of a server is sent as long as CertificateRequest has room for it, and then left out", () => {
    let [fits, past] = [60_000, 65_535]
    while (past - fits > 1) {
      const middle = Math.floor((fits + past) / 2)
      if (asked(middle)?.length === 2) fits = middle
      else past = middle
    }
    // The message has 2^16-1 bytes, with a context and the other extensions.
    expect(fits).toBeGreaterThan(65_535 - 6 - 200)
    expect(asked(fits)).toEqual(namesOf(fits))
    expect(asked(fits + 1)).toEqual([])
    for (const bytes of [65_535, 65_536, 70_000]) expect(asked(bytes)).toEqual([])
  })

  it.each([
    [16_378, true],
    [16_379, false],
  ])("of a client: %i bytes of names, sent: %s", (bytes, sent) => {
    const hello = clientUnderTest({ client: { authorities: namesOf(bytes) } })
    expect(hello.run().subject.failure).toBeUndefined()
    let message: Uint8Array = new Uint8Array(0)
    const config = createClientConfig({ ...clientOptions, authorities: namesOf(bytes) }, (_, composed) => {
      message = composed
      return composed
    })
    new ClientConnection(config, start).start()
    const { certificate_authorities } = decodeClientHello(handshakeMessage(message)).extensions
    expect(certificate_authorities).toEqual(sent ? namesOf(bytes) : undefined)
  })
})

describe("RFC 9846 4.2.2: what is left of a ClientHello for the application's own", () => {
  const names = Array.from({ length: 64 }, (_, i) => String.fromCharCode(32 + i).padEnd(255, "x"))
  const psk = (length: number) =>
    ({ identity: new Uint8Array(length).fill(1), key: new Uint8Array(32), hash: "sha256", kind: "external" }) as const

  it.each([
    ["application protocols", { alpnProtocols: names }, { alpnProtocols: [...names.slice(1), "y".repeat(254), "z"] }],
    ["PSK identities", { externalPsks: [psk(16_313)] }, { externalPsks: [psk(16_314)] }],
  ] satisfies [string, Partial<ClientOptions>, Partial<ClientOptions>][])("%s: 16,384 bytes", (_, fits, past) => {
    const puppet = clientUnderTest({ client: { ...fits, authorities: namesOf(16_378) } }).run()
    expect(puppet.subject.failure).toBeUndefined()
    expect(() => createClientConfig({ ...clientOptions, ...past })).toThrow(Misuse)
    expect(() => createClientConfig({ ...clientOptions, ...past })).toThrow(
      /ALPN names and PSK identities take 16385 bytes; 16384 are left for them/,
    )
  })

  it("RFC 1035 2.3.4: a server name of 255 bytes, and not of 256", () => {
    const name = (length: number) => "a.".repeat(127).padEnd(length, "b")
    expect(createClientConfig({ ...clientOptions, serverName: name(255) }).serverName).toHaveLength(255)
    expect(() => createClientConfig({ ...clientOptions, serverName: name(256) })).toThrow(
      /has 256 bytes; 255 are allowed/,
    )
  })

  it.each([
    [16_384, true],
    [16_385, false],
    [65_535, false],
  ])("RFC 9846 4.7.1: a ticket of %i bytes, offered: %s", (length, offered) => {
    const session = { ...sessionFor(), ticket: new Uint8Array(length).fill(7) }
    const sessionStore = { take: () => session, put: () => undefined }
    const client = { sessionStore, authorities: namesOf(16_378) }
    const first = new ClientConnection(createClientConfig({ ...clientOptions, ...client }), start).start().output
    expect(first.length > 16_378 + length).toBe(offered)
    // The server knows no such ticket, and goes on without it.
    const { subject } = clientUnderTest({ client }).run()
    expect(subject.failure).toBeUndefined()
    expect(subject.info?.resumed).toBe(false)
  })
})

describe("RFC 9846 4.5.1: what goes with a certificate", () => {
  const leaf = makeLeaf(makeRoot())
  const load = (staple: number) =>
    loadCredential({
      cert: toPem("CERTIFICATE", leaf.der),
      key: toPem("PRIVATE KEY", encodePkcs8(leaf.privateKey)),
      ocspResponse: new Uint8Array(staple),
    })

  it("an OCSP response of 65,527 bytes, and not of 65,528", () => {
    expect(load(65_527).ocspResponse).toHaveLength(65_527)
    expect(() => load(65_528)).toThrow(/65528 bytes; at most 65527 fit/)
  })

  it("a chain of 16,777,215 bytes, and not of 16,777,216", { timeout: 120_000 }, () => {
    const issuer = makeRoot({ curve: "ed25519" })
    const padded = (bytes: number) =>
      makeLeaf(issuer, { extensions: [extension("1.2.3.4", false, new Uint8Array(bytes))] })
    const filler = padded(60_000).der
    const around = filler.length - 60_000
    const fillers = Math.floor((0xff_ffff - 4 - 4000) / (5 + filler.length))
    const rest = toPem("CERTIFICATE", filler).repeat(fillers)
    const chainOf = (bytes: number) => {
      const first = padded(bytes - 4 - fillers * (5 + filler.length) - 5 - around)
      const cert = toPem("CERTIFICATE", first.der) + rest
      return loadCredential({ cert, key: toPem("PRIVATE KEY", encodePkcs8(first.privateKey)) })
    }
    expect(chainOf(0xff_ffff).chain).toHaveLength(fillers + 1)
    expect(() => chainOf(0x100_0000)).toThrow(/the chain takes 16777216 bytes; at most 16777215 fit/)
  })
})
