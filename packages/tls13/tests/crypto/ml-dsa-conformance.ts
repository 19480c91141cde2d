import { describe, expect, it } from "vitest"
import type { MlDsaName } from "../../src/crypto/keys.ts"
import type { CryptoProvider, SignatureAlgorithm } from "../../src/crypto/provider.ts"
import { parsePrivateKey } from "../../src/x509/keys/private-key.ts"
import { encodeSpki, parseSpki } from "../../src/x509/keys/spki.ts"
import { expectAll, hex, runWycheproof, type WycheproofGroup, type WycheproofTest } from "./wycheproof.ts"

interface Case extends WycheproofTest {
  readonly msg: string
  readonly sig: string
}
interface VerifyGroup extends WycheproofGroup<Case> {
  readonly publicKey: string
  readonly publicKeyDer: string | null
}
interface SignGroup extends WycheproofGroup<Case> {
  readonly privateSeed: string
  readonly privateKeyPkcs8?: string
  readonly privateKey: string
}

const sets: readonly { readonly size: number; readonly verify: number; readonly sign: number }[] = [
  { size: 44, verify: 41, sign: 13 },
  { size: 65, verify: 43, sign: 14 },
  { size: 87, verify: 47, sign: 14 },
]

/** Wycheproof's cases of FIPS 204. The vectors of signatures are those of 32 zero bytes of randomness. */
export function mlDsaConformance(provider: CryptoProvider): void {
  const zeros = (length: number): Uint8Array => new Uint8Array(length)
  describe(`${provider.name}: ML-DSA`, () => {
    for (const { size, verify, sign } of sets) {
      const type = `ml-dsa-${size}` as MlDsaName
      const algorithm = (): SignatureAlgorithm => provider.signatures.find(({ name }) => name === `mldsa${size}`)!

      it(`${type}: verifies`, () => {
        const tally = runWycheproof<VerifyGroup, Case>(`mldsa_${size}_verify`, (group, test) => {
          const key = { type, bytes: hex(group.publicKey) }
          if (group.publicKeyDer !== null && !test.flags.includes("IncorrectPublicKeyLength")) {
            expect(parseSpki(hex(group.publicKeyDer))).toEqual(key)
            expect(encodeSpki(key)).toEqual(hex(group.publicKeyDer))
          }
          return algorithm().verify(key, hex(test.msg), hex(test.sig))
        })
        expectAll(tally, verify)
      })

      it(`${type}: signs from a seed`, () => {
        const tally = runWycheproof<SignGroup, Case>(`mldsa_${size}_sign_seed`, (group, test) => {
          const seed = hex(group.privateSeed)
          if (group.privateKeyPkcs8 && test.result === "valid") {
            expect(parsePrivateKey(hex(group.privateKeyPkcs8)).privateKey).toEqual({ type, seed })
          }
          return signs(algorithm(), { type, seed }, test)
        })
        expectAll(tally, sign)
      })
    }

    it("ml-dsa-44: signs with an expanded key", () => {
      const algorithm = provider.signatures.find(({ name }) => name === "mldsa44")!
      const tally = runWycheproof<SignGroup, Case>("mldsa_44_sign_noseed", (group, test) =>
        signs(algorithm, { type: "ml-dsa-44", expanded: hex(group.privateKey) }, test),
      )
      expectAll(tally, 11)
    })
  })

  function signs(algorithm: SignatureAlgorithm, key: Parameters<SignatureAlgorithm["sign"]>[0], test: Case): boolean {
    try {
      // The host draws its own randomness.
      const signature = algorithm.sign(key, hex(test.msg), zeros)
      return provider.name === "host" || test.flags.includes("Randomized") || equal(signature, hex(test.sig))
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError)
      return false
    }
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
