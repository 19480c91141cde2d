import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import {
  extension,
  makeCrl,
  makeIntermediate,
  makeLeaf,
  makeOcsp,
  makeRoot,
  now,
  type OcspContents,
  provider,
  withExtension,
} from "../../../tests/x509/pki.ts"
import { concatBytes } from "../../bytes/concat.ts"
import { toHex } from "../../bytes/hex.ts"
import { extendedKeyUsage } from "../../devcert/extensions.ts"
import { derSequence, derSmall } from "../der/der-writer.ts"
import * as Oid from "../der/oids.ts"
import { X509Error } from "../errors.ts"
import { sha1Digest } from "../keys/sha1.ts"
import { CrlStore, parseCrl } from "./crl.ts"
import { ocspStatus, parseOcspResponse } from "./ocsp.ts"
import { type RevocationOptions, revocationProblem } from "./revocation.ts"

const day = 86_400_000
const root = makeRoot()
const ica = makeIntermediate(root)
const leaf = makeLeaf(ica, { serial: Uint8Array.of(0x77) })
const responder = makeLeaf(ica, { usage: [Oid.ocspSigning], names: [], subject: { commonName: "Responder" } })

function status(contents: OcspContents): string {
  try {
    const found = ocspStatus(
      parseOcspResponse(makeOcsp(leaf, ica, contents)),
      leaf.certificate,
      ica.certificate,
      now,
      provider,
    )
    return found instanceof X509Error ? found.message : found.kind
  } catch (error) {
    return error instanceof X509Error ? error.message : String(error)
  }
}

describe("RFC 6960: a stapled response", () => {
  it("says good, revoked or unknown, signed by the issuer", () => {
    expect(status({})).toBe("good")
    expect(status({ byName: true })).toBe("good")
    expect(status({ status: "revoked" })).toBe("revoked")
    expect(status({ status: "unknown" })).toBe("unknown")
  })

  it("4.2.2.2: may be signed by a responder that the issuer appointed, and by no other", () => {
    expect(status({ responder, certificates: [responder.der] })).toBe("good")
    expect(status({ responder, certificates: [leaf.der, responder.der], byName: true })).toBe("good")
    expect(status({ responder })).toMatch(/neither the issuer nor a responder/)
    const plain = makeLeaf(ica, { subject: { commonName: "Plain" } })
    expect(status({ responder: plain, certificates: [plain.der] })).toMatch(/not for OCSP signing/)
    const foreign = makeLeaf(root, { usage: [Oid.ocspSigning] })
    expect(status({ responder: foreign, certificates: [foreign.der] })).toMatch(/another issuer/)
    const forged = makeLeaf({ ...ica, privateKey: root.privateKey }, { usage: [Oid.ocspSigning] })
    expect(status({ responder: forged, certificates: [forged.der] })).toMatch(/not signed by the issuer/)
    const old = makeLeaf(ica, { usage: [Oid.ocspSigning], notAfter: now - day })
    expect(status({ responder: old, certificates: [old.der] })).toMatch(/not valid now/)
    const impostor = makeRoot({ subject: ica.subject })
    expect(status({ responder: impostor, byName: true })).toMatch(/signature is wrong/)
  })

  it.each([
    ["about another certificate", { serial: Uint8Array.of(5) }, /another certificate/],
    ["4.2.2.1: past its nextUpdate", { nextUpdate: now - day }, /was to be renewed/],
    ["4.2.2.1: without nextUpdate", { nextUpdate: undefined }, /no nextUpdate/],
    ["4.2.2.1: from the future", { thisUpdate: now + day }, /valid only from/],
    ["4.2.1: an error of the responder", { responseStatus: 3 }, /error 3/],
  ])("%s proves nothing", (_, contents, why) => {
    expect(status(contents)).toMatch(why)
  })

  it("is parsed strictly", () => {
    const der = makeOcsp(leaf, ica)
    expect(() => parseOcspResponse(concatBytes(der, Uint8Array.of(0)))).toThrow(/malformed/)
    for (let length = 0; length < der.length; length += 5)
      expect(() => parseOcspResponse(der.subarray(0, length))).toThrow(/malformed/)
  })

  it("SHA-1 is SHA-1", () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7)
      expect(toHex(sha1Digest(bytes))).toBe(createHash("sha1").update(bytes).digest("hex"))
    }
  })
})

describe("revocation as a policy", () => {
  const path = [leaf.certificate, ica.certificate, root.certificate]
  const mustStaple = makeLeaf(ica, {
    change: withExtension(extension(Oid.tlsFeature, false, derSequence(derSmall(5)))),
  })
  const lists = (...der: Uint8Array[]): CrlStore => new CrlStore(der.map((each) => parseCrl(each)))
  const reason = (options: RevocationOptions, staple?: Uint8Array, of = path): string =>
    revocationProblem(of, options, staple, now, provider)?.reason ?? "accepted"

  it("ifPresent, the default: what is there must be usable and not say revoked", () => {
    expect(reason({})).toBe("accepted")
    expect(reason({}, makeOcsp(leaf, ica))).toBe("accepted")
    expect(reason({}, makeOcsp(leaf, ica, { status: "revoked" }))).toBe("revoked")
    expect(reason({}, makeOcsp(leaf, ica, { nextUpdate: now - day }))).toBe("bad_ocsp_response")
    expect(reason({}, makeOcsp(leaf, ica, { status: "unknown" }))).toBe("revocation_unknown")
    expect(reason({ crls: lists(makeCrl(ica, { revoked: [{ serial: Uint8Array.of(0x77) }] })) })).toBe("revoked")
    expect(reason({ crls: lists(makeCrl(ica, { nextUpdate: now - 1 })) })).toBe("revocation_unknown")
  })

  it("require: no answer is a refusal, for the whole chain or for the leaf", () => {
    expect(reason({ crl: "require" })).toBe("revocation_unknown")
    expect(reason({ crl: "require", crls: lists(makeCrl(ica)) })).toBe("revocation_unknown")
    expect(reason({ crl: "require", scope: "leaf", crls: lists(makeCrl(ica)) })).toBe("accepted")
    expect(reason({ crl: "require", crls: lists(makeCrl(ica), makeCrl(root)) })).toBe("accepted")
    expect(reason({ crl: "require", crls: () => lists(makeCrl(root)) }, makeOcsp(leaf, ica))).toBe("accepted")
    expect(reason({ ocsp: "require" })).toBe("revocation_unknown")
    expect(reason({ ocsp: "require" }, makeOcsp(leaf, ica))).toBe("accepted")
  })

  it("a revoked intermediate is found, and named", () => {
    const problem = revocationProblem(
      path,
      { crls: lists(makeCrl(root, { revoked: [{ serial: ica.certificate.serialNumber }] })) },
      undefined,
      now,
      provider,
    )
    expect(problem).toMatchObject({ reason: "revoked", alert: "certificate_revoked", index: 1 })
  })

  it("off: nothing is looked at", () => {
    const revoked = lists(makeCrl(ica, { revoked: [{ serial: Uint8Array.of(0x77) }] }))
    expect(reason({ crl: "off", ocsp: "off", crls: revoked }, Uint8Array.of(1))).toBe("accepted")
  })

  it("RFC 7633: must-staple needs a staple", () => {
    const stapled = [mustStaple.certificate, ica.certificate, root.certificate]
    expect(reason({}, undefined, stapled)).toBe("revocation_unknown")
    expect(reason({}, makeOcsp(mustStaple, ica), stapled)).toBe("accepted")
    expect(extendedKeyUsage(Oid.ocspSigning).oid).toBe(Oid.extKeyUsage)
  })
})
