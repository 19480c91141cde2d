// The options that both sides have, in the words of node:tls, and how they become those of a connection.

import { copyOf } from "../../bytes/copy.ts"
import { Misuse } from "../../bytes/errors.ts"
import { toHex } from "../../bytes/hex.ts"
import { bytesToLatin1, utf8ToBytes } from "../../bytes/text.ts"
import type { ConnectionRecorder } from "../../connection/recorder.ts"
import type { CommonOptions } from "../../handshake/options.ts"
import type { ExternalPsk } from "../../session/session.ts"
import type { TraceSink } from "../../trace/events.ts"
import { keyLogLine } from "../../trace/keylog.ts"
import type { SecureContext, SecureContextOptions } from "./secure-context.ts"
import type { CertificatePolicy } from "./verification.ts"

/** A pre-shared key (RFC 9257: 16 random bytes or more, for two parties only). */
export interface PskOption {
  /** Text is sent as UTF-8. */
  readonly identity: string | Uint8Array
  readonly key: Uint8Array
  /** The hash that the key was made for; default sha256. */
  readonly hash?: ExternalPsk["hash"] | undefined
  /** `imported`: the key came out of the importer of RFC 9258. Default external. */
  readonly kind?: ExternalPsk["kind"] | undefined
}

/** What node:tls has no word for goes by its own. */
const ownNames = [
  "recordSizeLimit",
  "padding",
  "certificateCompression",
  "grease",
  "allowPskWithoutKeyExchange",
] as const
type OwnOptions = Pick<CommonOptions, (typeof ownNames)[number] | "limits" | "resumptionPartition" | "trace">

export interface CommonTlsOptions extends SecureContextOptions, CertificatePolicy, OwnOptions {
  /** Made by `createSecureContext`; stands in the place of cert, key, ca, trust, crl, ocspResponse and provider. */
  readonly secureContext?: SecureContext | undefined
  /** Names, or one Buffer of length-prefixed names. */
  readonly ALPNProtocols?: readonly string[] | Uint8Array | undefined
  /** TLS 1.3 is the only version: anything that leaves it out is an error. */
  readonly minVersion?: string | undefined
  readonly maxVersion?: string | undefined
  readonly secureProtocol?: string | undefined
  /** Such as `TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256`, in order of preference. */
  readonly ciphers?: string | readonly string[] | undefined
  /** Such as `X25519:P-256`, in order of preference. */
  readonly ecdhCurve?: string | readonly string[] | undefined
  /** Such as `ecdsa_secp256r1_sha256:ed25519`, in order of preference. */
  readonly sigalgs?: string | readonly string[] | undefined
  /** Milliseconds for a handshake; default 10,000. */
  readonly handshakeTimeout?: number | undefined
  /** Gets each line of the key log (RFC 9850), without its line end. Who has them reads the connection. */
  readonly keylog?: ((line: string) => void) | undefined
  /** Records connections: `createRecorder` of `./recording`. ALL SECRETS of each are in its recording. */
  readonly recorder?: ConnectionRecorder | undefined
  /** Bytes that may wait in each direction; default 65,536. */
  readonly highWaterMark?: number | undefined
}

/** @throws Misuse for a value that TLS 1.3 has no place for */
export function commonOptions(options: Omit<CommonTlsOptions, "trace">, context: SecureContext): CommonOptions {
  checkVersions(options)
  const { handshakeTimeout, limits } = options
  const groups = list(options.ecdhCurve)?.flatMap(groupName)
  return {
    ...Object.fromEntries(ownNames.map((name) => [name, options[name]])),
    provider: context.provider,
    cipherSuites: list(options.ciphers),
    groups: groups?.length === 0 ? undefined : groups,
    signatureSchemes: list(options.sigalgs),
    alpnProtocols: protocolNames(options.ALPNProtocols),
    limits: { ...limits, handshakeTime: handshakeTimeout ?? limits?.handshakeTime },
  }
}

