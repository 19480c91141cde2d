// RFC 9846 section 7.5: keying material exporters (RFC 5705) for TLS 1.3.

import type { Hash } from "../crypto/provider.ts"
import { deriveSecret, emptyHash, hkdfExpandLabel } from "./labels.ts"

/**
 * TLS-Exporter(label, context_value, key_length).
 * @param exporterSecret exporter_secret; early_exporter_secret only where the application says so explicitly
 * @param label as registered with IANA, ASCII, 1 to 249 characters
 * @param context of any length; empty and absent are the same in TLS 1.3
 * @param length bytes wanted, at most 255 * Hash.length
 * @throws Misuse when the label or the length is out of range; RangeError when the label is not ASCII
 */
export function exportKeyingMaterial(
  hash: Hash,
  exporterSecret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const secret = deriveSecret(hash, exporterSecret, label, emptyHash(hash))
  try {
    return hkdfExpandLabel(hash, secret, "exporter", hash.digest(context), length)
  } finally {
    secret.fill(0)
  }
}

/**
 * early_exporter_secret, behind an interface of its own: "this avoids the exporter user accidentally using an early exporter
 * when a regular one is desired or vice versa" (section 7.5).
 */
export class EarlyExporter {
  readonly #hash: Hash
  readonly #secret: Uint8Array

  /** @param secret becomes the exporter's own */
  constructor(hash: Hash, secret: Uint8Array) {
    this.#hash = hash
    this.#secret = secret
  }

  /** As `exportKeyingMaterial`. */
  export(label: string, context: Uint8Array, length: number): Uint8Array {
    return exportKeyingMaterial(this.#hash, this.#secret, label, context, length)
  }

  wipe(): void {
    this.#secret.fill(0)
  }
}
