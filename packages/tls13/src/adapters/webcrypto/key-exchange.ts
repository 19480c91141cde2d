// Key exchange by WebCrypto (RFC 9846 sections 4.3.8.2 and 7.4.2; https://www.w3.org/TR/webcrypto/): the host's own curves, in
// constant time where the host is, and a private value that never enters this code. It answers with promises, so the
// connection pauses.

import { KnownNamedGroup } from "../../bytes/code-points.ts"
import { Misuse, messageOf } from "../../bytes/errors.ts"
import { Pause } from "../../bytes/pause.ts"
import {
  InvalidKeyShare,
  type KeyExchange,
  type KeyExchangeAnswer,
  type KeyExchangeStarted,
} from "../../crypto/provider.ts"

interface GroupAlgorithm {
  readonly name: string
  readonly namedCurve?: string
}

export interface WebCryptoKeyPair<Key> {
  readonly privateKey: Key
  readonly publicKey: Key
}

/** What is used of SubtleCrypto: `globalThis.crypto.subtle` of any runtime, or another implementation of it. */
export interface SubtleKeyExchange<Key> {
  generateKey(
    algorithm: GroupAlgorithm,
    extractable: false,
    usages: ["deriveBits"],
  ): Promise<WebCryptoKeyPair<Key> | Key>
  exportKey(format: "raw", key: Key): Promise<ArrayBuffer>
  importKey(
    format: "raw",
    bytes: Uint8Array<ArrayBuffer>,
    algorithm: GroupAlgorithm,
    extractable: true,
    usages: [],
  ): Promise<Key>
  deriveBits(algorithm: GroupAlgorithm & { readonly public: Key }, key: Key, bits: number): Promise<ArrayBuffer>
}

interface Group {
  readonly algorithm: GroupAlgorithm
  /** Bytes of KeyShareEntry.key_exchange. */
  readonly shareLength: number
  /** Bytes of the secret. */
  readonly secretLength: number
}

const ecdh = (namedCurve: string, coordinate: number): Group => ({
  algorithm: { name: "ECDH", namedCurve },
  shareLength: 1 + 2 * coordinate,
  secretLength: coordinate,
})

export type WebCryptoGroup = "x25519" | "secp256r1" | "secp384r1" | "secp521r1"

const groups: Readonly<Record<WebCryptoGroup, Group>> = {
  x25519: { algorithm: { name: "X25519" }, shareLength: 32, secretLength: 32 },
  secp256r1: /* @__PURE__ */ ecdh("P-256", 32),
  secp384r1: /* @__PURE__ */ ecdh("P-384", 48),
  secp521r1: /* @__PURE__ */ ecdh("P-521", 66),
}

/** The groups that WebCrypto knows, the first choice first. Not every host has x25519, nor every one secp521r1. */
export const webCryptoGroups: readonly WebCryptoGroup[] = ["x25519", "secp256r1", "secp384r1", "secp521r1"]

/**
 * A key exchange for `keyExchanges` of a provider. Randomness is the host's, not that of the provider.
 * @throws Misuse for a group that WebCrypto does not know
 */
export function webCryptoKeyExchange<Key>(subtle: SubtleKeyExchange<Key>, name: WebCryptoGroup): KeyExchange {
  if (!Object.hasOwn(groups, name)) {
    throw new Misuse(`WebCrypto has no key exchange for ${String(name)}: it knows ${webCryptoGroups.join(", ")}`)
  }
  const group = groups[name]
  return {
    name,
    code: KnownNamedGroup[name],
    start: () => new Pause(start(subtle, group)),
    respond: (clientShare) => new Pause(respond(subtle, group, new Uint8Array(clientShare))),
  }
}

async function start<Key>(subtle: SubtleKeyExchange<Key>, group: Group): Promise<KeyExchangeStarted> {
  const { privateKey, share } = await generate(subtle, group)
  return {
    share,
    complete: (serverShare) => new Pause(derive(subtle, group, privateKey, new Uint8Array(serverShare))),
    wipe: () => undefined, // the host's
  }
}

async function respond<Key>(
  subtle: SubtleKeyExchange<Key>,
  group: Group,
  clientShare: Uint8Array<ArrayBuffer>,
): Promise<KeyExchangeAnswer> {
  const { privateKey, share } = await generate(subtle, group)
  return { share, secret: await derive(subtle, group, privateKey, clientShare) }
}

async function generate<Key>(subtle: SubtleKeyExchange<Key>, { algorithm, shareLength }: Group) {
  const pair = (await subtle.generateKey(algorithm, false, ["deriveBits"])) as WebCryptoKeyPair<Key>
  const share = new Uint8Array(await subtle.exportKey("raw", pair.publicKey))
  if (share.length !== shareLength)
    throw new Error(`the host made a share of ${share.length} bytes, not ${shareLength}`)
  return { privateKey: pair.privateKey, share }
}

async function derive<Key>(
  subtle: SubtleKeyExchange<Key>,
  { algorithm, shareLength, secretLength }: Group,
  privateKey: Key,
  peerShare: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  if (peerShare.length !== shareLength) {
    throw new InvalidKeyShare(`it has ${peerShare.length} bytes, not ${shareLength}`)
  }
  // Section 4.3.8.2: legacy_form is 4, "uncompressed"; a host may take others.
  if (algorithm.namedCurve !== undefined && peerShare[0] !== 4) {
    throw new InvalidKeyShare("it is no uncompressed point")
  }
  const secret = await ofPeer(async () => {
    const publicKey = await subtle.importKey("raw", peerShare, algorithm, true, [])
    return subtle.deriveBits({ ...algorithm, public: publicKey }, privateKey, secretLength * 8)
  })
  const bytes = new Uint8Array(secret)
  // Section 7.4.2: "whether the computed Diffie-Hellman shared secret is the all-zero value": not every host looks.
  if (bytes.every((byte) => byte === 0)) throw new InvalidKeyShare("the secret is zero")
  return bytes
}

/** What hosts say of a share that is not on the curve, or gives no secret; all else is a fault of theirs. */
async function ofPeer<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    // A TypeError is Deno's.
    const isOfShare = error instanceof Error && ["DataError", "OperationError", "TypeError"].includes(error.name)
    throw isOfShare ? new InvalidKeyShare(messageOf(error)) : error
  }
}
