import { KnownNamedGroup } from "../../../bytes/code-points.ts"
import { montgomeryGroup } from "../../montgomery-group.ts"
import type { ImmediateKeyExchange } from "../../provider.ts"

/** What X25519 and Ed25519 are made of. Everything is 32 little-endian bytes if nothing else is said; results are copies. */
export interface Curve25519Kernel {
  readonly language: "WebAssembly" | "TypeScript"
  /** RFC 7748 section 5. */
  x25519(scalar: Uint8Array, u: Uint8Array): Uint8Array
  /** The same for u = 9. */
  x25519Base(scalar: Uint8Array): Uint8Array
  /** A multiple of the base point of Ed25519, encoded; the scalar is any number of 256 bits. */
  ed25519Base(scalar: Uint8Array): Uint8Array
  /** A number of 64 bytes modulo the order L. */
  ed25519Reduce(number: Uint8Array): Uint8Array
  /** (r + hash * a) modulo L; `hash` has 64 bytes. */
  ed25519Answer(r: Uint8Array, hash: Uint8Array, a: Uint8Array): Uint8Array
  /** s * B - hash * A, encoded, or undefined when A is not a point; `hash` has 64 bytes. For public values. */
  ed25519Verify(a: Uint8Array, s: Uint8Array, hash: Uint8Array): Uint8Array | undefined
}

/** @param kernel makes the kernel at its first use */
export function x25519Over(kernel: () => Curve25519Kernel): ImmediateKeyExchange {
  return montgomeryGroup(
    { name: "x25519", code: KnownNamedGroup.x25519 },
    (scalar, u) => kernel().x25519(scalar, u),
    (scalar) => kernel().x25519Base(scalar),
  )
}
