import { ecdsaSha256, ecdsaSha384, ecdsaSha512 } from "../../noble/ecdsa.ts"
import { sha256, sha384, sha512 } from "../../noble/hash.ts"
import type { ImmediateKeyExchange, SignatureAlgorithm } from "../../provider.ts"
import { createEcdsa } from "./ecdsa-p256.ts"
import { P256 } from "./p256.ts"
import { createSecp256r1 } from "./secp256r1.ts"

export interface P256Algorithms {
  readonly secp256r1: ImmediateKeyExchange
  /** For keys of P-256; those of other curves go on to the noble provider. */
  readonly ecdsaSha256: SignatureAlgorithm
  readonly ecdsaSha384: SignatureAlgorithm
  readonly ecdsaSha512: SignatureAlgorithm
}

/** The algorithms share one curve and its tables, which are made at their first use. */
export function createP256Algorithms(): P256Algorithms {
  let made: P256 | undefined
  const curve = (): P256 => {
    made ??= new P256()
    return made
  }
  return {
    secp256r1: createSecp256r1(curve),
    ecdsaSha256: createEcdsa(curve, ecdsaSha256, sha256),
    ecdsaSha384: createEcdsa(curve, ecdsaSha384, sha384),
    ecdsaSha512: createEcdsa(curve, ecdsaSha512, sha512),
  }
}
