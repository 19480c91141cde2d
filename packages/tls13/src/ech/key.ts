// An ECH key of a server: an ECHConfig to publish and the private key to it. RFC 9849 sections 4, 4.1 and 9.

import { Misuse } from "../bytes/errors.ts"
import { draw } from "../crypto/draw.ts"
import type { RandomSource } from "../crypto/provider.ts"
import { HpkeAead, HpkeKdf, HpkeKem, type HpkeProvider, HpkeSuite } from "../hpke/index.ts"
import { encodeEchConfig } from "./config.ts"

export interface EchKey {
  /** ECHConfig: version 0xfe0d, length, contents. */
  readonly config: Uint8Array
  /** skR, 32 bytes */
  readonly privateKey: Uint8Array
}

export interface EchKeyOptions {
  readonly provider: HpkeProvider
  /** The name that is seen: of a server that has a certificate for it, and at which clients learn of new keys. */
  readonly publicName: string
  /** Bytes of the longest name behind it, 0 to 255, to which shorter ones are padded; default 0: not known. */
  readonly maximumNameLength?: number | undefined
  /** 0 to 255. Default: drawn, and none of `usedIds`. */
  readonly configId?: number | undefined
  /** Section 4.1: those of the server's other keys, which the new one should not have. */
  readonly usedIds?: readonly number[] | undefined
  /** Default: DHKEM(X25519, HKDF-SHA256), which everybody has (section 9). */
  readonly kem?: keyof typeof HpkeKem | undefined
  /** Instead of the provider's. */
  readonly random?: RandomSource | undefined
}

/** A new key with HKDF-SHA256 and those of AES-128-GCM, AES-256-GCM and ChaCha20Poly1305 that the provider has. @throws Misuse */
export function generateEchKey(options: EchKeyOptions): EchKey {
  const { provider, publicName, maximumNameLength = 0, random = provider.random } = options
  const kem = HpkeKem[options.kem ?? "DHKEM(X25519, HKDF-SHA256)"]
  const kdf = HpkeKdf["HKDF-SHA256"]
  const suites = Object.values(HpkeAead).flatMap((aead) => HpkeSuite.of(provider, { kem, kdf, aead }) ?? [])
  if (suites[0] === undefined) throw new Misuse("the crypto provider has no HPKE suite with this KEM")
  const configId = options.configId ?? freeId(options.usedIds ?? [], random)
  const { publicKey, privateKey } = suites[0].generateKeyPair(random)
  const cipherSuites = suites.map(({ ids: { aead } }) => ({ kdf, aead }))
  const config = encodeEchConfig({
    configId,
    kem,
    publicKey,
    cipherSuites,
    maximumNameLength,
    publicName,
    extensions: [],
  })
  return { config, privateKey }
}

/** Section 4.1: "to randomly select config_id repeatedly until it does not match any known ECHConfig". */
function freeId(used: readonly number[], random: RandomSource): number {
  const free = [...new Uint8Array(256).keys()].filter((id) => !used.includes(id))
  if (free.length === 0) throw new Misuse("all 256 values of config_id are in use: retire an ECH key first")
  // 16 bits for at most 256 of them: a bias of less than one in 256.
  const [high, low] = draw(random, 2)
  return free[((high! << 8) | low!) % free.length]!
}