function checkVersions({
  minVersion,
  maxVersion,
  secureProtocol,
}: Pick<CommonTlsOptions, "minVersion" | "maxVersion" | "secureProtocol">): void {
  const known = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
  for (const [name, value] of Object.entries({ minVersion, maxVersion })) {
    if (value !== undefined && !known.includes(value)) {
      throw new Misuse(`${name} is ${JSON.stringify(value)}; it must be one of ${known.join(", ")}`)
    }
  }
  if (maxVersion !== undefined && maxVersion !== "TLSv1.3") {
    throw new Misuse(`maxVersion ${maxVersion} leaves out TLS 1.3, the only version that there is here`)
  }
  if (secureProtocol !== undefined && !/^TLS(v1_3)?_/.test(secureProtocol)) {
    throw new Misuse(`secureProtocol ${secureProtocol} leaves out TLS 1.3, the only version that there is here`)
  }
}

function list(value: string | readonly string[] | undefined): readonly string[] | undefined {
  if (value === undefined || value === "") return undefined
  return typeof value === "string" ? value.split(":").filter((name) => name !== "") : value
}

const groupAliases: Readonly<Record<string, string>> = {
  x25519: "x25519",
  "p-256": "secp256r1",
  prime256v1: "secp256r1",
  "p-384": "secp384r1",
  "p-521": "secp521r1",
}

function groupName(name: string): readonly string[] {
  return name === "auto" ? [] : [groupAliases[name.toLowerCase()] ?? name]
}

/** Each octet is a character: that is how the core keeps ALPN names, which may be any octets. */
function protocolNames(value: readonly string[] | Uint8Array | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!(value instanceof Uint8Array)) return value.map((name) => bytesToLatin1(utf8ToBytes(name)))
  const names: string[] = []
  for (let at = 0; at < value.length; at += 1 + value[at]!) {
    const name = value.subarray(at + 1, at + 1 + value[at]!)
    if (name.length !== value[at]) throw new Misuse("ALPNProtocols: the last name is shorter than its length says")
    names.push(bytesToLatin1(name))
  }
  return names
}

/** @throws Misuse for a key that is too short to be safe */
export function externalPsk(option: PskOption): ExternalPsk {
  if ("imported" in option && option.imported !== undefined)
    throw new Misuse('`imported` is no part of a PSK: did you mean `kind: "imported"`?')
  const { identity, key, hash = "sha256", kind = "external" } = option
  const bytes = typeof identity === "string" ? utf8ToBytes(identity) : copyOf(identity)
  if (bytes.length < 1 || bytes.length > 65_535) throw new Misuse("a PSK identity has 1 to 65,535 bytes")
  // RFC 9257 section 6: "Each PSK ... MUST be at least 128 bits long".
  if (key.length < 16) {
    throw new Misuse(`the PSK of ${printable(bytes)} has ${8 * key.length} bits; it needs 128 random ones or more`)
  }
  return { identity: bytes, key: copyOf(key), hash, kind }
}

/** An identity as text when it is some, else in hexadecimal. */
export function printable(identity: Uint8Array): string {
  const text = bytesToLatin1(identity)
  return /^[\x20-\x7e]+$/.test(text) ? text : toHex(identity)
}

/** One sink for all that want to know, or none when nobody does. */
export function traceSink(
  sinks: readonly (TraceSink | undefined)[],
  keylogs: readonly (((line: string) => void) | undefined)[],
): TraceSink | undefined {
  const all = sinks.filter((sink) => sink !== undefined)
  const logs = keylogs.filter((log) => log !== undefined)
  if (all.length === 0 && logs.length === 0) return undefined
  return (event) => {
    for (const sink of all) sink(event)
    if (logs.length === 0) return
    const line = keyLogLine(event)
    if (line !== undefined) for (const log of logs) log(line)
  }
}
