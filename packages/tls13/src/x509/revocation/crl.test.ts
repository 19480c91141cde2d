import { describe, expect, it } from "vitest"
import {
  type CrlContents,
  crlNumber,
  extension,
  makeCrl,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  now,
  privateKeyOf,
  provider,
  withExtension,
  without,
} from "../../../tests/x509/pki.ts"
import { concatBytes } from "../../bytes/concat.ts"
import { asciiToBytes } from "../../bytes/text.ts"
import { keyUsage } from "../../devcert/extensions.ts"
import { encodeName } from "../../devcert/names.ts"
import { derNull, derSequence, derSmall, derValue } from "../der/der-writer.ts"
import * as Oid from "../der/oids.ts"
import { toPem } from "../der/pem.ts"
import { CrlStore, parseCrl, parseCrls } from "./crl.ts"

const day = 86_400_000
const root = makeRoot()
const serial = Uint8Array.of(0x12, 0x34)
const leaf = makeLeaf(root, { serial })

function status(contents: CrlContents, issuer = root, of = leaf): string {
  const found = new CrlStore([parseCrl(makeCrl(issuer, contents))]).status(
    of.certificate,
    issuer.certificate,
    now,
    provider,
  )
  return found.kind === "unusable" ? `unusable: ${found.why}` : found.kind
}

const idp = (...content: Uint8Array[]): ReturnType<typeof extension> =>
  extension(Oid.issuingDistributionPoint, true, derSequence(...content))
const fullName = (uri: string): Uint8Array => derValue(0xa0, derValue(0xa0, derValue(0x86, asciiToBytes(uri))))

