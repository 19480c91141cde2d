import { describe, expect, it } from "vitest"
import { makeLeaf, makeRoot, provider } from "../../../tests/x509/pki.ts"
import { fromHex } from "../../bytes/hex.ts"
import { encodePkcs8 } from "../../devcert/keys.ts"
import * as Oid from "../der/oids.ts"
import { loadCredential, singleCredential, toPem } from "../index.ts"
import type { CredentialRequest, OidFilter } from "../interfaces.ts"
import { matchesOidFilters } from "./oid-filters.ts"

const leaf = makeLeaf(makeRoot(), { usage: [Oid.serverAuth, Oid.clientAuth] })
const filter = (oid: string, values: string): OidFilter => ({ oid: fromHex(oid), values: fromHex(values) })
const keyUsage = "0603551d0f"
const extKeyUsage = "0603551d25"
const clientAuth = "06082b06010505070302"
const emailProtection = "06082b06010505070304"

// The leaf has digitalSignature, serverAuth and clientAuth.
const cases: readonly (readonly [what: string, matches: boolean, ...filters: OidFilter[]])[] = [
  ["no filter", true],
  // Requirement 4.3.5-3
  ["a key usage that it has", true, filter(keyUsage, "03020780")],
  // Requirement 4.3.5-3
  ["a key usage that it lacks", false, filter(keyUsage, "03020204")],
  ["one that it has and one that it lacks", false, filter(keyUsage, "03020284")],
  ["keyUsage of any value", true, filter(keyUsage, "")],
  ["a key purpose that it has", true, filter(extKeyUsage, `300a${clientAuth}`)],
  // Requirement 4.3.5-3
  ["a key purpose that it lacks", false, filter(extKeyUsage, `300a${emailProtection}`)],
  ["key purposes of which it lacks one", false, filter(extKeyUsage, `3014${clientAuth}${emailProtection}`)],
  ["extKeyUsage of any value", true, filter(extKeyUsage, "")],
  // Requirement 4.3.5-4
  ["an extension that no rule is defined for", true, filter("0603551d20", "3000")],
  ["an identifier that is no DER", true, filter("0603551d", "")],
  [
    "two filters of which one matches",
    false,
    filter(keyUsage, "03020780"),
    filter(extKeyUsage, `300a${emailProtection}`),
  ],
  ["values that are no DER", false, filter(keyUsage, "030207")],
  ["values with something behind them", false, filter(keyUsage, "0302078000")],
]

describe("RFC 9846 4.3.5: oid_filters", () => {
  for (const [what, matches, ...filters] of cases) {
    // Requirement 4.3.5-3
    // Requirement 4.3.5-4
    it(`${what}: ${matches ? "matches" : "does not match"}`, () => {
      expect(matchesOidFilters(leaf.der, filters)).toBe(matches)
    })
  }

  // Requirement 4.3.5-2
  it("keyUsage of any value does not match a certificate without it", () => {
    const bare = makeLeaf(makeRoot(), { extensions: [] })
    expect(matchesOidFilters(bare.der, [filter(keyUsage, "")])).toBe(false)
    expect(matchesOidFilters(bare.der, [filter(extKeyUsage, "")])).toBe(false)
  })

  // Requirement 4.3.5-2
  // Requirement 4.3.5-2
  it("a client shows no certificate that does not match", () => {
    const key = toPem("PRIVATE KEY", encodePkcs8(leaf.privateKey))
    const credential = loadCredential({ cert: toPem("CERTIFICATE", leaf.der), key, provider })
    const asked: CredentialRequest = {
      serverName: undefined,
      alpnProtocols: [],
      signatureSchemes: [0x0403],
      signatureSchemesCert: [0x0403],
      authorities: [],
      certificateTypes: ["X509"],
    }
    const resolver = singleCredential(credential)
    expect(resolver.resolve({ ...asked, oidFilters: [filter(extKeyUsage, `300a${clientAuth}`)] })).toBe(credential)
    expect(resolver.resolve({ ...asked, oidFilters: [filter(extKeyUsage, `300a${emailProtection}`)] })).toEqual({
      none: "handshake_failure",
      message: "no certificate of ours has what the oid_filters ask for",
    })
  })
})
