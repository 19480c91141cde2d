import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js"
import { copyOf } from "../../bytes/copy.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { draw } from "../draw.ts"
import { copyOfPrivateKey, type MlDsaName, type MlDsaPrivateKey, type PublicKey } from "../keys.ts"
import type { RandomSource, SignatureAlgorithm } from "../provider.ts"

// ML-DSA (FIPS 204) of @noble/post-quantum, for certificates (RFC 9881) and CertificateVerify (draft-ietf-tls-mldsa): pure
// ML-DSA, hedged, with an empty context. Put them behind a provider's `signatures`:
//   const provider = createNobleProvider()
//   const config = { provider: { ...provider, signatures: [...provider.signatures, ...mlDsaSignatures] } }
// Side channels: as for ML-KEM; how often signing starts anew shows, and FIPS 204 counts that as public.

type Noble = typeof ml_dsa44

const sets: Readonly<Record<MlDsaName, Noble>> = { "ml-dsa-44": ml_dsa44, "ml-dsa-65": ml_dsa65, "ml-dsa-87": ml_dsa87 }

export const mldsa44: SignatureAlgorithm = /* @__PURE__ */ mlDsa("mldsa44", "ml-dsa-44", ml_dsa44)
export const mldsa65: SignatureAlgorithm = /* @__PURE__ */ mlDsa("mldsa65", "ml-dsa-65", ml_dsa65)
export const mldsa87: SignatureAlgorithm = /* @__PURE__ */ mlDsa("mldsa87", "ml-dsa-87", ml_dsa87)

/** All three, the smallest first. */
export const mlDsaSignatures: readonly SignatureAlgorithm[] = [mldsa44, mldsa65, mldsa87]

/** Bytes. */
const SEED = 32

/** A new private key, as its seed. @param random is asked for 32 bytes */
export function generateMlDsaKey(name: MlDsaName, random: RandomSource): MlDsaPrivateKey {
  return { type: name, seed: draw(random, SEED) }
}

/** A new key with its public half, for certificates. */
export function generateMlDsaKeyPair(
  name: MlDsaName,
  random: RandomSource,
): { readonly privateKey: MlDsaPrivateKey; readonly publicKey: PublicKey } {
  const privateKey = generateMlDsaKey(name, random)
  return { privateKey, publicKey: mlDsaPublicKey(privateKey) }
}

/** The public half. @throws RangeError when the key is malformed, or its seed does not give its expanded key */
export function mlDsaPublicKey(key: MlDsaPrivateKey): PublicKey {
  const noble = sets[key.type]
  const expanded = expand(noble, key)
  try {
    return { type: key.type, bytes: noble.getPublicKey(expanded) }
  } finally {
    expanded.fill(0)
  }
}

function mlDsa(name: "mldsa44" | "mldsa65" | "mldsa87", type: MlDsaName, noble: Noble): SignatureAlgorithm {
  // A seed is expanded once: that takes a third of the time of a signature. The bytes are compared, as the caller may have put
  // others into its arrays since.
  const known = new WeakMap<MlDsaPrivateKey, { readonly of: MlDsaPrivateKey; readonly expanded: Uint8Array }>()
  function expandedOf(key: MlDsaPrivateKey): Uint8Array {
    const before = known.get(key)
    if (before !== undefined && sameArray(before.of.seed, key.seed) && sameArray(before.of.expanded, key.expanded))
      return before.expanded
    const made = { of: copyOfPrivateKey(key) as MlDsaPrivateKey, expanded: expand(noble, key) }
    known.set(key, made)
    return made.expanded
  }
  return {
    name,
    verify(key, message, signature) {
      const { lengths } = noble
      if (key.type !== type || key.bytes.length !== lengths.publicKey || signature.length !== lengths.signature)
        return false
      try {
        return noble.verify(signature, message, key.bytes)
      } catch {
        return false
      }
    },
    sign(key, message, random) {
      if (key.type !== type) throw new RangeError(`${name} cannot sign with a key of type ${key.type}`)
      const expanded = expandedOf(key as MlDsaPrivateKey)
      const extraEntropy = draw(random, SEED)
      try {
        return noble.sign(message, expanded, { extraEntropy })
      } catch {
        throw new RangeError(`not a private key of ${type}`)
      } finally {
        extraEntropy.fill(0)
      }
    },
  }
}

/** The private key of FIPS 204 algorithm 24, in memory of its own. */
function expand(noble: Noble, { type, seed, expanded }: MlDsaPrivateKey): Uint8Array {
  if (expanded !== undefined && expanded.length !== noble.lengths.secretKey)
    throw new RangeError(`an expanded ${type} key has ${noble.lengths.secretKey} bytes, not ${expanded.length}`)
  if (seed === undefined) {
    if (expanded === undefined) throw new RangeError(`the ${type} key has neither seed nor expanded key`)
    return copyOf(expanded)
  }
  if (seed.length !== SEED) throw new RangeError(`a seed of ${type} has ${SEED} bytes, not ${seed.length}`)
  const { secretKey } = noble.keygen(seed)
  // RFC 9881 section 6: a key whose halves disagree is malformed.
  if (expanded !== undefined && !equalBytes(secretKey, expanded))
    throw new RangeError(`the seed of the ${type} key does not give its expanded key`)
  return secretKey
}

function sameArray(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equalBytes(a, b))
}