describe("RFC 5280 6.3.3: revocation lists", () => {
  it("say revoked, with reason and date, or good", () => {
    expect(status({ revoked: [{ serial: Uint8Array.of(1) }] })).toBe("good")
    expect(status({})).toBe("good")
    const store = new CrlStore([parseCrl(makeCrl(root, { revoked: [{ serial, reason: 1 }] }))])
    const found = store.status(leaf.certificate, root.certificate, now, provider)
    expect(found).toEqual({ kind: "revoked", entry: { revokedAt: now - 5 * day, reason: 1 } })
  })

  it("of another issuer, or another key of the same name, say nothing", () => {
    const other = makeRoot({ subject: { commonName: "Other" } })
    const store = new CrlStore([
      parseCrl(makeCrl(other, { revoked: [{ serial }] })),
      parseCrl(makeCrl(makeRoot(), { revoked: [{ serial }] })),
    ])
    expect(store.status(leaf.certificate, root.certificate, now, provider).kind).toBe("none")
  })

  it("one list that says revoked outweighs others", () => {
    const lists = [makeCrl(root), makeCrl(root, { nextUpdate: now - 1 }), makeCrl(root, { revoked: [{ serial }] })].map(
      (each) => parseCrl(each),
    )
    for (const order of [lists, [...lists].reverse()]) {
      expect(new CrlStore(order).status(leaf.certificate, root.certificate, now, provider).kind).toBe("revoked")
    }
  })

  it.each([
    ["5.1.2.5: past its nextUpdate", { nextUpdate: now - 1000 }, /fetch the new one/],
    ["5.1.2.5: without nextUpdate", { nextUpdate: undefined }, /no nextUpdate/],
    ["5.1.2.4: from the future", { thisUpdate: now + 1000 }, /valid only from/],
    ["5.2.3: without cRLNumber", { extensions: [extension("1.2.3", false, derNull())] }, /no cRLNumber/],
    [
      "5.2.3: with a critical cRLNumber",
      { extensions: [{ ...crlNumber, critical: true }] },
      /critical \(RFC 5280 5.2.3\)/,
    ],
    [
      "5.2.4: a delta list",
      { extensions: [crlNumber, extension(Oid.deltaCRLIndicator, true, derSmall(1))] },
      /delta list/,
    ],
    [
      "5.2: an unknown critical extension",
      { extensions: [crlNumber, extension("1.2.3", true, derNull())] },
      /critical extension 1.2.3/,
    ],
    ["5.2.5: some reasons only", { extensions: [crlNumber, idp(derValue(0x83, Uint8Array.of(1, 2)))] }, /some reasons/],
    ["5.2.5: an indirect list", { extensions: [crlNumber, idp(derValue(0x84, Uint8Array.of(0xff)))] }, /indirect/],
    [
      "5.3: an entry with an unknown critical extension",
      { revoked: [{ serial: Uint8Array.of(1), extensions: [extension("1.2.3", true, derNull())] }] },
      /entry/,
    ],
    ["6.3.3 (g): a wrong signature", { key: privateKeyOf(9999) }, /signature is wrong/],
    ["5.1.2.1: version 1", { version: 1 as const, extensions: [] }, /version 1/],
  ])("%s cannot be used", (_, contents, why) => {
    expect(status(contents)).toMatch(why)
  })

  it("6.3.3 (f): need cRLSign when the issuer has a keyUsage", () => {
    const noSign = makeRoot({ change: withExtension(keyUsage("keyCertSign")) })
    expect(status({}, noSign, makeLeaf(noSign, { serial }))).toMatch(/no cRLSign/)
    const noUsage = makeRoot({ change: without(Oid.keyUsage) })
    expect(status({}, noUsage, makeLeaf(noUsage, { serial }))).toBe("good")
  })

  it("5.2.5: cover what their distribution point says", () => {
    const users = { extensions: [crlNumber, idp(derValue(0x81, Uint8Array.of(0xff)))] }
    const authorities = { extensions: [crlNumber, idp(derValue(0x82, Uint8Array.of(0xff)))] }
    const ica = makeIntermediate(root)
    expect(status(users)).toBe("good")
    expect(status(users, root, ica)).toBe("none")
    expect(status(authorities)).toBe("none")
    expect(status(authorities, root, ica)).toBe("good")
    const one = { extensions: [crlNumber, idp(fullName("http://crl.example.com/1"))] }
    const points = (uri: string) =>
      withExtension(extension(Oid.cRLDistributionPoints, false, derSequence(derSequence(fullName(uri)))))
    expect(status(one)).toBe("none")
    expect(status(one, root, makeLeaf(root, { change: points("http://crl.example.com/1") }))).toBe("good")
    expect(status(one, root, makeLeaf(root, { change: points("http://crl.example.com/2") }))).toBe("none")
  })

  it("are parsed strictly, and from bundles", () => {
    const der = makeCrl(root, { revoked: [{ serial, reason: 4 }] })
    expect(() => parseCrl(concatBytes(der, Uint8Array.of(0)))).toThrow(/after its end/)
    for (let length = 0; length < der.length; length += 5) expect(() => parseCrl(der.subarray(0, length))).toThrow(/./)
    expect(parseCrls(toPem("X509 CRL", der) + toPem("X509 CRL", der))).toHaveLength(2)
    expect(() => parseCrls(toPem("CERTIFICATE", der))).toThrow(/no revocation list/)
    expect(() => parseCrl(makeCrl(root, { extensions: [crlNumber, crlNumber] }))).toThrow(/twice/)
  })

  it("a signature is checked once for each list and issuer", () => {
    let checks = 0
    const counting = {
      ...provider,
      signatures: provider.signatures.map((each) => ({
        ...each,
        verify: (...args: Parameters<typeof each.verify>) => {
          checks++
          return each.verify(...args)
        },
      })),
    }
    const store = new CrlStore([parseCrl(makeCrl(root))])
    for (let i = 0; i < 5; i++) store.status(leaf.certificate, root.certificate, now, counting)
    expect(checks).toBe(1)
    expect(
      store.status(makeLeaf(root, { subject: encodeName({}) }).certificate, root.certificate, now, counting).kind,
    ).toBe("good")
  })
})
