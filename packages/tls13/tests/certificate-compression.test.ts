// Certificate compression: RFC 8879, in both directions.

import { describe, expect, it } from "vitest"
import { brotliCompression, zlibCompression } from "../src/adapters/node/certificate-compression.ts"
import { decodeCompressedCertificate, encodeCompressedCertificate } from "../src/codec/compressed-certificate.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import { createServerConfig } from "../src/connection/config.ts"
import {
  type Cast,
  clientCertificate,
  clientUnderTest,
  expectRefused,
  serverOptions,
  serverUnderTest,
} from "./support.ts"
import type { MessageName } from "./tools/puppet.ts"

const zlib = { certificateCompression: [zlibCompression()] }
const both: Cast = { client: zlib, server: zlib }
const names = (sent: readonly { readonly name: MessageName }[]) => sent.map(({ name }) => name)

/** The server's compressed Certificate, changed on its way into the client. */
const changed =
  (change: (certificate: ReturnType<typeof decodeCompressedCertificate>) => Uint8Array) =>
  (name: MessageName, message: Uint8Array): Uint8Array =>
    name === "compressed_certificate" ? change(decodeCompressedCertificate(handshakeMessage(message))) : message

describe("certificates are compressed", () => {
  it("RFC 8879 4: when both have the algorithm", () => {
    const puppet = serverUnderTest(both).run()
    expect(names(puppet.sent)).toContain("compressed_certificate")
    expect(puppet.actor.info?.authentication).toBe("certificate")
  })

  it("RFC 8879 3: and are not when they have none in common", () => {
    const brotli = { certificateCompression: [brotliCompression()] }
    for (const cast of [{ client: zlib }, { server: zlib }, { client: brotli, server: zlib }]) {
      const puppet = serverUnderTest(cast).run()
      expect(names(puppet.sent)).not.toContain("compressed_certificate")
      expect(puppet.actor.info?.authentication).toBe("certificate")
    }
  })

  it("RFC 8879 4: in the algorithm that the sender likes best", () => {
    const server = { certificateCompression: [brotliCompression(), zlibCompression()] }
    const client = { certificateCompression: [zlibCompression(), brotliCompression()] }
    const { sent } = serverUnderTest({ client, server }).run()
    const certificate = sent.find(({ name }) => name === "compressed_certificate")!
    expect(decodeCompressedCertificate(handshakeMessage(certificate.message)).algorithm).toBe(2)
  })

  it("RFC 8879 4: a client's, too, when CertificateRequest offers the algorithm", () => {
    const cast = { client: { ...zlib, ...clientCertificate.client }, server: { ...zlib, ...clientCertificate.server } }
    const puppet = clientUnderTest(cast).run()
    expect(names(puppet.sent)).toContain("compressed_certificate")
    expect(puppet.actor.info?.authentication).toBe("certificate")
  })
})

describe("a compressed Certificate is refused", () => {
  it("RFC 8879 4: that nobody asked for: unexpected_message", () => {
    const rewrite = (name: MessageName, message: Uint8Array) =>
      name === "certificate"
        ? encodeCompressedCertificate({
            algorithm: 1,
            uncompressedLength: message.length - 4,
            compressed: zlibCompression().compress(message.subarray(4)),
          })
        : message
    expectRefused(clientUnderTest({ rewrite }).run(), "unexpected_message", "PeerMisbehaved")
  })

  it("RFC 8879 4: in an algorithm that was not offered: illegal_parameter", () => {
    const rewrite = changed((certificate) => encodeCompressedCertificate({ ...certificate, algorithm: 3 }))
    expectRefused(clientUnderTest({ ...both, rewrite }).run(), "illegal_parameter", "PeerMisbehaved")
  })

  it.each([-1, 1])("RFC 8879 4: of another length than it says, by %i: bad_certificate", (more) => {
    const rewrite = changed((certificate) =>
      encodeCompressedCertificate({ ...certificate, uncompressedLength: certificate.uncompressedLength + more }),
    )
    expectRefused(clientUnderTest({ ...both, rewrite }).run(), "bad_certificate", "InvalidMessage")
  })

  it("RFC 8879 4: that cannot be decompressed: bad_certificate", () => {
    const rewrite = changed((certificate) =>
      encodeCompressedCertificate({ ...certificate, compressed: Uint8Array.of(1, 2, 3) }),
    )
    expectRefused(clientUnderTest({ ...both, rewrite }).run(), "bad_certificate", "InvalidMessage")
  })

  it("RFC 8879 5: that would be longer than the limit, before it is decompressed", () => {
    let asked = 0
    const counting = {
      ...zlibCompression(),
      decompress: () => {
        asked++
        return undefined
      },
    }
    const limit = createServerConfig(serverOptions).limits.handshakeMessageSize
    const rewrite = (uncompressedLength: number) =>
      changed((certificate) => encodeCompressedCertificate({ ...certificate, uncompressedLength }))
    const client = { certificateCompression: [counting] }
    const over = clientUnderTest({ client, server: zlib, rewrite: rewrite(limit + 1) }).run()
    expectRefused(over, "bad_certificate", "LimitExceeded")
    expect(asked).toBe(0)
    expectRefused(
      clientUnderTest({ client, server: zlib, rewrite: rewrite(limit) }).run(),
      "bad_certificate",
      "InvalidMessage",
    )
    expect(asked).toBe(1)
  })
})

describe.each([zlibCompression(), brotliCompression()])("$name", (algorithm) => {
  const bomb = algorithm.compress(new Uint8Array(10_000_000))

  it("gives back what it was given", () => {
    const message = Uint8Array.from({ length: 3000 }, (_, index) => index & 0x3f)
    expect(algorithm.compress(message).length).toBeLessThan(message.length)
    expect(algorithm.decompress(algorithm.compress(message), 3000)).toEqual(message)
  })

  it("RFC 8879 5: stops at the length that was said", () => {
    expect(bomb.length).toBeLessThan(20_000)
    expect(algorithm.decompress(bomb, 1000)).toBeUndefined()
    expect(algorithm.decompress(bomb, 9_999_999)).toBeUndefined()
  })
})
