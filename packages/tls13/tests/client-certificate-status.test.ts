// What goes with a client's certificate: RFC 9846 section 4.5.1.1, the direction from client to server.

import { describe, expect, it } from "vitest"
import { publicKeyOf } from "../src/crypto/noble/index.ts"
import type { ServerOptions } from "../src/handshake/options.ts"
import type { CertificateVerification, Credential } from "../src/x509/interfaces.ts"
import { clientCredential, clientKey, expectRefused, serverUnderTest } from "./support.ts"
import { always, testVerifier } from "./tools/credentials.ts"

const ocspResponse = Uint8Array.of(0x30, 3, 10, 1, 0)
const signedCertificateTimestamps = Uint8Array.of(0, 4, 0, 2, 7, 7)
const stapled: Credential = { ...clientCredential, ocspResponse, signedCertificateTimestamps }

type Asked = Omit<NonNullable<ServerOptions["clientAuthentication"]>, "mode" | "verifier">

/** The certificates that the server's verifier was shown. */
function shown(asked: Asked, credential: Credential = stapled) {
  const verifications: CertificateVerification[] = []
  const accepting = testVerifier(publicKeyOf(clientKey))
  const puppet = serverUnderTest({
    client: { credentials: always(credential) },
    server: {
      clientAuthentication: {
        mode: "require",
        verifier: {
          verify: (verification) => {
            verifications.push(verification)
            return accepting.verify(verification)
          },
        },
        ...asked,
      },
    },
  }).run()
  return { puppet, verifications }
}

describe("RFC 9846 4.5.1.1: a server asks with the client's certificate", () => {
  it("for an OCSP response, and for timestamps: its verifier gets them", () => {
    const asked = { requestOcspResponse: true, requestSignedCertificateTimestamps: true }
    const { puppet, verifications } = shown(asked)
    expect(verifications).toMatchObject([{ role: "client", ocspResponse, signedCertificateTimestamps }])
    expect(puppet.subject.info?.authentication).toBe("certificate")
  })

  it("for one of them: the other stays with the client", () => {
    const { verifications } = shown({ requestOcspResponse: true })
    expect(verifications).toMatchObject([{ ocspResponse, signedCertificateTimestamps: undefined }])
  })

  it("for none: none is sent", () => {
    expect(shown({}).verifications).toMatchObject([{ ocspResponse: undefined, signedCertificateTimestamps: undefined }])
  })

  it("and takes a certificate without what it asked for: that is the verifier's affair", () => {
    const { puppet, verifications } = shown({ requestOcspResponse: true }, clientCredential)
    expect(verifications).toMatchObject([{ ocspResponse: undefined }])
    expect(puppet.subject.info?.authentication).toBe("certificate")
  })

  it("whose verifier may refuse the response", () => {
    const verdict = {
      accepted: false,
      alert: "bad_certificate_status_response",
      reason: "revoked",
      message: "revoked",
    } as const
    const verifier = testVerifier(publicKeyOf(clientKey), verdict)
    const puppet = serverUnderTest({
      client: { credentials: always(stapled) },
      server: { clientAuthentication: { mode: "require", verifier, requestOcspResponse: true } },
    }).run()
    expectRefused(puppet, "bad_certificate_status_response", "CertificateRejected")
  })
})
