// ECHConfig and ECHConfigList: RFC 9849 section 4.

import { copyOf } from "../bytes/copy.ts"
import { InvalidMessage, Misuse } from "../bytes/errors.ts"
import { Reader } from "../bytes/reader.ts"
import { asciiToBytes, bytesToLatin1, quotedText } from "../bytes/text.ts"
import { Writer } from "../bytes/writer.ts"
import type { RawExtension } from "../codec/extensions/block.ts"
import { publicNameProblem } from "./public-name.ts"

/** The version that this is about, which is the extension's number too. */
export const echVersion = 0xfe0d

/** HpkeSymmetricCipherSuite: numbers of RFC 9180 sections 7.2 and 7.3. */
export interface EchCipherSuite {
  readonly kdf: number
  readonly aead: number
}

/** An ECHConfig of version 0xfe0d, decoded. */
export interface EchConfig {
  /** The whole ECHConfig as it was read, version and length included: a copy. HPKE binds it to the keys. */
  readonly bytes: Uint8Array
  /** config_id, 0 to 255 */
  readonly configId: number
  /** kem_id of RFC 9180 section 7.1 */
  readonly kem: number
  readonly publicKey: Uint8Array
  /** In the server's order. */
  readonly cipherSuites: readonly EchCipherSuite[]
  /** maximum_name_length, 0 to 255 bytes; 0: not known */
  readonly maximumNameLength: number
  /** public_name, each octet as a character: not yet checked to be one (`publicNameProblem`). */
  readonly publicName: string
  readonly extensions: readonly RawExtension[]
}

/**
 * The configurations of an ECHConfigList in the server's order. Those of other versions are skipped, as clients MUST ignore
 * them; so the list may be empty.
 * @throws InvalidMessage decode_error for what is no ECHConfigList
 */
export function decodeEchConfigList(bytes: Uint8Array): readonly EchConfig[] {
  const reader = new Reader(bytes, "ECHConfigList")
  const list = new Reader(reader.vector16("ECHConfigList", 4), "ECHConfigList")
  reader.expectEnd()
  const configs: EchConfig[] = []
  while (list.remaining > 0) {
    const version = list.uint16()
    const contents = list.vector16("contents")
    if (version === echVersion) configs.push(decodeContents(contents))
  }
  return configs
}

/** One ECHConfig alone, of version 0xfe0d. @throws InvalidMessage decode_error */
export function decodeEchConfig(bytes: Uint8Array): EchConfig {
  const [config, ...others] = decodeEchConfigList(encodeEchConfigList([bytes]))
  if (config === undefined || others.length > 0) throw new InvalidMessage("ECHConfig is not one of version 0xfe0d")
  return config
}

function decodeContents(contents: Uint8Array): EchConfig {
  const reader = new Reader(contents, "ECHConfigContents")
  const configId = reader.uint8()
  const kem = reader.uint16()
  const publicKey = copyOf(reader.vector16("public_key", 1))
  const suites = new Reader(reader.vector16("cipher_suites", 4, 0xfffc), "cipher_suites")
  const cipherSuites: EchCipherSuite[] = []
  while (suites.remaining > 0) cipherSuites.push({ kdf: suites.uint16(), aead: suites.uint16() })
  const maximumNameLength = reader.uint8()
  const publicName = bytesToLatin1(reader.vector8("public_name", 1))
  const block = new Reader(reader.vector16("extensions"), "ECHConfigContents.extensions")
  const extensions: RawExtension[] = []
  while (block.remaining > 0) extensions.push({ type: block.uint16(), data: copyOf(block.vector16("data")) })
  reader.expectEnd()
  const bytes = encodeVersioned(contents)
  return { bytes, configId, kem, publicKey, cipherSuites, maximumNameLength, publicName, extensions }
}

/** ECHConfigList of ECHConfigs, best first: what a HTTPS record carries. @throws Misuse without any, or for too many */
export function encodeEchConfigList(configs: readonly Uint8Array[]): Uint8Array {
  const length = configs.reduce((sum, config) => sum + config.length, 0)
  if (length < 4 || length > 0xffff)
    throw new Misuse(`an ECHConfigList has 4 to 65535 bytes of ECHConfigs, not ${length}`)
  const writer = new Writer(2 + length)
  return writer.vector16((list) => configs.forEach((config) => void list.bytes(config))).finish()
}

/** An ECHConfig of these fields. @throws Misuse for a name, an identifier or a length that it cannot have */
export function encodeEchConfig(config: Omit<EchConfig, "bytes">): Uint8Array {
  const { configId, publicName, maximumNameLength } = config
  const problem = publicNameProblem(publicName)
  if (problem !== undefined) throw new Misuse(`the public name ${quotedText(publicName)} ${problem}`)
  for (const [what, value] of Object.entries({ configId, maximumNameLength })) {
    if (!Number.isInteger(value) || value < 0 || value > 255)
      throw new Misuse(`${what} is ${value}; it must be 0 to 255`)
  }
  const writer = new Writer()
  writer.uint8(configId).uint16(config.kem).vector16(config.publicKey)
  writer.vector16((suites) => config.cipherSuites.forEach(({ kdf, aead }) => void suites.uint16(kdf).uint16(aead)))
  writer.uint8(maximumNameLength).vector8(asciiToBytes(publicName))
  writer.vector16((block) => config.extensions.forEach(({ type, data }) => void block.uint16(type).vector16(data)))
  return encodeVersioned(writer.finish())
}

function encodeVersioned(contents: Uint8Array): Uint8Array {
  return new Writer(4 + contents.length).uint16(echVersion).vector16(contents).finish()
}
