import { describe, expect, it } from "vitest"
import { fromHex, toHex } from "../bytes/hex.ts"
import { decodeCertificateRequest, encodeCertificateRequest } from "./certificate-request.ts"

// signature_algorithms with ecdsa_secp256r1_sha256 alone.
const signatureAlgorithms = "000d00040002 0403"

function decode(extensions: string) {
  const body = fromHex(`00${extensions}`.replaceAll(" ", ""))
  return decodeCertificateRequest({ type: 13, body, bytes: body })
}

describe("RFC 9846 4.5.1.1: a server asks for a client's OCSP response with an empty status_request", () => {
  it("as Go's crypto/tls sends it", () => {
    const { extensions } = decode(`000c 00050000 ${signatureAlgorithms}`)
    expect(extensions).toEqual({ status_request: true, signature_algorithms: [0x0403] })
  })

  it("as we send it", () => {
    const message = encodeCertificateRequest(new Uint8Array(), { status_request: true, signature_algorithms: [0x0403] })
    expect(toHex(message)).toContain("00050000")
  })

  it("with the body of a ClientHello's it is a decode error", () => {
    expect(() => decode(`0011 000500050100000000 ${signatureAlgorithms}`)).toThrow(/status_request/)
  })
})
