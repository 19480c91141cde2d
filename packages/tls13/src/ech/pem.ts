// The file of an ECH key: RFC 9934. A block PRIVATE KEY (PKCS#8) and a block ECHCONFIG, an ECHConfigList; OpenSSL's
// `openssl ech` and other servers read and write the same.

import { concatBytes } from "../bytes/concat.ts"
import { copyOf } from "../bytes/copy.ts"
import { equalBytes } from "../bytes/equal.ts"
import { fromHex } from "../bytes/hex.ts"
import { HpkeKem, type HpkeProvider, HpkeSuite } from "../hpke/index.ts"
import { readWhole } from "../x509/der/der.ts"
import { type PemBlock, parsePem, toPem } from "../x509/der/pem.ts"
import { X509Error } from "../x509/errors.ts"
import { parsePrivateKey } from "../x509/keys/private-key.ts"
import { decodeEchConfig, decodeEchConfigList, type EchConfig, encodeEchConfigList } from "./config.ts"
import type { EchKey } from "./key.ts"

/** PKCS#8 of an X25519 key (RFC 8410 section 7) up to its 32 bytes. */
const x25519Pkcs8 = /* @__PURE__ */ fromHex("302e020100300506032b656e04220420")
/** PKCS#8 of a P-256 key (RFC 5915) up to its 32 bytes. */
const p256Pkcs8 = /* @__PURE__ */ fromHex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420")

/** The text of a file. @throws InvalidMessage when the configuration of the key is none */
export function echKeyToPem(key: EchKey): string {
  const { kem } = decodeEchConfig(key.config)
  const prefix = kem === HpkeKem["DHKEM(X25519, HKDF-SHA256)"] ? x25519Pkcs8 : p256Pkcs8
  return `${toPem("PRIVATE KEY", concatBytes(prefix, key.privateKey))}${echConfigListToPem([key.config])}`
}

/** What is published, as a block ECHCONFIG. */
export function echConfigListToPem(configs: readonly Uint8Array[]): string {
  return toPem("ECHCONFIG", encodeEchConfigList(configs))
}

/** The ECHConfigList of the first block ECHCONFIG: of a key file, or of one that is published. @throws X509Error, InvalidMessage */
export function echConfigListFromPem(text: string | Uint8Array): Uint8Array {
  const { der } = blockOf(parsePem(text), "ECHCONFIG")
  decodeEchConfigList(der)
  return der
}

/**
 * The keys of a file: its private key with each configuration of the list that is for it.
 * @throws X509Error for a file that has not both blocks, or whose key is for none of the configurations; InvalidMessage
 */
export function echKeysFromPem(text: string | Uint8Array, provider: HpkeProvider): readonly EchKey[] {
  const blocks = parsePem(text)
  const privateKey = readPrivateKey(blockOf(blocks, "PRIVATE KEY"))
  const configs = decodeEchConfigList(blockOf(blocks, "ECHCONFIG").der)
  const fitting = configs.filter((config) => isKeyOf(config, privateKey, provider))
  if (fitting.length === 0) throw new X509Error("malformed", "the private key is for none of the configurations")
  return fitting.map(({ bytes }) => ({ config: bytes, privateKey }))
}

function isKeyOf({ kem, cipherSuites, publicKey }: EchConfig, privateKey: Uint8Array, provider: HpkeProvider): boolean {
  for (const { kdf, aead } of cipherSuites) {
    const suite = HpkeSuite.of(provider, { kem, kdf, aead })
    if (suite === undefined) continue
    try {
      return equalBytes(suite.keyPairOf(privateKey).publicKey, publicKey)
    } catch {
      return false // no private key of this KEM
    }
  }
  return false
}

function blockOf(blocks: readonly PemBlock[], label: string): PemBlock {
  const found = blocks.find((block) => block.label === label)
  if (found !== undefined) return found
  const others = blocks.map((block) => block.label).join(", ")
  throw new X509Error("malformed", `an ECH key file has a block ${label}; this has ${others || "no block at all"}`)
}

/** skR, 32 bytes. */
function readPrivateKey({ der }: PemBlock): Uint8Array {
  const oid = readWhole(der, "the private key", (whole) => {
    const sequence = whole.sequence("the private key")
    sequence.small("the private key's version")
    const algorithm = sequence.sequence("the private key's algorithm").oid("the private key's algorithm")
    const content = sequence.octetString("the private key")
    return { algorithm, content }
  })
  if (oid.algorithm === "1.3.101.110") {
    const key = readWhole(oid.content, "the X25519 key", (inner) => inner.octetString("the X25519 key"))
    if (key.length !== 32) throw new X509Error("malformed", `the X25519 key has ${key.length} bytes; it must have 32`)
    return copyOf(key)
  }
  const { privateKey } = parsePrivateKey(der)
  if (privateKey.type === "ec" && privateKey.curve === "P-256") return privateKey.secret
  throw new X509Error("unsupported_key", "an ECH key is one of X25519 or of P-256")
}
