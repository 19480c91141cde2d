// A private key that a password may protect, as the rest of the package reads it.

import { decryptPrivateKey, isEncryptedKey } from "../../crypto/host/encrypted-key.ts"
import { X509Error } from "../../x509/errors.ts"

/** The key itself when it is not encrypted, or there is no password. @throws X509Error when the password is wrong */
export function openedKey(key: string | Uint8Array, password: string | Uint8Array | undefined): string | Uint8Array {
  if (password === undefined || !isEncryptedKey(key)) return key
  try {
    return decryptPrivateKey(key, password)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new X509Error("unsupported_key", `the private key cannot be decrypted: ${why}`)
  }
}
