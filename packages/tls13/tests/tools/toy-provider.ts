// Cryptography that is none: of the right shapes and lengths, deterministic, and a hundred times as fast. For fuzzing the
// protocol, where each of millions of handshakes would otherwise spend its time in curves. Never in anything else.

import { copyOf } from "../../src/bytes/copy.ts"
import { equalBytes, isAllZero } from "../../src/bytes/equal.ts"
import { draw } from "../../src/crypto/draw.ts"
import type { PrivateKey, PublicKey } from "../../src/crypto/keys.ts"
import type {
  Aead,
  CipherSuiteAlgorithms,
  Hash,
  HashState,
  ImmediateCryptoProvider,
  ImmediateKeyExchange,
  RandomSource,
} from "../../src/crypto/provider.ts"
import { InvalidKeyShare } from "../../src/crypto/provider.ts"

const digestLength = 32

class ToyState implements HashState {
  readonly #lanes: Uint32Array
  #length: number

  constructor(lanes: Uint32Array = new Uint32Array(8).fill(0x811c9dc5), length = 0) {
    this.#lanes = lanes
    this.#length = length
  }

  update(bytes: Uint8Array): void {
    const lanes = this.#lanes
    for (const byte of bytes) {
      const i = this.#length++ & 7
      lanes[i] = (Math.imul(lanes[i]! ^ byte, 0x01000193) + lanes[(i + 1) & 7]!) >>> 0
    }
  }

  digest(): Uint8Array {
    const lanes = this.#lanes.slice()
    for (let round = 0; round < 24; round++) {
      const i = round & 7
      const mixed = Math.imul(lanes[i]! ^ (lanes[(i + 3) & 7]! >>> 13) ^ this.#length, 0x85ebca6b)
      lanes[(i + 1) & 7] = (lanes[(i + 1) & 7]! + (mixed ^ (mixed >>> 16))) >>> 0
    }
    return new Uint8Array(lanes.buffer)
  }

  clone(): ToyState {
    return new ToyState(this.#lanes.slice(), this.#length)
  }
}

function digestOf(...parts: readonly Uint8Array[]): Uint8Array {
  const state = new ToyState()
  for (const part of parts) state.update(part)
  return state.digest()
}

const hash: Hash = {
  name: "sha256",
  length: digestLength,
  digest: (message) => digestOf(message),
  start: () => new ToyState(),
  hmac(key) {
    const own = copyOf(key)
    return { mac: (...parts) => digestOf(own, Uint8Array.of(0x36), ...parts), wipe: () => void own.fill(0) }
  },
}

const aead: Aead = {
  name: "AES-128-GCM",
  keyLength: 16,
  nonceLength: 12,
  tagLength: 16,
  confidentialityLimit: 2 ** 24,
  key(given) {
    const key = copyOf(given)
    const tag = (nonce: Uint8Array, aad: Uint8Array, text: Uint8Array) =>
      digestOf(key, nonce, aad, text).subarray(0, 16)
    return {
      seal(nonce, aad, plaintext, out, at) {
        const mac = tag(nonce, aad, plaintext)
        if (plaintext.buffer !== out.buffer || plaintext.byteOffset !== out.byteOffset + at) out.set(plaintext, at)
        out.set(mac, at + plaintext.length)
      },
      open(nonce, aad, ciphertext, out, at) {
        const length = ciphertext.length - 16
        if (length < 0) return -1
        const text = ciphertext.subarray(0, length)
        if (!equalBytes(tag(nonce, aad, text), ciphertext.subarray(length))) return -1
        out.set(text, at)
        return length
      },
      wipe: () => void key.fill(0),
    }
  },
}

const suite = (code: number, name: string): CipherSuiteAlgorithms => ({ code, name, aead, hash })

/** The share is the secret; both together are what they agree on. */
function keyExchange(name: "x25519" | "secp256r1", code: number, length: number): ImmediateKeyExchange {
  const agree = (own: Uint8Array, peer: Uint8Array) => {
    if (peer.length !== length || isAllZero(peer)) throw new InvalidKeyShare(`a ${name} share has ${length} bytes`)
    return digestOf(own.map((byte, i) => byte ^ peer[i]!))
  }
  return {
    name,
    code,
    start(random) {
      const share = draw(random, length)
      return { share, complete: (peer) => agree(share, peer), wipe: () => {} }
    },
    respond(peer, random) {
      const share = draw(random, length)
      return { share, secret: agree(share, peer) }
    },
  }
}

/** An Ed25519 key of any 32 bytes. */
export function toyKey(fill: number): { readonly privateKey: PrivateKey; readonly publicKey: PublicKey } {
  const seed = new Uint8Array(32).fill(fill)
  return { privateKey: { type: "ed25519", seed }, publicKey: { type: "ed25519", bytes: seed } }
}

export function createToyProvider(random: RandomSource): ImmediateCryptoProvider {
  return {
    name: "toy",
    cipherSuites: [suite(0x1301, "TLS_AES_128_GCM_SHA256"), suite(0x1304, "TLS_AES_128_CCM_SHA256")],
    keyExchanges: [keyExchange("x25519", 0x001d, 32), keyExchange("secp256r1", 0x0017, 65)],
    signatures: [
      {
        name: "ed25519",
        verify: (key, message, signature) =>
          key.type === "ed25519" && equalBytes(digestOf(key.bytes, message), signature),
        sign: (key, message) => digestOf(key.type === "ed25519" ? key.seed : new Uint8Array(0), message),
      },
    ],
    random,
  }
}
