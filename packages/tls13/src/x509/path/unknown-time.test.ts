// A verifier on a device that does not know what time it is.

import { describe, expect, it } from "vitest"
import { makeCrl, makeIntermediate, makeLeaf, makeOcsp, makeRoot, now, provider } from "../../../tests/x509/pki.ts"
import { Pause } from "../../bytes/pause.ts"
import {
  type CertificateVerdict,
  CrlStore,
  createCertificateVerifier,
  parseCrl,
  TrustStore,
  trustAnchor,
} from "../index.ts"
import type { VerifierOptions } from "./verifier.ts"

const day = 86_400_000
const root = makeRoot()
const ica = makeIntermediate(root)
const leaf = makeLeaf(ica, { notBefore: now - 10 * day, notAfter: now + 10 * day })
const trust = new TrustStore([trustAnchor(root.der)])
const lists = (contents: Parameters<typeof makeCrl>[1]) => ({ crls: new CrlStore([parseCrl(makeCrl(ica, contents))]) })

interface Asked {
  readonly atLeast: number
  readonly options?: Partial<VerifierOptions>
  readonly ocspResponse?: Uint8Array
  readonly serverName?: string
}

/** Asked by a connection whose time is that since the device was switched on. */
function verdictOf({ atLeast, options, ocspResponse, serverName = "example.com" }: Asked): CertificateVerdict {
  const verdict = createCertificateVerifier({ trust, unknownTime: { atLeast }, ...options }).verify({
    role: "server",
    type: "X509",
    chain: [leaf.der, ica.der],
    serverName,
    ocspResponse,
    signedCertificateTimestamps: undefined,
    now: 1234,
    provider,
  })
  if (verdict instanceof Pause) throw new Error("this verifier answers at once")
  return verdict
}

function outcome(asked: Asked): string {
  const verdict = verdictOf(asked)
  return verdict.accepted ? (verdict.identity.unchecked ?? []).join(" ") : `${verdict.reason} > ${verdict.alert}`
}

describe("a verifier that does not know the time", () => {
  it("RFC 5280 6.1.3 (a) (2): accepts whatever has not surely expired, and says what it did not check", () => {
    for (const atLeast of [0, now - 100 * day, now, leaf.certificate.notAfter])
      expect(outcome({ atLeast })).toBe("validity")
    // How long the session may live is not known either (RFC 9846 section 4.7.1).
    const verdict = verdictOf({ atLeast: now })
    expect(verdict.accepted && "validUntil" in verdict.identity).toBe(false)
  })

  it("RFC 5280 6.1.3 (a) (2): refuses what had expired before the time that has surely passed", () => {
    expect(outcome({ atLeast: leaf.certificate.notAfter + 1000 })).toBe("expired > certificate_expired")
    expect(verdictOf({ atLeast: leaf.certificate.notAfter + 1000 })).toMatchObject({
      message: expect.stringMatching(/it expired on .+; it is at least .+ now: renew it/),
    })
    // A bound that is no number bounds nothing: it must not let everything pass.
    expect(outcome({ atLeast: Number.NaN })).toBe("expired > certificate_expired")
  })

  it("checks all the rest: names and issuers", () => {
    expect(outcome({ atLeast: 0, serverName: "example.org" })).toBe("name_mismatch > bad_certificate")
    const others = new TrustStore([trustAnchor(makeRoot({ subject: { commonName: "Another Root" } }).der)])
    expect(outcome({ atLeast: 0, options: { trust: others } })).toBe("unknown_issuer > unknown_ca")
  })

  it("RFC 5280 5.1.2.5: reads a revocation list that has not surely run out, and says that it may be old", () => {
    const serial = leaf.certificate.serialNumber
    expect(outcome({ atLeast: 0, options: { revocation: lists({}) } })).toBe("validity crl_freshness")
    const revoked = { revocation: lists({ revoked: [{ serial }] }) }
    expect(outcome({ atLeast: 0, options: revoked })).toBe("revoked > certificate_revoked")
    const early = {
      revocation: { ...lists({ thisUpdate: now + day, nextUpdate: now + 2 * day }), crl: "require", scope: "leaf" },
    } as const
    expect(outcome({ atLeast: now, options: early })).toBe("validity crl_freshness")
    expect(outcome({ atLeast: now + 3 * day, options: early })).toMatch(/^revocation_unknown > /)
    expect(outcome({ atLeast: 0, options: { revocation: { ...lists({}), crl: "off" } } })).toBe("validity")
  })

  it("RFC 6960 4.2.2.1: reads a staple that has not surely run out, and says that it may be old", () => {
    const at = (contents: Parameters<typeof makeOcsp>[2]) => makeOcsp(leaf, ica, contents)
    expect(outcome({ atLeast: 0, ocspResponse: at({}) })).toBe("validity ocsp_freshness")
    expect(outcome({ atLeast: 0, ocspResponse: at({ status: "revoked" }) })).toBe("revoked > certificate_revoked")
    const early = at({ thisUpdate: now + day, nextUpdate: now + 2 * day })
    expect(outcome({ atLeast: now, ocspResponse: early })).toBe("validity ocsp_freshness")
    expect(outcome({ atLeast: now + 3 * day, ocspResponse: early })).toMatch(/^bad_ocsp_response > /)
    expect(outcome({ atLeast: 0, ocspResponse: at({}), options: { revocation: { ocsp: "off" } } })).toBe("validity")
  })
})
