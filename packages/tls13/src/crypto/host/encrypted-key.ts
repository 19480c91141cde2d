// Private keys that a password protects: by the host's own crypto, which knows every form that OpenSSL writes. The core has
// neither AES-CBC nor PBKDF2, and nothing else there would need them.

import { createPrivateKey } from "node:crypto"

/** Whether it is an EncryptedPrivateKeyInfo (RFC 5958 section 3) in PEM or DER, or a key with RFC 1421 headers. */
export function isEncryptedKey(key: string | Uint8Array): boolean {
  if (typeof key !== "string" && key[0] === 0x30) return isEncryptedDer(key)
  return /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: *4, *ENCRYPTED/m.test(pemText(key))
}

/** Without a byte order mark, which some editors put in front and OpenSSL does not look behind. */
function pemText(key: string | Uint8Array): string {
  const text = typeof key === "string" ? key : Buffer.from(key).toString("latin1")
  return text.replace(/^(?:\xef\xbb\xbf|\ufeff)/, "")
}

/**
 * The key as DER PKCS#8, decrypted: PBES2 with PBKDF2 or scrypt and AES, as `openssl genpkey -aes256` writes it, and the
 * old PEM form with RFC 1421 headers.
 * @throws Error with one clause: the password is wrong, or the host does not know how the key is encrypted
 */
export function decryptPrivateKey(key: string | Uint8Array, password: string | Uint8Array): Uint8Array {
  const isDer = typeof key !== "string" && key[0] === 0x30
  const passphrase = Buffer.from(password)
  try {
    const opened = createPrivateKey(
      isDer
        ? { key: Buffer.from(key), format: "der", type: "pkcs8", passphrase }
        : { key: pemText(key), format: "pem", passphrase },
    )
    return opened.export({ format: "der", type: "pkcs8" })
  } catch (error) {
    throw new Error(reasonOf(error))
  } finally {
    passphrase.fill(0)
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (/unsupported|unknown/i.test(message)) {
    return "its password is wrong, or it is encrypted in a way that this host does not know; then encrypt it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out FILE.pem`"
  }
  if (/bad decrypt|bad password|wrong|mac verify/i.test(message)) return "its password is wrong"
  return `its password is wrong, or it is damaged (${message})`
}

/** SEQUENCE { SEQUENCE { OID ... }, OCTET STRING }: a plain key begins with a version. */
function isEncryptedDer(der: Uint8Array): boolean {
  const outer = headerLength(der, 0)
  const inner = outer + headerLength(der, outer)
  return der[outer] === 0x30 && der[inner] === 0x06 && isPkcs5(der, inner + 2)
}

function headerLength(der: Uint8Array, at: number): number {
  const short = der[at + 1] ?? 0
  return short > 0x80 ? 2 + short - 0x80 : 2
}

/** 1.2.840.113549.1.5 (PKCS#5) or 1.2.840.113549.1.12 (PKCS#12). */
function isPkcs5(der: Uint8Array, at: number): boolean {
  return (
    [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01].every((byte, i) => der[at + i] === byte) &&
    [5, 12].includes(der[at + 7] ?? 0)
  )
}
