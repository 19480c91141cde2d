// Private keys of ML-DSA (FIPS 204) in PKCS#8, RFC 9881.

import { copyOf } from "../../bytes/copy.ts"
import type { MlDsaName, MlDsaPrivateKey } from "../../crypto/keys.ts"
import { contextPrimitive, type Der } from "../der/der.ts"
import * as Tag from "../der/tags.ts"
import { ofLength } from "./octet-keys.ts"

/** Bytes of an expanded private key: FIPS 204 table 2. */
const expandedLengths: Readonly<Record<MlDsaName, number>> = {
  "ml-dsa-44": 2560,
  "ml-dsa-65": 4032,
  "ml-dsa-87": 4896,
}

/**
 * ML-DSA-*-PrivateKey (RFC 9881 section 6): the seed, the expanded key, or both.
 * @param label `ML-DSA-65`
 * @throws X509Error `malformed`
 */
export function readMlDsaPrivateKey(type: MlDsaName, label: string, der: Der): MlDsaPrivateKey {
  const what = `the ${label} key`
  const seedIn = (from: Der, tag?: number): Uint8Array =>
    copyOf(ofLength(from.content(tag ?? Tag.octetString, what), 32, `${label} seed`))
  const expandedIn = (from: Der): Uint8Array =>
    copyOf(ofLength(from.octetString(what), expandedLengths[type], `${label} expanded key`))
  const tag = der.peek()
  if (tag === contextPrimitive(0)) return { type, seed: seedIn(der, tag) }
  if (tag !== Tag.sequence) return { type, expanded: expandedIn(der) }
  const both = der.sequence(what)
  const key = { type, seed: seedIn(both), expanded: expandedIn(both) }
  both.expectEnd(what)
  return key
}
