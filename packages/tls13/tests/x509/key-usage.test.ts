// RFC 9881 section 5, and section 5 of RFC 8410 as RFC 9295 has it: keys that only sign have no usage of encryption. That binds who
// makes a certificate; a path is not refused for it (docs/certificates.md says why).

import { describe, expect, it } from "vitest"
import { createEd448, generateEd448Key, publicKeyOfAny } from "../../src/crypto/more/index.ts"
import { generateMlDsaKeyPair, mlDsaSignatures } from "../../src/crypto/noble-pq/index.ts"
import { certificateToPem, createAuthority, createLeaf, type KeyPair, keyUsage } from "../../src/devcert/index.ts"
import { KeyUsage, parseCertificate } from "../../src/x509/index.ts"
import { trustStoreFromPem } from "../../src/x509/path/trust.ts"
import { createCertificateVerifier } from "../../src/x509/path/verifier.ts"
import { provider as noble, start as now } from "../support.ts"

const provider = { ...noble, signatures: [...noble.signatures, createEd448(), ...mlDsaSignatures] }

const kinds: readonly {
  readonly type: string
  readonly make: { readonly keyType?: "ed25519"; readonly keyPair?: KeyPair }
}[] = [
  { type: "ed25519", make: { keyType: "ed25519" } },
  { type: "ed448", make: { keyPair: ed448KeyPair() } },
  { type: "ml-dsa-44", make: { keyPair: generateMlDsaKeyPair("ml-dsa-44", noble.random) } },
]

function ed448KeyPair(): KeyPair {
  const privateKey = generateEd448Key(noble.random)
  return { privateKey, publicKey: publicKeyOfAny(privateKey) }
}

describe.each(kinds)("certificates of $type", ({ make }) => {
  const authority = createAuthority({ ...make, provider, now })
  const usageOf = (der: Uint8Array) => parseCertificate(der).extensions.keyUsage

  it("that we make have the usages of signatures alone", () => {
    const leaf = createLeaf({ ...make, provider, now, issuer: authority, usage: "both", names: ["a.test"] })
    expect(usageOf(authority.certificate)).toBe(KeyUsage.keyCertSign | KeyUsage.cRLSign)
    expect(usageOf(leaf.certificate)).toBe(KeyUsage.digitalSignature)
  })

  it.each(["path", "rfc5280"] as const)("are believed with another usage beside, by the profile %s", (profile) => {
    const leaf = createLeaf({
      ...make,
      provider,
      now,
      issuer: authority,
      usage: "server",
      names: ["a.test"],
      extensions: (usual) => [
        ...usual.filter(({ oid }) => oid !== keyUsage("digitalSignature").oid),
        keyUsage("digitalSignature", "keyEncipherment"),
      ],
    })
    const verifier = createCertificateVerifier({ trust: trustStoreFromPem(certificateToPem(authority)), profile })
    const asked = {
      type: "X509",
      role: "server",
      serverName: "a.test",
      ocspResponse: undefined,
      now,
      provider,
    } as const
    const verdict = verifier.verify({ ...asked, chain: leaf.chain, signedCertificateTimestamps: undefined })
    expect(verdict).toMatchObject({ accepted: true })
  })
})
