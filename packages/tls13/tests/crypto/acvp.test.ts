// NIST's sample vectors of FIPS 203 and FIPS 204: test-vectors/acvp/README.md says which.

import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js"
import { describe, expect, it } from "vitest"
import { createMlKem768, createMlKem1024 } from "../../src/crypto/fast-pq/index.ts"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import type { MlDsaName, PublicKey } from "../../src/crypto/keys.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import {
  type MlKem,
  mlDsaPublicKey,
  mlDsaSignatures,
  mlKem512,
  mlKem768,
  mlKem1024,
} from "../../src/crypto/noble-pq/index.ts"
import { hex } from "./wycheproof.ts"

type MlDsaSet = "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87"
type MlKemSet = "ML-KEM-512" | "ML-KEM-768" | "ML-KEM-1024"
interface Group<Set, Test> {
  readonly parameterSet: Set
  readonly tests: readonly Test[]
}
interface MlDsaVectors {
  readonly keyGen: readonly Group<MlDsaSet, { seed: string; pkSha256: string; skSha256: string }>[]
  readonly sigVer: readonly (Group<
    MlDsaSet,
    { tcId: number; reason: string; testPassed: boolean; message: string; signature: string }
  > & { readonly pk: string })[]
}
interface MlKemVectors {
  readonly keyGen: readonly Group<MlKemSet, { d: string; z: string; ekSha256: string; dkSha256: string }>[]
  readonly encapsulation: readonly Group<MlKemSet, { ek: string; m: string; cSha256: string; k: string }>[]
  readonly decapsulation: readonly (Group<MlKemSet, { c: string; k: string }> & { readonly dk: string })[]
}

const mlDsa: MlDsaVectors = read("ml-dsa")
const mlKem: MlKemVectors = read("ml-kem")
const noble = { "ML-DSA-44": ml_dsa44, "ML-DSA-65": ml_dsa65, "ML-DSA-87": ml_dsa87 } as const
const { random } = createNobleProvider()

describe.each(mlDsa.keyGen)("ACVP $parameterSet", ({ parameterSet, tests }) => {
  const type = parameterSet.toLowerCase() as MlDsaName

  it("keyGen: 25 seeds give the public and the expanded key", () => {
    expect(tests).toHaveLength(25)
    for (const { seed, pkSha256, skSha256 } of tests) {
      const expanded = noble[parameterSet].keygen(hex(seed)).secretKey
      expect(sha256(expanded)).toBe(skSha256)
      // A key with both is refused when they disagree.
      expect(sha256(bytesOf(mlDsaPublicKey({ type, seed: hex(seed), expanded })))).toBe(pkSha256)
      expect(sha256(bytesOf(mlDsaPublicKey({ type, expanded })))).toBe(pkSha256)
    }
  })

  it.each([
    { provider: "noble-pq", signatures: mlDsaSignatures },
    { provider: "host", signatures: createHostProvider().signatures },
  ])("keyGen: what $provider signs with a seed is of the public key", ({ signatures }) => {
    const algorithm = signatures.find(({ name }) => name === type.replaceAll("-", ""))
    // node:crypto has it from Node 24.7 on.
    if (algorithm === undefined) return expect(Number.parseInt(process.versions.node, 10)).toBeLessThan(25)
    for (const { seed, pkSha256 } of tests.slice(0, 5)) {
      const key = mlDsaPublicKey({ type, seed: hex(seed) })
      expect(sha256(bytesOf(key))).toBe(pkSha256)
      const message = random(100)
      const signature = algorithm.sign({ type, seed: hex(seed) }, message, random) as Uint8Array
      for (const { name, verify } of [...mlDsaSignatures, algorithm])
        if (name === algorithm.name) expect(verify(key, message, signature)).toBe(true)
    }
  })

  it("sigVer: five reasons, and what each comes to", () => {
    const group = mlDsa.sigVer.find((each) => each.parameterSet === parameterSet)!
    const reasons = group.tests.map((test) => test.reason).sort()
    expect(reasons).toEqual(["modify message", "modify signature", "no modification", "too many hints", "z too large"])
    for (const { tcId, reason, testPassed, message, signature } of group.tests)
      expect(
        noble[parameterSet].internal.verify(hex(signature), hex(message), hex(group.pk)),
        `${tcId}: ${reason}`,
      ).toBe(testPassed)
  })
})

describe.each<{ whose: string; kems: Partial<Record<MlKemSet, MlKem>> }>([
  { whose: "noble's", kems: { "ML-KEM-512": mlKem512(), "ML-KEM-768": mlKem768(), "ML-KEM-1024": mlKem1024() } },
  { whose: "our WebAssembly", kems: { "ML-KEM-768": createMlKem768(), "ML-KEM-1024": createMlKem1024() } },
])("ACVP ML-KEM, $whose", ({ kems }) => {
  const has = ({ parameterSet }: Group<MlKemSet, unknown>) => kems[parameterSet] !== undefined

  it.each(mlKem.keyGen.filter(has))("$parameterSet keyGen: 25 cases", ({ parameterSet, tests }) => {
    expect(tests).toHaveLength(25)
    for (const { d, z, ekSha256, dkSha256 } of tests) {
      const { publicKey, secretKey } = kems[parameterSet]!.keygen(hex(d + z))
      expect([sha256(publicKey), sha256(secretKey)]).toEqual([ekSha256, dkSha256])
    }
  })

  it.each(mlKem.encapsulation.filter(has))("$parameterSet encapsulation: 10 cases", ({ parameterSet, tests }) => {
    expect(tests).toHaveLength(10)
    for (const { ek, m, cSha256, k } of tests) {
      const { cipherText, sharedSecret } = kems[parameterSet]!.encapsulate(hex(ek), hex(m))
      expect([sha256(cipherText), sharedSecret]).toEqual([cSha256, hex(k)])
    }
  })

  it.each(mlKem.decapsulation.filter(has))(
    "$parameterSet decapsulation: 10 cases, changed ciphertexts among them",
    ({ parameterSet, dk, tests }) => {
      expect(tests).toHaveLength(10)
      for (const { c, k } of tests) expect(kems[parameterSet]!.decapsulate(hex(c), hex(dk))).toEqual(hex(k))
    },
  )
})

function read<Vectors>(name: string): Vectors {
  const url = new URL(`../../../../test-vectors/acvp/${name}.json.gz`, import.meta.url)
  return JSON.parse(gunzipSync(readFileSync(url)).toString("utf8")) as Vectors
}

function bytesOf(key: PublicKey): Uint8Array {
  if (!("bytes" in key)) throw new Error(`${key.type} is another key`)
  return key.bytes
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}
