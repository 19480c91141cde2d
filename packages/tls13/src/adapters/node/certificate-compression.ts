// Certificate compression (RFC 8879) by node:zlib.

import { brotliCompressSync, brotliDecompressSync, deflateSync, inflateSync } from "node:zlib"
import type { CertificateCompression } from "../../handshake/options.ts"

/** zlib (RFC 1950): the one that most peers have. */
export function zlibCompression(): CertificateCompression {
  return {
    code: 1,
    name: "zlib",
    compress: (message) => new Uint8Array(deflateSync(message)),
    decompress: (compressed, length) =>
      bounded(length, (maxOutputLength) => inflateSync(compressed, { maxOutputLength })),
  }
}

/** Brotli (RFC 7932): some per cent shorter. */
export function brotliCompression(): CertificateCompression {
  return {
    code: 2,
    name: "brotli",
    compress: (message) => new Uint8Array(brotliCompressSync(message)),
    decompress: (compressed, length) =>
      bounded(length, (maxOutputLength) => brotliDecompressSync(compressed, { maxOutputLength })),
  }
}

/** Nothing beyond `length` bytes is made of what a peer sent; what is not made of `length` bytes is nothing. */
function bounded(length: number, decompress: (maxOutputLength: number) => Uint8Array): Uint8Array | undefined {
  try {
    const message = decompress(Math.max(1, length))
    return message.length === length ? new Uint8Array(message) : undefined
  } catch {
    return undefined
  }
}
