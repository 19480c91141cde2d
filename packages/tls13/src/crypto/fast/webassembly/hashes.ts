import { sha384, sha512 } from "../../noble/hash.ts"
import type { Hash } from "../../provider.ts"
import { createPlainSha256 } from "../sha256.ts"
import { type Sha2KernelSource, sha2Over } from "./sha2.ts"

/** The hashes that signatures are made of, over one instance. */
export function hashesOver(source: Sha2KernelSource): Readonly<Record<Hash["name"], Hash>> {
  return {
    sha256: sha2Over(createPlainSha256(), source),
    sha384: sha2Over(sha384, source),
    sha512: sha2Over(sha512, source),
  }
}
